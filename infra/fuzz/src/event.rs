use std::time::Duration;

use serde_json::json;
use shared::{CognitoEvent, EventError, MAX_EVENT_BYTES, MessageId, Privacy, QueueMessage};
use worker::Record;

use crate::marker;
use crate::queue_message::{NOON, is_fit_for_sqs};

const ATTRIBUTES_FOR_DELIVERY: [&str; 8] = [
    "sub",
    "phone_number",
    "phone_number_verified",
    "locale",
    "cognito:user_status",
    "LOGIN_TIME",
    "CITY",
    "DEVICE_NAME",
];

/// An event of the CustomSMSSender trigger, as Lambda hands it to the producer.
///
/// - Neither an error nor `Debug` repeats anything of it but the pool's id.
/// - Written again it is the same event.
/// - What the producer would put into the queue holds no attribute that delivery does not need, SQS takes it, and the
///   worker reads the same message.
pub fn event(input: &[u8]) -> bool {
    let shown = match CognitoEvent::parse(&marker::planted_into(input)) {
        Ok(event) => format!("{event:?}").replace(event.user_pool().as_str(), ""),
        Err(error) => format!("{error} {error:?}"),
    };
    marker::must_not_be_in(&shown);
    let Ok(mut event) = CognitoEvent::parse(input) else { return false };
    is_read_again_as_written(&event);
    event.strip(&Privacy::default());
    holds_only_what_delivery_needs(&event);
    reaches_the_worker(event);
    true
}

fn is_read_again_as_written(event: &CognitoEvent) {
    let written = serde_json::to_vec(event.document()).expect("it was read from JSON");
    match CognitoEvent::parse(&written) {
        Ok(again) => assert_eq!(again.document(), event.document()),
        // Numbers can grow: 1e9 is written as 1000000000.0.
        Err(error) => assert!(error == EventError::TooLarge && written.len() > MAX_EVENT_BYTES, "{error}"),
    }
}

fn holds_only_what_delivery_needs(event: &CognitoEvent) {
    let document = event.document();
    assert!(!document.contains_key("userName"));
    let request = document["request"].as_object().expect("an accepted event has a request");
    assert!(!request.contains_key("clientMetadata"));
    for name in request["userAttributes"].as_object().expect("stripping leaves an object").keys() {
        assert!(ATTRIBUTES_FOR_DELIVERY.contains(&name.as_str()), "the attribute {name} would be in the queue");
    }
}

fn reaches_the_worker(event: CognitoEvent) {
    let id = event.code().map_or_else(|| MessageId::from_bytes(&[7; 32]), |code| code.message_id().clone());
    let message = QueueMessage::new(event, id, NOON.parse().expect("it is RFC 3339"), Duration::from_secs(180));
    // Too large for SQS: the producer says so.
    let Ok(body) = message.to_json() else { return };
    is_fit_for_sqs(&body);
    let record = Record::from_value(json!({ "messageId": "m", "receiptHandle": "r", "body": body }));
    let record = record.expect("it has both ids");
    assert_eq!(QueueMessage::parse(&record.body), Ok(message));
}
