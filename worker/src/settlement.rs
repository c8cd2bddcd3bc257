//! What becomes of a message: the whole policy, on one page and without side effects. [`after`] says what follows one
//! attempt at a provider, [`Ending`] names how the work of one receive ended, and [`settle`] comes to the verdict.
//! README's two tables under "What becomes of a message" are made from this module by its tests.

use std::time::Duration;

use shared::{DeadLetterReason, Timestamp, TriggerSource};

use crate::keys::KeyError;
use crate::ledger::Unreachable;
use crate::open::OpenFailure;
use crate::provider::{Outcome, ProviderMessageId};
use crate::retry::{RetrySettings, visibility_delay, visibility_schedule};
use crate::state::{Refusal, Window};

/// The verdict on one record. One function of the worker acts on it; nothing else does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A provider took the SMS.
    Delivered { provider: String, provider_message_id: ProviderMessageId },
    /// The message stays in the queue and is received again after `after`.
    Retry { after: Duration, reason: RetryReason },
    /// The message goes to the dead-letter queue.
    DeadLetter { reason: DeadLetterReason, detail: String },
    /// An earlier receive has delivered it: there is nothing left to do.
    AlreadySent,
}

/// Why a message is tried again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryReason {
    /// No provider of the route took it, and that may pass.
    ProvidersUnavailable,
    /// KMS is throttled, failing or out of reach: it may pass by itself.
    KeyUnavailable,
    /// KMS does not allow it: an operator can repair that.
    KeyNotAllowed,
    /// Another worker may be sending it.
    InFlight,
    /// The state table cannot be reached, and `[state] unreachable` is `hold`.
    StateUnavailable,
    /// An operator has switched everything off.
    SwitchedOff,
    /// The invocation had too little time left.
    OutOfTime,
    /// The worker itself failed on the record.
    WorkerFault,
    /// The dead-letter queue did not take the message.
    DeadLetterQueueUnavailable,
}

/// How the work of one receive ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Delivered {
        provider: String,
        provider_message_id: ProviderMessageId,
    },
    /// It may go better later.
    Failed {
        reason: RetryReason,
        detail: String,
        /// The pause after which it may: what a provider asked for, or its circuit breaker.
        retry_after: Option<Duration>,
    },
    /// It will not go better later.
    Refused {
        reason: DeadLetterReason,
        detail: String,
    },
    /// An earlier receive has delivered it.
    AlreadySent,
}

/// What the verdict depends on besides the ending.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) now: Timestamp,
    /// When SQS took the message.
    pub(crate) sent_at: Timestamp,
    /// None when the body could not be read, as is the trigger source.
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) trigger_source: Option<TriggerSource>,
    pub(crate) receive_count: u32,
    /// Uniform in 0..1.
    pub(crate) unit: f64,
}

/// What follows an attempt within the same receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: a provider took it.
    Delivered(ProviderMessageId),
    /// Another attempt at the same provider as far as the schedule within an invocation goes, then the next provider.
    AgainThenOnward,
    /// The next provider, without a pause.
    Onward,
    /// One attempt more, at the next provider or, where there is none, at the same.
    OneMore,
    /// Nothing: no provider may be asked again.
    Never(DeadLetterReason),
}

/// Two attempts that may each have been sent are enough.
const MOST_UNKNOWNS: u32 = 2;

/// What follows an attempt that ended so. `unknowns` counts the message's attempts of which nobody knows whether they
/// were sent, this one included.
pub(crate) fn after(outcome: Outcome, unknowns: u32) -> Next {
    match outcome {
        Outcome::Accepted { provider_message_id } => Next::Delivered(provider_message_id),
        Outcome::Transient { .. } => Next::AgainThenOnward,
        Outcome::ProviderPermanent => Next::Onward,
        Outcome::Unknown if unknowns < MOST_UNKNOWNS => Next::OneMore,
        Outcome::Unknown => Next::Never(DeadLetterReason::OutcomeUnknown),
        Outcome::RecipientPermanent => Next::Never(DeadLetterReason::RecipientRejected),
        Outcome::FraudBlocked => Next::Never(DeadLetterReason::FraudBlocked),
    }
}

/// Why no attempt may be made at all, whichever receive this is: one that comes after the last permitted one, because
/// the dead letter or the deletion failed or SQS handed the message out twice.
pub(crate) fn forbids_attempts(unknowns: u32) -> Option<DeadLetterReason> {
    (unknowns >= MOST_UNKNOWNS).then_some(DeadLetterReason::OutcomeUnknown)
}

impl Ending {
    pub(crate) fn failed(reason: RetryReason, detail: impl Into<String>) -> Self {
        Self::Failed { reason, detail: detail.into(), retry_after: None }
    }

    pub(crate) fn refused(reason: DeadLetterReason, detail: impl Into<String>) -> Self {
        Self::Refused { reason, detail: detail.into() }
    }

    pub(crate) fn out_of_time() -> Self {
        Self::failed(RetryReason::OutOfTime, "no time left in this invocation")
    }

    pub(crate) fn forbidden(reason: DeadLetterReason) -> Self {
        Self::refused(reason, "two earlier attempts may each have been sent")
    }

    /// The code's life ended between admission and the first attempt.
    pub(crate) fn expired_on_the_way() -> Self {
        Self::refused(DeadLetterReason::Expired, "expired before the first attempt")
    }

