//! Queue messages and the records and events in which they reach the worker.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{Timestamp, rfc3339_millis};

use crate::sealed::{POOL, Seal};

/// How long the codes of these tests live.
pub(crate) const LIFETIME: Duration = Duration::from_secs(180);
/// Who wrote them, as SQS says it.
pub(crate) const SENDER: &str = "AROAEXAMPLEPRODUCER:producer";

/// The trace of messages that have one.
pub(crate) const TRACE: &str = "1-65250495-30b227ef4ea882e709192510";

/// When each test begins, and when its messages were accepted and sent.
pub(crate) fn beginning() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("RFC 3339")
}

/// That many seconds after the beginning.
pub(crate) fn second(seconds: i64) -> Timestamp {
    beginning().checked_add(jiff::SignedDuration::from_secs(seconds)).expect("in range")
}

/// The n-th user's number, of a range that is kept for fiction: 100 of them.
pub(crate) fn number(n: u32) -> String {
    assert!(n < 100, "the range has 100 numbers");
    format!("+120655501{n:02}")
}

/// A queue message with the n-th code, just accepted, for the n-th user; numbers repeat after a hundred.
pub(crate) fn message(n: u32, source: &str) -> Value {
    let seal = Seal::nth(n);
    json!({
        "type": "sms.v1",
        "id": seal.id(),
        "accepted_at": rfc3339_millis(beginning()),
        "expires_at": rfc3339_millis(beginning().checked_add(LIFETIME).expect("in range")),
        "event": {
            "version": "1",
            "triggerSource": format!("CustomSMSSender_{source}"),
            "region": "eu-west-1",
            "userPoolId": POOL,
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789" },
            "request": {
                "type": "customSMSSenderRequestV1",
                "code": seal.to_base64(),
                "userAttributes": { "sub": format!("user-{n}"), "phone_number": number(n % 100) },
            },
        },
    })
}

/// The n-th sign-in.
pub(crate) fn sign_in(n: u32) -> Value {
    message(n, "Authentication")
}

/// The same message to another number.
pub(crate) fn to(number: &str, mut message: Value) -> Value {
    message["event"]["request"]["userAttributes"]["phone_number"] = json!(number);
    message
}

/// The same message with another expiry.
pub(crate) fn expiring(expires_at: Timestamp, mut message: Value) -> Value {
    message["expires_at"] = json!(rfc3339_millis(expires_at));
    message
}

/// The same message without a code, and with an id such as the producer makes for those.
pub(crate) fn without_code(mut message: Value) -> Value {
    message["event"]["request"]["code"] = Value::Null;
    message["id"] = json!(message["id"].as_str().expect("a text").repeat(2));
    message
}

/// A message as the n-th record, received for the first time.
pub(crate) fn record(n: u32, message: &Value) -> Value {
    record_of_text(n, &message.to_string())
}

/// A body of any kind as the n-th record.
pub(crate) fn record_of_text(n: u32, body: &str) -> Value {
    json!({
        "messageId": sqs_id(n),
        "receiptHandle": receipt(n),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": beginning().as_millisecond().to_string(),
            "SenderId": SENDER,
            "ApproximateFirstReceiveTimestamp": beginning().as_millisecond().to_string(),
        },
        "messageAttributes": {},
        "md5OfBody": "filler",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:codes",
        "awsRegion": "eu-west-1",
    })
}

/// The same record at its `count`-th receive.
pub(crate) fn received(count: u32, mut record: Value) -> Value {
    record["attributes"]["ApproximateReceiveCount"] = json!(count.to_string());
    record
}

/// The same record, redriven so many times.
pub(crate) fn redriven(times: u32, mut record: Value) -> Value {
    record["messageAttributes"]["redriven"] = json!({ "dataType": "Number", "stringValue": times.to_string() });
    record
}

/// The same record, sent at another time.
pub(crate) fn sent(at: Timestamp, mut record: Value) -> Value {
    record["attributes"]["SentTimestamp"] = json!(at.as_millisecond().to_string());
    record
}

/// The same record, of the trace that these tests know.
pub(crate) fn traced(mut record: Value) -> Value {
    record["attributes"]["AWSTraceHeader"] = json!(format!("Root={TRACE};Parent=6b522ce06cfce549;Sampled=0"));
    record
}

/// The event of an SQS event source mapping.
pub(crate) fn batch(records: &[Value]) -> Vec<u8> {
    json!({ "Records": records }).to_string().into_bytes()
}

/// The id by which the answer names the n-th record.
pub(crate) fn sqs_id(n: u32) -> String {
    format!("059f36b4-87a3-44ab-83d2-{n:012}")
}

pub(crate) fn receipt(n: u32) -> String {
    format!("receipt-{n}")
}
