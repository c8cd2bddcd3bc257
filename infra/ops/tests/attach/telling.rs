//! What is told, and what is left behind.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::generator::OTHER_KEY;
use crate::world::{FUNCTION, World};

const OTHER: &str = "arn:aws:lambda:eu-west-1:123456789012:function:older";
const NOT_YET: &str = "nothing is done yet: say it again with --yes\n";

fn sender(function: &str) -> Value {
    json!({ "LambdaVersion": "V1_0", "LambdaArn": function })
}

/// The paths of the changes that are told.
fn changed(said: &Value) -> Vec<&str> {
    said["changes"].as_array().expect("a list").iter().map(|change| change["path"].as_str().expect("a path")).collect()
}

fn has_warning(said: &Value, parts: &[&str]) -> bool {
    let is_it = |warning: &Value| warning.as_str().is_some_and(|text| parts.iter().all(|part| text.contains(part)));
    said["warnings"].as_array().expect("a list").iter().any(is_it)
}

#[test]
fn without_yes_the_difference_is_told_and_nothing_is_done() {
    let world = World::new();
    let id = world.create_with(json!({}));
    let before = world.snapshot(&id);
    world.pools.operations();
    let said = world.attach(&id, &[]);
    let text = said.text();
    for part in [&id, "customers", "LambdaConfig.CustomSMSSender", "LambdaConfig.KMSKeyID", FUNCTION, &world.key] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.ends_with(NOT_YET), "{text}");
    let said = world.attach(&id, &["--json"]).json();
    assert_eq!(changed(&said), ["LambdaConfig.CustomSMSSender", "LambdaConfig.KMSKeyID"]);
    assert_eq!((&said["user_pool"], &said["invoke_right"]), (&json!(id), &json!("missing")));
    assert_eq!((&said["undo_file"], &said["done"]), (&json!(null), &json!(false)));

    world.attach(&id, &["--yes"]).text();
    let attached = world.snapshot(&id);
    world.pools.operations();
    world.functions.operations();
    let said = world.detach(&id, &[]);
    assert!(said.text().contains("LambdaConfig.CustomSMSSender") && said.text().ends_with(NOT_YET), "{said:?}");
    assert_eq!(world.detach(&id, &["--json"]).json()["done"], json!(false));
    assert!(
        world
            .pools
            .operations()
            .iter()
            .all(|operation| ["DescribeUserPool", "GetUserPoolMfaConfig"].contains(&operation.as_str()))
    );
    assert!(world.functions.operations().iter().all(|operation| *operation == "GetPolicy"));
    assert_eq!(before.differences_but_attached(&attached), [""; 0]);
    assert_eq!(attached.differences(&world.snapshot(&id)), [""; 0]);
    assert_eq!(world.tool.files().len(), 1, "only what --yes has written");
}

#[test]
fn an_attached_pool_needs_nothing_and_neither_does_a_detached_one() {
    let world = World::new();
    let id = world.create_with(json!({}));
    world.attach(&id, &["--yes"]).text();
    world.pools.operations();
    let again = world.attach(&id, &["--yes", "--json"]).json();
    assert_eq!((&again["changes"], &again["invoke_right"]), (&json!([]), &json!("there")));
    assert!(world.attach(&id, &["--yes"]).text().contains("nothing to do"));
    assert_eq!(world.pools.requests("UpdateUserPool").len(), 0);
    assert_eq!(world.functions.policy(FUNCTION).len(), 1);

    world.detach(&id, &["--yes"]).text();
    world.pools.operations();
    assert_eq!(world.detach(&id, &["--yes", "--json"]).json()["changes"], json!([]));
    assert!(world.detach(&id, &["--yes"]).text().contains("nothing to do"));
    assert_eq!(world.pools.requests("UpdateUserPool").len(), 0);
}

/// A pool whose right was withdrawn by hand gets it back, and nothing else is touched.
#[test]
fn a_right_that_is_missing_is_granted_to_an_attached_pool() {
    let world = World::new();
    let id = world.create_with(json!({}));
    world.attach(&id, &["--yes"]).text();
    world.functions.set_policy(FUNCTION, &[]);
    world.pools.operations();
    let said = world.attach(&id, &["--yes", "--json"]).json();
    assert_eq!((&said["changes"], &said["invoke_right"]), (&json!([]), &json!("granted")));
    assert_eq!(world.pools.requests("UpdateUserPool").len(), 0);
    assert_eq!(world.functions.policy(FUNCTION).len(), 1);
}

#[test]
fn another_sender_is_shown_and_comes_back_by_the_undo_file() {
    let world = World::new();
    let id = world.create_with(json!({ "LambdaConfig": { "CustomSMSSender": sender(OTHER), "KMSKeyID": OTHER_KEY } }));
    let before = world.snapshot(&id);
    let text = world.attach(&id, &[]).text().to_owned();
    for part in [OTHER, FUNCTION, OTHER_KEY, &world.key] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let said = world.attach(&id, &["--yes", "--json"]).json();
    assert!(has_warning(&said, &[OTHER]) && has_warning(&said, &[OTHER_KEY]), "{said}");
    let undo_file = said["undo_file"].as_str().expect("a file");
    let said = world.detach(&id, &["--yes", "--json", "--undo-file", undo_file]).json();
    assert!(has_warning(&said, &[OTHER]), "{said}");
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
    assert_eq!(world.functions.policy(FUNCTION), [Value::Null; 0], "it no longer invokes this one");
}

