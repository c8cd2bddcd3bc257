//! Events as the subjects get them.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use local::mapping::lambda_event;
use serde_json::Value;
use shared::{Clock, CognitoEvent, Privacy, QueueMessage};

use crate::subject::Subject;
use crate::world::PRODUCER_ID;

/// Longer than any measurement takes.
const LIFETIME: Duration = Duration::from_hours(6);

/// One invocation for these events: the sample takes them all at once (see `node/runtime.js`), the worker as one batch
/// of its queue, the producer only ever one.
///
/// # Errors
/// When an event is not one of Cognito's.
pub(crate) fn payload(subject: Subject, events: &[Value]) -> anyhow::Result<Vec<u8>> {
    let payload = match (subject, events) {
        (Subject::Sample | Subject::Producer, [event]) => event.clone(),
        (Subject::Producer, _) => anyhow::bail!("the producer takes one event at a time"),
        (Subject::Sample, events) => Value::from(events),
        (Subject::Worker, events) => {
            let bodies: Result<Vec<_>, _> = events.iter().map(body).collect();
            let messages: Vec<_> = bodies?.into_iter().enumerate().map(received).collect();
            lambda_event(&messages)
        }
    };
    Ok(payload.to_string().into_bytes())
}

/// The queue message that the producer makes of an event.
///
/// # Errors
/// When it is not one of Cognito's.
pub(crate) fn body(event: &Value) -> anyhow::Result<String> {
    let mut event = CognitoEvent::from_value(event.clone())?;
    let id = event.code().context("every measured event has a code")?.message_id().clone();
    event.strip(&Privacy::default());
    Ok(QueueMessage::new(event, id, Clock::system().now(), LIFETIME).to_json()?)
}

fn received((number, body): (usize, String)) -> Message {
    let now = Clock::system().now().as_millisecond().to_string();
    Message::builder()
        .message_id(format!("059f36b4-87a3-44ab-83d2-{number:012}"))
        .receipt_handle("AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a")
        .body(body)
        .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "1")
        .attributes(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp, &now)
        .attributes(MessageSystemAttributeName::SentTimestamp, &now)
        .attributes(MessageSystemAttributeName::SenderId, PRODUCER_ID)
        .build()
}
