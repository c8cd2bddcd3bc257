//! Receiving, holding, letting go and deleting.

use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::change_message_visibility::{ChangeMessageVisibilityError, ChangeMessageVisibilityOutput};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry as Change, DeleteMessageBatchRequestEntry as Delete, QueueAttributeName,
};

use crate::check::Check;
use crate::sqs_messages::text;
use crate::world::*;

pub(crate) const CHECKS: &[Check] = checks![
    attributes_are_told_only_as_far_as_they_are_asked_for,
    attributes_are_found_by_a_prefix,
    an_unknown_system_attribute_is_refused,
    a_number_of_messages_outside_its_range_is_refused,
    a_wait_outside_its_range_is_refused,
    a_visibility_timeout_outside_its_range_is_refused,
    the_counts_follow_the_messages,
    a_message_that_is_let_go_comes_back_at_once,
    a_shortened_visibility_timeout_is_kept,
    visibility_can_be_changed_in_a_batch,
    visibility_cannot_be_changed_to_more_than_twelve_hours,
    a_message_that_is_not_in_flight_cannot_change_its_visibility,
    deleting_takes_the_newest_handle,
    deleting_succeeds_for_what_is_gone,
    a_handle_that_is_none_is_refused,
    a_batch_of_deletions_answers_entry_by_entry,
];

/// A queue with one message in flight; its URL and the receipt handle.
async fn in_flight(world: &World) -> (String, String) {
    let url = world.queue("codes", &[]).await;
    world.send(&url, "x").await;
    let handle = world.receive_one(&url).await.receipt_handle.unwrap();
    (url, handle)
}

async fn change(
    world: &World,
    queue: &str,
    handle: &str,
    seconds: i32,
) -> Result<ChangeMessageVisibilityOutput, SdkError<ChangeMessageVisibilityError>> {
    let request = world.sqs.change_message_visibility().queue_url(queue).receipt_handle(handle);
    request.visibility_timeout(seconds).send().await
}

/// A queue with one message that has two attributes.
async fn with_attributes(world: &World) -> String {
    let url = world.queue("codes", &[]).await;
    let request = world.sqs.send_message().queue_url(&url).message_body("x");
    request.message_attributes("a.x", text("1")).message_attributes("b", text("2")).send().await.unwrap();
    url
}

async fn attributes_are_told_only_as_far_as_they_are_asked_for(world: &World) {
    let url = with_attributes(world).await;
    let request = world.sqs.receive_message().queue_url(&url).visibility_timeout(0);
    let plain = request.clone().send().await.unwrap().messages.unwrap();
    assert_eq!((&plain[0].attributes, &plain[0].message_attributes), (&None, &None));
    assert_eq!(plain[0].md5_of_message_attributes, None);
    let some = request.message_attribute_names("b").message_system_attribute_names("SentTimestamp".into());
    let some = some.send().await.unwrap().messages.unwrap();
    assert_eq!(some[0].attributes.as_ref().unwrap().len(), 1);
    assert_eq!(some[0].message_attributes.as_ref().unwrap().keys().collect::<Vec<_>>(), ["b"]);
}

async fn attributes_are_found_by_a_prefix(world: &World) {
    let url = with_attributes(world).await;
    let some = world.sqs.receive_message().queue_url(&url).message_attribute_names("a.*").send().await.unwrap();
    let found = some.messages.unwrap()[0].message_attributes.clone().unwrap_or_default();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a.x"]);
}

async fn an_unknown_system_attribute_is_refused(world: &World) {
    let url = world.queue("codes", &[]).await;
    let unknown = world.sqs.receive_message().queue_url(&url).message_system_attribute_names("Colour".into());
    assert_eq!(code(unknown.send().await), "InvalidAttributeName");
}

async fn a_number_of_messages_outside_its_range_is_refused(world: &World) {
    let url = world.queue("codes", &[]).await;
    for wrong in [0, 11] {
        let request = world.sqs.receive_message().queue_url(&url).max_number_of_messages(wrong);
        assert_eq!(code(request.send().await), "InvalidParameterValue", "{wrong}");
    }
}

async fn a_wait_outside_its_range_is_refused(world: &World) {
    let url = world.queue("codes", &[]).await;
    // Whoever takes the number has something to answer at once.
    world.send(&url, "x").await;
    let request = world.sqs.receive_message().queue_url(&url).wait_time_seconds(21);
    assert_eq!(code(request.send().await), "InvalidParameterValue");
}

