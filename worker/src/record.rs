//! One SQS message as Lambda's event source mapping hands it over
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>).

use serde::Deserialize;
use shared::Timestamp;

/// The event of an SQS event source mapping.
#[derive(Deserialize)]
pub(crate) struct SqsEvent {
    #[serde(rename = "Records")]
    pub(crate) records: Vec<Record>,
}

/// A received message. Its body is untrusted.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Answers to Lambda name this id.
    pub message_id: String,
    pub receipt_handle: String,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub attributes: SystemAttributes,
}

/// What SQS says about a message. All of it may be absent from emulators.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SystemAttributes {
    approximate_receive_count: Option<String>,
    sent_timestamp: Option<String>,
    sender_id: Option<String>,
    #[serde(rename = "AWSTraceHeader")]
    trace_header: Option<String>,
}

impl Record {
    /// How often the message was received, this time included.
    pub fn receive_count(&self) -> u32 {
        let count = self.attributes.approximate_receive_count.as_deref();
        count.and_then(|count| count.parse().ok()).unwrap_or(1).max(1)
    }

    /// When SQS took the message; a redrive renews it.
    pub fn sent_at(&self) -> Option<Timestamp> {
        let millis = self.attributes.sent_timestamp.as_deref()?.parse().ok()?;
        Timestamp::from_millisecond(millis).ok()
    }

    /// The id of the principal that sent the message: for a role, the part of `SenderId` before the colon.
    pub fn sender(&self) -> Option<&str> {
        self.attributes.sender_id.as_deref()?.split(':').next()
    }

    pub fn trace_header(&self) -> Option<&str> {
        self.attributes.trace_header.as_deref()
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("message_id", &self.message_id)
            .field("receive_count", &self.receive_count())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn with_attributes(attributes: Value) -> Record {
        let record = json!({ "messageId": "m", "receiptHandle": "r", "body": "b", "attributes": attributes });
        serde_json::from_value(record).expect("a record")
    }

    #[test]
    fn what_sqs_says_is_read() {
        let record = with_attributes(json!({
            "ApproximateReceiveCount": "3",
            "SentTimestamp": "1545082649183",
            "SenderId": "AROAEXAMPLE:producer",
            "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        }));
        assert_eq!(record.receive_count(), 3);
        assert_eq!(record.sent_at().map(|at| at.to_string()).as_deref(), Some("2018-12-17T21:37:29.183Z"));
        assert_eq!(record.sender(), Some("AROAEXAMPLE"));
        assert_eq!(record.trace_header(), Some("Root=1-5759e988-bd862e3fe1be46a994272793"));
    }

    #[test]
    fn what_sqs_does_not_say_has_a_harmless_value() {
        let bare: Record = serde_json::from_value(json!({ "messageId": "m", "receiptHandle": "r" })).expect("a record");
        assert_eq!((bare.receive_count(), bare.body.as_str()), (1, ""));
        for attributes in [
            json!({}),
            json!({ "ApproximateReceiveCount": null, "SentTimestamp": null, "SenderId": null, "AWSTraceHeader": null }),
            json!({ "ApproximateReceiveCount": "0", "SentTimestamp": "" }),
            json!({ "ApproximateReceiveCount": "-1", "SentTimestamp": "yesterday" }),
            json!({ "ApproximateReceiveCount": "99999999999", "SentTimestamp": "9223372036854775807" }),
        ] {
            let record = with_attributes(attributes.clone());
            assert_eq!(record.receive_count(), 1, "{attributes}");
            assert_eq!(record.sent_at(), None, "{attributes}");
            assert_eq!((record.sender(), record.trace_header()), (None, None), "{attributes}");
        }
    }

    #[test]
    fn the_sender_is_the_part_before_the_colon() {
        for (sender_id, sender) in [("AIDAEXAMPLE", "AIDAEXAMPLE"), ("AROAX:a:b", "AROAX"), ("", ""), (":x", "")] {
            assert_eq!(with_attributes(json!({ "SenderId": sender_id })).sender(), Some(sender));
        }
    }

    #[test]
    fn a_record_without_its_two_ids_is_none() {
        for record in [json!({ "messageId": "m" }), json!({ "receiptHandle": "r" }), json!([]), Value::Null] {
            assert!(serde_json::from_value::<Record>(record.clone()).is_err(), "{record}");
        }
    }

    #[test]
    fn a_record_does_not_show_its_body() {
        let mut record = with_attributes(json!({ "SenderId": "AROAX:mary" }));
        record.body = "+12065550100".to_owned();
        assert_eq!(format!("{record:?}"), "Record { message_id: \"m\", receive_count: 1, .. }");
    }
}
