//! One message along its route of providers.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use secrecy::SecretString;
use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, MessageId, PhoneNumber, Timestamp, TraceId};
use tokio::time::{Instant, timeout};

use crate::circuit_breaker::{Change, Sign};
use crate::claiming::Hold;
use crate::gate::{Closed, GatedProvider};
use crate::provider::{Attempt, Outcome, OutcomeCode, Provider, Sms};
use crate::retry::{may_be_last_receive, with_retries};
use crate::settlement::{Ending, Next, RetryReason, after};
use crate::state::{Switch, Switches};

/// An attempt with less time than this would often end in an outcome that nobody knows: it is not begun.
pub(crate) const SHORTEST_ATTEMPT: Duration = Duration::from_secs(2);
/// Providers keep to their time by themselves; one that does not is cut off so much later.
const GRACE: Duration = Duration::from_millis(500);

/// How long a message waits for another one's probe: most answers come sooner, and a further receive costs more.
const PATIENCE_FOR_A_PROBE: Duration = Duration::from_secs(2);

/// A message on its way to a phone.
pub(crate) struct Delivery<'w> {
    pub(crate) id: &'w MessageId,
    pub(crate) trace: Option<TraceId<'w>>,
    pub(crate) to: &'w PhoneNumber,
    pub(crate) expires_at: Timestamp,
    /// After this moment the message is not received again.
    pub(crate) end_of_retries: Timestamp,
    /// Every attempt ends before this.
    pub(crate) deadline: Instant,
    pub(crate) clock: &'w Clock,
    pub(crate) random: &'w Mutex<fastrand::Rng>,
    pub(crate) telemetry: &'w dyn Telemetry,
    pub(crate) trail: &'w Mutex<Trail>,
}

/// What was tried in this receive, for the dead letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    /// Requests made to providers.
    pub(crate) attempts: u32,
    pub(crate) last_provider: Option<String>,
    failures: Vec<Failure>,
}

/// Why a provider did not take it, and how often in a row it said so.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    /// The provider's name and a code, never its text.
    detail: String,
    times: u32,
}

/// Why no further attempt is begun now.
enum NotBegun {
    Expired,
    DeadlineNear,
    /// At this provider; the next one may be open.
    Closed(Closed),
    /// At any provider in this receive.
    Ended(Ending),
}

