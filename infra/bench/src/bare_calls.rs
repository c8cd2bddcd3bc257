//! The calls of a redrive and nothing else: what `sealpost dlq redrive` is measured beside. It looks at no message,
//! keeps no account, and would not notice a message that SQS refuses.

use std::sync::Arc;

use anyhow::Context as _;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
    SendMessageBatchRequestEntry,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::mapping::sqs_client;

/// The name under which this program runs it.
pub(crate) const PART: &str = "bare-calls";

// As many as `sealpost` has under way.
const RECEIVES_AT_ONCE: usize = 8;
const MOVES_AT_ONCE: usize = 16;

struct Queues {
    client: aws_sdk_sqs::Client,
    from: String,
    to: String,
}

/// Moves everything from the dead-letter queue to the main queue. The environment names them as it does for `sealpost`.
///
/// # Errors
/// When a call fails.
pub(crate) async fn run() -> anyhow::Result<()> {
    let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let client = sqs_client(&variable("AWS_ENDPOINT_URL")?, &variable("AWS_ACCESS_KEY_ID")?);
    let queues = Queues { client, from: variable("DEAD_LETTER_QUEUE_URL")?, to: variable("QUEUE_URL")? };
    let (queues, free) = (Arc::new(queues), Arc::new(Semaphore::new(MOVES_AT_ONCE)));
    let mut receiving = JoinSet::new();
    for _ in 0..RECEIVES_AT_ONCE {
        receiving.spawn(receive_all(Arc::clone(&queues), Arc::clone(&free)));
    }
    first_error(receiving).await
}

/// Receives until the queue has no more, and moves what comes meanwhile.
async fn receive_all(queues: Arc<Queues>, free: Arc<Semaphore>) -> anyhow::Result<()> {
    let mut moving = JoinSet::new();
    loop {
        let messages = queues.receive().await?;
        if messages.is_empty() {
            return first_error(moving).await;
        }
        let permit = Arc::clone(&free).acquire_owned().await?;
        let queues = Arc::clone(&queues);
        moving.spawn(async move {
            let moved = queues.move_all(messages).await;
            drop(permit);
            moved
        });
    }
}

async fn first_error(mut tasks: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(done) = tasks.join_next().await {
        done.context("a task does not end by itself")??;
    }
    Ok(())
}

impl Queues {
    async fn receive(&self) -> anyhow::Result<Vec<Message>> {
        let request = self.client.receive_message().queue_url(&self.from);
        let request = request
            .max_number_of_messages(10)
            .visibility_timeout(120)
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        Ok(request.send().await.context("receiving")?.messages.unwrap_or_default())
    }

    async fn move_all(&self, messages: Vec<Message>) -> anyhow::Result<()> {
        let (mut sends, mut deletes) = (Vec::new(), Vec::new());
        for (index, message) in messages.into_iter().enumerate() {
            let send = SendMessageBatchRequestEntry::builder().id(index.to_string()).set_message_body(message.body);
            let send = send
                .message_attributes("trigger_source", attribute("String", "CustomSMSSender_SignUp")?)
                .message_attributes("user_pool_id", attribute("String", "eu-west-1_BENCH0001")?)
                .message_attributes("redriven", attribute("Number", "1")?);
            sends.push(send.build()?);
            let delete = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            deletes.push(delete.set_receipt_handle(message.receipt_handle).build()?);
        }
        let send = self.client.send_message_batch().queue_url(&self.to).set_entries(Some(sends));
        send.send().await.context("sending")?;
        let delete = self.client.delete_message_batch().queue_url(&self.from).set_entries(Some(deletes));
        delete.send().await.context("deleting")?;
        Ok(())
    }
}

fn attribute(data_type: &str, value: &str) -> anyhow::Result<MessageAttributeValue> {
    Ok(MessageAttributeValue::builder().data_type(data_type).string_value(value).build()?)
}
