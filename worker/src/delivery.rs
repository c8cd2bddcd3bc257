//! One message along its route of providers.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use secrecy::SecretString;
use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, DeadLetterReason, MessageId, PhoneNumber, Timestamp};
use tokio::time::{Instant, timeout};

use crate::provider::{Attempt, Outcome, OutcomeCode, Provider, Sms};
use crate::retry::with_retries;
use crate::settlement::{Ending, RetryReason};
use crate::unknowns::UnknownOutcomes;

/// An attempt with less time than this would mostly end in an outcome that nobody knows.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);
/// Providers keep to their time by themselves; one that does not is cut off so much later.
const GRACE: Duration = Duration::from_millis(500);
/// Two attempts that may each have been sent are enough.
const MOST_UNKNOWNS: u32 = 2;

/// A text on its way to a phone.
pub(crate) struct Delivery<'w> {
    pub(crate) id: &'w MessageId,
    pub(crate) to: &'w PhoneNumber,
    pub(crate) text: &'w SecretString,
    pub(crate) expires_at: Timestamp,
    /// Every attempt ends before this.
    pub(crate) deadline: Instant,
    pub(crate) clock: &'w Clock,
    pub(crate) telemetry: &'w dyn Telemetry,
    pub(crate) unknowns: &'w UnknownOutcomes,
    pub(crate) trail: &'w Mutex<Trail>,
}

/// What was tried, for the dead letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    /// Requests made to providers.
    pub(crate) attempts: u32,
    pub(crate) last_provider: Option<String>,
}

/// What one provider's answer means for the message.
enum Step {
    Ended(Ending),
    /// `recovers_in` is the pause that a passing failure asks for, none where the failure will not pass.
    NextProvider {
        detail: String,
        recovers_in: Option<Duration>,
    },
    MayHaveBeenSent {
        detail: String,
    },
}

/// Why no further attempt is begun now.
enum NotBegun {
    Expired,
    DeadlineNear,
}

impl Delivery<'_> {
    /// Asks the providers in order until one takes the SMS or none is left. An attempt that may have been
    /// sent is followed by at most one more of its kind, in this receive or a later one.
    pub(crate) async fn along(&self, route: &[&Arc<dyn Provider>]) -> Ending {
        let mut failures = Vec::new();
        let mut pauses = Vec::new();
        let mut next = 0;
        while let Some(provider) = route.get(next) {
            next += 1;
            match self.through(provider.as_ref()).await {
                Ok(Step::Ended(ending)) => return ending,
                Ok(Step::NextProvider { detail, recovers_in }) => {
                    failures.push(detail);
                    pauses.extend(recovers_in);
                }
                Ok(Step::MayHaveBeenSent { detail }) => {
                    failures.push(detail);
                    if self.unknowns.add(self.id, self.expires_at, self.clock.now()) >= MOST_UNKNOWNS {
                        let detail = failures.join("; ");
                        return Ending::Refused { reason: DeadLetterReason::OutcomeUnknown, detail };
                    }
                    if next == route.len() {
                        next -= 1; // No other provider is left for the further attempt.
                    }
                }
                Err(not_begun) => return not_begun.ending(failures, shortest(&pauses)),
            }
        }
        let (reason, detail) = (RetryReason::ProvidersUnavailable, failures.join("; "));
        Ending::Failed { reason, detail, retry_after: shortest(&pauses) }
    }

    async fn through(&self, provider: &dyn Provider) -> Result<Step, NotBegun> {
        let patience = self.time_left().saturating_sub(SHORTEST_ATTEMPT);
        let attempt = with_retries(patience, || self.attempt(provider)).await?;
        let code = attempt.code.as_ref().map_or(attempt.outcome.class(), OutcomeCode::as_str);
        let detail = format!("{}: {code}", provider.name());
        Ok(match attempt.outcome {
            Outcome::Accepted { provider_message_id } => {
                Step::Ended(Ending::Delivered { provider: provider.name().to_owned(), provider_message_id })
            }
            Outcome::Transient { retry_after } => {
                Step::NextProvider { detail, recovers_in: Some(retry_after.unwrap_or_default()) }
            }
            Outcome::ProviderPermanent => Step::NextProvider { detail, recovers_in: None },
            Outcome::Unknown => Step::MayHaveBeenSent { detail },
            Outcome::RecipientPermanent => {
                Step::Ended(Ending::Refused { reason: DeadLetterReason::RecipientRejected, detail })
            }
            Outcome::FraudBlocked => Step::Ended(Ending::Refused { reason: DeadLetterReason::FraudBlocked, detail }),
        })
    }

    async fn attempt(&self, provider: &dyn Provider) -> Result<Attempt, NotBegun> {
        let valid_for = Duration::try_from(self.expires_at.duration_since(self.clock.now())).unwrap_or_default();
        if valid_for.is_zero() {
            return Err(NotBegun::Expired);
        }
        let timeout = self.time_left();
        if timeout < SHORTEST_ATTEMPT {
            return Err(NotBegun::DeadlineNear);
        }
        {
            let mut trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner);
            trail.attempts += 1;
            trail.last_provider = Some(provider.name().to_owned());
        }
        let began = Instant::now();
        let attempt =
            send_guarded(provider, &Sms { id: self.id, to: self.to, text: self.text, valid_for, timeout }).await;
        self.telemetry.record(&Fact::Attempted {
            id: self.id,
            provider: provider.name(),
            outcome: attempt.outcome.class(),
            code: attempt.code.as_ref().map(OutcomeCode::as_str),
            took: began.elapsed(),
        });
        Ok(attempt)
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// The message waits for the provider that recovers first.
fn shortest(pauses: &[Duration]) -> Option<Duration> {
    pauses.iter().min().copied()
}

/// A provider that panics or overruns its time may have sent the SMS before.
async fn send_guarded(provider: &dyn Provider, sms: &Sms<'_>) -> Attempt {
    let sent = AssertUnwindSafe(provider.send(sms)).catch_unwind();
    match timeout(sms.timeout + GRACE, sent).await {
        Ok(Ok(attempt)) => attempt,
        Ok(Err(_panic)) => Attempt::failed(Outcome::Unknown, "panic"),
        Err(_elapsed) => Attempt::failed(Outcome::Unknown, "timeout"),
    }
}

impl NotBegun {
    fn ending(self, failures: Vec<String>, retry_after: Option<Duration>) -> Ending {
        match self {
            Self::Expired if failures.is_empty() => {
                let detail = "expired before the first attempt".to_owned();
                Ending::Refused { reason: DeadLetterReason::Expired, detail }
            }
            Self::DeadlineNear if failures.is_empty() => {
                let detail = "no time left in this invocation".to_owned();
                Ending::Failed { reason: RetryReason::OutOfTime, detail, retry_after }
            }
            Self::Expired | Self::DeadlineNear => {
                let detail = failures.join("; ");
                Ending::Failed { reason: RetryReason::ProvidersUnavailable, detail, retry_after }
            }
        }
    }
}
