//! When something is tried again. Schedules are data; what comes of them is a pure function of the attempt,
//! the time and a random number.

mod in_invocation;
mod visibility;

use std::time::Duration;

use shared::Timestamp;
use shared::settings::{Faults, Key, Section, key};

#[cfg(test)]
pub(crate) use in_invocation::IN_INVOCATION_SCHEDULE;
pub(crate) use in_invocation::with_retries;
pub use visibility::{VisibilitySchedule, max_receive_count, visibility_schedule};
pub(crate) use visibility::{may_be_last_receive, visibility_delay};

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
        const HORIZON: Key = key("horizon", "For how long after its arrival in the queue a message is retried.");
        const TIME_TO_TYPE: Key =
            key("time_to_type", "What a person needs to type a code: no retry is later than this before its expiry.");
        let defaults = Self::default();
        let horizon = Duration::from_secs(60)..=Duration::from_secs(72 * 60 * 60);
        let time_to_type = Duration::ZERO..=Duration::from_secs(10 * 60);
        let settings = Self {
            horizon: section.duration(HORIZON, horizon, faults).unwrap_or(defaults.horizon),
            time_to_type: section.duration(TIME_TO_TYPE, time_to_type, faults).unwrap_or(defaults.time_to_type),
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

/// Uniform in the upper half of the step, where `unit` is uniform in 0..1.
pub(crate) fn jittered(step: Duration, unit: f64) -> Duration {
    step.mul_f64(0.5 + unit.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn retries_end_in_time_to_type_the_code() {
        let settings = RetrySettings::default();
        assert_eq!(settings.end_of_retries(at(0), Some(at(180))), at(160));
        assert_eq!(settings.end_of_retries(at(0), Some(at(604_800))), at(6 * 60 * 60));
        assert_eq!(settings.end_of_retries(at(0), None), at(6 * 60 * 60));
    }
}
