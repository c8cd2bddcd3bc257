//! A queue, and the calls that the commands make. Each takes at most ten messages, as SQS does.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::StalledStreamProtectionConfig;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    MessageSystemAttributeName, MessageSystemAttributeNameForSends, MessageSystemAttributeValue, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use md5::{Digest as _, Md5};
use serde_json::Value;

use super::received::{Attribute, Received};

/// The most messages of one call.
pub(crate) const MOST_IN_A_CALL: usize = 10;
/// The most bytes of one call
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>).
pub(crate) const MOST_BYTES_IN_A_CALL: usize = 1024 * 1024;
/// How long a receive waits. A long poll asks all of SQS's servers, so an empty answer means an empty queue.
const LONG_POLL_SECONDS: i32 = 1;

/// A queue.
#[derive(Clone)]
pub(crate) struct Queue {
    client: Client,
    pub(crate) url: String,
}

/// What SQS says of a queue.
pub(crate) struct QueueFacts {
    pub(crate) arn: String,
    /// `maxReceiveCount`, if it has a dead-letter queue of its own.
    pub(crate) max_receive_count: Option<u64>,
    /// Messages that a receive could return now; an estimate.
    pub(crate) visible: u64,
    /// Messages that somebody has received and not yet deleted; an estimate.
    pub(crate) in_flight: u64,
}

/// A message on its way into a queue.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) body: String,
    pub(crate) attributes: Vec<(String, Attribute)>,
    pub(crate) trace_header: Option<String>,
}

/// A call that SQS did not answer as wished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// About 120,000 messages are in flight, and SQS hands out no more.
    #[error("SQS hands out no more messages: too many are in flight (OverLimit)")]
    OverLimit,
    #[error("{call}: {what}")]
    Failed { call: &'static str, what: String },
}

/// What became of each message of a call, in their order; of one that failed, SQS's code.
pub(crate) type Outcomes = Vec<Result<(), String>>;

pub(crate) fn sqs_client(aws: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(40))
        .build();
    let retries = RetryConfig::standard().with_max_attempts(5).with_initial_backoff(Duration::from_millis(100));
    let config = aws_sdk_sqs::config::Builder::from(aws).retry_config(retries).timeout_config(timeouts);
    // Each attempt has its time: how evenly its bytes come need not be watched.
    let config = config.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Client::from_conf(config.build())
}

impl Queue {
    /// The queue of this URL or name.
    ///
    /// # Errors
    /// When no queue has that name.
    pub(crate) async fn find(client: &Client, url_or_name: &str) -> anyhow::Result<Self> {
        let url = if url_or_name.contains("://") {
            url_or_name.to_owned()
        } else {
            let found = client.get_queue_url().queue_name(url_or_name).send().await;
            let found = found.map_err(|error| failed("GetQueueUrl", &error));
            found.with_context(|| format!("queue {url_or_name}"))?.queue_url.context("GetQueueUrl gives the URL")?
        };
        Ok(Self { client: client.clone(), url })
    }

    /// The last part of its URL.
    pub(crate) fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// # Errors
    /// When SQS does not say.
    pub(crate) async fn facts(&self) -> Result<QueueFacts, CallError> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.attribute_names(QueueAttributeName::All).send().await;
        let all = answer.map_err(|error| failed("GetQueueAttributes", &error))?.attributes.unwrap_or_default();
        let number = |name| all.get(&name).and_then(|text| text.parse().ok()).unwrap_or_default();
        let policy = all.get(&QueueAttributeName::RedrivePolicy);
        let policy: Option<Value> = policy.and_then(|policy| serde_json::from_str(policy).ok());
        let max_receive_count = policy.as_ref().and_then(|policy| policy.get("maxReceiveCount"));
        Ok(QueueFacts {
            arn: all.get(&QueueAttributeName::QueueArn).cloned().unwrap_or_default(),
            // SQS writes it as a number, others as a text.
            max_receive_count: max_receive_count.and_then(|count| match count {
                Value::String(text) => text.parse().ok(),
                Value::Number(number) => number.as_u64(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
            }),
            visible: number(QueueAttributeName::ApproximateNumberOfMessages),
            in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        })
    }

