//! The facts, and how each of their members is written.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::{DeadLetterReason, KeyArn, MessageId, PhoneNumber, SealedCode, TraceId, TriggerSource, UserPoolId};

/// One operational fact: one log line, and the metrics that are made of it.
///
/// A fact about a message has its `id`, the same from producer to provider, and the id of the X-Ray trace that it
/// belongs to where there is one. What becomes a dimension of a metric is an enum's name, a text of the program itself
/// or a name out of the configuration: of those there are only so many.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "snake_case")]
pub enum Fact<'a> {
    /// The producer put an event into the queue.
    Accepted {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
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
    Rejected {
        /// None where the event could not be read that far.
        #[serde(serialize_with = "shown_if_any", skip_serializing_if = "Option::is_none")]
        id: Option<&'a MessageId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        error: &'static str,
        message: &'a str,
    },
    /// The producer could not reach the queue within its budget.
    NotEnqueued {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        error: &'static str,
        message: &'a str,
    },
    /// The worker has the code in clear.
    Decrypted {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        #[serde(serialize_with = "shown_if_any")]
        key: Option<&'a KeyArn>,
        #[serde(serialize_with = "millis", rename = "took_ms")]
        took: Duration,
    },
    /// A provider answered, or did not.
    Attempted {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        provider: &'a str,
        outcome: &'static str,
        code: Option<&'a str>,
        #[serde(serialize_with = "millis", rename = "took_ms")]
        took: Duration,
    },
    /// A provider was not asked, since the worker keeps it from being asked now.
    NotAttempted {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        provider: &'a str,
        /// `circuit_open` or `busy`.
        cause: &'a str,
    },
    /// The circuit breaker of a provider changed.
    CircuitChanged {
        provider: &'a str,
        /// `open`, `half_open` or `closed`.
        state: &'a str,
        /// None unless it is open.
        #[serde(serialize_with = "millis_if_any", rename = "open_for_ms")]
        open_for: Option<Duration>,
    },
    /// A provider took the SMS: the message is done.
    Delivered {
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        #[serde(serialize_with = "shown")]
        trigger_source: TriggerSource,
        provider: &'a str,
        /// None where the provider gives no id, or none that may be shown.
        provider_message_id: Option<&'a str>,
        country: &'a str,
        /// Whether `[route.country]` names the country: only then it is a dimension.
        #[serde(skip)]
        country_has_route: bool,
        #[serde(serialize_with = "millis", rename = "time_to_provider_ms")]
        time_to_provider: Duration,
        #[serde(serialize_with = "millis", rename = "code_lifetime_left_ms")]
        code_lifetime_left: Duration,
    },
    /// The message stays in the queue and comes back later.
    Retried {
        /// SQS's id where the body could not be read, here and in the facts below.
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        #[serde(serialize_with = "shown_if_any", skip_serializing_if = "Option::is_none")]
        trigger_source: Option<TriggerSource>,
        reason: &'static str,
        #[serde(serialize_with = "millis", rename = "after_ms")]
        after: Duration,
        receive_count: u32,
    },
    /// The message is in the dead-letter queue.
    DeadLettered {
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        #[serde(serialize_with = "shown_if_any", skip_serializing_if = "Option::is_none")]
        trigger_source: Option<TriggerSource>,
        #[serde(serialize_with = "shown")]
        reason: DeadLetterReason,
        detail: &'a str,
        receive_count: u32,
    },
    /// An earlier receive has delivered the message, so that this one has nothing to do.
    Duplicate {
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        #[serde(serialize_with = "shown")]
        trigger_source: TriggerSource,
    },
    /// Earlier receives have tried to send the message.
    TriedBefore {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        attempts: u32,
        /// Those of which nobody knows whether they were sent, workers killed in mid-send included.
        unknowns: u32,
    },
    /// Another worker took the message over before this one was done with it: it may be sent twice.
    ClaimLost {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
    },
    /// A limit kept the message from being sent.
    LimitReached {
        #[serde(serialize_with = "shown")]
        id: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        /// `per_number`, `per_country` or `in_all`.
        limit: &'static str,
        country: &'a str,
    },
    /// The state table did not answer a call; `[state] unreachable` says what follows.
    StateCallFailed {
        /// None where the call is not about a message.
        #[serde(serialize_with = "shown_if_any", skip_serializing_if = "Option::is_none")]
        id: Option<&'a MessageId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        call: &'static str,
        error: &'a str,
    },
    /// An operator has switched something off, or on again.
    Switched {
        /// `everything`, `country GB` or `provider twilio-main`.
        switch: &'a str,
        is_off: bool,
    },
    /// The providers have new credentials.
    SecretChanged,
    /// The providers' secret could not be read anew, or lacks something: the credentials that are known stay in use.
    SecretReadFailed { error: &'a str },
    /// A call to SQS about a message failed; what follows is another fact.
    QueueCallFailed {
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<TraceId<'a>>,
        call: &'static str,
        error: &'a str,
    },
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
            | Self::Duplicate { .. }
            | Self::TriedBefore { .. }
            | Self::Switched { is_off: false, .. }
            | Self::SecretChanged
            | Self::Draining { .. }
            | Self::Drained { left: 0 }
            | Self::Notice { .. } => Level::Info,
            Self::Rejected { .. }
            | Self::Retried { .. }
            | Self::DeadLettered { .. }
            | Self::Drained { .. }
            | Self::LimitReached { .. }
            | Self::Switched { .. }
            | Self::CircuitChanged { .. } => Level::Warn,
            Self::NotEnqueued { .. }
            | Self::ClaimLost { .. }
            | Self::StateCallFailed { .. }
            | Self::SecretReadFailed { .. }
            | Self::QueueCallFailed { .. }
            | Self::ReceiveFailed { .. }
            | Self::Panicked { .. } => Level::Error,
        }
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

/// Milliseconds with three decimals.
pub(super) fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
}

fn millis_if_any<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => millis(duration, serializer),
        None => serializer.serialize_none(),
    }
}