impl Delivery<'_> {
    /// How the receive ends if no provider of the route may be asked now: known before the code is decrypted, an outage
    /// costs no call to KMS.
    pub(crate) fn hopeless(&self, route: &[&GatedProvider]) -> Option<Ending> {
        let now = self.clock.now();
        let pauses: Option<Vec<_>> = route.iter().map(|gated| self.refusal(gated, now)).collect();
        let pauses = pauses?;
        for (gated, opens_in) in route.iter().zip(&pauses) {
            self.note_closed(gated.provider().as_ref(), Closed::CircuitOpen { opens_in: *opens_in });
        }
        Some(self.unsuccessful(pauses.into_iter().min()))
    }

    /// Takes providers that an operator has switched off out of the route.
    pub(crate) fn without_switched_off<'g>(
        &self,
        route: Vec<&'g GatedProvider>,
        off: &Switches,
    ) -> Vec<&'g GatedProvider> {
        let (off, on): (Vec<_>, Vec<_>) =
            route.into_iter().partition(|gated| off.is_off(&Switch::Provider(gated.provider().name().to_owned())));
        for gated in off {
            self.note_not_attempted(gated.provider().as_ref(), "switched_off");
        }
        on
    }

    /// Asks the providers in order until one takes the SMS or none is left. An attempt that may have been
    /// sent is followed by at most one more of its kind, in this receive or a later one.
    pub(crate) async fn along(&self, route: &[&GatedProvider], text: &SecretString, hold: &Hold<'_>) -> Ending {
        // The message waits for the provider that recovers first.
        let mut recovers_in: Option<Duration> = None;
        let mut recovers = |pause: Duration| recovers_in = Some(recovers_in.map_or(pause, |known| known.min(pause)));
        let mut next = 0;
        while let Some(gated) = route.get(next) {
            next += 1;
            let no_other_follows = next == route.len();
            let attempt = || self.attempt(gated, no_other_follows, text, hold);
            let is_closed = || self.refusal(gated, self.clock.now()).is_some();
            let share = self.share(no_other_follows);
            let outcome = match with_retries(share, || self.unit(), is_closed, attempt).await {
                Ok(Attempt { outcome, code: _ }) => outcome,
                Err(NotBegun::Closed(closed)) => {
                    recovers(closed.opens_in());
                    continue;
                }
                Err(NotBegun::Ended(ending)) => return ending,
                Err(NotBegun::Expired) => return self.cut_short(recovers_in, Ending::expired_on_the_way()),
                Err(NotBegun::DeadlineNear) => return self.cut_short(recovers_in, Ending::out_of_time()),
            };
            if let Outcome::Transient { retry_after } = outcome {
                recovers(retry_after.unwrap_or_default());
            }
            let unknowns = if outcome == Outcome::Unknown { hold.note_unknown() } else { 0 };
            match after(outcome, unknowns) {
                Next::Delivered(provider_message_id) => {
                    return Ending::Delivered { provider: gated.provider().name().to_owned(), provider_message_id };
                }
                Next::AgainThenOnward | Next::Onward => {}
                Next::OneMore => {
                    let attempts = self.trail().attempts;
                    if let Err(ending) = hold.write_down(attempts).await {
                        return ending;
                    }
                    // Where no other provider is left, the further attempt is this one's.
                    next -= usize::from(no_other_follows);
                }
                Next::Never(reason) => return Ending::refused(reason, self.failures()),
            }
        }
        self.unsuccessful(recovers_in)
    }

    /// One attempt at one provider, unless it is too late for that or the provider's gate is closed.
    async fn attempt(
        &self,
        gated: &GatedProvider,
        no_other_follows: bool,
        text: &SecretString,
        hold: &Hold<'_>,
    ) -> Result<Attempt, NotBegun> {
        let provider = gated.provider();
        let provider = provider.as_ref();
        self.life_left()?;
        // Where another provider follows, it is asked rather than waited for this one's probe.
        let patience = if no_other_follows { PATIENCE_FOR_A_PROBE } else { Duration::ZERO };
        let permit = gated.enter(self.clock, patience, |now| self.may_be_last(now)).await.map_err(|closed| {
            self.note_closed(provider, closed);
            NotBegun::Closed(closed)
        })?;
        hold.must_be_newest().await.map_err(NotBegun::Ended)?;
        let valid_for = self.life_left()?;
        if permit.is_probe() {
            self.tell(provider, "half_open", None);
        }
        self.trail().begun(provider);
        let began = Instant::now();
        let sms = Sms { id: self.id, to: self.to, text, valid_for, timeout: self.share(no_other_follows) };
        let attempt = send_guarded(provider, &sms).await;
        let code = attempt.code.as_ref().map(OutcomeCode::as_str);
        let class = attempt.outcome.class();
        let (name, took) = (provider.name(), began.elapsed());
        let (id, trace) = (self.id, self.trace);
        self.telemetry.record(&Fact::Attempted { id, trace, provider: name, outcome: class, code, took });
        if attempt.outcome == Outcome::ProviderPermanent {
            gated.note_refusal();
        }
        if !matches!(attempt.outcome, Outcome::Accepted { .. }) {
            self.trail().failed(provider, code.unwrap_or(class));
        }
        match permit.report(Sign::of(&attempt.outcome), self.clock.now(), self.unit()) {
            Some(Change::Opened { open_for }) => self.tell(provider, "open", Some(open_for)),
            Some(Change::Closed) => self.tell(provider, "closed", None),
            None => {}
        }
        Ok(attempt)
    }

    /// How a receive ended in which no provider took the SMS, and none of them said that it never will.
    fn unsuccessful(&self, retry_after: Option<Duration>) -> Ending {
        Ending::Failed { reason: RetryReason::ProvidersUnavailable, detail: self.failures(), retry_after }
    }

    /// How a receive ended that was over before the route was: what the providers said counts more, if any was asked.
    fn cut_short(&self, retry_after: Option<Duration>, without_attempt: Ending) -> Ending {
        if self.trail().failures.is_empty() { without_attempt } else { self.unsuccessful(retry_after) }
    }

    /// How long the provider's circuit will refuse this message, if it does.
    fn refusal(&self, gated: &GatedProvider, now: Timestamp) -> Option<Duration> {
        gated.opens_in(now).filter(|_| !self.may_be_last(now))
    }

    fn may_be_last(&self, now: Timestamp) -> bool {
        may_be_last_receive(now, self.end_of_retries)
    }

    /// What is left of the code's life, if an attempt may begin.
    fn life_left(&self) -> Result<Duration, NotBegun> {
        let life_left = Duration::try_from(self.expires_at.duration_since(self.clock.now())).unwrap_or_default();
        if life_left.is_zero() {
            return Err(NotBegun::Expired);
        }
        if self.time_left() < SHORTEST_ATTEMPT { Err(NotBegun::DeadlineNear) } else { Ok(life_left) }
    }

    fn note_closed(&self, provider: &dyn Provider, closed: Closed) {
        self.note_not_attempted(provider, closed.as_str());
    }

    fn note_not_attempted(&self, provider: &dyn Provider, cause: &'static str) {
        let (id, trace) = (self.id, self.trace);
        self.telemetry.record(&Fact::NotAttempted { id, trace, provider: provider.name(), cause });
        self.trail().failed(provider, cause);
    }

    fn tell(&self, provider: &dyn Provider, state: &str, open_for: Option<Duration>) {
        self.telemetry.record(&Fact::CircuitChanged { provider: provider.name(), state, open_for });
    }

    fn failures(&self) -> String {
        let failures: Vec<_> = self.trail().failures.iter().map(ToString::to_string).collect();
        failures.join("; ")
    }

    fn trail(&self) -> MutexGuard<'_, Trail> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unit(&self) -> f64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }

    /// The record's time for one provider: half of what is left where another one may have to follow.
    fn share(&self, no_other_follows: bool) -> Duration {
        let time_left = self.time_left();
        if no_other_follows { time_left } else { (time_left / 2).max(SHORTEST_ATTEMPT).min(time_left) }
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Trail {
    fn begun(&mut self, provider: &dyn Provider) {
        self.attempts += 1;
        self.last_provider = Some(provider.name().to_owned());
    }

    fn failed(&mut self, provider: &dyn Provider, code: &str) {
        let detail = format!("{}: {code}", provider.name());
        match self.failures.last_mut() {
            Some(last) if last.detail == detail => last.times += 1,
            Some(_) | None => self.failures.push(Failure { detail, times: 1 }),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.times {
            1 => write!(f, "{}", self.detail),
            times => write!(f, "{} x{times}", self.detail),
        }
    }
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