    /// Takes at most ten messages out of everybody's sight for so many seconds; none when the queue has no more.
    ///
    /// # Errors
    /// [`CallError::OverLimit`], or when SQS could not be asked.
    pub(crate) async fn receive(&self, visibility_seconds: u32) -> Result<Vec<Received>, CallError> {
        let request = self.client.receive_message().queue_url(&self.url);
        let request = request
            .max_number_of_messages(10)
            .visibility_timeout(seconds(visibility_seconds))
            .wait_time_seconds(LONG_POLL_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        match request.send().await {
            Ok(answer) => Ok(answer.messages.unwrap_or_default().into_iter().filter_map(Received::from_sqs).collect()),
            Err(error) if error.code().is_some_and(|code| code.ends_with("OverLimit")) => Err(CallError::OverLimit),
            Err(error) => Err(failed("ReceiveMessage", &error)),
        }
    }

    /// Keeps received messages out of sight for so many seconds from now on; 0 gives them back.
    ///
    /// # Errors
    /// When SQS could not be asked.
    pub(crate) async fn change_visibility(&self, handles: &[String], for_seconds: u32) -> Result<Outcomes, CallError> {
        let entries = handles.iter().enumerate().map(|(index, handle)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
            let entry = entry.receipt_handle(handle).visibility_timeout(seconds(for_seconds));
            entry.build().expect("its id and receipt handle are set")
        });
        let request = self.client.change_message_visibility_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries.collect())).send().await;
        let answer = answer.map_err(|error| failed("ChangeMessageVisibilityBatch", &error))?;
        Ok(outcomes(handles.len(), &answer.failed))
    }

    /// # Errors
    /// When SQS could not be asked.
    pub(crate) async fn delete(&self, handles: &[String]) -> Result<Outcomes, CallError> {
        let entries = handles.iter().enumerate().map(|(index, handle)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(handle);
            entry.build().expect("its id and receipt handle are set")
        });
        let request = self.client.delete_message_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries.collect())).send().await;
        let answer = answer.map_err(|error| failed("DeleteMessageBatch", &error))?;
        Ok(outcomes(handles.len(), &answer.failed))
    }

    /// Sends at most ten messages, and compares the checksum of each body that SQS took with its own.
    ///
    /// # Errors
    /// When SQS could not be asked; whether it took any is then not known.
    pub(crate) async fn send(&self, messages: Vec<Outgoing>) -> Result<Outcomes, CallError> {
        let checksums: Vec<_> = messages.iter().map(|message| md5_of(&message.body)).collect();
        let entries = messages.into_iter().enumerate().map(|(index, message)| message.into_entry(index));
        let request = self.client.send_message_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries.collect())).send().await;
        let answer = answer.map_err(|error| failed("SendMessageBatch", &error))?;
        let mut outcomes = outcomes(checksums.len(), &answer.failed);
        let taken: HashMap<_, _> =
            answer.successful.iter().map(|taken| (taken.id(), taken.md5_of_message_body())).collect();
        for (index, (sent, outcome)) in checksums.iter().zip(&mut outcomes).enumerate() {
            let checksum = taken.get(index.to_string().as_str());
            if outcome.is_ok() && checksum != Some(&sent.as_str()) {
                *outcome = Err("not_taken_as_sent".to_owned());
            }
        }
        Ok(outcomes)
    }
}

impl Outgoing {
    /// About as many bytes as SQS counts for it.
    pub(crate) fn size(&self) -> usize {
        let of_attributes = self.attributes.iter().map(|(name, value)| name.len() + value.size());
        self.body.len() + of_attributes.sum::<usize>()
    }

    fn into_entry(self, index: usize) -> SendMessageBatchRequestEntry {
        let mut entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(self.body);
        for (name, value) in self.attributes {
            entry = entry.message_attributes(name, value.into_sqs());
        }
        if let Some(trace) = self.trace_header {
            let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build();
            let value = value.expect("the data type is set");
            entry = entry.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
        }
        entry.build().expect("its id and body are set")
    }
}

/// How many of these, from the first on, fit into one call; at least one, if there is any.
pub(crate) fn fit_into_a_call<'m>(messages: impl Iterator<Item = &'m Outgoing>) -> usize {
    let mut bytes = 0;
    let mut any = false;
    let fits = messages.take(MOST_IN_A_CALL).take_while(|message| {
        bytes += message.size();
        let is_first = !std::mem::replace(&mut any, true);
        is_first || bytes <= MOST_BYTES_IN_A_CALL
    });
    fits.count()
}

fn md5_of(text: &str) -> String {
    Md5::digest(text).iter().fold(String::with_capacity(32), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Each member's outcome from the list of those that failed; members are named by their index.
fn outcomes(size: usize, failed: &[BatchResultErrorEntry]) -> Outcomes {
    let mut failed: HashMap<&str, &str> = failed.iter().map(|entry| (entry.id(), entry.code())).collect();
    let outcome = |index: usize| match failed.remove(index.to_string().as_str()) {
        Some(code) => Err(code.to_owned()),
        None => Ok(()),
    };
    (0..size).map(outcome).collect()
}

fn seconds(seconds: u32) -> i32 {
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

/// What went wrong, with SQS's code where it has said one.
fn failed<E, R>(call: &'static str, error: &SdkError<E, R>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let what = match error.code() {
        Some(code) => match error.message() {
            Some(message) => format!("{code}: {message}"),
            None => code.to_owned(),
        },
        None => DisplayErrorContext(error).to_string(),
    };
    CallError::Failed { call, what: what.chars().filter(|c| !c.is_control()).take(500).collect() }
}
