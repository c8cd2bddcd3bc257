//! What becomes of a message: from how its work ended to exactly one verdict.

use std::time::Duration;

use shared::{DeadLetterReason, Timestamp};

use crate::provider::ProviderMessageId;
use crate::retry::{RetrySettings, visibility_delay};

/// The verdict on one record. One function of the worker acts on it; nothing else does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A provider took the SMS.
    Delivered { provider: String, provider_message_id: ProviderMessageId },
    /// The message stays in the queue and is received again after `after`.
    Retry { after: Duration, reason: RetryReason },
    /// The message goes to the dead-letter queue.
    DeadLetter { reason: DeadLetterReason, detail: String },
}

/// Why a message is tried again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryReason {
    /// Every provider of the route failed in a way that may pass.
    ProvidersUnavailable,
    /// KMS did not unwrap the data key.
    KeyUnavailable,
    /// The invocation had too little time left.
    OutOfTime,
    /// The worker itself failed on the record.
    WorkerFault,
    /// The dead-letter queue did not take the message.
    DeadLetterQueueUnavailable,
}

/// How the work on a message ended.
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
        retry_after: Option<Duration>,
    },
    /// It will not go better later.
    Refused {
        reason: DeadLetterReason,
        detail: String,
    },
}

/// What the verdict depends on besides the ending.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) now: Timestamp,
    /// When SQS took the message.
    pub(crate) sent_at: Timestamp,
    /// None when the body could not be read.
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) receive_count: u32,
    /// Uniform in 0..1.
    pub(crate) unit: f64,
}

impl RetryReason {
    /// The reason's name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProvidersUnavailable => "providers_unavailable",
            Self::KeyUnavailable => "key_unavailable",
            Self::OutOfTime => "out_of_time",
            Self::WorkerFault => "worker_fault",
            Self::DeadLetterQueueUnavailable => "dead_letter_queue_unavailable",
        }
    }

    /// The dead letter's reason once no further retry fits.
    fn when_exhausted(self) -> DeadLetterReason {
        match self {
            Self::ProvidersUnavailable => DeadLetterReason::ProvidersExhausted,
            Self::KeyUnavailable => DeadLetterReason::KeyUnavailable,
            Self::OutOfTime | Self::WorkerFault | Self::DeadLetterQueueUnavailable => DeadLetterReason::WorkerFault,
        }
    }
}

/// The verdict on a message whose work ended so.
pub(crate) fn settle(ending: Ending, circumstances: Circumstances, settings: &RetrySettings) -> Verdict {
    match ending {
        Ending::Delivered { provider, provider_message_id } => Verdict::Delivered { provider, provider_message_id },
        Ending::Refused { reason, detail } => Verdict::DeadLetter { reason, detail },
        Ending::Failed { reason, detail, retry_after } => {
            let Circumstances { now, sent_at, expires_at, receive_count, unit } = circumstances;
            let end = settings.end_of_retries(sent_at, expires_at);
            match visibility_delay(receive_count, retry_after, now, end, unit) {
                Some(after) => Verdict::Retry { after, reason },
                None => Verdict::DeadLetter { reason: reason.when_exhausted(), detail },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circumstances(age: i64, lifetime: i64) -> Circumstances {
        let sent_at = Timestamp::from_second(1_800_000_000).expect("in range");
        let after = |seconds| sent_at.checked_add(jiff::SignedDuration::from_secs(seconds)).expect("in range");
        Circumstances { now: after(age), sent_at, expires_at: Some(after(lifetime)), receive_count: 1, unit: 1.0 }
    }

    fn failed(reason: RetryReason) -> Ending {
        Ending::Failed { reason, detail: "503".to_owned(), retry_after: None }
    }

    #[test]
    fn a_failure_is_retried_while_the_code_can_still_be_typed_and_then_dead_lettered() {
        let settings = RetrySettings::default();
        for (reason, exhausted) in [
            (RetryReason::ProvidersUnavailable, DeadLetterReason::ProvidersExhausted),
            (RetryReason::KeyUnavailable, DeadLetterReason::KeyUnavailable),
            (RetryReason::OutOfTime, DeadLetterReason::WorkerFault),
            (RetryReason::WorkerFault, DeadLetterReason::WorkerFault),
            (RetryReason::DeadLetterQueueUnavailable, DeadLetterReason::WorkerFault),
        ] {
            let retried = settle(failed(reason), circumstances(0, 180), &settings);
            assert_eq!(retried, Verdict::Retry { after: Duration::from_secs(2), reason });
            let given_up = settle(failed(reason), circumstances(160, 180), &settings);
            assert_eq!(given_up, Verdict::DeadLetter { reason: exhausted, detail: "503".to_owned() });
        }
    }

    #[test]
    fn what_cannot_go_better_is_dead_lettered_at_once() {
        let ending = Ending::Refused { reason: DeadLetterReason::RecipientRejected, detail: "21211".to_owned() };
        let verdict = settle(ending, circumstances(0, 180), &RetrySettings::default());
        assert_eq!(
            verdict,
            Verdict::DeadLetter { reason: DeadLetterReason::RecipientRejected, detail: "21211".to_owned() }
        );
    }
}
