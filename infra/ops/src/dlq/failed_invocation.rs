//! What Lambda leaves of an asynchronous invocation that failed at each attempt: the record of an OnFailure destination
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::{CognitoEvent, EventError, MessageId, QueueMessage, SealedCodeError, Settings, Timestamp};

/// Lambda gives an event up after this (`MaximumEventAgeInSeconds` as Sealpost is deployed): Cognito's request was
/// accepted at most so long before the record was written, and a code's lifetime counts from there.
const LONGEST_IN_LAMBDA: Duration = Duration::from_secs(180);

/// What no queue message has.
const PAYLOAD: &str = "\"requestPayload\"";

/// The record of a failed invocation.
pub(crate) struct FailedInvocation<'b> {
    record: Record<'b>,
}

#[derive(Deserialize)]
struct Record<'b> {
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(rename = "requestContext")]
    context: Context,
    #[serde(rename = "requestPayload", borrow)]
    payload: &'b RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    condition: String,
}

/// Why nothing can be sent of a failed invocation. It quotes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FailedInvocationError {
    #[error("the record of the failed invocation has no timestamp")]
    NoTimestamp,
    #[error("what the producer was invoked with can never be sent: {0}")]
    Event(#[from] EventError),
    #[error("what the producer was invoked with can never be sent: {0}")]
    Code(#[from] SealedCodeError),
}

impl<'b> FailedInvocation<'b> {
    /// Finds a record in a body; a body of another shape has none.
    pub(crate) fn find(body: &'b str) -> Option<Self> {
        // Most bodies are queue messages, and would be read for nothing.
        if !body.contains(PAYLOAD) {
            return None;
        }
        serde_json::from_str(body).ok().map(|record| Self { record })
    }

    /// Why Lambda gave up: `RetriesExhausted` or `EventAgeExceeded`.
    pub(crate) fn condition(&self) -> &str {
        &self.record.context.condition
    }

    /// When Lambda gave up.
    pub(crate) fn ended_at(&self) -> Option<Timestamp> {
        self.record.timestamp.as_ref()?.parse().ok()
    }

    /// The message that the producer would have put into the queue. Its identity is the one that the producer gives it:
    /// an attempt that failed may have enqueued it all the same.
    ///
    /// # Errors
    /// When its event can never be sent, or nobody knows when it was accepted.
    pub(crate) fn into_message(self, settings: &Settings) -> Result<QueueMessage, FailedInvocationError> {
        let ended_at = self.ended_at().ok_or(FailedInvocationError::NoTimestamp)?;
        let accepted_at = ended_at.checked_sub(LONGEST_IN_LAMBDA).map_err(|_| FailedInvocationError::NoTimestamp)?;
        let json = self.record.payload.get().as_bytes();
        let mut event = CognitoEvent::parse(json)?;
        let id = match event.code() {
            Some(code) => {
                code.check(event.user_pool(), &settings.trust)?;
                code.message_id().clone()
            }
            None => MessageId::of_event_without_code(json, &self.record.context.request_id),
        };
        let lifetime = settings.lifetimes.of(event.trigger_source(), event.client_id());
        event.strip(&settings.privacy);
        Ok(QueueMessage::new(event, id, accepted_at, lifetime))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut record = json!({
            "timestamp": "2026-11-27T03:10:00.000Z",
            "requestContext": { "requestId": "r", "condition": "EventAgeExceeded" },
            "requestPayload": {
                "triggerSource": "CustomSMSSender_AccountTakeOverNotification", "userPoolId": "eu-west-1_Pool00001",
                "request": {
                    "type": "customSMSSenderRequestV1", "code": null,
                    "userAttributes": { "phone_number": "+12065550100" },
                },
            },
        });
        change(&mut record);
        record.to_string()
    }

    #[test]
    fn parts_that_say_nothing_of_the_message_may_be_missing() {
        let body = record(|record| record["requestContext"] = json!({}));
        let failed = FailedInvocation::find(&body).expect("a record");
        assert_eq!(failed.condition(), "");
        let message = failed.into_message(&Settings::default()).expect("a message");
        assert_eq!(message.accepted_at.to_string(), "2026-11-27T03:07:00Z");
    }

    #[test]
    fn what_can_never_be_sent_says_why_and_quotes_nothing() {
        for (member, value, expected) in [
            ("timestamp", json!("+12065550100"), "the record of the failed invocation has no timestamp"),
            ("timestamp", json!("-009999-01-02T01:59:59Z"), "the record of the failed invocation has no timestamp"),
            (
                "requestPayload",
                json!("+12065550100"),
                "what the producer was invoked with can never be sent: the whole in the event is not an object",
            ),
        ] {
            let body = record(|record| record[member] = value);
            let fault = FailedInvocation::find(&body).expect("a record").into_message(&Settings::default());
            assert_eq!(fault.expect_err("refused").to_string(), expected);
        }
    }

    #[test]
    fn other_bodies_are_no_records() {
        for body in ["", "{}", "[]", "junk", "{\"requestPayload\":{}}", "{\"type\":\"sms.v1\"}"] {
            assert!(FailedInvocation::find(body).is_none(), "{body}");
        }
    }
}
