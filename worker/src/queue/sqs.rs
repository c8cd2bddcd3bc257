//! SQS itself. What is asked for several messages at once leaves in one request.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageAttributeValue, MessageSystemAttributeName,
};
use shared::rfc3339_millis;

use super::gathered::{Gathered, Outcomes};
use super::{DeadLetter, Queue, QueueError, VISIBILITY};
use crate::record::{REDRIVEN, Record, parse_redriven};

/// How long a receive waits for a message. Short enough that a service which is told to stop can let its last one end
/// by itself: a receive that is broken off may have taken messages out of sight.
const LONG_POLL: Duration = Duration::from_secs(5);
/// SQS's bound of a visibility timeout: 12 hours.
const LONGEST_VISIBILITY: Duration = Duration::from_secs(43_200);
/// `detail` is at most this long (README, "What becomes of a message").
const LONGEST_DETAIL: usize = 256;

/// Both queues, in SQS.
pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    queue_url: String,
    dead_letter_queue_url: String,
    deletions: Gathered<String>,
    postponements: Gathered<Postponement>,
}

struct Postponement {
    receipt_handle: String,
    after: Duration,
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
    /// Must be called within a tokio runtime.
    pub fn new(client: aws_sdk_sqs::Client, queue_url: String, dead_letter_queue_url: String) -> Self {
        let (calls, url) = (client.clone(), queue_url.clone());
        let deletions = Gathered::new(move |handles| delete_all(calls.clone(), url.clone(), handles));
        let (calls, url) = (client.clone(), queue_url.clone());
        let postponements = Gathered::new(move |batch| postpone_all(calls.clone(), url.clone(), batch));
        Self { client, queue_url, dead_letter_queue_url, deletions, postponements }
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn receive(&self, most: u32) -> Result<Vec<Record>, QueueError> {
        // The service itself decides when to ask again.
        let patience = TimeoutConfig::builder()
            .operation_attempt_timeout(LONG_POLL + Duration::from_secs(2))
            .operation_timeout(LONG_POLL + Duration::from_secs(2))
            .build();
        let patience =
            aws_sdk_sqs::config::Builder::new().timeout_config(patience).retry_config(RetryConfig::disabled());
        let request = self.client.receive_message().queue_url(&self.queue_url);
        let request = request
            .max_number_of_messages(i32::try_from(most).unwrap_or(i32::MAX).min(10))
            .visibility_timeout(whole_seconds(VISIBILITY))
            .wait_time_seconds(whole_seconds(LONG_POLL))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names(REDRIVEN);
        let answer = request.customize().config_override(patience).send().await.map_err(|error| queue_error(&error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(record).collect())
    }

    async fn delete(&self, receipt_handle: &str) -> Result<(), QueueError> {
        self.deletions.request(receipt_handle.to_owned()).await
    }

    async fn postpone(&self, receipt_handle: &str, after: Duration) -> Result<(), QueueError> {
        self.postponements.request(Postponement { receipt_handle: receipt_handle.to_owned(), after }).await
    }

    async fn dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), QueueError> {
        let detail: String = letter.detail.chars().filter(|c| !c.is_control()).take(LONGEST_DETAIL).collect();
        let attempts = letter.attempts.to_string();
        let redriven = if letter.redriven > 0 { letter.redriven.to_string() } else { String::new() };
        let attributes = [
            ("reason", letter.reason.as_str()),
            ("detail", detail.as_str()),
            ("provider", letter.provider.unwrap_or_default()),
            ("attempts", attempts.as_str()),
            ("failed_at", &rfc3339_millis(letter.failed_at)),
            (REDRIVEN, redriven.as_str()),
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

/// A received message as a record; without its two ids nothing could be settled, and SQS always gives them.
fn record(message: Message) -> Option<Record> {
    let attributes = message.attributes.unwrap_or_default().into_iter();
    let redriven = message.message_attributes.as_ref().and_then(|all| all.get(REDRIVEN)?.string_value());
    let redriven = parse_redriven(redriven);
    Some(Record {
        message_id: message.message_id?,
        receipt_handle: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
        attributes: attributes.map(|(name, value)| (name.as_str().to_owned(), value.into())).collect(),
        redriven,
    })
}

async fn delete_all(client: aws_sdk_sqs::Client, queue_url: String, receipt_handles: Vec<String>) -> Outcomes {
    let size = receipt_handles.len();
    let entries = receipt_handles.into_iter().enumerate().map(|(index, receipt_handle)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(receipt_handle);
        entry.build().expect("both its members are set")
    });
    let request = client.delete_message_batch().queue_url(queue_url).set_entries(Some(entries.collect()));
    match request.send().await {
        Ok(answer) => outcomes(size, &answer.failed),
        Err(error) => vec![Err(queue_error(&error)); size],
    }
}

async fn postpone_all(client: aws_sdk_sqs::Client, queue_url: String, batch: Vec<Postponement>) -> Outcomes {
    let size = batch.len();
    let entries = batch.into_iter().enumerate().map(|(index, Postponement { receipt_handle, after })| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
        let entry = entry.receipt_handle(receipt_handle).visibility_timeout(whole_seconds(after));
        entry.build().expect("its id and receipt handle are set")
    });
    let request = client.change_message_visibility_batch().queue_url(queue_url).set_entries(Some(entries.collect()));
    match request.send().await {
        Ok(answer) => outcomes(size, &answer.failed),
        Err(error) => vec![Err(queue_error(&error)); size],
    }
}

/// Each member's outcome from the list of those that failed; members are named by their index.
fn outcomes(size: usize, failed: &[BatchResultErrorEntry]) -> Outcomes {
    let mut failed: HashMap<&str, &str> = failed.iter().map(|entry| (entry.id(), entry.code())).collect();
    let outcome = |index: usize| match failed.remove(index.to_string().as_str()) {
        Some(code) => Err(QueueError::of_code(code)),
        None => Ok(()),
    };
    (0..size).map(outcome).collect()
}

/// SQS counts in whole seconds.
fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.min(LONGEST_VISIBILITY).as_secs()).unwrap_or(i32::MAX)
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
    QueueError::of_code(code)
}
