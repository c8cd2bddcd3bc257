//! The pool's right to invoke the function, in whatever way it is written.

use serde_json::{Value, json};

use crate::world::{FUNCTION, World};

/// What becomes of the right to invoke a function with this policy, and how many statements there are then.
fn with(statements: impl FnOnce(&str) -> Vec<Value>) -> (Value, usize) {
    let world = World::new();
    let id = world.create_with(json!({}));
    let pool = format!("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{id}");
    world.functions.set_policy(FUNCTION, &statements(&pool));
    let said = world.attach(&id, &["--yes", "--json"]).json();
    assert_eq!(said["done"], json!(true));
    (said["invoke_right"].clone(), world.functions.policy(FUNCTION).len())
}

/// As AddPermission writes it.
fn statement(pool: &str) -> Value {
    json!({
        "Sid": "cognito",
        "Effect": "Allow",
        "Principal": { "Service": "cognito-idp.amazonaws.com" },
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
        "Condition": {
            "ArnLike": { "AWS:SourceArn": pool },
            "StringEquals": { "AWS:SourceAccount": "123456789012" },
        },
    })
}

/// With other members.
fn but(pool: &str, changes: Value) -> Vec<Value> {
    let mut statement = statement(pool);
    for (name, value) in changes.as_object().expect("an object") {
        statement[name] = value.clone();
    }
    vec![statement]
}

#[test]
fn a_right_that_is_there_is_recognised_and_not_granted_again() {
    let there = (json!("there"), 1);
    assert_eq!(with(|pool| vec![statement(pool)]), there);
    let lists = |pool: &str| {
        but(
            pool,
            json!({
                "Principal": { "Service": ["events.amazonaws.com", "cognito-idp.amazonaws.com"] },
                "Action": ["lambda:GetFunction", "lambda:InvokeFunction"],
                "Condition": { "ArnLike": { "aws:SourceArn": [pool] } },
            }),
        )
    };
    assert_eq!(with(lists), there);
    for operator in ["ArnEquals", "ArnLike", "StringEquals", "StringLike"] {
        let condition = |pool: &str| but(pool, json!({ "Condition": { operator: { "aws:sourcearn": pool } } }));
        assert_eq!(with(condition), there, "{operator}");
    }
    for action in ["lambda:*", "*", "lambda:Invoke*", "LAMBDA:invokefunction"] {
        assert_eq!(with(|pool| but(pool, json!({ "Action": action }))), there, "{action}");
    }
}

#[test]
fn a_right_that_others_have_too_is_left_and_pointed_out() {
    let any = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/*";
    for condition in [
        json!({ "ArnLike": { "AWS:SourceArn": any } }),
        json!({ "StringEquals": { "AWS:SourceAccount": "123456789012" } }),
        json!(null),
    ] {
        let world = World::new();
        let id = world.create_with(json!({}));
        world.functions.set_policy(FUNCTION, &but("", json!({ "Condition": condition })));
        let said = world.attach(&id, &["--yes", "--json"]).json();
        assert!(said["warnings"].to_string().contains("cognito"), "the statement is named: {said}");
        assert_eq!(world.functions.policy(FUNCTION).len(), 1);
    }
}

#[test]
fn a_right_of_others_alone_does_not_count() {
    let granted = (json!("granted"), 2);
    let other_pool = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Another";
    for changes in [
        json!({ "Condition": { "ArnLike": { "AWS:SourceArn": other_pool } } }),
        json!({ "Condition": { "ArnLike": { "AWS:SourceArn": [] } } }),
        json!({ "Principal": { "Service": "events.amazonaws.com" } }),
        json!({ "Principal": { "AWS": "arn:aws:iam::123456789012:root" } }),
        json!({ "Action": "lambda:GetFunction" }),
        json!({ "Action": ["lambda:InvokeFunctionUrl"] }),
    ] {
        assert_eq!(with(|pool| but(pool, changes.clone())), granted, "{changes}");
    }
    let of_other_account = |pool: &str| {
        let mut statement = statement(pool);
        statement["Condition"]["StringEquals"]["AWS:SourceAccount"] = json!("210987654321");
        vec![statement]
    };
    assert_eq!(with(of_other_account), granted);
    let judged_by_nobody_here = |pool: &str| {
        let mut statement = statement(pool);
        statement["Condition"]["DateGreaterThan"] = json!({ "aws:CurrentTime": "2030-01-01T00:00:00Z" });
        vec![statement]
    };
    assert_eq!(with(judged_by_nobody_here), granted);
    let denied_to_others = |pool: &str| {
        let deny =
            json!({ "Sid": "no", "Effect": "Deny", "Condition": { "ArnLike": { "AWS:SourceArn": other_pool } } });
        [vec![statement(pool)], but(pool, deny)].concat()
    };
    assert_eq!(with(denied_to_others), (json!("there"), 2));
}

#[test]
fn a_pool_that_is_denied_is_not_attached() {
    for deny in [
        json!({ "Effect": "Deny", "Sid": "KeepOut" }),
        json!({ "Effect": "Deny", "Sid": "KeepOut", "Principal": "*", "Action": "*", "Condition": {} }),
        json!({ "Effect": "Deny", "Sid": "KeepOut", "Condition": { "StringNotEquals": { "aws:SourceAccount": "1" } } }),
    ] {
        let world = World::new();
        let id = world.create_with(json!({}));
        let before = world.snapshot(&id);
        let pool = format!("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{id}");
        let policy = [vec![statement(&pool)], but(&pool, deny)].concat();
        world.functions.set_policy(FUNCTION, &policy);
        world.attach(&id, &["--yes"]).fails(1, &["KeepOut", FUNCTION]);
        assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
        assert_eq!(world.functions.policy(FUNCTION), policy);
    }
}

#[test]
fn what_is_granted_is_for_this_pool_alone() {
    let world = World::new();
    let (id, other) = (world.create_with(json!({})), world.create_with(json!({})));
    world.attach(&id, &["--yes", "--undo-file", "one.json"]).text();
    world.attach(&other, &["--yes", "--undo-file", "other.json"]).text();
    let policy = world.functions.policy(FUNCTION);
    for (statement, id) in policy.iter().zip([&id, &other]) {
        let pool = format!("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{id}");
        let expected =
            json!({ "ArnLike": { "AWS:SourceArn": pool }, "StringEquals": { "AWS:SourceAccount": "123456789012" } });
        assert_eq!((&statement["Sid"], &statement["Condition"]), (&json!(format!("sealpost-{id}")), &expected));
        assert_eq!(statement["Principal"], json!({ "Service": "cognito-idp.amazonaws.com" }));
        assert_eq!(statement["Action"], json!("lambda:InvokeFunction"));
    }
    world.detach(&id, &["--yes"]).text();
    assert_eq!(world.functions.policy(FUNCTION), policy[1..]);
}

/// The statement of an earlier attachment that somebody has changed since.
#[test]
fn a_statement_of_that_name_which_says_something_else_is_told() {
    let world = World::new();
    let id = world.create_with(json!({}));
    let before = world.snapshot(&id);
    let other_pool = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Another";
    let policy = but(other_pool, json!({ "Sid": format!("sealpost-{id}") }));
    world.functions.set_policy(FUNCTION, &policy);
    world.attach(&id, &["--yes"]).fails(1, &["ResourceConflictException", &format!("sealpost-{id}")]);
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
    assert_eq!(world.functions.policy(FUNCTION), policy);
}
