use super::*;
use crate::{MessageAttribute, TRACE_HEADER};

mod bounds;
mod redrive;

const SOURCE_ARN: &str = "arn:aws:sqs:eu-west-1:123456789012:codes";

fn account() -> Account {
    Account::new("eu-west-1", "123456789012", 1, Limits::default())
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_764_000_000_000 + seconds * 1000)
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn with_queue() -> Account {
    let mut account = account();
    account.create_queue("codes", &BTreeMap::new(), at(0)).unwrap();
    account
}

fn receive(account: &mut Account, queue: &str, now: Timestamp) -> Vec<crate::Delivery> {
    account.receive(queue, Receive { max_messages: 10, visibility_timeout: None }, now).unwrap().deliveries
}

fn one(account: &mut Account, queue: &str, now: Timestamp) -> crate::Delivery {
    let mut deliveries = receive(account, queue, now);
    assert_eq!(deliveries.len(), 1);
    deliveries.remove(0)
}

#[test]
fn creating_a_queue_again_succeeds_with_the_same_attributes_only() {
    let mut account = account();
    account.create_queue("codes", &attributes(&[("VisibilityTimeout", "5")]), at(0)).unwrap();
    account.create_queue("codes", &attributes(&[("VisibilityTimeout", "5")]), at(1)).unwrap();
    account.create_queue("codes", &attributes(&[]), at(1)).unwrap();
    let error = account.create_queue("codes", &attributes(&[("VisibilityTimeout", "6")]), at(1)).unwrap_err();
    assert_eq!((error.code(), error.shape()), ("QueueAlreadyExists", "QueueNameExists"));
    assert!(error.to_string().contains("VisibilityTimeout"), "{error}");
}

#[test]
fn queue_names_are_plain_and_their_number_is_bounded() {
    let mut account = Account::new("eu-west-1", "1", 1, Limits { queues: 1, ..Limits::default() });
    for bad in ["", "a b", "codes.fifo", "é", &"x".repeat(81)] {
        assert!(account.create_queue(bad, &BTreeMap::new(), at(0)).is_err(), "{bad}");
    }
    account.create_queue("a", &BTreeMap::new(), at(0)).unwrap();
    assert_eq!(account.create_queue("b", &BTreeMap::new(), at(0)), Err(Error::TooManyQueues { queues: 1 }));
}

#[test]
fn every_operation_on_an_unknown_queue_says_so() {
    let mut account = account();
    let gone = Err(Error::QueueDoesNotExist { queue: "codes".to_owned() });
    assert_eq!(account.delete_queue("codes"), gone);
    assert_eq!(account.purge("codes", at(0)), gone);
    assert_eq!(account.delete("codes", "h", at(0)), gone);
    assert_eq!(account.change_visibility("codes", "h", 0, at(0)), gone);
    assert_eq!(account.send("codes", NewMessage::new("x"), "me", at(0)).map(drop), gone);
    assert_eq!(account.receive("codes", Receive::default(), at(0)).map(drop), gone);
    assert_eq!(account.queue_attributes("codes", &["All"], at(0)).map(drop), gone);
    assert_eq!(account.set_queue_attributes("codes", &BTreeMap::new(), at(0)), gone);
    assert_eq!(account.dead_letter_sources("codes").map(drop), gone);
    assert_eq!(account.next_event("codes", at(0)), None);
}

#[test]
fn a_delivery_carries_all_that_was_sent() {
    let mut account = with_queue();
    let mut message = NewMessage { group_id: Some("pool".to_owned()), ..NewMessage::new("hello") };
    message.attributes.insert("redriven".to_owned(), MessageAttribute::string("1"));
    message.system_attributes.insert(TRACE_HEADER.to_owned(), MessageAttribute::string("Root=1-2-3"));
    let sent = account.send("codes", message, "AROAX:producer", at(1)).unwrap();
    let delivery = one(&mut account, "codes", at(3));
    assert_eq!(delivery.message, sent);
    assert_eq!(sent.body, "hello");
    assert_eq!(sent.sender_id, "AROAX:producer");
    assert_eq!(sent.sent_at, at(1));
    assert_eq!(sent.trace_header.as_deref(), Some("Root=1-2-3"));
    assert_eq!(sent.group_id.as_deref(), Some("pool"));
    assert_eq!(sent.attributes["redriven"], MessageAttribute::string("1"));
    assert_eq!((delivery.receive_count, delivery.first_received_at, delivery.dead_letter_source), (1, at(3), None));
}

