//! What may be sent, and how it arrives.

use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry as Entry,
};

use crate::check::Check;
use crate::world::*;

pub(crate) const CHECKS: &[Check] = checks![
    what_is_sent_arrives_with_its_checksums,
    the_trace_header_arrives,
    a_group_of_a_standard_queue_arrives,
    sender_times_and_receives_are_told,
    a_body_of_a_mebibyte_is_taken_and_a_longer_one_refused,
    an_empty_body_is_refused,
    a_control_character_is_refused,
    a_noncharacter_is_refused,
    a_delay_outside_its_range_is_refused,
    an_empty_group_is_refused,
    a_batch_of_sends_answers_entry_by_entry,
    a_batch_that_is_empty_or_too_large_is_refused,
    a_batch_of_more_than_a_mebibyte_is_refused,
    the_ids_in_a_batch_are_distinct_and_plain,
];

pub(crate) fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

fn entry(id: &str, body: &str) -> Entry {
    Entry::builder().id(id).message_body(body).build().unwrap()
}

/// A send to a new queue, to be refined; and the queue.
async fn sending(world: &World, body: impl Into<String>) -> (SendMessageFluentBuilder, String) {
    let url = world.queue("codes", &[]).await;
    (world.sqs.send_message().queue_url(&url).message_body(body), url)
}

async fn what_is_sent_arrives_with_its_checksums(world: &World) {
    let bytes = MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new([0, 255])).build().unwrap();
    let (request, url) = sending(world, "é\u{1f600}\n").await;
    let sent = request.message_attributes("redriven", text("1")).message_attributes("raw", bytes).send().await.unwrap();
    assert_eq!(sent.md5_of_message_body.as_deref(), Some("8f2f05aa44d9fc7156374e53362fef33"));
    let message = world.receive_one(&url).await;
    assert_eq!(message.message_id, sent.message_id);
    assert_eq!(message.body.as_deref(), Some("é\u{1f600}\n"));
    assert_eq!(message.md5_of_body, sent.md5_of_message_body);
    assert_eq!(message.md5_of_message_attributes, sent.md5_of_message_attributes);
    let attributes = message.message_attributes.as_ref().unwrap();
    assert_eq!(attributes["redriven"].string_value(), Some("1"));
    assert_eq!(attributes["raw"].binary_value(), Some(&Blob::new([0, 255])));
}

async fn the_trace_header_arrives(world: &World) {
    let header = MessageSystemAttributeValue::builder().data_type("String").string_value("Root=1-2-3").build().unwrap();
    let (request, url) = sending(world, "x").await;
    request.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, header).send().await.unwrap();
    let message = world.receive_one(&url).await;
    assert_eq!(system_attribute(&message, "AWSTraceHeader").as_deref(), Some("Root=1-2-3"));
}

async fn a_group_of_a_standard_queue_arrives(world: &World) {
    let (request, url) = sending(world, "x").await;
    request.message_group_id("pool").send().await.unwrap();
    let message = world.receive_one(&url).await;
    assert_eq!(system_attribute(&message, "MessageGroupId").as_deref(), Some("pool"));
}

async fn sender_times_and_receives_are_told(world: &World) {
    let (request, url) = sending(world, "x").await;
    request.send().await.unwrap();
    let message = world.receive_one(&url).await;
    assert!(system_attribute(&message, "SenderId").is_some_and(|id| !id.is_empty()));
    assert_eq!(system_attribute(&message, "ApproximateReceiveCount").as_deref(), Some("1"));
    let first = system_attribute(&message, "ApproximateFirstReceiveTimestamp").unwrap().parse::<u64>().unwrap();
    let sent_at = system_attribute(&message, "SentTimestamp").unwrap().parse::<u64>().unwrap();
    assert!((1_700_000_000_000..=first).contains(&sent_at), "{sent_at} {first}");
}

async fn a_body_of_a_mebibyte_is_taken_and_a_longer_one_refused(world: &World) {
    let (request, url) = sending(world, "x".repeat(1024 * 1024)).await;
    request.send().await.unwrap();
    assert_eq!(world.receive_one(&url).await.body.unwrap().len(), 1024 * 1024);
    let longer = world.sqs.send_message().queue_url(&url).message_body("x".repeat(1024 * 1024 + 1)).send().await;
    assert_eq!(code(longer), "InvalidParameterValue");
}

async fn an_empty_body_is_refused(world: &World) {
    assert_eq!(code(sending(world, "").await.0.send().await), "MissingParameter");
}

async fn a_control_character_is_refused(world: &World) {
    assert_eq!(code(sending(world, "a\u{1}").await.0.send().await), "InvalidMessageContents");
}

async fn a_noncharacter_is_refused(world: &World) {
    assert_eq!(code(sending(world, "a\u{ffff}").await.0.send().await), "InvalidMessageContents");
}

async fn a_delay_outside_its_range_is_refused(world: &World) {
    assert_eq!(code(sending(world, "x").await.0.delay_seconds(901).send().await), "InvalidParameterValue");
}

async fn an_empty_group_is_refused(world: &World) {
    assert_eq!(code(sending(world, "x").await.0.message_group_id("").send().await), "InvalidParameterValue");
}

async fn a_batch_of_sends_answers_entry_by_entry(world: &World) {
    let url = world.queue("codes", &[]).await;
    let batch = world.sqs.send_message_batch().queue_url(&url);
    let answer = batch.entries(entry("good", "hello")).entries(entry("bad", "\u{1}")).send().await.unwrap();
    assert_eq!(answer.successful[0].id, "good");
    assert_eq!(answer.successful[0].md5_of_message_body, "5d41402abc4b2a76b9719d911017c592");
    let failed = &answer.failed[0];
    assert_eq!(
        (failed.id.as_str(), failed.code.as_str(), failed.sender_fault),
        ("bad", "InvalidMessageContents", true)
    );
    assert_eq!(world.receive_one(&url).await.body.as_deref(), Some("hello"));
}

/// How a batch of these is refused.
async fn refusal(world: &World, entries: Vec<Entry>) -> String {
    let url = world.queue("codes", &[]).await;
    code(world.sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send().await)
}

async fn a_batch_that_is_empty_or_too_large_is_refused(world: &World) {
    assert_eq!(refusal(world, Vec::new()).await, "AWS.SimpleQueueService.EmptyBatchRequest");
    let eleven = (0..11).map(|number| entry(&number.to_string(), "x")).collect();
    assert_eq!(refusal(world, eleven).await, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest");
}

async fn a_batch_of_more_than_a_mebibyte_is_refused(world: &World) {
    let entries = ["a", "b"].map(|id| entry(id, &"x".repeat(600_000)));
    assert_eq!(refusal(world, entries.to_vec()).await, "AWS.SimpleQueueService.BatchRequestTooLong");
}

async fn the_ids_in_a_batch_are_distinct_and_plain(world: &World) {
    let twice = vec![entry("a", "x"), entry("a", "x")];
    assert_eq!(refusal(world, twice).await, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct");
    assert_eq!(refusal(world, vec![entry("a.b", "x")]).await, "AWS.SimpleQueueService.InvalidBatchEntryId");
}
