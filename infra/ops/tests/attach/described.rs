//! One pool with everything, and the very request that attaches it: what comes both by an older and a newer name, what is
//! described and never sent, what is told of itself.

use serde_json::{Value, json};

use crate::generator::everything::{TOKENS, creation};
use crate::world::{FUNCTION, World};

#[test]
fn everything_is_sent_back_that_an_update_would_reset_and_nothing_that_it_refuses() {
    let world = World::new();
    let id = world.create_with(creation());
    world.pools.change(&id, |pool| {
        pool.tags_of_aws.insert("aws:cloudformation:stack-name".to_owned(), "identity".to_owned());
    });
    let described = world.snapshot(&id);
    world.attach(&id, &["--yes"]).text();

    let mut expected = creation();
    let members = expected.as_object_mut().expect("an object");
    for never_sent in ["DcrConfiguration", "AliasAttributes", "UsernameConfiguration", "Schema"] {
        members.remove(never_sent);
    }
    // What was told by another name too, or without having been said.
    expected["UserPoolId"] = json!(id);
    expected["SmsVerificationMessage"] = json!("Your code is {####}.");
    expected["EmailVerificationMessage"] = json!("Your code is {####}.");
    expected["EmailVerificationSubject"] = json!("Your code");
    expected["UserAttributeUpdateSettings"] = json!({ "AttributesRequireVerificationBeforeUpdate": [] });
    expected["DeviceConfiguration"]["DeviceOnlyRememberedOnUserPrompt"] = json!(false);
    expected["LambdaConfig"]["PreTokenGeneration"] = json!(TOKENS);
    // What is attached.
    expected["LambdaConfig"]["CustomSMSSender"] = json!({ "LambdaVersion": "V1_0", "LambdaArn": FUNCTION });
    expected["LambdaConfig"]["KMSKeyID"] = json!(world.key);
    let requests = world.pools.requests("UpdateUserPool");
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(without_empty_objects(request), expected);
    assert_eq!(described.differences_but_attached(&world.snapshot(&id)), [""; 0]);
}

/// Whether an empty object is sent is all one where it is described.
fn without_empty_objects(value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let members = members.iter().map(|(name, value)| (name.clone(), without_empty_objects(value)));
    Value::Object(members.filter(|(_, value)| *value != json!({})).collect())
}

/// As a pool from before 2019 is described: temporary passwords have a validity by the older name alone.
#[test]
fn the_older_name_of_a_validity_is_sent_as_the_newer() {
    let world = World::new();
    let id = world.create_with(json!({ "AdminCreateUserConfig": { "UnusedAccountValidityDays": 30 } }));
    let before = world.snapshot(&id);
    assert_eq!(before.get("Policies.PasswordPolicy.TemporaryPasswordValidityDays"), json!(null));
    world.attach(&id, &["--yes"]).text();
    let request = &world.pools.requests("UpdateUserPool")[0];
    assert_eq!(request["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"], json!(30));
    assert_eq!(request["AdminCreateUserConfig"]["UnusedAccountValidityDays"], json!(null));
    assert_eq!(before.differences_but_attached(&world.snapshot(&id)), [""; 0]);
}

/// A text for a code and one for a link stand side by side in pools on AWS, whose documentation says that they cannot be
/// sent together. Where that is so the pool stays as it is, and Cognito's own words are told.
#[test]
fn two_email_texts_are_sent_together_and_where_that_is_refused_nothing_is_changed() {
    let world = World::new();
    let id = world.create_with(creation());
    let before = world.snapshot(&id);
    world.pools.set_messages(crate::cognito::Messages::AsDocumented);
    world.attach(&id, &["--yes"]).fails(1, &["EmailMessageByLink", "was not changed"]);
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
    world.pools.set_messages(crate::cognito::Messages::AsMeasured);
    world.attach(&id, &["--yes", "--undo-file", "undo.json"]).text();
    assert_eq!(before.differences_but_attached(&world.snapshot(&id)), [""; 0]);
}