#[test]
fn a_received_message_is_hidden_until_its_visibility_timeout_ends() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    let first = one(&mut account, "codes", at(0));
    assert!(receive(&mut account, "codes", at(29)).is_empty());
    assert_eq!(account.next_event("codes", at(29)), Some(at(30)));
    let second = one(&mut account, "codes", at(30));
    assert_ne!(first.receipt_handle, second.receipt_handle);
    assert_eq!((second.receive_count, second.first_received_at), (2, at(0)));
}

#[test]
fn a_delayed_message_appears_when_its_delay_is_over() {
    let mut account = account();
    account.create_queue("codes", &attributes(&[("DelaySeconds", "5")]), at(0)).unwrap();
    account.send("codes", NewMessage::new("queue's delay"), "me", at(0)).unwrap();
    account.send("codes", NewMessage { delay_seconds: Some(0), ..NewMessage::new("at once") }, "me", at(0)).unwrap();
    assert_eq!(account.counts("codes", at(0)).unwrap(), Counts { ready: 1, in_flight: 0, delayed: 1 });
    assert_eq!(one(&mut account, "codes", at(0)).message.body, "at once");
    assert_eq!(account.next_event("codes", at(0)), Some(at(5)));
    assert_eq!(one(&mut account, "codes", at(5)).message.body, "queue's delay");
}

#[test]
fn receive_refuses_counts_and_timeouts_outside_their_range() {
    let mut account = with_queue();
    for (max_messages, visibility_timeout) in
        [(0, None), (11, None), (-1, None), (i64::MAX, None), (1, Some(-1)), (1, Some(43_201)), (1, Some(i64::MIN))]
    {
        let error = account.receive("codes", Receive { max_messages, visibility_timeout }, at(0)).unwrap_err();
        assert_eq!(error.code(), "InvalidParameterValue");
    }
}

#[test]
fn a_receive_waits_as_long_as_it_says_or_as_its_queue_does() {
    let mut account = account();
    account.create_queue("codes", &attributes(&[("ReceiveMessageWaitTimeSeconds", "7")]), at(0)).unwrap();
    assert_eq!(account.wait_seconds("codes", None), Ok(7));
    assert_eq!(account.wait_seconds("codes", Some(20)), Ok(20));
    assert_eq!(account.wait_seconds("codes", Some(21)).unwrap_err().code(), "InvalidParameterValue");
}

#[test]
fn a_receive_with_timeout_zero_counts_but_gives_each_message_once() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("a"), "me", at(0)).unwrap();
    account.send("codes", NewMessage::new("b"), "me", at(0)).unwrap();
    for count in 1..=3 {
        let peek = Receive { max_messages: 10, visibility_timeout: Some(0) };
        let deliveries = account.receive("codes", peek, at(0)).unwrap().deliveries;
        assert_eq!(deliveries.iter().map(|delivery| delivery.receive_count).collect::<Vec<_>>(), [count, count]);
    }
}

#[test]
fn deleting_twice_succeeds_and_a_foreign_handle_is_invalid() {
    let mut account = with_queue();
    account.create_queue("other", &BTreeMap::new(), at(0)).unwrap();
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    let handle = one(&mut account, "codes", at(0)).receipt_handle;
    assert_eq!(account.delete("other", &handle, at(0)), Err(Error::ReceiptHandleIsInvalid));
    assert_eq!(account.delete("codes", "AQEBnonsense", at(0)), Err(Error::ReceiptHandleIsInvalid));
    assert_eq!(account.delete("codes", "", at(0)).unwrap_err().code(), "MissingParameter");
    account.delete("codes", &handle, at(0)).unwrap();
    account.delete("codes", &handle, at(0)).unwrap();
    assert_eq!(account.counts("codes", at(60)).unwrap(), Counts::default());
    account.delete_queue("codes").unwrap();
    account.create_queue("codes", &BTreeMap::new(), at(61)).unwrap();
    assert_eq!(account.delete("codes", &handle, at(61)), Err(Error::ReceiptHandleIsInvalid));
}

