//! What SQS itself does with messages that are received too often.

use aws_sdk_sqs::types::Message;

use crate::check::Check;
use crate::world::*;

pub(crate) const CHECKS: &[Check] = checks![
    a_message_received_too_often_moves_at_the_next_receive,
    the_number_of_receives_may_be_a_string,
    a_move_keeps_identity_age_and_attributes,
    a_move_goes_on_counting_receives,
    a_move_names_the_queue_it_came_from,
    a_dead_letter_queue_knows_its_sources_by_url,
    a_move_task_brings_dead_letters_back,
];

/// Receives once and lets the message go.
async fn look(world: &World, queue: &str) -> Vec<Message> {
    world.receiving(queue).visibility_timeout(0).send().await.unwrap().messages.unwrap_or_default()
}

/// A message that was moved after two receives, as the last of these saw it and as it is now.
async fn moved(world: &World, max_receive_count: &str) -> (Message, Message) {
    let (codes, dead) = world.queue_with_dead_letters(max_receive_count).await;
    world.send(&codes, "x").await;
    look(world, &codes).await;
    let last = look(world, &codes).await.remove(0);
    assert!(look(world, &codes).await.is_empty());
    (last, world.receive_one(&dead).await)
}

async fn a_message_received_too_often_moves_at_the_next_receive(world: &World) {
    let (codes, dead) = world.queue_with_dead_letters("2").await;
    world.send(&codes, "x").await;
    for _ in 0..2 {
        assert_eq!(look(world, &codes).await.len(), 1);
    }
    assert_eq!(world.counts(&dead).await[0], "0", "nothing moves before someone receives");
    assert!(world.receive(&codes).await.is_empty());
    assert_eq!(world.counts(&dead).await[0], "1");
}

/// CloudFormation writes it so.
async fn the_number_of_receives_may_be_a_string(world: &World) {
    moved(world, "\"2\"").await;
}

async fn a_move_keeps_identity_age_and_attributes(world: &World) {
    let (before, after) = moved(world, "2").await;
    assert_eq!((&after.message_id, &after.body), (&before.message_id, &before.body));
    assert_eq!(system_attribute(&after, "SentTimestamp"), system_attribute(&before, "SentTimestamp"));
    assert_eq!(system_attribute(&after, "SenderId"), system_attribute(&before, "SenderId"));
}

async fn a_move_goes_on_counting_receives(world: &World) {
    let (_, after) = moved(world, "2").await;
    assert_eq!(system_attribute(&after, "ApproximateReceiveCount").as_deref(), Some("3"));
}

async fn a_move_names_the_queue_it_came_from(world: &World) {
    let (before, after) = moved(world, "2").await;
    assert_eq!(system_attribute(&before, "DeadLetterQueueSourceArn"), None);
    assert_eq!(system_attribute(&after, "DeadLetterQueueSourceArn"), Some(world.queue_arn("codes")));
}

async fn a_dead_letter_queue_knows_its_sources_by_url(world: &World) {
    let (codes, dead) = world.queue_with_dead_letters("3").await;
    let sources = world.sqs.list_dead_letter_source_queues().queue_url(&dead).send().await.unwrap();
    assert_eq!(sources.queue_urls(), [codes]);
}

async fn a_move_task_brings_dead_letters_back(world: &World) {
    let (codes, dead) = world.queue_with_dead_letters("1").await;
    world.send(&dead, "x").await;
    world.sqs.start_message_move_task().source_arn(world.queue_arn("dlq")).send().await.unwrap();
    let back = world.receiving(&codes).wait_time_seconds(20).send().await.unwrap().messages.unwrap();
    assert_eq!(back[0].body.as_deref(), Some("x"));
}
