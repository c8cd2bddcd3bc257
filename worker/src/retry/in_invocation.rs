//! Within one receive: whether and when the same provider is asked again. The crate `backoff` is used in this module
//! only: it drives the retries over our own schedule (its own one reads the system clock and a global random generator).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backoff::backoff::Backoff;
use tokio::time::Instant;

use super::jittered;
use crate::provider::{Attempt, Outcome};

/// Waits within one invocation before the same provider is asked again, after outcomes that provably sent nothing;
/// each drawn from the upper half of its step.
pub(crate) const IN_INVOCATION_SCHEDULE: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(500)];
/// A provider that asks for more patience than this is left for the next one.
const LONGEST_IN_INVOCATION: Duration = Duration::from_secs(2);
/// After so long at one provider no further attempt there begins: the next one may be well.
const LONGEST_AT_ONE_PROVIDER: Duration = Duration::from_secs(3);

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

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
