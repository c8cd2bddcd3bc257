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

    fn says(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_sealpost"))
            .env_clear()
            .current_dir(self.folder.path())
            .arg("dlq")
            .args(arguments)
            .args(["--stack", "sealpost", "--endpoint-url", &self.endpoint, "--region", REGION])
            .envs([("AWS_ACCESS_KEY_ID", ACCOUNT), ("AWS_SECRET_ACCESS_KEY", "x")])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[arguments, &["--json"]].concat())).unwrap()
    }
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
            "Main": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "sealpost" } },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": { "RoleName": "redrive", "AssumeRolePolicyDocument": anybody_here },
            },
        },
        "Outputs": {
            "QueueUrl": { "Value": { "Ref": "Main" } },
            "DeadLetterQueueUrl": { "Value": { "Ref": "DeadLetters" } },
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
    let pool = UserPoolId::parse("eu-west-1_OPERATED1").unwrap();
    let event = local::cognito::event(&pool, TriggerSource::AccountTakeOverNotification, "+12065550100", None);
    let event = CognitoEvent::from_value(event).unwrap();
    let now = Timestamp::try_from(std::time::SystemTime::now()).unwrap();
    QueueMessage::new(event, id(number), now, std::time::Duration::from_secs(86_400)).to_json().unwrap()
}

fn id_of(message: &Message) -> String {
    let body: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}
