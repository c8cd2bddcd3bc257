use aws_sdk_sqs::{
    error::ProvideErrorMetadata,
    operation::{change_message_visibility::ChangeMessageVisibilityError, send_message::SendMessageError},
    primitives::Blob,
    types::{
        ChangeMessageVisibilityBatchRequestEntry as Change, DeleteMessageBatchRequestEntry as Delete,
        MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue, QueueAttributeName,
        SendMessageBatchRequestEntry as Entry,
    },
};

use super::*;

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

fn entry(id: &str, body: &str) -> Entry {
    Entry::builder().id(id).message_body(body).build().unwrap()
}

#[tokio::test]
async fn what_is_sent_arrives_with_checksums_and_attributes() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    let header = MessageSystemAttributeValue::builder().data_type("String").string_value("Root=1-2-3").build().unwrap();
    let bytes = MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new([0, 255])).build().unwrap();
    let request = aws.sqs.send_message().queue_url(&url).message_body("hello").message_group_id("pool");
    let sent = request
        .message_attributes("redriven", text("1"))
        .message_attributes("raw", bytes)
        .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, header)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.md5_of_message_body.as_deref(), Some("5d41402abc4b2a76b9719d911017c592"));
    let message = aws.receive_one(&url).await;
    assert_eq!(message.message_id, sent.message_id);
    assert_eq!(message.body.as_deref(), Some("hello"));
    assert_eq!(message.md5_of_body, sent.md5_of_message_body);
    assert_eq!(message.md5_of_message_attributes, sent.md5_of_message_attributes);
    let attributes = message.message_attributes.as_ref().unwrap();
    assert_eq!(attributes["redriven"].string_value(), Some("1"));
    assert_eq!(attributes["raw"].binary_value(), Some(&Blob::new([0, 255])));
    for (name, value) in [
        ("AWSTraceHeader", "Root=1-2-3"),
        ("MessageGroupId", "pool"),
        ("SenderId", "AKIDTEST"),
        ("ApproximateReceiveCount", "1"),
    ] {
        assert_eq!(system_attribute(&message, name).as_deref(), Some(value));
    }
    let first = system_attribute(&message, "ApproximateFirstReceiveTimestamp").unwrap().parse::<u64>().unwrap();
    let sent_at = system_attribute(&message, "SentTimestamp").unwrap().parse::<u64>().unwrap();
    assert!((1_700_000_000_000..=first).contains(&sent_at));
}

#[tokio::test]
async fn the_sender_is_whoever_holds_the_access_key() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    let other = sqs_client(&aws.embedded, "AKIDPRODUCER");
    other.send_message().queue_url(&url).message_body("x").send().await.unwrap();
    assert_eq!(system_attribute(&aws.receive_one(&url).await, "SenderId").as_deref(), Some("AKIDPRODUCER"));
}

#[tokio::test]
async fn attributes_are_told_only_as_far_as_they_are_asked_for() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[(QueueAttributeName::VisibilityTimeout, "0")]).await;
    let request = aws.sqs.send_message().queue_url(&url).message_body("x");
    request.message_attributes("a.x", text("1")).message_attributes("b", text("2")).send().await.unwrap();
    let plain = aws.sqs.receive_message().queue_url(&url).send().await.unwrap().messages.unwrap();
    assert_eq!((&plain[0].attributes, &plain[0].message_attributes), (&None, &None));
    assert_eq!(plain[0].md5_of_message_attributes, None);
    let some = aws.sqs.receive_message().queue_url(&url).message_attribute_names("a.*");
    let some = some.message_system_attribute_names("SentTimestamp".into()).send().await.unwrap().messages.unwrap();
    assert_eq!(some[0].attributes.as_ref().unwrap().len(), 1);
    assert_eq!(some[0].message_attributes.as_ref().unwrap().keys().collect::<Vec<_>>(), ["a.x"]);
    let unknown = aws.sqs.receive_message().queue_url(&url).message_system_attribute_names("Colour".into());
    assert_eq!(code(unknown.send().await), "InvalidAttributeName");
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_taken_and_a_longer_one_refused() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    aws.send(&url, &"x".repeat(1024 * 1024)).await;
    assert_eq!(aws.receive_one(&url).await.body.unwrap().len(), 1024 * 1024);
    let longer = aws.sqs.send_message().queue_url(&url).message_body("x".repeat(1024 * 1024 + 1)).send().await;
    assert_eq!(code(longer), "InvalidParameterValue");
    let empty = aws.sqs.send_message().queue_url(&url).message_body("").send().await;
    assert_eq!(code(empty), "MissingParameter");
}

#[tokio::test]
async fn a_control_character_and_a_noncharacter_are_refused() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    for body in ["a\u{1}", "a\u{ffff}"] {
        let refused = aws.sqs.send_message().queue_url(&url).message_body(body).send().await.unwrap_err();
        assert!(matches!(refused.into_service_error(), SendMessageError::InvalidMessageContents(_)));
    }
    aws.send(&url, "é\u{1f600}\n").await;
}

#[tokio::test]
async fn numbers_outside_their_range_are_refused_and_the_queue_lives_on() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    let receive = || aws.sqs.receive_message().queue_url(&url);
    for refused in [
        code(receive().max_number_of_messages(11).send().await),
        code(receive().max_number_of_messages(0).send().await),
        code(receive().visibility_timeout(50_000).send().await),
        code(receive().visibility_timeout(-1).send().await),
        code(receive().wait_time_seconds(21).send().await),
        code(aws.sqs.send_message().queue_url(&url).message_body("x").delay_seconds(901).send().await),
        code(aws.sqs.send_message().queue_url(&url).message_body("x").message_group_id("").send().await),
    ] {
        assert_eq!(refused, "InvalidParameterValue");
    }
    aws.send(&url, "x").await;
    aws.receive_one(&url).await;
}

