//! One SQS message as Lambda's event source mapping hands it over
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>).

use serde_json::{Map, Value};
use shared::{Timestamp, TraceId};

/// A received message. Its body is untrusted.
#[derive(Clone)]
pub struct Record {
    /// Answers to Lambda name this id.
    pub message_id: String,
    pub receipt_handle: String,
    pub body: String,
    /// What SQS says about the message; all of it may be absent from emulators.
    pub attributes: Map<String, Value>,
    /// How often an operator has redriven it: the message attribute `redriven`.
    pub redriven: u32,
}

/// The message attribute that a redrive writes and counts up.
pub(crate) const REDRIVEN: &str = "redriven";

impl Record {
    /// Reads a record out of an event. Only its two ids are required, since nothing can be settled without them:
    /// one odd record must not hold up the rest of its batch.
    pub fn from_value(mut record: Value) -> Option<Self> {
        let mut text = |name| match record.get_mut(name).map(Value::take) {
            Some(Value::String(text)) => Some(text),
            Some(_) | None => None,
        };
        let (message_id, receipt_handle) = (text("messageId")?, text("receiptHandle")?);
        let body = text("body").unwrap_or_default();
        let attributes = record.get_mut("attributes").and_then(Value::as_object_mut).map(std::mem::take);
        let redriven = record.get("messageAttributes").and_then(|all| all.get(REDRIVEN)?.get("stringValue")?.as_str());
        let redriven = parse_redriven(redriven);
        Some(Self { message_id, receipt_handle, body, attributes: attributes.unwrap_or_default(), redriven })
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }
}

impl Record {
    /// How often the message was received, this time included.
    pub fn receive_count(&self) -> u32 {
        let count = self.attribute("ApproximateReceiveCount");
        count.and_then(|count| count.parse().ok()).unwrap_or(1).max(1)
    }

    /// When SQS took the message; a redrive renews it.
    pub fn sent_at(&self) -> Option<Timestamp> {
        let millis = self.attribute("SentTimestamp")?.parse().ok()?;
        Timestamp::from_millisecond(millis).ok()
    }

    /// The id of the principal that sent the message: for a role, the part of `SenderId` before the colon.
    pub fn sender(&self) -> Option<&str> {
        self.attribute("SenderId")?.split(':').next()
    }

    pub fn trace_header(&self) -> Option<&str> {
        self.attribute("AWSTraceHeader")
    }

    /// The trace that the message belongs to.
    pub fn trace(&self) -> Option<TraceId<'_>> {
        self.trace_header().and_then(TraceId::of_header)
    }
}

/// Reads the attribute's value; what is no number counts as none.
pub(crate) fn parse_redriven(value: Option<&str>) -> u32 {
    value.and_then(|value| value.parse().ok()).unwrap_or_default()
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
        Record::from_value(record).expect("a record")
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
        let bare = Record::from_value(json!({ "messageId": "m", "receiptHandle": "r" })).expect("a record");
        assert_eq!((bare.receive_count(), bare.body.as_str()), (1, ""));
        for attributes in [
            json!({}),
            Value::Null,
            json!("odd"),
            json!({ "ApproximateReceiveCount": 7, "SentTimestamp": 7, "SenderId": 7 }),
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
    fn a_redrive_is_counted_in_a_message_attribute() {
        for (attributes, redriven) in [
            (json!({ "redriven": { "dataType": "Number", "stringValue": "2" } }), 2),
            (json!({ "redriven": { "dataType": "Number", "stringValue": "-1" } }), 0),
            (json!({ "redriven": 2 }), 0),
            (json!({}), 0),
            (Value::Null, 0),
        ] {
            let record = json!({ "messageId": "m", "receiptHandle": "r", "messageAttributes": attributes });
            assert_eq!(Record::from_value(record).expect("a record").redriven, redriven, "{attributes}");
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
            assert!(Record::from_value(record.clone()).is_none(), "{record}");
        }
    }

    #[test]
    fn a_record_does_not_show_its_body() {
        let mut record = with_attributes(json!({ "SenderId": "AROAX:mary" }));
        record.body = "+12065550100".to_owned();
        assert_eq!(format!("{record:?}"), "Record { message_id: \"m\", receive_count: 1, .. }");
    }
}