    /// Why the message is not this receive's to send.
    pub(crate) fn not_granted(refusal: Refusal, now: Timestamp) -> Self {
        match refusal {
            Refusal::AlreadySent => Self::AlreadySent,
            Refusal::InFlight { until } => {
                let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                Self::in_flight(left)
            }
            Refusal::Abandoned => Self::refused(
                DeadLetterReason::OutcomeUnknown,
                "a worker was killed while it was sending it, and [state] abandoned is \"park\"",
            ),
        }
    }

    fn in_flight(left: Duration) -> Self {
        let detail = "another worker may be sending it".to_owned();
        Self::Failed { reason: RetryReason::InFlight, detail, retry_after: Some(left) }
    }

    /// Another worker took it over, since this one's lease had ended.
    pub(crate) fn claim_lost() -> Self {
        Self::in_flight(Duration::ZERO)
    }

    pub(crate) fn rate_limited(window: &Window) -> Self {
        let detail = format!("{} in [limits] is reached until {:.0}", window.scope.as_str(), window.ends_at);
        Self::refused(DeadLetterReason::RateLimited, detail)
    }

    pub(crate) fn superseded() -> Self {
        Self::refused(DeadLetterReason::Superseded, "the user has a newer code for the same purpose")
    }
}

impl From<Unreachable> for Ending {
    fn from(unreachable: Unreachable) -> Self {
        Self::failed(RetryReason::StateUnavailable, unreachable.to_string())
    }
}

impl From<KeyError> for Ending {
    fn from(error: KeyError) -> Self {
        let detail = error.to_string();
        match error {
            KeyError::Unavailable { .. } => Self::failed(RetryReason::KeyUnavailable, detail),
            KeyError::NotAllowed { .. } => Self::failed(RetryReason::KeyNotAllowed, detail),
            KeyError::Invalid { .. } => Self::refused(DeadLetterReason::Undecryptable, detail),
        }
    }
}

impl From<OpenFailure> for Ending {
    fn from(failure: OpenFailure) -> Self {
        match failure {
            OpenFailure::Undecryptable(detail) => Self::refused(DeadLetterReason::Undecryptable, detail),
            OpenFailure::Fault(detail) => Self::failed(RetryReason::WorkerFault, detail),
        }
    }
}

impl RetryReason {
    pub const ALL: [Self; 9] = [
        Self::ProvidersUnavailable,
        Self::KeyUnavailable,
        Self::KeyNotAllowed,
        Self::InFlight,
        Self::StateUnavailable,
        Self::SwitchedOff,
        Self::OutOfTime,
        Self::WorkerFault,
        Self::DeadLetterQueueUnavailable,
    ];

    /// The reason's name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProvidersUnavailable => "providers_unavailable",
            Self::KeyUnavailable => "key_unavailable",
            Self::KeyNotAllowed => "key_not_allowed",
            Self::InFlight => "in_flight",
            Self::StateUnavailable => "state_unavailable",
            Self::SwitchedOff => "switched_off",
            Self::OutOfTime => "out_of_time",
            Self::WorkerFault => "worker_fault",
            Self::DeadLetterQueueUnavailable => "dead_letter_queue_unavailable",
        }
    }

    /// The dead letter's reason once no further retry fits; none if the message is somebody else's to settle.
    fn when_exhausted(self) -> Option<DeadLetterReason> {
        Some(match self {
            Self::ProvidersUnavailable | Self::SwitchedOff => DeadLetterReason::ProvidersExhausted,
            Self::KeyUnavailable | Self::KeyNotAllowed => DeadLetterReason::KeyUnavailable,
            Self::StateUnavailable => DeadLetterReason::StateUnavailable,
            Self::OutOfTime | Self::WorkerFault | Self::DeadLetterQueueUnavailable => DeadLetterReason::WorkerFault,
            Self::InFlight => return None,
        })
    }
}

/// The verdict on a message whose work ended so.
pub(crate) fn settle(ending: Ending, circumstances: Circumstances, settings: &RetrySettings) -> Verdict {
    match ending {
        Ending::Delivered { provider, provider_message_id } => Verdict::Delivered { provider, provider_message_id },
        Ending::Refused { reason, detail } => Verdict::DeadLetter { reason, detail },
        Ending::AlreadySent => Verdict::AlreadySent,
        Ending::Failed { reason, detail, retry_after } => {
            let Circumstances { now, sent_at, expires_at, trigger_source, receive_count, unit } = circumstances;
            let schedule = visibility_schedule(trigger_source);
            let end = settings.end_of_retries(sent_at, expires_at);
            let delay = visibility_delay(schedule, receive_count, retry_after, now, end, unit);
            match (delay, reason.when_exhausted()) {
                (Some(after), _) => Verdict::Retry { after, reason },
                (None, Some(reason)) => Verdict::DeadLetter { reason, detail },
                (None, None) => Verdict::Retry { after: after_end(circumstances, retry_after), reason },
            }
        }
    }
}

/// How long a message waits whose dead letter the queue did not take. The next receive comes to its verdict anew.
pub(crate) fn after_refused_dead_letter(circumstances: Circumstances) -> Duration {
    after_end(circumstances, None)
}

/// How long a message waits that must not vanish, whatever its age: no end is set to that.
fn after_end(circumstances: Circumstances, retry_after: Option<Duration>) -> Duration {
    let Circumstances { now, trigger_source, receive_count, unit, sent_at: _, expires_at: _ } = circumstances;
    let schedule = visibility_schedule(trigger_source);
    visibility_delay(schedule, receive_count, retry_after, now, Timestamp::MAX, unit).unwrap_or_default()
}

#[cfg(test)]
mod tests;
