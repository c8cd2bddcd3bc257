//! When something is tried again. Schedules are data; what comes of them is a pure function of the attempt,
//! the time and a random number. The crate `backoff` is used in this module only: it drives the retries
//! within one invocation over our own schedule (its own one reads the system clock and a global random
//! generator).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backoff::backoff::Backoff;
use jiff::SignedDuration;
use shared::settings::{Faults, Section};
use shared::{Timestamp, TriggerSource};
use tokio::time::Instant;

use crate::provider::{Attempt, Outcome};
use crate::queue::VISIBILITY;

/// How long a message stays invisible after its n-th receive; the last step repeats. Each delay is drawn from the
/// upper half of its step. Short at first, since somebody waits; in the end long enough that an outage of hours costs
/// little, which holds for every schedule since lifetimes are the operator's to choose.
pub type VisibilitySchedule = &'static [Duration];

/// A person waits for the code and has three minutes.
const SIGN_IN: VisibilitySchedule = &seconds([2, 3, 5, 8, 10, 15, 20, 30, 40, 60, 120, 300, 600]);
/// A person waits, but the code lives for an hour or more.
const SOMEBODY_WAITS: VisibilitySchedule = &seconds([2, 5, 10, 20, 40, 60, 120, 300, 600]);
/// It is read whenever it arrives.
const NOBODY_WAITS: VisibilitySchedule = &seconds([5, 20, 60, 120, 300, 600]);

const SCHEDULES: [VisibilitySchedule; 3] = [SIGN_IN, SOMEBODY_WAITS, NOBODY_WAITS];

/// Waits within one invocation before the same provider is asked again, after outcomes that provably sent nothing;
/// each drawn from the upper half of its step.
pub(crate) const IN_INVOCATION_SCHEDULE: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(500)];
/// A provider that asks for more patience than this is left for the next one.
const LONGEST_IN_INVOCATION: Duration = Duration::from_secs(2);
/// After so long at one provider no further attempt there begins: the next one may be well.
const LONGEST_AT_ONE_PROVIDER: Duration = Duration::from_secs(3);

/// `[retry]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// How long after its arrival in the queue a message is retried at all.
    pub horizon: Duration,
    /// How long a person needs to type a code in: the last retry leaves this much of the code's life.
    pub time_to_type: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self { horizon: Duration::from_secs(6 * 60 * 60), time_to_type: Duration::from_secs(20) }
    }
}

impl RetrySettings {
    pub(crate) fn read(mut section: Section<'_>, faults: &mut Faults) -> Self {
        let defaults = Self::default();
        let horizon = Duration::from_secs(60)..=Duration::from_secs(72 * 60 * 60);
        let time_to_type = Duration::ZERO..=Duration::from_secs(10 * 60);
        let settings = Self {
            horizon: section.duration("horizon", horizon, faults).unwrap_or(defaults.horizon),
            time_to_type: section.duration("time_to_type", time_to_type, faults).unwrap_or(defaults.time_to_type),
        };
        section.finish(faults);
        settings
    }

    /// The moment after which a message is no longer retried: the earlier of (expiry − time to type) and
    /// (arrival + horizon).
    pub(crate) fn end_of_retries(&self, sent_at: Timestamp, expires_at: Option<Timestamp>) -> Timestamp {
        let by_horizon = sent_at.checked_add(self.horizon).unwrap_or(Timestamp::MAX);
        let by_expiry = expires_at.and_then(|expiry| expiry.checked_sub(self.time_to_type).ok());
        by_expiry.map_or(by_horizon, |by_expiry| by_expiry.min(by_horizon))
    }
}

/// The schedule across receives. A message that cannot be read has that of a code that somebody waits for.
pub fn visibility_schedule(source: Option<TriggerSource>) -> VisibilitySchedule {
    match source {
        Some(TriggerSource::Authentication) => SIGN_IN,
        Some(
            TriggerSource::SignUp
            | TriggerSource::ResendCode
            | TriggerSource::ForgotPassword
            | TriggerSource::UpdateUserAttribute
            | TriggerSource::VerifyUserAttribute
            | TriggerSource::Other,
        )
        | None => SOMEBODY_WAITS,
        Some(TriggerSource::AdminCreateUser | TriggerSource::AccountTakeOverNotification) => NOBODY_WAITS,
    }
}

