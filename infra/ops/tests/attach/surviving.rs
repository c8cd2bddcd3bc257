//! Any pool, attached and detached: nothing else of it changes.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::cognito::Messages;
use crate::generator;
use crate::snapshot::Snapshot;
use crate::world::{FUNCTION, World};

/// How an attachment is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Detach,
    DetachWithUndoFile,
    /// As the AWS CLI would: `update-user-pool --cli-input-json file://undo.json`.
    SendUndoFile,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_setting_survives(
        pool in generator::pool(),
        is_of_stack in any::<bool>(),
        way in select(vec![Way::Detach, Way::DetachWithUndoFile, Way::SendUndoFile]),
    ) {
        let world = World::new();
        let id = world.create(&pool);
        if is_of_stack {
            let tags = [("aws:cloudformation:stack-name", "identity"), ("aws:cloudformation:logical-id", "Pool")];
            let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned()));
            world.pools.change(&id, |pool| pool.tags_of_aws.extend(tags));
        }
        let before = world.snapshot(&id);
        let attached = world.attach(&id, &["--yes", "--json", "--undo-file", "undo.json"]).json();
        let after = world.snapshot(&id);
        is_attached(&world, &before, &after, &attached);
        prop_assert_eq!(world.functions.policy(FUNCTION).len(), 1);
        // Only the file knows which sender there was before.
        let way = if pool.has_own_sms_sender() && way == Way::Detach { Way::DetachWithUndoFile } else { way };
        take_back(&world, &id, way);
        prop_assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
    }

    /// Where Cognito takes less than it did when the pool was made, an attachment may be refused, but never half done.
    #[test]
    fn what_cognito_refuses_changes_nothing(pool in generator::pool()) {
        let world = World::new();
        let id = world.create(&pool);
        world.pools.set_messages(Messages::AsDocumented);
        let before = world.snapshot(&id);
        let said = world.attach(&id, &["--yes", "--json"]);
        let after = world.snapshot(&id);
        if said.code == Some(0) {
            is_attached(&world, &before, &after, &said.json());
        } else {
            prop_assert_eq!(said.code, Some(1));
            prop_assert!(said.error.contains("InvalidParameterException"), "{}", said.error);
            prop_assert_eq!(before.differences(&after), [""; 0]);
        }
    }
}

#[track_caller]
fn is_attached(world: &World, before: &Snapshot, after: &Snapshot, said: &Value) {
    assert_eq!(before.differences_but_attached(after), [""; 0]);
    let sender = json!({ "LambdaVersion": "V1_0", "LambdaArn": FUNCTION });
    assert_eq!(after.get("LambdaConfig.CustomSMSSender"), sender);
    assert_eq!(after.get("LambdaConfig.KMSKeyID"), world.key.as_str());
    assert_eq!((&said["done"], &said["invoke_right"]), (&json!(true), &json!("granted")));
    for change in said["changes"].as_array().expect("a list") {
        let path = change["path"].as_str().expect("a path");
        assert_eq!((&change["before"], &change["after"]), (&before.get(path), &after.get(path)), "{path}");
    }
}

fn take_back(world: &World, id: &str, way: Way) {
    match way {
        Way::Detach => {
            let said = world.detach(id, &["--yes", "--json"]).json();
            assert_eq!((&said["done"], &said["invoke_right"]), (&json!(true), &json!("withdrawn")));
            assert_eq!(world.functions.policy(FUNCTION), [Value::Null; 0]);
        }
        Way::DetachWithUndoFile => {
            let said = world.detach(id, &["--yes", "--json", "--undo-file", "undo.json"]).json();
            assert_eq!(said["done"], json!(true));
        }
        Way::SendUndoFile => {
            let request = std::fs::read_to_string(world.tool.path("undo.json")).expect("an undo file");
            let request = serde_json::from_str(&request).expect("JSON");
            world.api.pools("UpdateUserPool", &request).expect("it is a request");
        }
    }
}
