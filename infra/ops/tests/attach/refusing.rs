//! What is refused, by the tool or by AWS: then the pool is as it was, and what to do is said.

use local::aws::KmsFault;
use serde_json::{Value, json};

use crate::generator::OTHER_KEY;
use crate::snapshot::Snapshot;
use crate::world::{FUNCTION, World};

struct Scene {
    world: World,
    id: String,
    before: Snapshot,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let id = world.create_with(json!({ "AutoVerifiedAttributes": ["email"] }));
        let before = world.snapshot(&id);
        world.pools.operations();
        Self { world, id, before }
    }

    #[track_caller]
    fn is_as_it_was(&self) {
        assert_eq!(self.before.differences(&self.world.snapshot(&self.id)), [""; 0]);
    }

    /// Attaching fails with one line that says all this, and the pool is as it was.
    #[track_caller]
    fn refuses(&self, parts: &[&str]) {
        self.world.attach(&self.id, &["--yes"]).fails(1, parts);
        self.is_as_it_was();
    }
}

#[test]
fn a_right_that_is_missing_is_named() {
    for (operation, skip) in [("DescribeUserPool", 0), ("DescribeUserPool", 1), ("UpdateUserPool", 0)] {
        for code in ["AccessDeniedException", "NotAuthorizedException"] {
            let scene = Scene::new();
            scene.world.pools.refuse(operation, skip, code, "");
            scene.refuses(&[code, &format!("cognito-idp:{operation}")]);
        }
    }
    for operation in ["GetPolicy", "AddPermission"] {
        let scene = Scene::new();
        scene.world.functions.refuse(operation, 403, "AccessDeniedException", "");
        scene.refuses(&["AccessDeniedException", &format!("lambda:{operation}")]);
    }
}

#[test]
fn a_right_that_is_missing_afterwards_is_named_and_what_was_done_is_said() {
    let scene = Scene::new();
    scene.world.pools.refuse("DescribeUserPool", 2, "AccessDeniedException", "");
    let said = scene.world.attach(&scene.id, &["--yes"]);
    said.fails(1, &["cognito-idp:DescribeUserPool", "the pool was changed"]);
    assert_eq!(scene.world.tool.files().len(), 1, "the undo file is there");

    let scene = Scene::new();
    scene.world.attach(&scene.id, &["--yes"]).text();
    scene.world.functions.refuse("RemovePermission", 403, "AccessDeniedException", "");
    let said = scene.world.detach(&scene.id, &["--yes", "--json"]).json();
    assert!(said["warnings"].to_string().contains("lambda:RemovePermission"), "{said}");
    assert_eq!(scene.world.functions.policy(FUNCTION).len(), 1);
    scene.is_as_it_was();
}

#[test]
fn second_factors_that_may_not_be_read_are_not_compared_and_that_is_said() {
    let scene = Scene::new();
    for skip in 0..2 {
        scene.world.pools.refuse("GetUserPoolMfaConfig", skip, "AccessDeniedException", "");
    }
    let said = scene.world.attach(&scene.id, &["--yes", "--json"]).json();
    assert!(said["warnings"].to_string().contains("cognito-idp:GetUserPoolMfaConfig"), "{said}");
}

#[test]
fn a_key_that_may_not_be_looked_at_is_taken_and_that_is_said() {
    let scene = Scene::new();
    scene.world.aws.kms().set_fault(Some(KmsFault::AccessDenied));
    let said = scene.world.attach(&scene.id, &["--yes", "--json"]).json();
    assert!(said["warnings"].to_string().contains("kms:DescribeKey"), "{said}");

    let scene = Scene::new();
    let key_id = scene.world.key.rsplit('/').next().expect("an id");
    scene.world.aws.kms().model().disable_key(key_id).expect("it is there");
    scene.refuses(&[&scene.world.key, "not enabled"]);
}

#[test]
fn throttling_is_waited_out_but_not_for_ever() {
    let scene = Scene::new();
    for operation in ["DescribeUserPool", "UpdateUserPool"] {
        scene.world.pools.refuse(operation, 0, "TooManyRequestsException", "Rate exceeded");
    }
    scene.world.functions.refuse("GetPolicy", 429, "TooManyRequestsException", "Rate exceeded");
    assert_eq!(scene.world.attach(&scene.id, &["--yes", "--json"]).json()["done"], json!(true));
    assert_eq!(scene.world.pools.requests("UpdateUserPool").len(), 2);

    let scene = Scene::new();
    for _ in 0..9 {
        scene.world.pools.refuse("UpdateUserPool", 0, "TooManyRequestsException", "Rate exceeded");
    }
    scene.refuses(&["TooManyRequestsException", "UpdateUserPool", "wait"]);
}

