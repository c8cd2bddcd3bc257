//! What does not grow without end: messages, bytes, messages in flight, and the cost of a step.

use std::time::Duration;

use super::*;

#[test]
fn too_many_in_flight_is_over_limit() {
    let mut account = Account::new("r", "1", 1, Limits { in_flight_per_queue: 2, ..Limits::default() });
    account.create_queue("codes", &BTreeMap::new(), at(0)).unwrap();
    for _ in 0..3 {
        account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    }
    let two = receive(&mut account, "codes", at(0));
    assert_eq!(two.len(), 2);
    assert_eq!(account.receive("codes", Receive::default(), at(0)).unwrap_err().code(), "OverLimit");
    account.delete("codes", &two[0].receipt_handle, at(0)).unwrap();
    assert_eq!(receive(&mut account, "codes", at(0)).len(), 1);
}

#[test]
fn a_full_queue_refuses_sends_and_a_full_dead_letter_queue_loses_nothing() {
    let mut account = Account::new("r", "1", 1, Limits { messages_per_queue: 1, ..Limits::default() });
    account.create_queue("dlq", &BTreeMap::new(), at(0)).unwrap();
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:r:1:dlq","maxReceiveCount":1}"#;
    account.create_queue("codes", &attributes(&[("RedrivePolicy", policy)]), at(0)).unwrap();
    account.send("dlq", NewMessage::new("x"), "me", at(0)).unwrap();
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    let error = account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap_err();
    assert_eq!((error.shape(), error.is_sender_fault()), ("LocalQueueFull", true));
    one(&mut account, "codes", at(0));
    assert_eq!(one(&mut account, "codes", at(30)).receive_count, 2);
}

#[test]
fn bytes_are_bounded_too() {
    let mut account = Account::new("r", "1", 1, Limits { bytes_per_queue: 10_000, ..Limits::default() });
    account.create_queue("codes", &BTreeMap::new(), at(0)).unwrap();
    account.send("codes", NewMessage::new("x".repeat(9000)), "me", at(0)).unwrap();
    assert_eq!(
        account.send("codes", NewMessage::new("x".repeat(500)), "me", at(0)).unwrap_err().shape(),
        "LocalQueueFull"
    );
}

#[test]
fn a_backlog_of_100_000_messages_does_not_slow_the_single_step() {
    let mut account = with_queue();
    for _ in 0..100_000 {
        account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    }
    // 10,000 steps over the whole backlog each would take minutes.
    let started = std::time::Instant::now();
    for _ in 0..10_000 {
        account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
        let handle = account.receive("codes", Receive::default(), at(0)).unwrap().deliveries.remove(0).receipt_handle;
        account.delete("codes", &handle, at(0)).unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}
