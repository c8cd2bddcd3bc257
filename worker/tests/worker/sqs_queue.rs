//! The worker's calls as SQS gets them, over the wire: a server on this machine keeps what it is sent.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::DeadLetterReason;
use worker::{DeadLetter, Queue as _, SqsQueue, sqs_config};

use crate::messages::beginning;
use crate::wire::{Answer, Service};

/// A queue whose server answers each call with `status` and `body`, and what it was sent.
fn queue(status: u16, body: &'static str) -> (SqsQueue, Receiver<Value>) {
    let service = Service::start("application/x-amz-json-1.0", vec![Answer::Says(status, body.to_owned())]);
    let client = aws_sdk_sqs::Client::from_conf(sqs_config(&service.sdk_config()));
    (SqsQueue::new(client, "https://queue/main".to_owned(), "https://queue/dead".to_owned()), service.calls)
}

fn letter<'m>(body: &'m str, detail: &'m str) -> DeadLetter<'m> {
    DeadLetter {
        body,
        reason: DeadLetterReason::ProvidersExhausted,
        detail,
        provider: Some("first"),
        attempts: 3,
        failed_at: beginning(),
        redriven: 2,
        trace_header: Some("Root=1-65250495-30b227ef4ea882e709192510"),
    }
}

fn text(value: &str) -> Value {
    json!({ "DataType": "String", "StringValue": value })
}

const SENT: &str = r#"{"MessageId":"1"}"#;
const ALL_DONE: &str = r#"{"Successful":[],"Failed":[]}"#;

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
                "redriven": text("2"),
            },
            "MessageSystemAttributes": { "AWSTraceHeader": text("Root=1-65250495-30b227ef4ea882e709192510") },
        })
    );
}

#[tokio::test]
async fn what_sqs_would_refuse_is_left_out_or_cut() {
    let (queue, received) = queue(200, SENT);
    let unknown = DeadLetter { provider: None, redriven: 0, trace_header: None, ..letter("", "") };
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
    let (queue, received) = queue(200, ALL_DONE);
    for (after, seconds) in [(0, 0), (1_000, 1), (90_999, 90), (43_200_000, 43_200), (u64::MAX, 43_200)] {
        queue.postpone("receipt", Duration::from_millis(after)).await.expect("done");
        assert_eq!(
            received.try_recv().expect("a call"),
            json!({
                "action": "AmazonSQS.ChangeMessageVisibilityBatch",
                "QueueUrl": "https://queue/main",
                "Entries": [{ "Id": "0", "ReceiptHandle": "receipt", "VisibilityTimeout": seconds }],
            })
        );
    }
}

#[tokio::test]
async fn what_is_deleted_or_postponed_at_once_leaves_in_one_request() {
    let (queue, received) = queue(200, ALL_DONE);
    let handles: Vec<_> = (0..10).map(|n| format!("receipt-{n}")).collect();
    let deleted = join_all(handles.iter().map(|handle| queue.delete(handle))).await;
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    let entries: Vec<_> =
        handles.iter().enumerate().map(|(n, handle)| json!({ "Id": n.to_string(), "ReceiptHandle": handle })).collect();
    let expected =
        json!({ "action": "AmazonSQS.DeleteMessageBatch", "QueueUrl": "https://queue/main", "Entries": entries });
    assert_eq!(received.try_iter().collect::<Vec<_>>(), [expected]);

    join_all(handles.iter().map(|handle| queue.postpone(handle, Duration::from_secs(5)))).await;
    let calls: Vec<_> = received.try_iter().collect();
    assert_eq!((calls.len(), calls[0]["Entries"].as_array().map(Vec::len)), (1, Some(10)));
}

#[tokio::test]
async fn each_member_of_a_batch_has_its_own_outcome() {
    let failed = r#"{"Successful":[{"Id":"0"},{"Id":"2"}],
        "Failed":[{"Id":"1","SenderFault":true,"Code":"ReceiptHandleIsInvalid","Message":"+12065550100"}]}"#;
    let (queue, _received) = queue(200, failed);
    let deleted = join_all(["a", "b", "c"].map(|handle| queue.delete(handle))).await;
    let shown: Vec<_> = deleted.iter().map(|outcome| outcome.as_ref().map_err(ToString::to_string)).collect();
    assert_eq!(shown, [Ok(&()), Err("ReceiptHandleIsInvalid".to_owned()), Ok(&())]);
}

#[tokio::test]
async fn a_receive_asks_for_all_that_the_worker_reads_and_for_a_visibility_of_its_own() {
    let messages = r#"{"Messages":[
        {"MessageId":"m","ReceiptHandle":"r","Body":"b","Attributes":{"ApproximateReceiveCount":"2","SenderId":"AROAX:p"},
         "MessageAttributes":{"redriven":{"DataType":"Number","StringValue":"3"}}},
        {"MessageId":"without a handle"}]}"#;
    let (queue, received) = queue(200, messages);
    let records = queue.receive(10).await.expect("received");
    assert_eq!(
        received.try_recv().expect("a call"),
        json!({
            "action": "AmazonSQS.ReceiveMessage",
            "QueueUrl": "https://queue/main",
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": 30,
            "WaitTimeSeconds": 5,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["redriven"],
        })
    );
    assert_eq!(records.len(), 1, "what could never be settled is left to SQS");
    assert_eq!((records[0].receive_count(), records[0].sender(), records[0].body.as_str()), (2, Some("AROAX"), "b"));
    assert_eq!(records[0].redriven, 3);
}

#[tokio::test]
async fn a_failed_receive_is_reported_and_not_repeated_behind_the_services_back() {
    let (queue, received) = queue(503, "");
    assert_eq!(queue.receive(10).await.expect_err("failing").to_string(), "unknown_error");
    assert_eq!(received.try_iter().count(), 1);
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