/// How long a message stays invisible after its `receive_count`-th receive, never past `end`; none when the
/// next receive would come too late. `unit` is uniform in 0..1. Whole seconds, as SQS counts them.
pub(crate) fn visibility_delay(
    schedule: VisibilitySchedule,
    receive_count: u32,
    asked_for: Option<Duration>,
    now: Timestamp,
    end: Timestamp,
    unit: f64,
) -> Option<Duration> {
    let index = (receive_count.max(1) as usize - 1).min(schedule.len() - 1);
    // Rounded, not cut off: a step of 5 s would never reach its half and one of 2 s would have no jitter.
    let delay = (jittered(schedule[index], unit) + Duration::from_millis(500)).as_secs();
    let asked_for = asked_for.map_or(0, |pause| pause.as_secs().saturating_add(u64::from(pause.subsec_nanos() > 0)));
    let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
    // The last attempt is placed at the end rather than given up.
    let delay = Duration::from_secs(delay.max(asked_for).min(left.as_secs()).max(1));
    (delay <= left).then_some(delay)
}

/// Whether another receive after this one is not certain: what is not sent in this one may never be. Delays are at
/// least a second, and coming to a verdict takes time too.
pub(crate) fn may_be_last_receive(now: Timestamp, end: Timestamp) -> bool {
    end.duration_since(now) < SignedDuration::from_secs(2)
}

/// Uniform in the upper half of the step, where `unit` is uniform in 0..1.
pub(crate) fn jittered(step: Duration, unit: f64) -> Duration {
    step.mul_f64(0.5 + unit.clamp(0.0, 1.0) / 2.0)
}

/// What `maxReceiveCount` of the main queue's redrive policy should be, so that SQS never takes a message away that
/// is still to be sent: twice the most receives that a schedule can use within `horizon`, since crashes and
/// invocations that run out of time use receives up too; and as many as there are where no postponement succeeds, so
/// that the message comes back whenever its visibility timeout ends. 1,000 is the most that SQS takes: it covers
/// horizons of eight hours in the second case, and any in the first.
pub fn max_receive_count(horizon: Duration) -> u32 {
    let longest_schedule = SCHEDULES.map(<[Duration]>::len).into_iter().max().unwrap_or_default() as u64;
    let at_each_timeout = 2 * longest_schedule + horizon.as_secs().div_ceil(VISIBILITY.as_secs());
    let by_schedule = SCHEDULES.map(|schedule| {
        let shortest = |step: Duration| step / 2;
        let first_steps: Duration = schedule.iter().copied().map(shortest).sum();
        let last_step = shortest(schedule[schedule.len() - 1]);
        let further = horizon.saturating_sub(first_steps).as_secs().div_ceil(last_step.as_secs());
        2 * (schedule.len() as u64 + 1 + further)
    });
    let receives = by_schedule.into_iter().max().unwrap_or_default().max(at_each_timeout);
    u32::try_from(receives).unwrap_or(u32::MAX).min(1_000)
}

/// Makes attempts with one provider until one ends in anything but Transient, one is not begun (`E` says why), or no
/// further one fits into the schedule or into `share`, the record's time for this provider, or `is_closed`: none would
/// be let through. `unit` gives numbers uniform in 0..1.
pub(crate) async fn with_retries<E, F>(
    share: Duration,
    unit: impl Fn() -> f64,
    is_closed: impl Fn() -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<Attempt, E>
where
    F: Future<Output = Result<Attempt, E>>,
{
    let asked_for = Mutex::new(Duration::ZERO);
    let until = Instant::now() + share.min(LONGEST_AT_ONE_PROVIDER);
    let schedule = Steps { steps: IN_INVOCATION_SCHEDULE.iter(), asked_for: &asked_for, until, unit };
    let outcome = backoff::future::retry(schedule, || {
        let (attempt, is_closed) = (attempt(), &is_closed);
        let asked_for = &asked_for;
        async move {
            let attempt = attempt.await;
            match attempt.as_ref().map(|attempt| pause_before_another(&attempt.outcome)) {
                Ok(Some(pause)) if !is_closed() => {
                    *asked_for.lock().unwrap_or_else(PoisonError::into_inner) = pause;
                    Err(backoff::Error::transient(attempt))
                }
                Ok(Some(_) | None) | Err(_) => Ok(attempt),
            }
        }
    });
    match outcome.await {
        Ok(ended) | Err(ended) => ended,
    }
}

/// The pause that the provider asked for, where another attempt at it is worth making in this invocation.
fn pause_before_another(outcome: &Outcome) -> Option<Duration> {
    match outcome {
        Outcome::Transient { retry_after } => {
            Some(retry_after.unwrap_or_default()).filter(|p| *p <= LONGEST_IN_INVOCATION)
        }
        Outcome::Accepted { .. }
        | Outcome::Unknown
        | Outcome::RecipientPermanent
        | Outcome::ProviderPermanent
        | Outcome::FraudBlocked => None,
    }
}

struct Steps<'r, U> {
    steps: std::slice::Iter<'static, Duration>,
    /// What the last answer asked for.
    asked_for: &'r Mutex<Duration>,
    until: Instant,
    unit: U,
}