async fn a_visibility_timeout_outside_its_range_is_refused(world: &World) {
    let url = world.queue("codes", &[]).await;
    for wrong in [-1, 50_000] {
        let request = world.sqs.receive_message().queue_url(&url).visibility_timeout(wrong);
        assert_eq!(code(request.send().await), "InvalidParameterValue", "{wrong}");
    }
    // The queue has come to no harm.
    world.send(&url, "x").await;
    world.receive_one(&url).await;
}

async fn the_counts_follow_the_messages(world: &World) {
    let url = world.queue("codes", &[]).await;
    world.send(&url, "x").await;
    world.send(&url, "y").await;
    world.sqs.send_message().queue_url(&url).message_body("z").delay_seconds(900).send().await.unwrap();
    assert_eq!(world.counts(&url).await, ["2", "0", "1"]);
    world.receive(&url).await;
    assert_eq!(world.counts(&url).await, ["0", "2", "1"]);
}

async fn a_message_that_is_let_go_comes_back_at_once(world: &World) {
    let (url, handle) = in_flight(world).await;
    assert!(world.receive(&url).await.is_empty());
    change(world, &url, &handle, 0).await.unwrap();
    let again = world.receive_one(&url).await;
    assert_eq!(system_attribute(&again, "ApproximateReceiveCount").as_deref(), Some("2"));
}

async fn a_shortened_visibility_timeout_is_kept(world: &World) {
    let (url, handle) = in_flight(world).await;
    change(world, &url, &handle, 1).await.unwrap();
    assert!(world.receive(&url).await.is_empty());
    let again = world.receiving(&url).wait_time_seconds(5).send().await.unwrap().messages.unwrap_or_default();
    assert_eq!(again.len(), 1);
}

async fn visibility_can_be_changed_in_a_batch(world: &World) {
    let (url, handle) = in_flight(world).await;
    let entry = |id: &str, handle: &str| Change::builder().id(id).receipt_handle(handle).visibility_timeout(0).build();
    let batch = world.sqs.change_message_visibility_batch().queue_url(&url);
    let batch = batch.entries(entry("good", &handle).unwrap()).entries(entry("bad", "AQEBx").unwrap());
    let answer = batch.send().await.unwrap();
    assert_eq!(answer.successful[0].id, "good");
    assert_eq!((answer.failed[0].id.as_str(), answer.failed[0].code.as_str()), ("bad", "ReceiptHandleIsInvalid"));
    world.receive_one(&url).await;
}

async fn visibility_cannot_be_changed_to_more_than_twelve_hours(world: &World) {
    let (url, handle) = in_flight(world).await;
    assert_eq!(code(change(world, &url, &handle, 43_201).await), "InvalidParameterValue");
}

async fn a_message_that_is_not_in_flight_cannot_change_its_visibility(world: &World) {
    let (url, handle) = in_flight(world).await;
    change(world, &url, &handle, 0).await.unwrap();
    let refused = change(world, &url, &handle, 5).await;
    assert_eq!(code(refused), "AWS.SimpleQueueService.MessageNotInflight");
}

async fn deleting_takes_the_newest_handle(world: &World) {
    let url = world.queue("codes", &[(QueueAttributeName::VisibilityTimeout, "0")]).await;
    world.send(&url, "x").await;
    let old = world.receive_one(&url).await.receipt_handle.unwrap();
    let new = world.receive_one(&url).await.receipt_handle.unwrap();
    let delete = |handle: &str| world.sqs.delete_message().queue_url(&url).receipt_handle(handle).send();
    delete(&old).await.unwrap();
    assert_eq!(world.counts(&url).await[0], "1");
    delete(&new).await.unwrap();
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
}

async fn deleting_succeeds_for_what_is_gone(world: &World) {
    let (url, handle) = in_flight(world).await;
    for _ in 0..2 {
        world.sqs.delete_message().queue_url(&url).receipt_handle(&handle).send().await.unwrap();
    }
}

async fn a_handle_that_is_none_is_refused(world: &World) {
    let url = world.queue("codes", &[]).await;
    let delete = world.sqs.delete_message().queue_url(&url).receipt_handle("AQEBnonsense").send().await;
    assert_eq!(code(delete), "ReceiptHandleIsInvalid");
}

async fn a_batch_of_deletions_answers_entry_by_entry(world: &World) {
    let (url, handle) = in_flight(world).await;
    let entry = |id: &str, handle: &str| Delete::builder().id(id).receipt_handle(handle).build().unwrap();
    let batch = world.sqs.delete_message_batch().queue_url(&url);
    let answer = batch.entries(entry("good", &handle)).entries(entry("bad", "nonsense")).send().await.unwrap();
    assert_eq!(answer.successful[0].id, "good");
    assert_eq!((answer.failed[0].id.as_str(), answer.failed[0].code.as_str()), ("bad", "ReceiptHandleIsInvalid"));
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
}
