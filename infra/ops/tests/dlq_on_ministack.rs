//! `sealpost dlq` on an AWS that others wrote: MiniStack's SQS, with the queues and the trusted senders of a CloudFormation
//! stack, as a role that STS lets the operator assume. All of it runs with `--include-ignored`.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::{Message, MessageAttributeValue, SendMessageBatchRequestEntry};
use serde_json::{Value, json};
use shared::{CognitoEvent, MessageId, QueueMessage, Timestamp, TriggerSource, UserPoolId};
use witnesses::{MiniStack, Missing, Trial, python, run};

const REGION: &str = "eu-west-1";
/// MiniStack takes an access key id of twelve digits for an account, and the account for the sender.
const ACCOUNT: &str = "100000000042";
const LETTERS: u64 = 230;

fn main() -> ExitCode {
    run([Trial::outside("an_operator_gets_along_with_an_sqs_that_others_wrote", || {
        let stack = ministack()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(an_operator_gets_along(&stack));
        Ok(())
    })])
}

fn ministack() -> Result<MiniStack, Missing> {
    let python = python()?;
    Ok(MiniStack::start(python, REGION).unwrap_or_else(|error| panic!("{error}")))
}

async fn an_operator_gets_along(stack: &MiniStack) {
    let world = World::on(stack).await;
    world.fill().await;
    let stats = world.json(&["stats"]);
    assert_eq!((&stats["letters"], &stats["complete"]), (&json!(LETTERS), &json!(true)));
    assert_eq!(stats["reason"]["providers_exhausted"]["letters"], json!(LETTERS));
    let shown = world.says(&["show", id(7).as_str()]);
    assert!(shown.contains("trigger source  AccountTakeOverNotification"), "{shown}");

    let dropped = world.json(&["drop", "--limit", "30", "--into", "dropped.jsonl", "--yes"]);
    assert_eq!(dropped["dropped"], json!(30));
    assert_eq!(world.json(&["stats"])["letters"], json!(LETTERS - 30), "nothing stays out of sight");
    assert_eq!(world.json(&["restore", "dropped.jsonl", "--yes"])["restored"], json!(30));

    let would = world.json(&["redrive"]);
    assert_eq!(would["would_move"], json!(LETTERS));
    let role_arn = format!("arn:aws:iam::{ACCOUNT}:role/redrive");
    let redrive = ["redrive", "--role-arn", &role_arn, "--rate", "unlimited", "--audit", "audit.json", "--yes"];
    let redriven = world.json(&redrive);
    assert_eq!((&redriven["moved"], &redriven["outcome"]), (&json!(LETTERS), &json!("done")));
    let audit = std::fs::read_to_string(world.folder.path().join("audit.json")).unwrap();
    let audit: Value = serde_json::from_str(&audit).unwrap();
    assert_eq!(audit["by"]["arn"], json!(format!("arn:aws:sts::{ACCOUNT}:assumed-role/redrive/sealpost")));
    assert_eq!(world.json(&["stats"])["letters"], json!(0));
    let arrived = world.main_queue().await;
    let ids: BTreeSet<_> = arrived.iter().map(id_of).collect();
    assert_eq!(ids, (0..LETTERS).map(|number| id(number).to_string()).collect());
    assert_eq!(arrived.len(), ids.len());
    let redriven = arrived[0].message_attributes.as_ref().unwrap()["redriven"].string_value();
    assert_eq!(redriven, Some("1"));

    a_failed_invocation_is_redriven(&world, &role_arn).await;
    a_provider_is_switched_off(&world, &role_arn);
}

/// By the stack's outputs, though the environment names another queue.
async fn a_failed_invocation_is_redriven(world: &World, role_arn: &str) {
    let (record, id) = failed_invocation();
    let url = format!("{}/{ACCOUNT}/sealpost-failed-invocations", world.endpoint);
    world.sqs.send_message().queue_url(&url).message_body(record).send().await.unwrap();
    let on_failed = |arguments: &[&str]| -> Value {
        let mut command = world.command("dlq", &[&["--failed-invocations"], arguments, &["--json"]].concat());
        command.env("DEAD_LETTER_QUEUE_URL", &world.dead_letter_queue_url);
        serde_json::from_str(&told(command)).unwrap()
    };
    let stats = on_failed(&["stats"]);
    assert_eq!((&stats["queue"], &stats["reason"]["producer_failed"]["letters"]), (&json!(url), &json!(1)));
    let mut drop = world.command("dlq", &["drop", "--into", "failed.jsonl", "--yes", "--failed-invocations"]);
    drop.env("DEAD_LETTER_QUEUE_URL", &world.dead_letter_queue_url);
    let dropped = told(drop);
    assert!(
        dropped.ends_with("`sealpost dlq --failed-invocations restore failed.jsonl` puts them back\n"),
        "{dropped}"
    );
    assert_eq!(on_failed(&["restore", "failed.jsonl", "--yes"])["restored"], json!(1));
    assert_eq!(world.json(&["stats"])["letters"], json!(0), "it is in its own queue again");

    let redriven = on_failed(&["redrive", "--role-arn", role_arn, "--audit", "failed.json", "--yes"]);
    assert_eq!((&redriven["moved"], &redriven["outcome"]), (&json!(1), &json!("done")));
    assert_eq!(on_failed(&["stats"])["letters"], json!(0));
    let arrived: Vec<_> = world.main_queue().await.iter().map(id_of).collect();
    assert_eq!(arrived, [id.to_string()]);
}