#[test]
fn an_email_sender_keeps_its_key() {
    let world = World::new();
    let id =
        world.create_with(json!({ "LambdaConfig": { "CustomEmailSender": sender(OTHER), "KMSKeyID": OTHER_KEY } }));
    let before = world.snapshot(&id);
    world.attach(&id, &["--yes"]).fails(1, &["e-mail", OTHER_KEY]);
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
    assert_eq!(world.functions.policy(FUNCTION), [Value::Null; 0]);

    let triggers = json!({ "CustomEmailSender": sender(OTHER), "KMSKeyID": world.key });
    let id = world.create_with(json!({ "LambdaConfig": triggers }));
    let before = world.snapshot(&id);
    let said = world.attach(&id, &["--yes", "--json"]).json();
    assert_eq!(changed(&said), ["LambdaConfig.CustomSMSSender"]);
    let said = world.detach(&id, &["--yes", "--json"]).json();
    assert_eq!(changed(&said), ["LambdaConfig.CustomSMSSender"]);
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
}

#[test]
fn whoever_else_describes_the_pool_is_named() {
    for (tag, value, owner) in [
        ("aws:cloudformation:stack-name", "identity-stack", "CloudFormation"),
        ("ManagedBy", "terraform", "Terraform"),
        ("amplify:deployment-type", "branch", "Amplify"),
    ] {
        let world = World::new();
        let id = if tag.starts_with("aws:") {
            let id = world.create_with(json!({}));
            world.pools.change(&id, |pool| drop(pool.tags_of_aws.insert(tag.to_owned(), value.to_owned())));
            id
        } else {
            world.create_with(json!({ "UserPoolTags": { tag: value } }))
        };
        let said = world.attach(&id, &["--json"]).json();
        assert!(has_warning(&said, &[owner, value]), "{said}");
        assert!(world.attach(&id, &[]).text().contains(owner));
        world.attach(&id, &["--yes"]).text();
    }
}

#[test]
fn the_undo_file_is_its_owners_alone_and_never_overwrites_another() {
    let world = World::new();
    let id = world.create_with(json!({ "UserPoolTags": { "team": "identity" } }));
    let before = world.snapshot(&id);
    let said = world.attach(&id, &["--yes", "--json"]).json();
    let files = world.tool.files();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    assert_eq!(said["undo_file"], json!(file));
    assert!(file.starts_with(&format!("sealpost-undo-attach-{id}-20")) && file.ends_with("Z.json"), "{file}");
    let mode = std::fs::metadata(world.tool.path(file)).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let request: Value =
        serde_json::from_str(&std::fs::read_to_string(world.tool.path(file)).expect("UTF-8")).expect("JSON");
    assert_eq!((&request["UserPoolId"], &request["UserPoolTags"]), (&json!(id), &json!({ "team": "identity" })));
    world.api.pools("UpdateUserPool", &request).expect("it is a request");
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);

    std::fs::write(world.tool.path("mine.json"), "mine").expect("writable");
    world.attach(&id, &["--yes", "--undo-file", "mine.json"]).fails(1, &["mine.json"]);
    assert_eq!(std::fs::read_to_string(world.tool.path("mine.json")).expect("UTF-8"), "mine");
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
}

#[test]
fn only_the_pools_own_undo_file_is_taken() {
    let world = World::new();
    let (id, other) = (world.create_with(json!({})), world.create_with(json!({})));
    world.attach(&other, &["--yes", "--undo-file", "other.json"]).text();
    world.attach(&id, &["--yes"]).text();
    let attached = world.snapshot(&id);
    std::fs::write(world.tool.path("text.json"), "hush").expect("writable");
    for file in ["other.json", "text.json", "absent.json"] {
        let said = world.detach(&id, &["--yes", "--undo-file", file]);
        said.fails(1, &[file]);
        assert!(!said.error.contains("hush"));
    }
    assert_eq!(attached.differences(&world.snapshot(&id)), [""; 0]);
}

#[test]
fn an_alias_has_a_right_of_its_own() {
    let world = World::new();
    let alias = format!("{FUNCTION}:live");
    world.functions.create(&alias);
    let id = world.create_with(json!({}));
    let attach = ["attach", "--user-pool-id", &id, "--function", &alias, "--key", &world.key, "--yes", "--json"];
    assert_eq!(world.tool.run(&attach).json()["invoke_right"], json!("granted"));
    assert_eq!(world.snapshot(&id).get("LambdaConfig.CustomSMSSender"), sender(&alias));
    let statement = &world.functions.policy(&alias)[0];
    assert_eq!((&statement["Resource"], &statement["Sid"]), (&json!(alias), &json!(format!("sealpost-{id}"))));
    assert_eq!(world.functions.policy(FUNCTION), [Value::Null; 0]);
    assert_eq!(world.detach(&id, &["--yes", "--json"]).json()["invoke_right"], json!("withdrawn"));
    assert_eq!(world.functions.policy(&alias), [Value::Null; 0]);
}
