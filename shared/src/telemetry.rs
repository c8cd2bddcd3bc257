//! What the programs say about their work. Only a [`Fact`] can be said, and no fact can hold a code, a text,
//! a whole number, a credential or a provider's response: that is how nothing secret is ever printed.
//! Libraries are given no logger at all.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::{
    Clock, DeadLetterReason, KeyArn, MessageId, PhoneNumber, SealedCode, TriggerSource, UserPoolId, rfc3339_millis,
};

/// Takes facts as they happen.
pub trait Telemetry: Send + Sync {
    fn record(&self, fact: &Fact<'_>);
}

/// One operational fact: one log line.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "snake_case")]
pub enum Fact<'a> {
    /// The producer put an event into the queue.
    Accepted {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(serialize_with = "shown")]
        trigger_source: TriggerSource,
        #[serde(serialize_with = "shown")]
        user_pool: &'a UserPoolId,
        #[serde(serialize_with = "shown")]
        to: &'a PhoneNumber,
        #[serde(serialize_with = "shown_if_any")]
        sealed_code: Option<&'a SealedCode>,
        #[serde(serialize_with = "millis", rename = "took_ms")]
        took: Duration,
    },
    /// The producer refused an event that can never be sent.
    Rejected { error: &'a str, message: &'a str },
    /// The producer could not reach the queue within its budget.
    NotEnqueued {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        error: &'a str,
        message: &'a str,
    },
    /// The worker has the code in clear.
    Decrypted {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(serialize_with = "shown_if_any")]
        key: Option<&'a KeyArn>,
        #[serde(serialize_with = "millis", rename = "took_ms")]
        took: Duration,
    },
    /// A provider answered, or did not.
    Attempted {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        provider: &'a str,
        outcome: &'a str,
        code: Option<&'a str>,
        #[serde(serialize_with = "millis", rename = "took_ms")]
        took: Duration,
    },
    /// A provider was not asked, since the worker keeps it from being asked now.
    NotAttempted {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        provider: &'a str,
        /// `circuit_open` or `busy`.
        cause: &'a str,
    },
    /// The circuit breaker of a provider changed.
    CircuitChanged {
        provider: &'a str,
        /// `open`, `half_open` or `closed`.
        state: &'a str,
        #[serde(serialize_with = "millis_if_any", rename = "open_for_ms")]
        open_for: Option<Duration>,
    },
    /// A provider took the SMS: the message is done.
    Delivered {
        id: &'a str,
        #[serde(serialize_with = "shown")]
        trigger_source: TriggerSource,
        provider: &'a str,
        /// None where the provider gives no id, or none that may be shown.
        provider_message_id: Option<&'a str>,
        country: &'a str,
        #[serde(serialize_with = "millis", rename = "time_to_provider_ms")]
        time_to_provider: Duration,
        #[serde(serialize_with = "millis", rename = "code_lifetime_left_ms")]
        code_lifetime_left: Duration,
    },
    /// The message stays in the queue and comes back later.
    Retried {
        id: &'a str,
        reason: &'a str,
        #[serde(serialize_with = "millis", rename = "after_ms")]
        after: Duration,
        receive_count: u32,
    },
    /// The message is in the dead-letter queue.
    DeadLettered {
        id: &'a str,
        #[serde(serialize_with = "shown")]
        reason: DeadLetterReason,
        detail: &'a str,
        receive_count: u32,
    },
    /// A call to SQS that the message's fate does not hang on failed.
    QueueCallFailed { id: &'a str, call: &'a str, error: &'a str },
    /// The service could not receive from the queue.
    ReceiveFailed {
        error: &'a str,
        #[serde(serialize_with = "millis", rename = "again_in_ms")]
        again_in: Duration,
    },
    /// The service was told to stop, and ends what it has begun.
    Draining { in_flight: usize },
    /// The service has stopped; what is left is still in the queue.
    Drained { left: usize },
    /// A task panicked; what the panic said is kept out, since it may quote anything.
    Panicked { place: &'a str },
    /// The program started with something that its operator should know.
    Notice { message: &'a str },
}

/// How much a fact matters to somebody who watches the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Info,
    Warn,
    Error,
}

impl Fact<'_> {
    pub fn level(&self) -> Level {
        match self {
            Self::Accepted { .. }
            | Self::Decrypted { .. }
            | Self::Attempted { .. }
            | Self::NotAttempted { .. }
            | Self::CircuitChanged { open_for: None, .. }
            | Self::Delivered { .. }
            | Self::Draining { .. }
            | Self::Drained { left: 0 }
            | Self::Notice { .. } => Level::Info,
            Self::Rejected { .. }
            | Self::Retried { .. }
            | Self::DeadLettered { .. }
            | Self::Drained { .. }
            | Self::CircuitChanged { .. } => Level::Warn,
            Self::NotEnqueued { .. }
            | Self::QueueCallFailed { .. }
            | Self::ReceiveFailed { .. }
            | Self::Panicked { .. } => Level::Error,
        }
    }
}

/// Makes panics of this process a [`Fact`]: the default hook would print their text, which may quote anything.
pub fn record_panics(telemetry: Arc<dyn Telemetry>) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        telemetry.record(&Fact::Panicked { place: &place });
    }));
}

/// Facts as JSON lines.
pub struct JsonLines<W> {
    out: Mutex<W>,
    clock: Clock,
}

#[derive(Serialize)]
struct Line<'f> {
    time: String,
    level: Level,
    #[serde(flatten)]
    fact: &'f Fact<'f>,
}

impl<W: Write> JsonLines<W> {
    pub fn new(out: W, clock: Clock) -> Self {
        Self { out: Mutex::new(out), clock }
    }
}

impl<W: Write + Send> Telemetry for JsonLines<W> {
    fn record(&self, fact: &Fact<'_>) {
        let line = Line { time: rfc3339_millis(self.clock.now()), level: fact.level(), fact };
        let Ok(mut json) = serde_json::to_string(&line) else { return };
        json.push('\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that nobody takes must not stop a delivery.
        let _ = out.write_all(json.as_bytes()).and_then(|()| out.flush());
    }
}

fn shown<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn shown_if_any<T: std::fmt::Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
}

fn millis_if_any<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => millis(duration, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::sign_up;
    use crate::{CognitoEvent, Timestamp};

    #[test]
    fn a_fact_is_one_json_line_without_secrets() {
        let event = CognitoEvent::from_value(sign_up()).expect("sound");
        let code = event.code().expect("a code");
        let lines = JsonLines::new(Vec::new(), Clock::from_fn(|| Timestamp::UNIX_EPOCH));
        lines.record(&Fact::Accepted {
            id: code.message_id(),
            trigger_source: event.trigger_source(),
            user_pool: event.user_pool(),
            to: event.phone_number(),
            sealed_code: Some(code),
            took: Duration::from_micros(1_234),
        });
        let text = String::from_utf8(lines.out.into_inner().expect("not poisoned")).expect("UTF-8");
        assert_eq!(
            text,
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"event\":\"accepted\",\
             \"id\":\"9b1cf0005fcf859edf9c9e55052be80f\",\"trigger_source\":\"SignUp\",\
             \"user_pool\":\"eu-west-1_UVcwvZ1E8\",\"to\":\"+1…00\",\"sealed_code\":\"AYADeJsc…\",\"took_ms\":1.234}\n"
        );
    }
}
