//! Across receives: how long a message stays out of sight, and how often it may be received.

use std::time::Duration;

use jiff::SignedDuration;
use shared::{Timestamp, TriggerSource};

use super::jittered;
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
    use crate::retry::RetrySettings;
    use proptest::prelude::*;

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
}
