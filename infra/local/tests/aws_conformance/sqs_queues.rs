use aws_sdk_sqs::{operation::create_queue::CreateQueueError, types::QueueAttributeName as Name};

use super::*;

#[tokio::test]
async fn creating_a_queue_is_idempotent_with_the_same_attributes_and_refused_with_others() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[(Name::VisibilityTimeout, "5")]).await;
    assert_eq!(url, format!("{}/123456789012/codes", aws.embedded.endpoint()));
    assert_eq!(aws.queue("codes", &[(Name::VisibilityTimeout, "5")]).await, url);
    let other = aws.sqs.create_queue().queue_name("codes").attributes(Name::VisibilityTimeout, "6").send().await;
    assert!(matches!(other.unwrap_err().into_service_error(), CreateQueueError::QueueNameExists(_)));
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_told_by_its_code() {
    let aws = Aws::start();
    let url = aws.embedded.sqs().queue_url("none");
    let gone = "AWS.SimpleQueueService.NonExistentQueue";
    assert_eq!(code(aws.sqs.get_queue_url().queue_name("none").send().await), gone);
    assert_eq!(code(aws.sqs.send_message().queue_url(&url).message_body("x").send().await), gone);
    assert_eq!(code(aws.sqs.receive_message().queue_url(&url).send().await), gone);
    assert_eq!(code(aws.sqs.delete_queue().queue_url(&url).send().await), gone);
    let elsewhere = url.replace("123456789012", "210987654321");
    assert_eq!(code(aws.sqs.purge_queue().queue_url(elsewhere).send().await), gone);
}

#[tokio::test]
async fn attributes_are_set_and_read_back() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    let set = aws.sqs.set_queue_attributes().queue_url(&url);
    set.attributes(Name::DelaySeconds, "1").attributes(Name::SqsManagedSseEnabled, "true").send().await.unwrap();
    let all = aws.sqs.get_queue_attributes().queue_url(&url).attribute_names(Name::All).send().await.unwrap();
    let all = all.attributes.unwrap();
    for (name, value) in [
        (Name::DelaySeconds, "1"),
        (Name::SqsManagedSseEnabled, "true"),
        (Name::VisibilityTimeout, "30"),
        (Name::QueueArn, "arn:aws:sqs:eu-west-1:123456789012:codes"),
    ] {
        assert_eq!(all[&name], value);
    }
    let wrong = aws.sqs.set_queue_attributes().queue_url(&url).attributes(Name::VisibilityTimeout, "50000");
    assert_eq!(code(wrong.send().await), "InvalidAttributeValue");
}

#[tokio::test]
async fn queues_are_listed_by_prefix_and_in_pages() {
    let aws = Aws::start();
    let one = aws.queue("a-1", &[]).await;
    let two = aws.queue("a-2", &[]).await;
    aws.queue("b", &[]).await;
    assert_eq!(aws.sqs.list_queues().send().await.unwrap().queue_urls().len(), 3);
    let first = aws.sqs.list_queues().queue_name_prefix("a-").max_results(1).send().await.unwrap();
    assert_eq!(first.queue_urls(), [one]);
    let request = aws.sqs.list_queues().queue_name_prefix("a-").max_results(1);
    let second = request.set_next_token(first.next_token).send().await.unwrap();
    assert_eq!(second.queue_urls(), [two]);
    assert_eq!(second.next_token, None);
}

#[tokio::test]
async fn a_dead_letter_queue_knows_its_sources_by_url() {
    let aws = Aws::start();
    let (codes, dead) = aws.queue_with_dead_letters("3").await;
    let sources = aws.sqs.list_dead_letter_source_queues().queue_url(&dead).send().await.unwrap();
    assert_eq!(sources.queue_urls(), [codes]);
}

#[tokio::test]
async fn a_message_received_too_often_moves_at_the_next_receive_with_its_identity_and_count() {
    let aws = Aws::start();
    // CloudFormation writes the number as a string.
    let (codes, dead) = aws.queue_with_dead_letters("\"2\"").await;
    let id = aws.send(&codes, "x").await;
    let mut sent_at = None;
    for _ in 0..2 {
        let seen = aws.receiving(&codes).visibility_timeout(0).send().await.unwrap().messages.unwrap();
        sent_at = system_attribute(&seen[0], "SentTimestamp");
        assert_eq!(system_attribute(&seen[0], "DeadLetterQueueSourceArn"), None);
    }
    assert_eq!(aws.counts(&dead).await[0], "0", "nothing moves before someone receives");
    assert!(aws.receive(&codes).await.is_empty());
    let moved = aws.receive_one(&dead).await;
    assert_eq!(moved.message_id.as_deref(), Some(id.as_str()));
    assert_eq!(system_attribute(&moved, "SentTimestamp"), sent_at);
    assert_eq!(system_attribute(&moved, "ApproximateReceiveCount").as_deref(), Some("3"));
    let source = system_attribute(&moved, "DeadLetterQueueSourceArn");
    assert_eq!(source.as_deref(), Some("arn:aws:sqs:eu-west-1:123456789012:codes"));
}

#[tokio::test]
async fn a_purge_empties_the_queue_and_a_second_one_has_to_wait() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    aws.send(&url, "x").await;
    aws.sqs.purge_queue().queue_url(&url).send().await.unwrap();
    assert_eq!(aws.counts(&url).await, ["0", "0", "0"]);
    let again = aws.sqs.purge_queue().queue_url(&url).send().await;
    assert_eq!(code(again), "AWS.SimpleQueueService.PurgeQueueInProgress");
}

#[tokio::test]
async fn a_deleted_queue_is_gone_with_its_messages() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    aws.send(&url, "x").await;
    aws.sqs.delete_queue().queue_url(&url).send().await.unwrap();
    aws.queue("codes", &[]).await;
    assert!(aws.receive(&url).await.is_empty());
}
