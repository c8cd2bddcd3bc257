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