#[test]
fn an_update_that_cognito_refuses_changes_nothing_and_what_to_do_is_said() {
    for (code, remedy) in [
        ("ConcurrentModificationException", "say it again"),
        ("UserImportInProgressException", "imported"),
        ("InvalidSmsRoleTrustRelationshipException", "SmsConfiguration"),
        ("TierChangeNotAllowedException", "tier"),
        ("InvalidParameterException", "the message is invalid"),
    ] {
        let scene = Scene::new();
        scene.world.pools.refuse("UpdateUserPool", 0, code, "the message is invalid");
        let right = format!("the right to invoke stays (statement sealpost-{})", scene.id);
        scene.refuses(&[code, remedy, "the message is invalid", "was not changed", &right]);
        // Once it is over it can be done.
        assert_eq!(
            scene.world.attach(&scene.id, &["--yes", "--json", "--undo-file", "again.json"]).json()["done"],
            json!(true)
        );
    }
}

#[test]
fn an_update_that_may_have_been_carried_out_is_told_so() {
    for code in ["InternalErrorException", "ServiceUnavailableException"] {
        let scene = Scene::new();
        for _ in 0..9 {
            scene.world.pools.refuse("UpdateUserPool", 0, code, "sorry");
        }
        scene.refuses(&[code, "not known"]);
        assert_eq!(scene.world.tool.files().len(), 1, "the undo file is there");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let scene = Scene::new();
    scene.world.attach("eu-west-1_Nowhere1", &["--yes"]).fails(1, &["eu-west-1_Nowhere1", "ResourceNotFoundException"]);

    let absent = "arn:aws:lambda:eu-west-1:123456789012:function:absent";
    let attach = |function: &str, key: &str| {
        let arguments = ["attach", "--user-pool-id", &scene.id, "--function", function, "--key", key, "--yes"];
        scene.world.tool.run(&arguments)
    };
    attach(absent, &scene.world.key).fails(1, &[absent, "ResourceNotFoundException"]);
    attach(FUNCTION, OTHER_KEY).fails(1, &[OTHER_KEY, "no key"]);
    scene.is_as_it_was();
    assert_eq!(scene.world.functions.policy(FUNCTION), [Value::Null; 0]);
}

#[test]
fn a_pool_elsewhere_is_told_the_region() {
    let scene = Scene::new();
    scene.world.attach("us-east-1_Elsewhere", &["--yes"]).fails(1, &["us-east-1", "--region us-east-1"]);
    scene.world.detach("us-east-1_Elsewhere", &["--yes"]).fails(1, &["us-east-1", "--region us-east-1"]);
    assert_eq!(scene.world.pools.operations(), [""; 0], "nobody was asked");
}

#[test]
fn what_a_pool_cannot_have_is_told_the_remedy() {
    let scene = Scene::new();
    let key = scene.world.key.clone();
    let id_of_key = key.rsplit('/').next().expect("an id").to_owned();
    let alias = "arn:aws:kms:eu-west-1:123456789012:alias/sealpost";
    for (function, key, remedy) in [
        (FUNCTION, id_of_key.as_str(), "ARN"),
        (FUNCTION, "alias/sealpost", "ARN"),
        (FUNCTION, alias, "alias"),
        (FUNCTION, "arn:aws:kms:us-east-1:123456789012:key/2b9c4d5e-6f70-4181-92a3-b4c5d6e7f809", "us-east-1"),
        ("sealpost-producer", &key, "ARN"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:sealpost-producer:7", &key, "alias"),
        ("arn:aws:lambda:us-east-1:123456789012:function:sealpost-producer", &key, "us-east-1"),
    ] {
        let arguments = ["attach", "--user-pool-id", &scene.id, "--function", function, "--key", key, "--yes"];
        scene.world.tool.run(&arguments).fails(1, &[remedy]);
    }
    assert_eq!(scene.world.pools.requests("UpdateUserPool").len(), 0);
    scene.is_as_it_was();
    scene.world.tool.run(&["attach", "--user-pool-id", &scene.id, "--key", &key]).fails(2, &["--function"]);
    scene.world.tool.run(&["attach", "--user-pool-id", &scene.id, "--function", FUNCTION]).fails(2, &["--key"]);
}

#[test]
fn fields_that_nobody_knows_yet_stop_it_before_anything_is_done() {
    let scene = Scene::new();
    scene.world.pools.change(&scene.id, |pool| {
        pool.besides.insert("PostQuantumConfiguration".to_owned(), json!({ "Mode": "ON" }));
    });
    for further in [&["--yes"][..], &[]] {
        scene.world.attach(&scene.id, further).fails(1, &["PostQuantumConfiguration"]);
    }
    scene.world.detach(&scene.id, &["--yes"]).fails(1, &["PostQuantumConfiguration"]);
    assert_eq!(scene.world.pools.requests("UpdateUserPool").len(), 0);
    assert_eq!(scene.world.functions.policy(FUNCTION), [Value::Null; 0]);
}
