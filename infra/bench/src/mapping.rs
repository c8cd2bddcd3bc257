//! The event source mapping between the queue and the worker: receives over the wire, invokes, and deletes what the
//! worker has settled.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use local::mapping::lambda_event;
use serde::Deserialize;

use crate::subject::Running;
use crate::world::{QUEUE, World};

/// SQS as the mapping uses it.
pub(crate) struct Mapping {
    client: aws_sdk_sqs::Client,
    queue_url: String,
}

/// One batch on its way through the worker.
pub(crate) struct Batch {
    pub(crate) messages: usize,
    /// Receiving and deleting: AWS's part.
    pub(crate) around: Duration,
    /// The worker's part.
    pub(crate) handling: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// The AWS client as it comes, for SQS at this endpoint.
pub(crate) fn sqs_client(endpoint: &str, caller: &str) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new(caller, "bench", None, None, "bench"));
    aws_sdk_sqs::Client::from_conf(config.build())
}

impl Mapping {
    pub(crate) fn of(world: &World) -> Self {
        let client = sqs_client(&world.aws.endpoint(), "AROABENCHMAPPING");
        Self { client, queue_url: world.aws.sqs().queue_url(QUEUE) }
    }

    /// Takes up to ten messages through the worker, waiting for them for at most `patience`, at most 20 s.
    ///
    /// # Errors
    /// When SQS or the worker fails.
    pub(crate) async fn pass_on(&self, worker: &Running, patience: Duration) -> anyhow::Result<Batch> {
        let began = Instant::now();
        let received = self
            .client
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(10)
            .wait_time_seconds(i32::try_from(patience.as_secs()).unwrap_or(20))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send();
        let messages = received.await.context("receiving from the embedded SQS")?.messages.unwrap_or_default();
        let mut around = began.elapsed();
        if messages.is_empty() {
            return Ok(Batch { messages: 0, around, handling: Duration::ZERO });
        }
        let (answer, handling) = worker.any_answer(lambda_event(&messages).to_string().as_bytes()).await?;
        let answer: Answer = serde_json::from_slice(&answer).context("reading the worker's answer")?;
        let began = Instant::now();
        self.delete_settled(&messages, &answer).await?;
        around += began.elapsed();
        Ok(Batch { messages: messages.len(), around, handling })
    }

    async fn delete_settled(&self, messages: &[Message], answer: &Answer) -> anyhow::Result<()> {
        let failures = answer.batch_item_failures.iter();
        let stays: HashSet<_> = failures.map(|failure| failure.item_identifier.as_str()).collect();
        let settled = messages.iter().filter(|message| !stays.contains(message.message_id().unwrap_or_default()));
        let entry = |(index, message): (usize, &Message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(message.receipt_handle().unwrap_or_default()).build()
        };
        let entries: Vec<_> = settled.enumerate().map(entry).collect::<Result<_, _>>()?;
        if !entries.is_empty() {
            let request = self.client.delete_message_batch().queue_url(&self.queue_url).set_entries(Some(entries));
            request.send().await.context("deleting from the embedded SQS")?;
        }
        Ok(())
    }
}
