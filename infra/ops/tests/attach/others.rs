//! What others do meanwhile, and what a later Cognito does.

use serde_json::json;

use crate::cognito::ONLY_DESCRIBED;
use crate::generator::everything;
use crate::world::{FUNCTION, World};

#[test]
fn a_pool_that_changes_before_the_update_is_left_alone() {
    for (setting, value) in [
        ("AutoVerifiedAttributes", json!(["phone_number"])),
        ("DeletionProtection", json!("ACTIVE")),
        ("LambdaConfig", json!({ "PreSignUp": FUNCTION })),
    ] {
        let world = World::new();
        let id = world.create_with(json!({}));
        world.pools.change_after("DescribeUserPool", move |pool| {
            pool.settings.insert(setting.to_owned(), value);
        });
        world.attach(&id, &["--yes"]).fails(1, &[setting, "was not changed"]);
        assert_eq!(world.pools.requests("UpdateUserPool").len(), 0);
        assert_eq!(world.snapshot(&id).get("LambdaConfig.CustomSMSSender"), json!(null));
    }
}

#[test]
fn a_sender_that_comes_before_the_update_is_not_overwritten() {
    let world = World::new();
    let id = world.create_with(json!({}));
    let theirs = json!({ "LambdaVersion": "V1_0", "LambdaArn": FUNCTION.replace("sealpost", "other") });
    let triggers = json!({ "CustomSMSSender": theirs, "KMSKeyID": world.key });
    world.pools.change_after("DescribeUserPool", move |pool| {
        pool.settings.insert("LambdaConfig".to_owned(), triggers);
    });
    world.attach(&id, &["--yes"]).fails(1, &["LambdaConfig.CustomSMSSender"]);
    assert_eq!(world.snapshot(&id).get("LambdaConfig.CustomSMSSender"), theirs);
}

#[test]
fn a_setting_that_the_update_loses_is_named_and_can_be_put_back() {
    let world = World::new();
    let recovery = json!({ "RecoveryMechanisms": [{ "Priority": 1, "Name": "verified_email" }] });
    let id = world.create_with(json!({ "AccountRecoverySetting": recovery }));
    world.pools.change(&id, |pool| pool.loses = Some("AccountRecoverySetting"));
    let before = world.snapshot(&id);
    let said = world.attach(&id, &["--yes", "--undo-file", "undo.json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    for part in ["AccountRecoverySetting", "verified_email", "undo.json"] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    world.pools.change(&id, |pool| pool.loses = None);
    let request = std::fs::read_to_string(world.tool.path("undo.json")).expect("it is there");
    world.api.pools("UpdateUserPool", &serde_json::from_str(&request).expect("JSON")).expect("it is a request");
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
}

#[test]
fn what_others_change_after_the_update_is_told() {
    let world = World::new();
    let id = world.create_with(json!({}));
    world.pools.change_after("UpdateUserPool", |pool| {
        pool.settings.insert("DeletionProtection".to_owned(), json!("ACTIVE"));
    });
    let said = world.attach(&id, &["--yes", "--json"]);
    assert_eq!((said.code, said.error.as_str()), (Some(1), ""));
    let said: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(said["unexpected"], json!([{ "path": "DeletionProtection", "before": "INACTIVE", "after": "ACTIVE" }]));
    assert!(world.tool.files().contains(&said["undo_file"].as_str().expect("a file").to_owned()));
}

#[test]
fn members_that_nobody_knows_yet_are_sent_back_within_what_is_known() {
    let world = World::new();
    let id = world.create_with(json!({ "LambdaConfig": { "PreSignUp": FUNCTION } }));
    world.pools.change(&id, |pool| {
        let of_the_future = ["LambdaConfig.PostMortem", "Policies.PasswordPolicy.Breached"];
        pool.of_the_future.extend(of_the_future.map(str::to_owned));
        pool.settings["LambdaConfig"]["PostMortem"] = json!({ "LambdaArn": FUNCTION, "Modes": ["A", "B"] });
        pool.settings["Policies"]["PasswordPolicy"]["Breached"] = json!(false);
    });
    let before = world.snapshot(&id);
    world.attach(&id, &["--yes"]).text();
    assert_eq!(before.differences_but_attached(&world.snapshot(&id)), [""; 0]);
    world.detach(&id, &["--yes"]).text();
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
}

/// So only a member that is newer than AWS's published model, which a trial of the outside compares, stops it.
#[test]
fn no_member_that_aws_publishes_stops_it() {
    let world = World::new();
    let id = world.create_with(everything::creation());
    world.pools.change(&id, |pool| {
        // Id and ARN are told anyway.
        for name in ONLY_DESCRIBED.into_iter().filter(|name| !["Id", "Arn"].contains(name)) {
            pool.besides.insert(name.to_owned(), json!("told"));
        }
    });
    assert_eq!(world.attach(&id, &["--yes", "--json"]).json()["done"], json!(true));
}

/// As other Cognitos than AWS's describe, and as AWS does of what has failed.
#[test]
fn nothing_written_in_whatever_way_is_not_sent() {
    let world = World::new();
    let id = world.create_with(json!({}));
    world.pools.change(&id, |pool| {
        for (name, value) in [
            ("Domain", json!(null)),
            ("CustomDomain", json!("auth.example.com")),
            ("SmsAuthenticationMessage", json!("")),
            ("EmailVerificationMessage", json!("")),
            ("EmailVerificationSubject", json!("")),
            ("SmsConfiguration", json!({})),
            ("AccountRecoverySetting", json!({})),
            ("UserPoolAddOns", json!(null)),
            ("AliasAttributes", json!([])),
            ("SmsConfigurationFailure", json!("SNSSandbox")),
            ("EmailConfigurationFailure", json!("")),
            ("Status", json!("Enabled")),
        ] {
            pool.besides.insert(name.to_owned(), value);
        }
    });
    let before = world.snapshot(&id);
    assert_eq!(world.attach(&id, &["--yes", "--json"]).json()["done"], json!(true));
    world.detach(&id, &["--yes"]).text();
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
}