#[tokio::test]
async fn visibility_can_be_ended_shortened_and_changed_in_a_batch() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    aws.send(&url, "x").await;
    let change = |handle: &str, timeout| {
        aws.sqs.change_message_visibility().queue_url(&url).receipt_handle(handle).visibility_timeout(timeout).send()
    };
    let handle = aws.receive_one(&url).await.receipt_handle.unwrap();
    change(&handle, 0).await.unwrap();
    let second = aws.receive_one(&url).await;
    assert_eq!(system_attribute(&second, "ApproximateReceiveCount").as_deref(), Some("2"));
    let handle = second.receipt_handle.unwrap();
    assert_eq!(code(change(&handle, 43_201).await), "InvalidParameterValue");
    let entry = |id: &str, handle: &str| Change::builder().id(id).receipt_handle(handle).visibility_timeout(1);
    let batch = aws.sqs.change_message_visibility_batch().queue_url(&url);
    let batch = batch.entries(entry("good", &handle).build().unwrap()).entries(entry("bad", "AQEBx").build().unwrap());
    let answer = batch.send().await.unwrap();
    assert_eq!(answer.successful[0].id, "good");
    assert_eq!((answer.failed[0].id.as_str(), answer.failed[0].code.as_str()), ("bad", "ReceiptHandleIsInvalid"));
    let third = aws.receiving(&url).wait_time_seconds(5).send().await.unwrap().messages.unwrap();
    assert_eq!(system_attribute(&third[0], "ApproximateReceiveCount").as_deref(), Some("3"));
}

#[tokio::test]
async fn a_message_that_is_not_in_flight_cannot_change_its_visibility() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    aws.send(&url, "x").await;
    let seen = aws.receiving(&url).visibility_timeout(0).send().await.unwrap().messages.unwrap();
    let request = aws.sqs.change_message_visibility().queue_url(&url).visibility_timeout(5);
    let refused = request.receipt_handle(seen[0].receipt_handle.as_ref().unwrap()).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AWS.SimpleQueueService.MessageNotInflight"));
    assert!(matches!(refused.into_service_error(), ChangeMessageVisibilityError::MessageNotInflight(_)));
}

#[tokio::test]
async fn deleting_takes_the_newest_handle_and_succeeds_for_what_is_gone() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[(QueueAttributeName::VisibilityTimeout, "0")]).await;
    aws.send(&url, "x").await;
    let old = aws.receive_one(&url).await.receipt_handle.unwrap();
    let new = aws.receive_one(&url).await.receipt_handle.unwrap();
    let delete = |handle: &str| aws.sqs.delete_message().queue_url(&url).receipt_handle(handle).send();
    delete(&old).await.unwrap();
    assert_eq!(aws.counts(&url).await[0], "1");
    delete(&new).await.unwrap();
    delete(&new).await.unwrap();
    assert_eq!(aws.counts(&url).await, ["0", "0", "0"]);
    assert_eq!(code(delete("AQEBnonsense").await), "ReceiptHandleIsInvalid");
}

#[tokio::test]
async fn a_batch_answers_entry_by_entry() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    let send = |entries: Vec<Entry>| aws.sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send();
    let answer = send(vec![entry("good", "hello"), entry("bad", "\u{1}")]).await.unwrap();
    assert_eq!(answer.successful[0].id, "good");
    assert_eq!(answer.successful[0].md5_of_message_body, "5d41402abc4b2a76b9719d911017c592");
    assert_eq!((answer.failed[0].code.as_str(), answer.failed[0].sender_fault), ("InvalidMessageContents", true));
    let handle = aws.receive_one(&url).await.receipt_handle.unwrap();
    let delete = |id: &str, handle: &str| Delete::builder().id(id).receipt_handle(handle).build().unwrap();
    let batch = aws.sqs.delete_message_batch().queue_url(&url);
    let answer = batch.entries(delete("a", &handle)).entries(delete("b", "nonsense")).send().await.unwrap();
    assert_eq!((answer.successful.len(), answer.failed[0].code.as_str()), (1, "ReceiptHandleIsInvalid"));
    for (entries, refusal) in [
        (vec![], "AWS.SimpleQueueService.EmptyBatchRequest"),
        (vec![entry("a", "x"), entry("a", "x")], "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
        (vec![entry("a.b", "x")], "AWS.SimpleQueueService.InvalidBatchEntryId"),
        (vec![entry("a", &"x".repeat(600_000)); 2], "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
        (
            vec![entry("a", &"x".repeat(600_000)), entry("b", &"x".repeat(600_000))],
            "AWS.SimpleQueueService.BatchRequestTooLong",
        ),
        (
            (0..11).map(|number| entry(&number.to_string(), "x")).collect(),
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        ),
    ] {
        assert_eq!(code(send(entries).await), refusal);
    }
}

#[tokio::test]
async fn the_counts_follow_the_messages() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    aws.send(&url, "x").await;
    aws.send(&url, "y").await;
    aws.sqs.send_message().queue_url(&url).message_body("z").delay_seconds(900).send().await.unwrap();
    assert_eq!(aws.counts(&url).await, ["2", "0", "1"]);
    aws.receive(&url).await;
    assert_eq!(aws.counts(&url).await, ["0", "2", "1"]);
}
