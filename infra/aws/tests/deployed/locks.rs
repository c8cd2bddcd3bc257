//! The two locks of the main queue, and that of the key.

use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use crate::rights::take;
use crate::world::{PHONE, World};

const QUEUES: [&str; 3] = ["QueueUrl", "DeadLetterQueueUrl", "FailedInvocationsQueueUrl"];

/// MiniStack's SenderId is the account, so with the stack's own list every message is somebody else's.
pub(crate) async fn a_foreign_message_stays_sealed(world: World) {
    let worker = world.resource("Worker");
    let mut variables = world.stack.environment(&world.cloud, "Worker");
    assert_eq!(variables["TRUSTED_SENDER_IDS"], json!(world.cloud.account));
    let ids: Vec<_> = world.output("TrustedSenderIds").split(',').collect();
    let [producer, _worker, redrive] = ids[..] else { panic!("three roles: {ids:?}") };
    variables["TRUSTED_SENDER_IDS"] = json!(format!("{producer},{redrive}"));
    let environment = json!({ "Variables": variables }).to_string();
    let update = ["lambda", "update-function-configuration", "--function-name", &worker, "--environment", &environment];
    world.cloud.aws(&update);
    world.accept(&world.sign_up(PHONE).await);
    let letter = world.message_of("DeadLetterQueueUrl").await;
    let reason = letter.message_attributes.as_ref().unwrap()["reason"].string_value();
    assert_eq!(reason, Some("untrusted_sender"));
    let log = world.log("WorkerLogGroup");
    assert!(!log.contains("\"event\":\"decrypted\"") && world.phones.requests() == 0, "{log}");
}

pub(crate) async fn strangers_are_kept_out(world: World) {
    let cloud = &world.cloud;
    let account = format!("arn:aws:iam::{}:root", cloud.account);
    let trust = document(&json!({ "Principal": { "AWS": account }, "Action": "sts:AssumeRole" }));
    let created = cloud.json(&["iam", "create-role", "--role-name", "mighty", "--assume-role-policy-document", &trust]);
    let everything = document(&json!({ "Action": "*", "Resource": "*" }));
    let put = ["iam", "put-role-policy", "--role-name", "mighty", "--policy-name", "everything", "--policy-document"];
    cloud.aws(&[&put[..], &[&everything]].concat());
    let mighty = cloud.session(created["Role"]["Arn"].as_str().unwrap());
    let redrive = cloud.session(world.output("RedriveRoleArn"));
    let send = cloud.session(world.output("SendRoleArn"));

    for queue in QUEUES {
        for who in [&mighty, &send] {
            assert_eq!(sent(&world, who, queue).await, Err("AccessDenied".to_owned()), "{queue}");
        }
        assert_eq!(sent(&world, &redrive, queue).await, Ok(()), "{queue}");
    }
    for who in [&mighty, &redrive, &send] {
        let key = world.output("KeyArn");
        let encrypted = cloud.kms(cloud.root()).encrypt().key_id(key).plaintext(b"x".to_vec().into()).send().await;
        let blob = encrypted.unwrap().ciphertext_blob.unwrap();
        let decrypted = cloud.kms(who.clone()).decrypt().key_id(key).ciphertext_blob(blob).send().await;
        let error = decrypted.expect_err("nobody but the worker").into_service_error();
        assert_eq!(aws_sdk_kms::error::ProvideErrorMetadata::code(&error), Some("AccessDeniedException"));
    }
    // It is the queue's policy that keeps strangers out: without it they come in.
    let attributes = world.attributes("QueueUrl").await;
    let mut policy: Value = serde_json::from_str(&attributes[&QueueAttributeName::Policy]).unwrap();
    take(&mut policy, "OnlyProducerAndRedriveSend");
    let set = world.sqs.set_queue_attributes().queue_url(world.output("QueueUrl"));
    set.attributes(QueueAttributeName::Policy, policy.to_string()).send().await.unwrap();
    assert_eq!(sent(&world, &mighty, "QueueUrl").await, Ok(()));
}

fn document(statement: &Value) -> String {
    let mut statement = statement.clone();
    statement["Effect"] = json!("Allow");
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

/// Whether SQS took a message from this principal, or the code of its refusal.
pub(crate) async fn sent(world: &World, who: &aws_sdk_sqs::config::Credentials, queue: &str) -> Result<(), String> {
    let sqs = world.cloud.sqs(who.clone());
    let sent = sqs.send_message().queue_url(world.output(queue)).message_body("{}").send().await;
    sent.map(|_| ()).map_err(|error| error.into_service_error().code().unwrap_or("none").to_owned())
}
