//! The body of a message in the main queue and in the dead-letter queue.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{CognitoEvent, EventError, MAX_EVENT_BYTES, MessageId, Timestamp, rfc3339_millis};

/// The type that this version writes. Old types stay readable for ever.
const SMS_V1: &str = "sms.v1";

/// An accepted event on its way to the phone, its code still encrypted.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueMessage {
    /// The idempotency key.
    pub id: MessageId,
    /// When Cognito's request was accepted: age and order are judged by this, never by SQS's timestamps,
    /// which a redrive renews.
    pub accepted_at: Timestamp,
    /// After this moment the code is useless to its user.
    pub expires_at: Timestamp,
    pub event: CognitoEvent,
}

/// Why a body is not a queue message. It never quotes the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueMessageError {
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("the body's type is not known to this version (known: {SMS_V1})")]
    UnknownType,
    #[error("{field} of the body is missing or malformed")]
    Field { field: &'static str },
    #[error("the body's id is not that of its sealed code, or of a message without one")]
    ForeignId,
    #[error("the message is larger than {MAX_EVENT_BYTES} bytes, the most that SQS takes")]
    TooLarge,
    #[error(transparent)]
    Event(#[from] EventError),
}

#[derive(Serialize)]
struct Body<'m> {
    r#type: &'static str,
    id: &'m str,
    accepted_at: String,
    expires_at: String,
    event: &'m Map<String, Value>,
}

impl QueueMessage {
    /// A message for an event accepted at `accepted_at` whose code lives for `lifetime`.
    pub fn new(event: CognitoEvent, id: MessageId, accepted_at: Timestamp, lifetime: Duration) -> Self {
        let expires_at = accepted_at.checked_add(lifetime).unwrap_or(Timestamp::MAX);
        Self { id, accepted_at, expires_at, event }
    }

    /// The body to send.
    ///
    /// # Errors
    /// When it is larger than SQS takes.
    pub fn to_json(&self) -> Result<String, QueueMessageError> {
        let body = Body {
            r#type: SMS_V1,
            id: self.id.as_str(),
            accepted_at: rfc3339_millis(self.accepted_at),
            expires_at: rfc3339_millis(self.expires_at),
            event: self.event.document(),
        };
        let json = serde_json::to_string(&body).expect("maps of JSON values with text keys always serialise");
        // SQS refuses these two characters (API reference, SendMessage, MessageBody), and JSON has them only
        // inside strings, where they may be written as escapes.
        let json = json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
        if json.len() > MAX_EVENT_BYTES { Err(QueueMessageError::TooLarge) } else { Ok(json) }
    }

    /// Reads a body of any known type; unknown members are ignored.
    ///
    /// # Errors
    /// When it is not one, or its event can never be sent.
    pub fn parse(body: &str) -> Result<Self, QueueMessageError> {
        let mut value: Value = serde_json::from_str(body)
            .map_err(|error| QueueMessageError::NotJson { line: error.line(), column: error.column() })?;
        if value.get("type").and_then(Value::as_str) != Some(SMS_V1) {
            return Err(QueueMessageError::UnknownType);
        }
        let text = |field| value.get(field).and_then(Value::as_str).ok_or(QueueMessageError::Field { field });
        let time = |field| text(field)?.parse().map_err(|_| QueueMessageError::Field { field });
        let id = MessageId::parse(text("id")?).ok_or(QueueMessageError::Field { field: "id" })?;
        let accepted_at = time("accepted_at")?;
        let expires_at = time("expires_at")?;
        let event = value.get_mut("event").map(Value::take).ok_or(QueueMessageError::Field { field: "event" })?;
        let event = CognitoEvent::from_value(event)?;
        let is_its_own = event.code().map_or_else(|| id.is_of_digest(), |code| *code.message_id() == id);
        if !is_its_own {
            return Err(QueueMessageError::ForeignId);
        }
        Ok(Self { id, accepted_at, expires_at, event })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::sign_up;
    use proptest::prelude::*;
    use serde_json::json;

    fn message() -> QueueMessage {
        let event = CognitoEvent::from_value(sign_up()).expect("sound");
        let id = event.code().expect("a code").message_id().clone();
        let accepted_at = "2026-11-23T12:00:00.123Z".parse().expect("RFC 3339");
        QueueMessage::new(event, id, accepted_at, Duration::from_secs(180))
    }

    fn body() -> Value {
        serde_json::from_str(&message().to_json().expect("small")).expect("JSON")
    }

    #[test]
    fn a_message_survives_the_queue() {
        let sent = message();
        assert_eq!(QueueMessage::parse(&sent.to_json().expect("small")), Ok(sent));
    }

    #[test]
    fn the_body_is_written_as_documented() {
        let body = body();
        assert_eq!(body["type"], "sms.v1");
        assert_eq!(body["id"], "9b1cf0005fcf859edf9c9e55052be80f");
        assert_eq!(body["accepted_at"], "2026-11-23T12:00:00.123Z");
        assert_eq!(body["expires_at"], "2026-11-23T12:03:00.123Z");
        assert_eq!(body["event"]["triggerSource"], "CustomSMSSender_SignUp");
    }

    #[test]
    fn members_that_a_later_version_adds_are_ignored() {
        let mut newer = body();
        newer["priority"] = json!({"class": 1});
        assert_eq!(QueueMessage::parse(&newer.to_string()), Ok(message()));
    }

    #[test]
    fn bodies_that_contradict_themselves_are_refused() {
        let mut forged = body();
        forged["id"] = json!("00".repeat(16));
        assert_eq!(QueueMessage::parse(&forged.to_string()), Err(QueueMessageError::ForeignId));
        let mut future = body();
        future["type"] = json!("sms.v2");
        assert_eq!(QueueMessage::parse(&future.to_string()), Err(QueueMessageError::UnknownType));
        for field in ["id", "accepted_at", "expires_at", "event"] {
            let mut without = body();
            without.as_object_mut().expect("object").remove(field);
            assert_eq!(QueueMessage::parse(&without.to_string()), Err(QueueMessageError::Field { field }));
        }
        assert!(matches!(QueueMessage::parse("junk"), Err(QueueMessageError::NotJson { .. })));
    }

    #[test]
    fn characters_that_sqs_refuses_are_escaped() {
        let mut event = sign_up();
        event["request"]["userAttributes"]["locale"] = json!("en\u{fffe}\u{ffff}\u{0}");
        let event = CognitoEvent::from_value(event).expect("sound");
        let message = QueueMessage { event, ..message() };
        let json = message.to_json().expect("small");
        assert!(json.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)));
        assert_eq!(QueueMessage::parse(&json), Ok(message));
    }

    proptest! {
        #[test]
        fn no_body_makes_the_parser_panic(body in "\\PC*") {
            let _ = QueueMessage::parse(&body);
        }
    }
}
