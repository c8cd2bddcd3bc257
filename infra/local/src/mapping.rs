//! Lambda's event source mapping for SQS as far as the worker sees it: receive, invoke with the event that
//! Lambda would build, delete what the answer does not name.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use serde_json::{Value, json};
use worker::Worker;

const BATCH_SIZE: i32 = 10;
const LONG_POLL_SECONDS: i32 = 20;
const VISIBILITY_SECONDS: i32 = 30;
/// The worker's time for one batch, as on AWS: less than the visibility timeout.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(20);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);

/// Feeds the worker from the queue until it is aborted.
pub(crate) async fn feed(worker: Arc<Worker>, client: aws_sdk_sqs::Client, queue_url: String) {
    loop {
        let received = client
            .receive_message()
            .queue_url(&queue_url)
            .max_number_of_messages(BATCH_SIZE)
            .wait_time_seconds(LONG_POLL_SECONDS)
            .visibility_timeout(VISIBILITY_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await;
        match received.map(|answer| answer.messages.unwrap_or_default()) {
            Ok(messages) if messages.is_empty() => {}
            Ok(messages) => {
                let (worker, client, queue_url) = (Arc::clone(&worker), client.clone(), queue_url.clone());
                tokio::spawn(async move {
                    let event = lambda_event(&messages);
                    // A failed invocation leaves the whole batch in the queue.
                    if let Ok(answer) = worker.handle_batch(event.to_string().as_bytes(), FUNCTION_TIMEOUT).await {
                        let failures = answer.batch_item_failures.iter();
                        let stays = failures.map(|failure| failure.item_identifier.as_str()).collect();
                        delete_settled(&client, &queue_url, &messages, &stays).await;
                    }
                });
            }
            Err(_) => tokio::time::sleep(PAUSE_AFTER_ERROR).await,
        }
    }
}

/// The event that Lambda makes of received messages (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>).
pub fn lambda_event(messages: &[Message]) -> Value {
    let records = messages.iter().map(|message| {
        let attributes = message.attributes.iter().flatten();
        let attributes: serde_json::Map<_, _> =
            attributes.map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect();
        let message_attributes = message.message_attributes.iter().flatten();
        let message_attributes: serde_json::Map<_, _> = message_attributes
            .map(|(name, value)| {
                let value = json!({ "stringValue": value.string_value(), "dataType": value.data_type() });
                (name.clone(), value)
            })
            .collect();
        json!({
            "messageId": message.message_id(),
            "receiptHandle": message.receipt_handle(),
            "body": message.body(),
            "attributes": attributes,
            "messageAttributes": message_attributes,
            "md5OfBody": message.md5_of_body(),
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:sealpost",
            "awsRegion": "eu-west-1",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// Deletes the messages of a batch but those that stay, which the answer names by their SQS ids.
pub async fn delete_settled(
    client: &aws_sdk_sqs::Client,
    queue_url: &str,
    messages: &[Message],
    stays: &HashSet<&str>,
) {
    let settled = messages.iter().filter(|message| !message.message_id().is_some_and(|id| stays.contains(id)));
    let entries: Result<Vec<_>, _> = settled
        .enumerate()
        .map(|(index, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(message.receipt_handle().unwrap_or_default()).build()
        })
        .collect();
    match entries {
        Ok(entries) if !entries.is_empty() => {
            // What is not deleted comes back, as on AWS.
            let _ = client.delete_message_batch().queue_url(queue_url).set_entries(Some(entries)).send().await;
        }
        Ok(_) | Err(_) => {}
    }
}