fn a_provider_is_switched_off(world: &World, role_arn: &str) {
    let off = ["off", "provider", "twilio-main", "--because", "incident 7", "--yes", "--role-arn", role_arn];
    let done = told(world.command("switch", &off));
    assert_eq!(done, "provider twilio-main is off; workers follow within 5 seconds\n");
    let shown = told(world.command("switch", &["--role-arn", role_arn]));
    assert!(shown.starts_with("provider twilio-main is off since 20") && shown.contains("incident 7"), "{shown}");
}

struct World {
    endpoint: String,
    sqs: aws_sdk_sqs::Client,
    folder: tempfile::TempDir,
    queue_url: String,
    dead_letter_queue_url: String,
}

impl World {
    async fn on(stack: &MiniStack) -> Self {
        let endpoint = stack.endpoint();
        let credentials = Credentials::new(ACCOUNT, "x", None, None, "test");
        let sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .credentials_provider(credentials.clone());
        let cloudformation = aws_sdk_cloudformation::Config::builder()
            .behavior_version(aws_sdk_cloudformation::config::BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .credentials_provider(credentials);
        let cloudformation = aws_sdk_cloudformation::Client::from_conf(cloudformation.build());
        let created = cloudformation.create_stack().stack_name("sealpost").template_body(template().to_string());
        created.send().await.unwrap();
        Self {
            queue_url: format!("{endpoint}/{ACCOUNT}/sealpost"),
            dead_letter_queue_url: format!("{endpoint}/{ACCOUNT}/sealpost-dead-letters"),
            endpoint,
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Puts every letter into the dead-letter queue, as the worker does.
    async fn fill(&self) {
        let numbers: Vec<_> = (0..LETTERS).collect();
        for ten in numbers.chunks(10) {
            let entries = ten.iter().map(|number| {
                let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body(*number));
                let entry = entry.message_attributes("reason", text("providers_exhausted"));
                entry.message_attributes("provider", text("twilio-main")).build().unwrap()
            });
            let sent = self.sqs.send_message_batch().queue_url(&self.dead_letter_queue_url);
            let sent = sent.set_entries(Some(entries.collect())).send().await.unwrap();
            assert_eq!(sent.failed.len(), 0);
        }
    }

    async fn main_queue(&self) -> Vec<Message> {
        let mut all = Vec::new();
        loop {
            let received = self.sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
            let received = received.message_attribute_names("All").visibility_timeout(600).send().await.unwrap();
            match received.messages {
                Some(messages) if !messages.is_empty() => all.extend(messages),
                Some(_) | None => return all,
            }
        }
    }

    /// A command of the tool on this stack.
    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
        command.env_clear().current_dir(self.folder.path()).args([name, "--stack", "sealpost"]).args(arguments);
        command.args(["--endpoint-url", &self.endpoint, "--region", REGION]);
        command.envs([("AWS_ACCESS_KEY_ID", ACCOUNT), ("AWS_SECRET_ACCESS_KEY", "x")]);
        command
    }

    fn says(&self, arguments: &[&str]) -> String {
        told(self.command("dlq", arguments))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[arguments, &["--json"]].concat())).unwrap()
    }
}

/// What a command says that finds nothing wrong.
fn told(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{command:?}: {error}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

fn template() -> Value {
    let anybody_here = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" }],
    });
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "DeadLetters": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "sealpost-dead-letters" } },
            "Failed": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "sealpost-failed-invocations" } },
            "State": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": "sealpost-state",
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
                    "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
                },
            },
            "Main": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "sealpost" } },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": { "RoleName": "redrive", "AssumeRolePolicyDocument": anybody_here },
            },
        },
        "Outputs": {
            "QueueUrl": { "Value": { "Ref": "Main" } },
            "DeadLetterQueueUrl": { "Value": { "Ref": "DeadLetters" } },
            "FailedInvocationsQueueUrl": { "Value": { "Ref": "Failed" } },
            "StateTable": { "Value": { "Ref": "State" } },
            "TrustedSenderIds": {
                "Value": { "Fn::Join": [",", [{ "Ref": "AWS::AccountId" }, { "Fn::GetAtt": ["Role", "RoleId"] }]] },
            },
        },
    })
}

fn id(number: u64) -> MessageId {
    MessageId::of_event_without_code(&number.to_be_bytes(), "")
}

fn body(number: u64) -> String {
    let event = CognitoEvent::from_value(event()).unwrap();
    QueueMessage::new(event, id(number), now(), std::time::Duration::from_secs(86_400)).to_json().unwrap()
}

fn event() -> Value {
    let pool = UserPoolId::parse("eu-west-1_OPERATED1").unwrap();
    local::cognito::event(&pool, TriggerSource::AccountTakeOverNotification, "+12065550100", None)
}

fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap()
}

/// As the OnFailure destination of Lambda writes it, with the id that the producer would have given the message.
fn failed_invocation() -> (String, MessageId) {
    let (event, request) = (event(), "c5a3b4a2-0f8e-4f6c-9a1e-1d2c3b4a5f60");
    let record = json!({
        "version": "1.0",
        "timestamp": shared::rfc3339_millis(now()),
        "requestContext": { "requestId": request, "condition": "RetriesExhausted", "approximateInvokeCount": 3 },
        "requestPayload": event,
        "responsePayload": { "errorType": "QueueUnavailable" },
    });
    (record.to_string(), MessageId::of_event_without_code(event.to_string().as_bytes(), request))
}

fn id_of(message: &Message) -> String {
    let body: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}