#[test]
fn an_old_handle_deletes_nothing_once_the_message_was_received_again() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    let old = one(&mut account, "codes", at(0)).receipt_handle;
    let new = one(&mut account, "codes", at(30)).receipt_handle;
    account.delete("codes", &old, at(30)).unwrap();
    assert_eq!(account.counts("codes", at(30)).unwrap().in_flight, 1);
    account.delete("codes", &new, at(99)).unwrap();
    assert_eq!(account.counts("codes", at(99)).unwrap(), Counts::default());
}

#[test]
fn a_changed_visibility_counts_from_the_call_and_is_forgotten_at_the_next_receive() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    let handle = one(&mut account, "codes", at(0)).receipt_handle;
    account.change_visibility("codes", &handle, 100, at(10)).unwrap();
    assert_eq!(account.next_event("codes", at(10)), Some(at(110)));
    account.change_visibility("codes", &handle, 0, at(20)).unwrap();
    let handle = one(&mut account, "codes", at(20)).receipt_handle;
    assert_eq!(account.next_event("codes", at(20)), Some(at(50)));
    account.change_visibility("codes", &handle, 2, at(21)).unwrap();
    assert_eq!(one(&mut account, "codes", at(23)).receive_count, 3);
}

#[test]
fn visibility_changes_are_refused_beyond_12_hours_or_when_not_in_flight() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    let handle = one(&mut account, "codes", at(0)).receipt_handle;
    account.change_visibility("codes", &handle, 43_200, at(0)).unwrap();
    assert_eq!(account.change_visibility("codes", &handle, 43_200, at(1)).unwrap_err().code(), "InvalidParameterValue");
    assert_eq!(account.change_visibility("codes", &handle, 43_201, at(1)).unwrap_err().code(), "InvalidParameterValue");
    assert_eq!(account.change_visibility("codes", &handle, -1, at(1)).unwrap_err().code(), "InvalidParameterValue");
    account.change_visibility("codes", &handle, 0, at(2)).unwrap();
    let error = account.change_visibility("codes", &handle, 10, at(2)).unwrap_err();
    assert_eq!(error.code(), "AWS.SimpleQueueService.MessageNotInflight");
    let newer = one(&mut account, "codes", at(3)).receipt_handle;
    assert_eq!(account.change_visibility("codes", &handle, 10, at(3)), Err(Error::MessageNotInflight));
    account.delete("codes", &newer, at(3)).unwrap();
    assert_eq!(account.change_visibility("codes", &newer, 10, at(3)), Err(Error::MessageNotInflight));
}

#[test]
fn attributes_change_all_or_none() {
    let mut account = with_queue();
    let half_wrong = attributes(&[("DelaySeconds", "5"), ("VisibilityTimeout", "x")]);
    assert!(account.set_queue_attributes("codes", &half_wrong, at(0)).is_err());
    assert_eq!(account.queue_attributes("codes", &["DelaySeconds"], at(0)).unwrap()["DelaySeconds"], "0");
}

#[test]
fn all_attributes_describe_the_queue() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    account.set_queue_attributes("codes", &attributes(&[("DelaySeconds", "5")]), at(9)).unwrap();
    let all = account.queue_attributes("codes", &["All"], at(9)).unwrap();
    assert_eq!(all["QueueArn"], SOURCE_ARN);
    assert_eq!(all["ApproximateNumberOfMessages"], "1");
    assert_eq!(all["ApproximateNumberOfMessagesNotVisible"], "0");
    assert_eq!(all["CreatedTimestamp"], "1764000000");
    assert_eq!(all["LastModifiedTimestamp"], "1764000009");
    assert_eq!(all["SqsManagedSseEnabled"], "true");
}

