//! When something is tried again. Schedules are data; what comes of them is a pure function of the attempt,
//! the time and a random number. The crate `backoff` is used in this module only: it drives the retries
//! within one invocation over our own schedule (its own one reads the system clock and a global random
//! generator).

use std::time::Duration;

use backoff::backoff::Backoff;
use shared::Timestamp;
use shared::settings::{Faults, Section};

use crate::provider::{Attempt, Outcome};

/// How long a message stays invisible after its n-th receive; the last step repeats. Each delay is drawn from
/// the upper half of its step. Short at first, since a sign-in code lives for three minutes; then long enough
/// that an outage of hours costs little.
pub const VISIBILITY_SCHEDULE: [Duration; 9] = [
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(40),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(600),
];

/// Waits within one invocation before the same provider is asked again, after outcomes that provably sent
/// nothing.
const IN_INVOCATION_SCHEDULE: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(500)];
/// A provider that asks for more patience than this is left for the next one.
const LONGEST_IN_INVOCATION: Duration = Duration::from_secs(2);

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

/// How long a message stays invisible after its `receive_count`-th receive, never past `end`; none when the
/// next receive would come too late. `unit` is uniform in 0..1. Whole seconds, as SQS counts them.
pub(crate) fn visibility_delay(
    receive_count: u32,
    asked_for: Option<Duration>,
    now: Timestamp,
    end: Timestamp,
    unit: f64,
) -> Option<Duration> {
    let index = (receive_count.max(1) as usize - 1).min(VISIBILITY_SCHEDULE.len() - 1);
    let step = VISIBILITY_SCHEDULE[index];
    // To the nearest second: cut off, a step of 5 s could fall below its half and one of 2 s would have no jitter.
    let jittered = (step.mul_f64(0.5 + unit.clamp(0.0, 1.0) / 2.0) + Duration::from_millis(500)).as_secs();
    let asked_for = asked_for.map_or(0, |pause| pause.as_secs().saturating_add(u64::from(pause.subsec_nanos() > 0)));
    let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
    // The last attempt is placed at the end rather than given up.
    let delay = Duration::from_secs(jittered.max(asked_for).min(left.as_secs()).max(1));
    (delay <= left).then_some(delay)
}

/// What `maxReceiveCount` of the main queue's redrive policy should be, so that SQS never takes a message away that
/// is still to be sent: twice the most receives that the schedule can use within `horizon`, since crashes and
/// invocations that run out of time use receives up too; 1,000 is the most that SQS takes.
pub fn max_receive_count(horizon: Duration) -> u32 {
    let shortest = |step: Duration| step / 2;
    let first_steps: Duration = VISIBILITY_SCHEDULE.iter().copied().map(shortest).sum();
    let last_step = shortest(VISIBILITY_SCHEDULE[VISIBILITY_SCHEDULE.len() - 1]);
    let further = horizon.saturating_sub(first_steps).as_secs().div_ceil(last_step.as_secs());
    let receives = VISIBILITY_SCHEDULE.len() as u64 + 1 + further;
    u32::try_from(receives * 2).unwrap_or(u32::MAX).min(1_000)
}

/// Makes attempts with one provider until one ends in anything but Transient, one is not begun (`E` says why),
/// the schedule ends, or the waits have used up `patience`.
pub(crate) async fn with_retries<E, F>(patience: Duration, mut attempt: impl FnMut() -> F) -> Result<Attempt, E>
where
    F: Future<Output = Result<Attempt, E>>,
{
    let schedule = Steps { steps: IN_INVOCATION_SCHEDULE.iter(), patience };
    let outcome = backoff::future::retry(schedule, || {
        let attempt = attempt();
        async move {
            match attempt.await {
                Ok(attempt) if is_worth_another(&attempt.outcome) => Err(backoff::Error::transient(Ok(attempt))),
                ended => Ok(ended),
            }
        }
    });
    match outcome.await {
        Ok(ended) | Err(ended) => ended,
    }
}

/// Transient, unless the provider asked for more time than an invocation has.
fn is_worth_another(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Transient { retry_after } => retry_after.is_none_or(|pause| pause <= LONGEST_IN_INVOCATION),
        Outcome::Accepted { .. }
        | Outcome::Unknown
        | Outcome::RecipientPermanent
        | Outcome::ProviderPermanent
        | Outcome::FraudBlocked => false,
    }
}

struct Steps {
    steps: std::slice::Iter<'static, Duration>,
    patience: Duration,
}