impl<U: Fn() -> f64> Backoff for Steps<'_, U> {
    fn next_backoff(&mut self) -> Option<Duration> {
        let step = jittered(*self.steps.next()?, (self.unit)());
        let pause = step.max(*self.asked_for.lock().unwrap_or_else(PoisonError::into_inner));
        (Instant::now() + pause <= self.until).then_some(pause)
    }
}

const fn seconds<const N: usize>(steps: [u64; N]) -> [Duration; N] {
    let mut schedule = [Duration::ZERO; N];
    let mut index = 0;
    while index < N {
        schedule[index] = Duration::from_secs(steps[index]);
        index += 1;
    }
    schedule
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A delay of a code that somebody waits for.
    fn delay_of(
        count: u32,
        asked_for: Option<Duration>,
        now: Timestamp,
        end: Timestamp,
        unit: f64,
    ) -> Option<Duration> {
        visibility_delay(SOMEBODY_WAITS, count, asked_for, now, end, unit)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn delays_grow_with_the_receive_count_and_then_stay() {
        for (count, shortest, longest) in [(1, 1, 2), (2, 3, 5), (3, 5, 10), (9, 300, 600), (900, 300, 600)] {
            assert_eq!(delay_of(count, None, at(0), at(10_000), 0.0), Some(Duration::from_secs(shortest)));
            assert_eq!(delay_of(count, None, at(0), at(10_000), 1.0), Some(Duration::from_secs(longest)));
        }
    }

    #[test]
    fn the_last_attempt_is_placed_at_the_end_and_none_after_it() {
        assert_eq!(delay_of(9, None, at(0), at(90), 1.0), Some(Duration::from_secs(90)));
        assert_eq!(delay_of(9, None, at(0), at(1), 1.0), Some(Duration::from_secs(1)));
        assert_eq!(delay_of(1, None, at(0), at(0), 0.0), None);
        assert_eq!(delay_of(1, None, at(5), at(0), 0.0), None);
    }

    #[test]
    fn a_provider_that_asks_for_patience_gets_it() {
        let asked = Some(Duration::from_secs(30));
        assert_eq!(delay_of(1, asked, at(0), at(100), 0.5), Some(Duration::from_secs(30)));
        assert_eq!(delay_of(1, asked, at(0), at(10), 0.5), Some(Duration::from_secs(10)));
        assert_eq!(
            delay_of(1, Some(Duration::from_millis(30_001)), at(0), at(100), 0.5),
            Some(Duration::from_secs(31)),
            "rather a second too late than too early"
        );
        assert_eq!(delay_of(1, Some(Duration::MAX), at(0), at(100), 0.5), Some(Duration::from_secs(100)));
    }

    #[test]
    fn retries_end_in_time_to_type_the_code() {
        let settings = RetrySettings::default();
        assert_eq!(settings.end_of_retries(at(0), Some(at(180))), at(160));
        assert_eq!(settings.end_of_retries(at(0), Some(at(604_800))), at(6 * 60 * 60));
        assert_eq!(settings.end_of_retries(at(0), None), at(6 * 60 * 60));
    }

    #[test]
    fn a_receive_that_no_other_can_follow_a_second_later_may_be_the_last() {
        for left in [-5, 0, 1, 2, 600] {
            let follows = SCHEDULES.map(|schedule| visibility_delay(schedule, 1, None, at(1), at(left), 1.0).is_some());
            assert_eq!(follows, [!may_be_last_receive(at(0), at(left)); 3], "{left} s left");
        }
    }

    #[test]
    fn a_sign_in_is_tried_most_often_and_an_invitation_least_within_three_minutes() {
        let receives =
            [TriggerSource::Authentication, TriggerSource::SignUp, TriggerSource::AdminCreateUser].map(|source| {
                let (mut elapsed, mut receives) = (0, 1);
                while let Some(delay) =
                    visibility_delay(visibility_schedule(Some(source)), receives, None, at(elapsed), at(160), 1.0)
                {
                    elapsed += i64::try_from(delay.as_secs()).expect("short");
                    receives += 1;
                }
                receives
            });
        assert_eq!(receives, [11, 8, 5]);
    }

    #[test]
    fn sqs_never_takes_a_message_away_that_is_still_to_be_sent() {
        for horizon in [Duration::from_secs(60), Duration::from_secs(3_600), RetrySettings::default().horizon] {
            let end = i64::try_from(horizon.as_secs()).expect("short");
            for schedule in SCHEDULES {
                let (mut elapsed, mut receives) = (0, 1);
                while let Some(delay) = visibility_delay(schedule, receives, None, at(elapsed), at(end), 0.0) {
                    elapsed += i64::try_from(delay.as_secs()).expect("short");
                    receives += 1;
                }
                let allowed = max_receive_count(horizon);
                assert!(allowed >= 2 * receives, "{horizon:?}: {receives} receives, {allowed} allowed");
            }
        }
        let hours = [6, 8, 72].map(|hours| max_receive_count(Duration::from_hours(hours)));
        assert_eq!(hours, [746, 986, 1_000], "as often as the visibility timeout ends, if nothing can be postponed");
    }

    proptest! {
        #[test]
        fn no_delay_passes_the_end(count in 0u32..2000, asked in 0u64..5000, left in -100i64..5000, unit in 0.0f64..1.0) {
            let delay = delay_of(count, Some(Duration::from_secs(asked)), at(0), at(left), unit);
            match delay {
                Some(delay) => prop_assert!(delay.as_secs() >= 1 && delay.as_secs() as i64 <= left),
                None => prop_assert!(left < 1),
            }
        }
    }

    /// Attempts made at a provider that always answers so, each taking `latency`, and the time of it all.
    async fn attempts_made(outcome: Outcome, latency: Duration, share: Duration) -> (u32, Duration) {
        let count = AtomicU32::new(0);
        let began = Instant::now();
        let attempt = with_retries(
            share,
            || 1.0,
            || false,
            || async {
                tokio::time::sleep(latency).await;
                count.fetch_add(1, Ordering::Relaxed);
                Ok::<_, ()>(Attempt { outcome: outcome.clone(), code: None })
            },
        );
        assert_eq!(attempt.await.map(|attempt| attempt.outcome), Ok(outcome.clone()));
        (count.into_inner(), began.elapsed())
    }

    const MINUTE: Duration = Duration::from_secs(60);

    fn transient(asked_for: Option<u64>) -> Outcome {
        Outcome::Transient { retry_after: asked_for.map(Duration::from_millis) }
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_provably_not_sent_is_tried_again_at_once() {
        let waits = Duration::from_millis(150 + 500);
        assert_eq!(attempts_made(transient(None), Duration::ZERO, MINUTE).await, (3, waits));
        for outcome in
            [Outcome::Unknown, Outcome::ProviderPermanent, Outcome::RecipientPermanent, Outcome::FraudBlocked]
        {
            assert_eq!(attempts_made(outcome, Duration::ZERO, MINUTE).await, (1, Duration::ZERO));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_the_provider_asks_for_is_kept_where_there_is_time_for_it() {
        for (asked, attempts, waits) in
            [(100, 3, 650), (400, 3, 900), (1_500, 3, 3_000), (2_000, 2, 2_000), (2_001, 1, 0)]
        {
            let made = attempts_made(transient(Some(asked)), Duration::ZERO, MINUTE).await;
            assert_eq!(made, (attempts, Duration::from_millis(waits)), "{asked} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn little_time_or_a_slow_provider_ends_the_retries() {
        let made = async |latency, share| {
            attempts_made(transient(None), Duration::from_millis(latency), Duration::from_millis(share)).await.0
        };
        assert_eq!(made(0, 100).await, 1);
        assert_eq!(made(0, 200).await, 2);
        assert_eq!(made(2_000, 60_000).await, 2, "a second attempt begins at 2.15 s, a third would at 4.65 s");
        assert_eq!(made(5_000, 60_000).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_that_has_opened_ends_the_retries_without_a_wait() {
        let count = AtomicU32::new(0);
        let began = Instant::now();
        let is_closed = || count.load(Ordering::Relaxed) == 2;
        let attempt = with_retries(
            MINUTE,
            || 1.0,
            is_closed,
            || async {
                count.fetch_add(1, Ordering::Relaxed);
                Ok::<_, ()>(Attempt { outcome: transient(None), code: None })
            },
        );
        attempt.await.expect("it is begun");
        assert_eq!((count.load(Ordering::Relaxed), began.elapsed()), (2, Duration::from_millis(150)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_waits_within_an_invocation_are_drawn_from_the_upper_half_of_their_steps() {
        let began = Instant::now();
        let attempt = with_retries(
            MINUTE,
            || 0.0,
            || false,
            || async { Ok::<_, ()>(Attempt { outcome: transient(None), code: None }) },
        );
        attempt.await.expect("it is begun");
        assert_eq!(began.elapsed(), Duration::from_millis(75 + 250));
    }
}
