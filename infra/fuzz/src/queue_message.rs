use shared::{MAX_EVENT_BYTES, QueueMessage, Timestamp};

use crate::marker;

/// When these events happen.
pub(crate) const NOON: &str = "2026-11-23T12:00:00.123Z";

/// The body of a message in the queue.
///
/// - Neither an error nor `Debug` repeats anything of it but the pool's id.
/// - Its id is that of its code.
/// - Written again it is the same message, to the millisecond, and writing it once more changes nothing.
pub fn queue_message(input: &[u8]) -> bool {
    // Lambda hands bodies over as JSON strings, so that they are always text.
    let shown = match QueueMessage::parse(&String::from_utf8_lossy(&marker::planted_into(input))) {
        Ok(message) => format!("{message:?}").replace(message.event.user_pool().as_str(), ""),
        Err(error) => format!("{error} {error:?}"),
    };
    marker::must_not_be_in(&shown);
    let Ok(message) = QueueMessage::parse(&String::from_utf8_lossy(input)) else { return false };
    assert!(message.event.code().is_none_or(|code| *code.message_id() == message.id));
    is_read_again_as_written(&message);
    true
}

fn is_read_again_as_written(message: &QueueMessage) {
    // Too large for SQS: it cannot have come from there.
    let Ok(written) = message.to_json() else { return };
    is_fit_for_sqs(&written);
    let again = QueueMessage::parse(&written).expect("what was written can be read");
    assert_eq!((&again.id, &again.event), (&message.id, &message.event));
    is_the_same_millisecond(again.accepted_at, message.accepted_at);
    is_the_same_millisecond(again.expires_at, message.expires_at);
    assert_eq!(again.to_json(), Ok(written));
}

fn is_the_same_millisecond(one: Timestamp, other: Timestamp) {
    let apart = one.duration_since(other).abs();
    assert!(apart.as_nanos() < 1_000_000, "{apart:?} lie between what was read and what was written");
}

/// SQS refuses other characters, and longer messages
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>).
pub(crate) fn is_fit_for_sqs(body: &str) {
    assert!((1..=MAX_EVENT_BYTES).contains(&body.len()));
    assert!(body.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)));
}