impl Backoff for Steps {
    fn next_backoff(&mut self) -> Option<Duration> {
        let step = *self.steps.next()?;
        self.patience = self.patience.checked_sub(step)?;
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn delays_grow_with_the_receive_count_and_then_stay() {
        for (count, shortest, longest) in [(1, 1, 2), (2, 3, 5), (3, 5, 10), (9, 300, 600), (900, 300, 600)] {
            assert_eq!(visibility_delay(count, None, at(0), at(10_000), 0.0), Some(Duration::from_secs(shortest)));
            assert_eq!(visibility_delay(count, None, at(0), at(10_000), 1.0), Some(Duration::from_secs(longest)));
        }
    }

    #[test]
    fn the_last_attempt_is_placed_at_the_end_and_none_after_it() {
        assert_eq!(visibility_delay(9, None, at(0), at(90), 1.0), Some(Duration::from_secs(90)));
        assert_eq!(visibility_delay(9, None, at(0), at(1), 1.0), Some(Duration::from_secs(1)));
        assert_eq!(visibility_delay(1, None, at(0), at(0), 0.0), None);
        assert_eq!(visibility_delay(1, None, at(5), at(0), 0.0), None);
    }

    #[test]
    fn a_provider_that_asks_for_patience_gets_it() {
        let asked = Some(Duration::from_secs(30));
        assert_eq!(visibility_delay(1, asked, at(0), at(100), 0.5), Some(Duration::from_secs(30)));
        assert_eq!(visibility_delay(1, asked, at(0), at(10), 0.5), Some(Duration::from_secs(10)));
        assert_eq!(
            visibility_delay(1, Some(Duration::from_millis(30_001)), at(0), at(100), 0.5),
            Some(Duration::from_secs(31)),
            "rather a second too late than too early"
        );
        assert_eq!(visibility_delay(1, Some(Duration::MAX), at(0), at(100), 0.5), Some(Duration::from_secs(100)));
    }

    #[test]
    fn retries_end_in_time_to_type_the_code() {
        let settings = RetrySettings::default();
        assert_eq!(settings.end_of_retries(at(0), Some(at(180))), at(160));
        assert_eq!(settings.end_of_retries(at(0), Some(at(604_800))), at(6 * 60 * 60));
        assert_eq!(settings.end_of_retries(at(0), None), at(6 * 60 * 60));
    }

    #[test]
    fn sqs_never_takes_a_message_away_that_is_still_to_be_sent() {
        for horizon in [Duration::from_secs(60), Duration::from_secs(3_600), RetrySettings::default().horizon] {
            let end = i64::try_from(horizon.as_secs()).expect("short");
            let (mut elapsed, mut receives) = (0, 1);
            while let Some(delay) = visibility_delay(receives, None, at(elapsed), at(end), 0.0) {
                elapsed += i64::try_from(delay.as_secs()).expect("short");
                receives += 1;
            }
            let allowed = max_receive_count(horizon);
            assert!(allowed >= 2 * receives, "{horizon:?}: {receives} receives, {allowed} allowed");
        }
        assert_eq!(max_receive_count(Duration::from_secs(72 * 60 * 60)), 1_000);
    }

    proptest! {
        #[test]
        fn no_delay_passes_the_end(count in 0u32..2000, asked in 0u64..5000, left in -100i64..5000, unit in 0.0f64..1.0) {
            let delay = visibility_delay(count, Some(Duration::from_secs(asked)), at(0), at(left), unit);
            match delay {
                Some(delay) => prop_assert!(delay.as_secs() >= 1 && delay.as_secs() as i64 <= left),
                None => prop_assert!(left < 1),
            }
        }
    }

    async fn attempts_made(outcome: Outcome, patience: Duration) -> u32 {
        let count = AtomicU32::new(0);
        let attempt = with_retries(patience, || async {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, ()>(Attempt { outcome: outcome.clone(), code: None })
        });
        assert_eq!(attempt.await.map(|attempt| attempt.outcome), Ok(outcome.clone()));
        count.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_provably_not_sent_is_tried_again_at_once() {
        let minute = Duration::from_secs(60);
        assert_eq!(attempts_made(Outcome::Transient { retry_after: None }, minute).await, 3);
        assert_eq!(attempts_made(Outcome::Unknown, minute).await, 1);
        assert_eq!(attempts_made(Outcome::ProviderPermanent, minute).await, 1);
        assert_eq!(attempts_made(Outcome::RecipientPermanent, minute).await, 1);
        assert_eq!(attempts_made(Outcome::FraudBlocked, minute).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_pause_or_little_time_ends_the_retries() {
        let asked = Outcome::Transient { retry_after: Some(Duration::from_secs(30)) };
        assert_eq!(attempts_made(asked, Duration::from_secs(60)).await, 1);
        assert_eq!(attempts_made(Outcome::Transient { retry_after: None }, Duration::from_millis(200)).await, 2);
        assert_eq!(attempts_made(Outcome::Transient { retry_after: None }, Duration::from_millis(100)).await, 1);
    }
}
