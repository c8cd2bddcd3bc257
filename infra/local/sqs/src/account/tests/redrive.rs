//! The way into the dead-letter queue.

use super::*;

fn with_dead_letter_queue(max_receive_count: u32) -> Account {
    let mut account = account();
    account.create_queue("dlq", &BTreeMap::new(), at(0)).unwrap();
    let policy = RedrivePolicy { target_arn: account.queue_arn("dlq"), max_receive_count };
    account.create_queue("codes", &attributes(&[("RedrivePolicy", &policy.to_json())]), at(0)).unwrap();
    account
}

#[test]
fn a_message_received_too_often_moves_at_the_next_receive_and_keeps_its_identity() {
    let mut account = with_dead_letter_queue(2);
    let mut message = NewMessage::new("x");
    message.system_attributes.insert(TRACE_HEADER.to_owned(), MessageAttribute::string("Root=1"));
    let sent = account.send("codes", message, "me", at(0)).unwrap();
    one(&mut account, "codes", at(0));
    one(&mut account, "codes", at(30));
    assert_eq!(account.counts("dlq", at(99)).unwrap(), Counts::default(), "nothing moves before someone receives");
    let received = account.receive("codes", Receive::default(), at(100)).unwrap();
    assert!(received.deliveries.is_empty());
    let moved = DeadLettered { queue: "dlq".to_owned(), message_ids: vec![sent.id.clone()] };
    assert_eq!(received.dead_lettered, Some(moved));
    let dead = one(&mut account, "dlq", at(200));
    assert_eq!(dead.message, sent);
    assert_eq!((dead.receive_count, dead.first_received_at), (3, at(0)));
    assert_eq!(dead.dead_letter_source.as_deref(), Some(SOURCE_ARN));
    assert_eq!(account.dead_letter_sources("dlq").unwrap(), ["codes"]);
}

#[test]
fn a_moved_message_makes_place_for_the_one_behind_it_in_the_same_receive() {
    let mut account = with_dead_letter_queue(1);
    account.send("codes", NewMessage::new("old"), "me", at(0)).unwrap();
    one(&mut account, "codes", at(0));
    account.send("codes", NewMessage::new("new"), "me", at(40)).unwrap();
    let received = account.receive("codes", Receive::default(), at(40)).unwrap();
    assert_eq!(received.dead_lettered.unwrap().message_ids.len(), 1);
    assert_eq!(received.deliveries[0].message.body, "new");
}

#[test]
fn a_dead_letter_is_kept_from_its_original_send_time_on() {
    let mut account = with_dead_letter_queue(1);
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    one(&mut account, "codes", at(0));
    receive(&mut account, "codes", at(1000));
    assert_eq!(account.counts("dlq", at(345_599)).unwrap().ready, 1);
    assert_eq!(account.counts("dlq", at(345_600)).unwrap().ready, 0);
}

#[test]
fn without_a_reachable_dead_letter_queue_a_message_is_delivered_again_rather_than_lost() {
    let mut account = with_dead_letter_queue(1);
    account.send("codes", NewMessage::new("x"), "me", at(0)).unwrap();
    one(&mut account, "codes", at(0));
    account.delete_queue("dlq").unwrap();
    assert_eq!(one(&mut account, "codes", at(30)).receive_count, 2);
}

#[test]
fn a_redrive_policy_must_name_another_existing_queue_of_this_account() {
    let mut account = with_queue();
    for target in [SOURCE_ARN, "arn:aws:sqs:eu-west-1:123456789012:none", "arn:aws:sqs:us-east-1:123456789012:codes"] {
        let policy = RedrivePolicy { target_arn: target.to_owned(), max_receive_count: 3 }.to_json();
        let error = account.set_queue_attributes("codes", &attributes(&[("RedrivePolicy", &policy)]), at(0));
        assert_eq!(error.unwrap_err().code(), "InvalidParameterValue", "{target}");
    }
}
