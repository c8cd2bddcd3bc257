//! What the doctor may not look at: it says so, names the right, and finds nothing wrong for lack of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::proxy::{Answer, Rule};
use crate::world::World;

/// Each right, and the call that needs it.
const RIGHTS: [(&str, &str); 18] = [
    ("cloudformation:DescribeStacks", "DescribeStacks"),
    ("cognito-idp:DescribeUserPool", "DescribeUserPool"),
    ("cognito-idp:DescribeUserPoolClient", "DescribeUserPoolClient"),
    ("cognito-idp:GetUserPoolMfaConfig", "GetUserPoolMfaConfig"),
    ("cognito-idp:ListUserPoolClients", "ListUserPoolClients"),
    ("dynamodb:DescribeTable", "DescribeTable"),
    ("dynamodb:DescribeTimeToLive", "DescribeTimeToLive"),
    ("kms:DescribeKey", "DescribeKey"),
    ("kms:ListGrants", "ListGrants"),
    ("lambda:GetFunctionConcurrency", "GET /concurrency"),
    ("lambda:GetFunctionConfiguration", "GET /configuration"),
    ("lambda:GetFunctionEventInvokeConfig", "GET /event-invoke-config"),
    ("lambda:GetPolicy", "GET /policy"),
    ("lambda:ListEventSourceMappings", "GET event-source-mappings"),
    ("secretsmanager:GetSecretValue", "GetSecretValue"),
    ("sqs:GetQueueAttributes", "GetQueueAttributes"),
    ("sts:AssumeRole", "AssumeRole"),
    ("kms:Decrypt", "Decrypt"),
];

/// Asked of the worker's role, not of whoever asks.
const OF_THE_WORKER: &str = "kms:Decrypt";
/// Too much to be had on everything, so README's statement leaves them out.
const APART: [&str; 2] = ["secretsmanager:GetSecretValue", "sts:AssumeRole"];

/// Takes each right away, and all of them.
pub(crate) fn a_missing_right_is_named(world: &World) {
    let denied = |call| Rule { call, answer: Answer::Refused("AccessDeniedException") };
    for (right, call) in RIGHTS.into_iter().filter(|(right, _)| *right != OF_THE_WORKER) {
        world.proxy.set(&[denied(call)]);
        let said = world.doctor();
        assert_eq!(said.code, Some(0), "{right}: {:#?}", said.not_sound());
        let unknown: Vec<_> = said.findings.iter().filter(|finding| finding["verdict"] == "unknown").collect();
        // What a pool's second factors are is only needed for a pitfall, and that a role cannot be taken is usual.
        let is_needed = !matches!(right, "cognito-idp:GetUserPoolMfaConfig" | "sts:AssumeRole");
        let names = |finding: &&&Value| finding["found"].as_str().unwrap().contains(right);
        assert_eq!(unknown.iter().any(|finding| names(&finding)), is_needed, "{right}: {:#?}", said.not_sound());
    }
    let all: Vec<_> = RIGHTS.iter().map(|(_, call)| denied(call)).collect();
    world.proxy.set(&all);
    let said = world.doctor_with(&["--stack", &world.stack, "--user-pool-id", &world.pool]);
    assert_eq!(said.code, Some(0));
    for finding in &said.findings {
        assert_eq!(finding["verdict"], "unknown", "{finding}");
        let text = finding["found"].as_str().unwrap();
        let needs_aws = !text.contains("no configuration file was given");
        assert_eq!(RIGHTS.iter().any(|(right, _)| text.contains(right)), needs_aws, "{finding}");
    }
    world.proxy.set(&[]);
}

/// The statement in README is all that is needed, and not more.
pub(crate) fn the_statement_in_readme_is_enough(world: &World) {
    let statement = statement();
    let listed: BTreeSet<_> = statement["Action"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let rights = RIGHTS.iter().map(|(right, _)| *right);
    let needed: BTreeSet<_> = rights.filter(|right| *right != OF_THE_WORKER && !APART.contains(right)).collect();
    assert_eq!(listed, needed);
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": world.cloud.account }, "Action": "sts:AssumeRole",
        }],
    });
    let make = |name: &str| {
        let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust.to_string() });
        world.cloud.call("iam", "create_role", &role)["Role"]["Arn"].as_str().unwrap().to_owned()
    };
    let (looks, sees_nothing) = (make("looks"), make("sees-nothing"));
    // MiniStack takes the two calls about concurrency and asynchronous invocation for these.
    let mistaken = json!({
        "Effect": "Allow", "Action": ["lambda:GetFunction", "lambda:PutFunctionConcurrency"], "Resource": "*",
    });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement, mistaken] }).to_string();
    let put = json!({ "RoleName": "looks", "PolicyName": "doctor", "PolicyDocument": policy });
    world.cloud.call("iam", "put_role_policy", &put);

    let config = world.config.to_str().unwrap();
    let said = world.doctor_with(&["--stack", &world.stack, "--config", config, "--role-arn", &looks]);
    let not_sound = said.not_sound();
    assert_eq!((said.code, not_sound.len()), (Some(0), 3), "{not_sound:#?}");
    for (line, check) in not_sound.iter().zip(["worker-decrypts", "secret", "start"]) {
        assert!(line.starts_with(&format!("{check}: unknown: ")), "{line}");
    }
    let said =
        world.doctor_with(&["--stack", &world.stack, "--user-pool-id", &world.pool, "--role-arn", &sees_nothing]);
    assert_eq!(said.code, Some(0));
    assert!(said.findings.iter().all(|finding| finding["verdict"] == "unknown"), "{}", said.whole);
}

/// The statement that README, "Doctor", asks for.
fn statement() -> Value {
    let readme = include_str!("../../../../README.md");
    let (_, section) = readme.split_once("\n## Doctor\n").unwrap();
    let (_, json) = section.split_once("```json\n").unwrap();
    serde_json::from_str(json.split_once("```").unwrap().0).unwrap()
}
