//! The policies as the template has them, judged by an evaluator that others wrote: MiniStack's, which knows every
//! condition when it is told what AWS would know of a request.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;

use deployment::Template;
use serde_json::{Value, json};
use witnesses::python;

use crate::world::World;

const POOL: (&str, &str) = ("kms:EncryptionContext:userpool-id", "POOL");
const OTHER_POOL: (&str, &str) = ("kms:EncryptionContext:userpool-id", "eu-west-1_Other0001");
const IN_CLEAR: (&str, &str) = ("aws:SecureTransport", "false");
const SWITCHES: (&str, &str) = ("dynamodb:LeadingKeys", "switches");
const ANOTHER_ROW: (&str, &str) = ("dynamodb:LeadingKeys", "message#4762012980a3de36bc6011a199c5dbb9");

/// Who, what, on what, and what AWS would know besides. `admin` is a role with every right on everything.
type Request = (&'static str, &'static str, &'static str, Option<(&'static str, &'static str)>);

const ALLOWED: [Request; 30] = [
    ("producer", "sqs:SendMessage", "queue", None),
    ("producer", "sqs:SendMessage", "failed invocations", None),
    ("producer", "logs:PutLogEvents", "producer's log", None),
    ("worker", "sqs:ReceiveMessage", "queue", None),
    ("worker", "sqs:DeleteMessage", "queue", None),
    ("worker", "sqs:ChangeMessageVisibility", "queue", None),
    ("worker", "sqs:GetQueueAttributes", "queue", None),
    ("worker", "sqs:SendMessage", "dead letters", None),
    ("worker", "kms:Decrypt", "key", Some(POOL)),
    ("worker", "dynamodb:GetItem", "table", None),
    ("worker", "dynamodb:PutItem", "table", None),
    ("worker", "dynamodb:UpdateItem", "table", None),
    ("worker", "secretsmanager:GetSecretValue", "secret", None),
    ("worker", "logs:PutLogEvents", "worker's log", None),
    ("redrive", "sqs:ReceiveMessage", "dead letters", None),
    ("redrive", "sqs:DeleteMessage", "dead letters", None),
    ("redrive", "sqs:SendMessage", "dead letters", None),
    ("redrive", "sqs:ReceiveMessage", "failed invocations", None),
    ("redrive", "sqs:DeleteMessage", "failed invocations", None),
    ("redrive", "sqs:SendMessage", "queue", None),
    ("redrive", "dynamodb:UpdateItem", "table", Some(SWITCHES)),
    ("redrive", "dynamodb:GetItem", "table", Some(SWITCHES)),
    ("send", "kms:GenerateDataKey", "key", Some(POOL)),
    ("send", "lambda:InvokeFunction", "producer's function", None),
    ("send", "logs:FilterLogEvents", "worker's log", None),
    ("admin", "kms:CreateGrant", "key", Some(POOL)),
    ("admin", "kms:DescribeKey", "key", None),
    ("admin", "kms:PutKeyPolicy", "key", None),
    ("admin", "sqs:GetQueueAttributes", "queue", None),
    ("admin", "sqs:PurgeQueue", "dead letters", None),
];

const REFUSED: [Request; 51] = [
    ("producer", "sqs:SendMessage", "dead letters", None),
    ("producer", "sqs:SendMessage", "queue", Some(IN_CLEAR)),
    ("producer", "sqs:ReceiveMessage", "queue", None),
    ("producer", "sqs:DeleteMessage", "queue", None),
    ("producer", "sqs:ReceiveMessage", "failed invocations", None),
    ("producer", "kms:Decrypt", "key", Some(POOL)),
    ("producer", "kms:Encrypt", "key", Some(POOL)),
    ("producer", "kms:DescribeKey", "key", None),
    ("producer", "kms:CreateGrant", "key", Some(POOL)),
    ("producer", "secretsmanager:GetSecretValue", "secret", None),
    ("producer", "dynamodb:GetItem", "table", None),
    ("producer", "logs:PutLogEvents", "worker's log", None),
    ("worker", "sqs:SendMessage", "queue", None),
    ("worker", "sqs:SendMessage", "failed invocations", None),
    ("worker", "sqs:ReceiveMessage", "dead letters", None),
    ("worker", "sqs:ReceiveMessage", "queue", Some(IN_CLEAR)),
    ("worker", "kms:Decrypt", "key", Some(OTHER_POOL)),
    ("worker", "kms:Decrypt", "key", None),
    ("worker", "kms:Encrypt", "key", Some(POOL)),
    ("worker", "kms:GenerateDataKey", "key", Some(POOL)),
    ("worker", "kms:CreateGrant", "key", Some(POOL)),
    ("worker", "dynamodb:DeleteItem", "table", None),
    ("worker", "dynamodb:Scan", "table", None),
    ("worker", "secretsmanager:PutSecretValue", "secret", None),
    ("redrive", "sqs:ReceiveMessage", "queue", None),
    ("redrive", "sqs:DeleteMessage", "queue", None),
    ("redrive", "kms:Decrypt", "key", Some(POOL)),
    ("redrive", "secretsmanager:GetSecretValue", "secret", None),
    ("redrive", "dynamodb:UpdateItem", "table", Some(ANOTHER_ROW)),
    ("redrive", "kms:GenerateDataKey", "key", Some(POOL)),
    ("redrive", "lambda:InvokeFunction", "producer's function", None),
    ("send", "kms:GenerateDataKey", "key", Some(OTHER_POOL)),
    ("send", "kms:GenerateDataKey", "key", None),
    ("send", "kms:Decrypt", "key", Some(POOL)),
    ("send", "kms:Encrypt", "key", Some(POOL)),
    ("send", "kms:CreateGrant", "key", Some(POOL)),
    ("send", "lambda:InvokeFunction", "worker's function", None),
    ("send", "logs:FilterLogEvents", "producer's log", None),
    ("send", "sqs:SendMessage", "queue", None),
    ("send", "sqs:ReceiveMessage", "dead letters", None),
    ("send", "dynamodb:GetItem", "table", Some(SWITCHES)),
    ("send", "secretsmanager:GetSecretValue", "secret", None),
    ("admin", "sqs:SendMessage", "queue", None),
    ("admin", "sqs:SendMessage", "dead letters", None),
    ("admin", "sqs:SendMessage", "failed invocations", None),
    ("admin", "kms:Decrypt", "key", Some(POOL)),
    ("admin", "kms:Encrypt", "key", Some(POOL)),
    ("admin", "kms:GenerateDataKey", "key", Some(POOL)),
    ("admin", "kms:CreateGrant", "key", Some(OTHER_POOL)),
    ("admin", "kms:CreateGrant", "key", None),
    ("admin", "sqs:ReceiveMessage", "queue", Some(IN_CLEAR)),
];

pub(crate) async fn requests_are_judged(world: World) {
    let requests: Vec<_> = ALLOWED.iter().chain(&REFUSED).collect();
    let asked = json!({
        "account": world.cloud.account,
        "principals": principals(&world),
        "resources": resources(&world),
        "requests": requests.iter().map(|request| in_json(&world, request)).collect::<Vec<_>>(),
    });
    let verdicts = judge(&asked);
    assert_eq!(verdicts.len(), requests.len());
    let expected = (0..requests.len()).map(|place| place < ALLOWED.len());
    let wrong = requests.iter().zip(verdicts.iter().zip(expected)).filter(|(_, (is, should))| **is != *should);
    let wrong: Vec<_> = wrong.map(|(request, (is, _))| format!("{request:?}: allowed is {is}")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn in_json(world: &World, (who, action, on, with): &Request) -> Value {
    let with = with.map(|(key, value)| (key, if value == "POOL" { world.pool.as_str() } else { value }));
    json!({ "who": who, "action": action, "on": on, "with": BTreeMap::from_iter(with) })
}

fn principals(world: &World) -> Value {
    let of_role = |logical: &str| {
        let role = world.resource(logical);
        let names = world.cloud.json(&["iam", "list-role-policies", "--role-name", &role]);
        let policies = names["PolicyNames"].as_array().unwrap().iter().map(|name| {
            let get = ["iam", "get-role-policy", "--role-name", &role, "--policy-name", name.as_str().unwrap()];
            world.cloud.json(&get)["PolicyDocument"].clone()
        });
        json!({ "arn": format!("arn:aws:iam::{}:role/{role}", world.cloud.account), "policies": policies.collect::<Vec<_>>() })
    };
    let everything = json!({ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    json!({
        "producer": of_role("ProducerRole"),
        "worker": of_role("WorkerRole"),
        "redrive": of_role("RedriveRole"),
        "send": of_role("SendRole"),
        "admin": { "arn": format!("arn:aws:iam::{}:role/admin", world.cloud.account), "policies": [everything] },
    })
}

fn resources(world: &World) -> Value {
    let arn = |service: &str, name: &str| format!("arn:aws:{service}:eu-west-1:{}:{name}", world.cloud.account);
    // SQS would show them to nobody: they refuse whatever comes without TLS, and so does MiniStack.
    let template = Template::sealpost();
    let queue = |name: &str| {
        let arn = arn("sqs", world.resource(name).rsplit('/').next().unwrap());
        let policy = &template.properties(&format!("{name}Policy"))["PolicyDocument"];
        json!({ "arn": arn, "policy": with_arns(policy, &|resource| match resource {
            role if role.ends_with("Role") => format!("arn:aws:iam::{}:role/{}", world.cloud.account, world.resource(role)),
            _ => arn.clone(),
        }) })
    };
    let key = world.output("KeyArn");
    let get =
        ["kms", "get-key-policy", "--policy-name", "default", "--query", "Policy", "--output", "text", "--key-id", key];
    let log =
        |output: &str| json!({ "arn": arn("logs", &format!("log-group:{}:log-stream:one", world.output(output))) });
    let function = |name: &str| json!({ "arn": arn("lambda", &format!("function:{}", world.resource(name))) });
    json!({
        "queue": queue("Queue"),
        "dead letters": queue("DeadLetterQueue"),
        "failed invocations": queue("FailedInvocations"),
        "key": { "arn": key, "policy": world.cloud.aws(&get) },
        "table": { "arn": arn("dynamodb", &format!("table/{}", world.output("StateTable"))) },
        "secret": { "arn": world.output("ProviderSecretArn") },
        "producer's function": function("Producer"),
        "worker's function": function("Worker"),
        "producer's log": log("ProducerLogGroup"),
        "worker's log": log("WorkerLogGroup"),
    })
}

/// A policy with the ARNs that the resources got.
fn with_arns(value: &Value, arn_of: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) if members.contains_key("Fn::GetAtt") => {
            json!(arn_of(members["Fn::GetAtt"][0].as_str().unwrap()))
        }
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), with_arns(value, arn_of))).collect()
        }
        Value::Array(items) => items.iter().map(|item| with_arns(item, arn_of)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn judge(asked: &Value) -> Vec<bool> {
    let mut command = python().unwrap().command();
    command.args(["-c", include_str!("policies.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line == "True").collect()
}
