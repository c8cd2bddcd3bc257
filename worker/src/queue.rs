//! The seam to SQS: postponing and dead-lettering. Received messages are deleted by whoever received them:
//! Lambda's event source mapping deletes what the batch answer does not name.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::MessageAttributeValue;
use shared::{DeadLetterReason, Timestamp, rfc3339_millis};

/// What the worker asks of the queues.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Keeps a received message invisible for `after` from now on.
    async fn postpone(&self, receipt_handle: &str, after: Duration) -> Result<(), QueueError>;

    /// Puts a message into the dead-letter queue.
    async fn dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), QueueError>;
}

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

/// SQS itself.
pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    queue_url: String,
    dead_letter_queue_url: String,
}

/// An SQS configuration whose calls end within the time that the worker keeps back for settling.
pub fn sqs_config(aws: &SdkConfig) -> aws_sdk_sqs::Config {
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(500))
        .operation_attempt_timeout(Duration::from_millis(700))
        .operation_timeout(Duration::from_millis(1_500))
        .build();
    aws_sdk_sqs::config::Builder::from(aws).retry_config(retries).timeout_config(timeouts).build()
}

impl SqsQueue {
    pub fn new(client: aws_sdk_sqs::Client, queue_url: String, dead_letter_queue_url: String) -> Self {
        Self { client, queue_url, dead_letter_queue_url }
    }
}

/// `detail` is at most this long (README, "Dead letters").
const LONGEST_DETAIL: usize = 256;

#[async_trait]
impl Queue for SqsQueue {
    async fn postpone(&self, receipt_handle: &str, after: Duration) -> Result<(), QueueError> {
        let seconds = i32::try_from(after.as_secs()).unwrap_or(i32::MAX).min(43_200);
        let request = self.client.change_message_visibility().queue_url(&self.queue_url);
        let request = request.receipt_handle(receipt_handle).visibility_timeout(seconds);
        request.send().await.map(drop).map_err(|error| queue_error(&error))
    }

    async fn dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), QueueError> {
        let detail: String = letter.detail.chars().filter(|c| !c.is_control()).take(LONGEST_DETAIL).collect();
        let attempts = letter.attempts.to_string();
        let attributes = [
            ("reason", letter.reason.as_str()),
            ("detail", detail.as_str()),
            ("provider", letter.provider.unwrap_or_default()),
            ("attempts", attempts.as_str()),
            ("failed_at", &rfc3339_millis(letter.failed_at)),
        ];
        // SQS refuses empty messages, which can then only have been written by something that is not SQS.
        let body = if letter.body.is_empty() { " " } else { letter.body };
        let mut request = self.client.send_message().queue_url(&self.dead_letter_queue_url).message_body(body);
        for (name, value) in attributes {
            if !value.is_empty() {
                request = request.message_attributes(name, text_attribute(value));
            }
        }
        if let Some(trace) = letter.trace_header {
            use aws_sdk_sqs::types::{MessageSystemAttributeNameForSends, MessageSystemAttributeValue};
            let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build();
            let value = value.expect("the data type is set");
            request = request.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
        }
        request.send().await.map(drop).map_err(|error| queue_error(&error))
    }
}

fn text_attribute(value: &str) -> MessageAttributeValue {
    let attribute = MessageAttributeValue::builder().data_type("String").string_value(value).build();
    attribute.expect("the data type is set")
}

fn queue_error<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> QueueError {
    let code = match error {
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "unreachable",
        SdkError::ServiceError(answer) => answer.err().code().unwrap_or("unknown_error"),
        SdkError::ConstructionFailure(_) | SdkError::ResponseError(_) | _ => "unreadable_answer",
    };
    let is_name = code.len() <= 80 && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
    QueueError { code: if is_name { code } else { "unknown_error" }.to_owned() }
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
            trace_header: None,
        };
        assert_eq!(
            format!("{letter:?}"),
            "DeadLetter { reason: ProvidersExhausted, detail: \"first: http_503\", provider: Some(\"first\"), \
             attempts: 3, .. }"
        );
    }
}
