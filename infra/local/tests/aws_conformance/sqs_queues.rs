//! Queues and their attributes.

use aws_sdk_sqs::types::QueueAttributeName as Name;

use crate::check::Check;
use crate::world::*;

pub(crate) const CHECKS: &[Check] = checks![
    a_queue_can_be_created_again_with_the_same_attributes,
    a_queue_cannot_be_created_again_with_other_attributes,
    a_queue_that_does_not_exist_is_told_by_its_code,
    attributes_are_set_and_read_back,
    an_attribute_outside_its_range_is_refused,
    queues_are_listed_by_prefix_and_in_pages,
    a_purge_empties_the_queue,
    a_second_purge_has_to_wait,
    a_deleted_queue_is_gone_with_its_messages,
];

async fn a_queue_can_be_created_again_with_the_same_attributes(world: &World) {
    let url = world.queue("codes", &[(Name::VisibilityTimeout, "5")]).await;
    assert_eq!(url, world.queue_url("codes"));
    assert_eq!(world.queue("codes", &[(Name::VisibilityTimeout, "5")]).await, url);
}

async fn a_queue_cannot_be_created_again_with_other_attributes(world: &World) {
    world.queue("codes", &[(Name::VisibilityTimeout, "5")]).await;
    let other = world.sqs.create_queue().queue_name("codes").attributes(Name::VisibilityTimeout, "6").send().await;
    let error = other.unwrap_err().into_service_error();
    assert!(error.is_queue_name_exists(), "{error:?}");
}

async fn a_queue_that_does_not_exist_is_told_by_its_code(world: &World) {
    let url = world.queue_url("none");
    let gone = "AWS.SimpleQueueService.NonExistentQueue";
    assert_eq!(code(world.sqs.get_queue_url().queue_name("none").send().await), gone);
    assert_eq!(code(world.sqs.send_message().queue_url(&url).message_body("x").send().await), gone);
    assert_eq!(code(world.sqs.receive_message().queue_url(&url).send().await), gone);
    assert_eq!(code(world.sqs.delete_queue().queue_url(&url).send().await), gone);
    let elsewhere = url.replace(&world.account, "210987654321");
    assert_eq!(code(world.sqs.purge_queue().queue_url(elsewhere).send().await), gone);
}

async fn attributes_are_set_and_read_back(world: &World) {
    let url = world.queue("codes", &[]).await;
    let set = world.sqs.set_queue_attributes().queue_url(&url);
    set.attributes(Name::DelaySeconds, "1").attributes(Name::SqsManagedSseEnabled, "true").send().await.unwrap();
    let all = world.sqs.get_queue_attributes().queue_url(&url).attribute_names(Name::All).send().await.unwrap();
    let all = all.attributes.unwrap();
    let arn = world.queue_arn("codes");
    for (name, value) in [
        (Name::DelaySeconds, "1"),
        (Name::SqsManagedSseEnabled, "true"),
        (Name::VisibilityTimeout, "30"),
        (Name::QueueArn, &arn),
    ] {
        assert_eq!(all[&name], value);
    }
}

async fn an_attribute_outside_its_range_is_refused(world: &World) {
    let url = world.queue("codes", &[]).await;
    let wrong = world.sqs.set_queue_attributes().queue_url(&url).attributes(Name::VisibilityTimeout, "50000");
    assert_eq!(code(wrong.send().await), "InvalidAttributeValue");
}

async fn queues_are_listed_by_prefix_and_in_pages(world: &World) {
    let one = world.queue("a-1", &[]).await;
    let two = world.queue("a-2", &[]).await;
    world.queue("b", &[]).await;
    assert_eq!(world.sqs.list_queues().send().await.unwrap().queue_urls().len(), 3);
    let first = world.sqs.list_queues().queue_name_prefix("a-").max_results(1).send().await.unwrap();
    assert_eq!(first.queue_urls(), [one]);
    let request = world.sqs.list_queues().queue_name_prefix("a-").max_results(1);
    let second = request.set_next_token(first.next_token).send().await.unwrap();
    assert_eq!(second.queue_urls(), [two]);
    assert_eq!(second.next_token, None);
}

async fn a_purge_empties_the_queue(world: &World) {
    let url = world.queue("codes", &[]).await;
    world.send(&url, "x").await;
    world.sqs.purge_queue().queue_url(&url).send().await.unwrap();
    assert_eq!(world.counts(&url).await, ["0", "0", "0"]);
}

async fn a_second_purge_has_to_wait(world: &World) {
    let url = world.queue("codes", &[]).await;
    world.sqs.purge_queue().queue_url(&url).send().await.unwrap();
    let again = world.sqs.purge_queue().queue_url(&url).send().await;
    assert_eq!(code(again), "AWS.SimpleQueueService.PurgeQueueInProgress");
}

async fn a_deleted_queue_is_gone_with_its_messages(world: &World) {
    let url = world.queue("codes", &[]).await;
    world.send(&url, "x").await;
    world.sqs.delete_queue().queue_url(&url).send().await.unwrap();
    world.queue("codes", &[]).await;
    assert!(world.receive(&url).await.is_empty());
}
