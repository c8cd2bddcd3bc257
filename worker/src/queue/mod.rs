//! The seam to SQS. On Lambda the event source mapping receives and deletes; the worker itself only postpones and
//! dead-letters. As a service it does all four.

mod gathered;
mod sqs;

use std::time::Duration;

use async_trait::async_trait;
use shared::{DeadLetterReason, Timestamp};

use crate::aws_error_name::aws_error_name;
use crate::record::Record;

pub use sqs::{SqsQueue, sqs_config};

/// What the worker asks of the queues.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Waits some seconds for messages, and takes at most `most` of them out of sight for [`VISIBILITY`].
    async fn receive(&self, most: u32) -> Result<Vec<Record>, QueueError>;

    /// Deletes a received message for good.
    async fn delete(&self, receipt_handle: &str) -> Result<(), QueueError>;

    /// Keeps a received message invisible for `after` from now on.
    async fn postpone(&self, receipt_handle: &str, after: Duration) -> Result<(), QueueError>;

    /// Puts a message into the dead-letter queue.
    async fn dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), QueueError>;
}

/// How long a message that the service receives stays out of everybody else's sight: longer than the worker works
/// on it, whatever the queue's own visibility timeout is.
pub const VISIBILITY: Duration = Duration::from_secs(30);

/// A message for the dead-letter queue: the body as it was received, and why it is there.
#[derive(Clone)]
pub struct DeadLetter<'m> {
    pub body: &'m str,
    pub reason: DeadLetterReason,
    /// Nothing personal.
    pub detail: &'m str,
    /// The provider tried last.
    pub provider: Option<&'m str>,
    /// Attempts to send it in this invocation.
    pub attempts: u32,
    pub failed_at: Timestamp,
    /// How often it was redriven: the next redrive counts on from there.
    pub redriven: u32,
    pub trace_header: Option<&'m str>,
}

/// Without the body, which holds the user's whole number.
impl std::fmt::Debug for DeadLetter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetter")
            .field("reason", &self.reason)
            .field("detail", &self.detail)
            .field("provider", &self.provider)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// A call that SQS did not answer as wished; the text is SQS's error code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct QueueError {
    pub code: String,
}

impl QueueError {
    /// What is not shaped like an error code may be anything, and is not shown.
    fn of_code(code: &str) -> Self {
        Self { code: aws_error_name(code).to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_does_not_show_its_body() {
        let letter = DeadLetter {
            body: "{\"phone_number\":\"+12065550100\"}",
            reason: DeadLetterReason::ProvidersExhausted,
            detail: "first: http_503",
            provider: Some("first"),
            attempts: 3,
            failed_at: Timestamp::UNIX_EPOCH,
            redriven: 0,
            trace_header: None,
        };
        assert_eq!(
            format!("{letter:?}"),
            "DeadLetter { reason: ProvidersExhausted, detail: \"first: http_503\", provider: Some(\"first\"), \
             attempts: 3, .. }"
        );
    }
}