#[test]
fn shortening_the_retention_drops_what_is_too_old() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("old"), "me", at(0)).unwrap();
    account.send("codes", NewMessage::new("new"), "me", at(50)).unwrap();
    account.set_queue_attributes("codes", &attributes(&[("MessageRetentionPeriod", "60")]), at(60)).unwrap();
    assert_eq!(one(&mut account, "codes", at(60)).message.body, "new");
    assert_eq!(account.counts("codes", at(110)).unwrap(), Counts::default());
}

#[test]
fn a_purge_takes_everything_and_the_next_has_to_wait_a_minute() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    let handle = one(&mut account, "codes", at(0)).receipt_handle;
    account.send("codes", NewMessage { delay_seconds: Some(9), ..NewMessage::new("y") }, "me", at(0)).unwrap();
    account.purge("codes", at(1)).unwrap();
    assert_eq!(account.counts("codes", at(99)).unwrap(), Counts::default());
    account.delete("codes", &handle, at(99)).unwrap();
    account.purge("codes", at(100)).unwrap();
    assert_eq!(account.purge("codes", at(159)).unwrap_err().shape(), "PurgeQueueInProgress");
    account.purge("codes", at(160)).unwrap();
}

#[test]
fn queues_are_listed_by_prefix() {
    let mut account = account();
    for name in ["b-1", "a", "b-2", "c"] {
        account.create_queue(name, &BTreeMap::new(), at(0)).unwrap();
    }
    assert_eq!(account.list_queues("b-").collect::<Vec<_>>(), ["b-1", "b-2"]);
    assert_eq!(account.list_queues("").count(), 4);
    assert_eq!(account.list_queues("d").count(), 0);
}

#[test]
fn batch_entries_fail_one_by_one_but_the_total_size_counts_for_all() {
    let mut account = with_queue();
    let entry = |id: &str, body: String| Entry { id: id.to_owned(), request: NewMessage::new(body) };
    let good_and_bad = vec![entry("good", "x".to_owned()), entry("bad", "\u{1}".to_owned())];
    let results = account.send_batch("codes", good_and_bad, "me", at(0)).unwrap();
    assert!(results[0].result.is_ok());
    assert_eq!(results[1].result.as_ref().unwrap_err().code(), "InvalidMessageContents");
    let half = "x".repeat(600_000);
    let error = account.send_batch("codes", vec![entry("a", half.clone()), entry("b", half)], "me", at(0)).unwrap_err();
    assert_eq!(error.code(), "AWS.SimpleQueueService.BatchRequestTooLong");
}

#[test]
fn batches_delete_and_change_visibility_entry_by_entry() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    let handle = one(&mut account, "codes", at(0)).receipt_handle;
    let changes = vec![
        Entry { id: "a".to_owned(), request: (handle.clone(), 300) },
        Entry { id: "b".to_owned(), request: ("AQEBx".to_owned(), 300) },
    ];
    let results = account.change_visibility_batch("codes", changes, at(0)).unwrap();
    assert_eq!((results[0].result.is_ok(), results[1].result.is_ok()), (true, false));
    assert_eq!(account.next_event("codes", at(0)), Some(at(300)));
    let deletes =
        vec![Entry { id: "a".to_owned(), request: handle }, Entry { id: "b".to_owned(), request: String::new() }];
    let results = account.delete_batch("codes", deletes, at(0)).unwrap();
    assert_eq!((results[0].result.is_ok(), results[1].result.is_ok()), (true, false));
    assert_eq!(account.messages("codes").unwrap().count(), 0);
}

#[test]
fn a_clock_that_is_set_back_does_no_harm() {
    let mut account = with_queue();
    account.send("codes", NewMessage::new("x"), "me", at(100)).unwrap();
    assert_eq!(one(&mut account, "codes", at(50)).first_received_at, at(100));
    assert_eq!(account.next_event("codes", at(0)), Some(at(130)));
}
