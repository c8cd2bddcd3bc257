//! The worker's calls as SQS gets them, over the wire: a server on this machine keeps what it is sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use serde_json::{Value, json};
use shared::DeadLetterReason;
use worker::{DeadLetter, Queue as _, SqsQueue, sqs_config};

use crate::messages::beginning;

/// A queue whose server answers each call with `status` and `body`, and what it was sent.
fn queue(status: u16, body: &'static str) -> (SqsQueue, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    let (calls, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let (mut action, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).expect("a header");
                let Some((name, value)) = line.trim_end().split_once(": ") else {
                    if line == "\r\n" { break } else { continue }
                };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse().expect("a length"),
                    "x-amz-target" => action = value.to_owned(),
                    _ => {}
                }
            }
            let mut content = vec![0; length];
            stream.read_exact(&mut content).expect("a body");
            let mut call: Value = serde_json::from_slice(&content).expect("JSON");
            call["action"] = json!(action);
            if calls.send(call).is_err() {
                return;
            }
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.0\r\n");
            let answer = format!("{answer}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.get_mut().write_all(answer.as_bytes()).expect("a reader");
        }
    });
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .build();
    let client = aws_sdk_sqs::Client::from_conf(sqs_config(&aws));
    (SqsQueue::new(client, "https://queue/main".to_owned(), "https://queue/dead".to_owned()), received)
}

fn letter<'m>(body: &'m str, detail: &'m str) -> DeadLetter<'m> {
    DeadLetter {
        body,
        reason: DeadLetterReason::ProvidersExhausted,
        detail,
        provider: Some("first"),
        attempts: 3,
        failed_at: beginning(),
        trace_header: Some("Root=1-65250495-30b227ef4ea882e709192510"),
    }
}

fn text(value: &str) -> Value {
    json!({ "DataType": "String", "StringValue": value })
}

const SENT: &str = r#"{"MessageId":"1"}"#;

#[tokio::test]
async fn a_dead_letter_keeps_its_body_and_says_why_it_is_there() {
    let (queue, received) = queue(200, SENT);
    let body = "{\"to\": \"é\"}\n";
    queue.dead_letter(&letter(body, "first: http_503")).await.expect("taken");
    let call = received.try_recv().expect("a call");
    assert_eq!(
        call,
        json!({
            "action": "AmazonSQS.SendMessage",
            "QueueUrl": "https://queue/dead",
            "MessageBody": body,
            "MessageAttributes": {
                "reason": text("providers_exhausted"),
                "detail": text("first: http_503"),
                "provider": text("first"),
                "attempts": text("3"),
                "failed_at": text("2026-11-23T12:00:00.000Z"),
            },
            "MessageSystemAttributes": { "AWSTraceHeader": text("Root=1-65250495-30b227ef4ea882e709192510") },
        })
    );
}

#[tokio::test]
async fn what_sqs_would_refuse_is_left_out_or_cut() {
    let (queue, received) = queue(200, SENT);
    let unknown = DeadLetter { provider: None, trace_header: None, ..letter("", "") };
    queue.dead_letter(&unknown).await.expect("taken");
    let call = received.try_recv().expect("a call");
    let attributes = call["MessageAttributes"].as_object().expect("attributes");
    let mut names: Vec<_> = attributes.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["attempts", "failed_at", "reason"], "an empty text is no attribute");
    assert_eq!(call["MessageSystemAttributes"], Value::Null);
    assert_eq!(call["MessageBody"], " ", "an empty body is refused");

    let detail = format!("\u{0}first:\n{}", "é".repeat(300));
    queue.dead_letter(&letter("x", &detail)).await.expect("taken");
    let call = received.try_recv().expect("a call");
    let expected = format!("first:{}", "é".repeat(250));
    assert_eq!(call["MessageAttributes"]["detail"]["StringValue"], expected, "256 characters, none of control");
}

#[tokio::test]
async fn a_message_is_postponed_by_whole_seconds_within_sqss_bounds() {
    let (queue, received) = queue(200, "{}");
    for (after, seconds) in [(0, 0), (1_000, 1), (90_999, 90), (43_200_000, 43_200), (u64::MAX, 43_200)] {
        queue.postpone("receipt", Duration::from_millis(after)).await.expect("done");
        assert_eq!(
            received.try_recv().expect("a call"),
            json!({
                "action": "AmazonSQS.ChangeMessageVisibility",
                "QueueUrl": "https://queue/main",
                "ReceiptHandle": "receipt",
                "VisibilityTimeout": seconds,
            })
        );
    }
}

#[tokio::test]
async fn a_refusal_is_named_by_sqss_code_alone() {
    for (body, code) in [
        (r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"+12065550100"}"#, "QueueDoesNotExist"),
        (r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#, "AccessDeniedException"),
        (r#"{"__type":"to +12065550100"}"#, "unknown_error"),
        ("{}", "unknown_error"),
    ] {
        let (queue, received) = queue(400, body);
        let error = queue.dead_letter(&letter("x", "x")).await.expect_err("refused");
        assert_eq!(error.to_string(), code);
        let error = queue.postpone("receipt", Duration::from_secs(1)).await.expect_err("refused");
        assert_eq!(error.to_string(), code);
        assert_eq!(received.try_iter().count(), 2, "a refusal is not tried again");
    }
}

#[tokio::test]
async fn a_failing_queue_is_tried_three_times() {
    let (queue, received) = queue(503, "");
    let error = queue.postpone("receipt", Duration::from_secs(1)).await.expect_err("failing");
    assert_eq!(error.to_string(), "unknown_error");
    assert_eq!(received.try_iter().count(), 3);
}
