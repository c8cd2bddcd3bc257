//! A redrive and the real worker behind it.

use std::process::Command;
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::MessageAttributeValue;
use local::{Ending, Pipeline};
use shared::{CognitoEvent, QueueMessage, TriggerSource};

use crate::world::{now, output};

/// Far longer than anything takes; it only keeps a broken test from hanging.
const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redrive_brings_what_never_arrived_and_nothing_a_second_time() {
    let mut pipeline = Pipeline::start(0).await.expect("it starts");
    let event = |source, code: &str| {
        let sealed = pipeline.pool.seal(code).expect("sealed");
        pipeline.pool.event(source, "+12065550100", Some(&sealed))
    };
    let arrived = event(TriggerSource::SignUp, "111111");
    let stuck = event(TriggerSource::Authentication, "222222");
    pipeline.invoke(&arrived).await;
    assert!(next(&mut pipeline).await.has_arrived());

    // A worker that was killed between the dead letter and the deletion leaves both.
    for event in [arrived, stuck] {
        dead_letter(&pipeline, event).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    command.env_clear().current_dir(folder.path()).args(["dlq", "redrive", "--yes"]).envs([
        ("AWS_ENDPOINT_URL", pipeline.aws_endpoint().as_str()),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AROALOCALOPERATOR"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("DEAD_LETTER_QUEUE_URL", &pipeline.dead_letter_queue_url),
        ("QUEUE_URL", &pipeline.queue_url),
        ("TRUSTED_SENDER_IDS", "AROALOCALWORKER"),
    ]);
    let redriven = output(command).await;
    let shown = String::from_utf8_lossy(&redriven.stdout);
    assert!(shown.starts_with("2 dead letters sent again"), "{shown}{}", String::from_utf8_lossy(&redriven.stderr));

    let endings = [next(&mut pipeline).await, next(&mut pipeline).await];
    assert!(endings.iter().any(|ending| matches!(ending, Ending::AlreadySent)), "{endings:?}");
    let texts = endings.iter().filter_map(|ending| match ending {
        Ending::Arrived(sms) => Some(sms.body.as_str()),
        Ending::Refused { .. } | Ending::DeadLettered { .. } | Ending::AlreadySent | Ending::Waiting => None,
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["Your Example sign-in code is 222222. Do not share it."]);
}

async fn next(pipeline: &mut Pipeline) -> Ending {
    tokio::time::timeout(TIMEOUT, pipeline.next_journey()).await.expect("it hangs").ending
}

async fn dead_letter(pipeline: &Pipeline, event: serde_json::Value) {
    let event = CognitoEvent::from_value(event).expect("sound");
    let id = event.code().expect("a code").message_id().clone();
    let body = QueueMessage::new(event, id, now(), Duration::from_secs(3_600)).to_json().expect("small");
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(pipeline.aws_endpoint())
        .credentials_provider(Credentials::new("AROALOCALWORKER", "x", None, None, "test"));
    let reason = MessageAttributeValue::builder().data_type("String").string_value("providers_exhausted").build();
    let letter = aws_sdk_sqs::Client::from_conf(config.build()).send_message().message_body(body);
    let letter = letter.message_attributes("reason", reason.expect("a type and a value"));
    letter.queue_url(&pipeline.dead_letter_queue_url).send().await.expect("sent");
}
