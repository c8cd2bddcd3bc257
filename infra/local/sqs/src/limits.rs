//! The numbers: what AWS allows, and what this model keeps in memory.

use std::ops::RangeInclusive;

use crate::Error;

/// The longest message and the longest batch, in bytes of body and message attributes.
pub(crate) const MESSAGE_BYTES: usize = 1024 * 1024;
pub(crate) const BATCH_ENTRIES: usize = 10;
pub(crate) const MESSAGE_ATTRIBUTES: usize = 10;
pub(crate) const DELAY_SECONDS: RangeInclusive<i64> = 0..=900;
pub(crate) const VISIBILITY_SECONDS: RangeInclusive<i64> = 0..=43_200;
pub(crate) const RECEIVE_MESSAGES: RangeInclusive<i64> = 1..=10;
pub(crate) const WAIT_SECONDS: RangeInclusive<i64> = 0..=20;
pub(crate) const RETENTION_SECONDS: RangeInclusive<i64> = 60..=1_209_600;
pub(crate) const MAXIMUM_MESSAGE_SIZE: RangeInclusive<i64> = 1024..=MESSAGE_BYTES as i64;
pub(crate) const MAX_RECEIVE_COUNT: RangeInclusive<i64> = 1..=1000;

/// A second purge within so many seconds of the first is refused.
pub(crate) const PURGE_PAUSE_SECONDS: u64 = 60;

/// How much one account of the model may hold. AWS has only the third of these; the others bound the memory of the
/// process, and reaching them is an error that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages in one queue, whatever their state.
    pub messages_per_queue: usize,
    /// Bytes in one queue: bodies, attributes, and a fixed share for each message's bookkeeping.
    pub bytes_per_queue: usize,
    /// Messages in flight in one queue; beyond it a receive answers `OverLimit`.
    pub in_flight_per_queue: usize,
    /// Queues in the account.
    pub queues: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            messages_per_queue: 500_000,
            bytes_per_queue: 256 * 1024 * 1024,
            in_flight_per_queue: 120_000,
            queues: 100,
        }
    }
}

/// `value` as seconds or a count, when it lies in `range`.
pub(crate) fn within(parameter: &'static str, value: i64, range: RangeInclusive<i64>) -> Result<u64, Error> {
    match u64::try_from(value) {
        Ok(number) if range.contains(&value) => Ok(number),
        Ok(_) | Err(_) => Err(Error::invalid_parameter(
            parameter,
            &value.to_string(),
            format!("Must be between {} and {}", range.start(), range.end()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_its_range_is_refused_by_name() {
        assert_eq!(within("WaitTimeSeconds", 20, WAIT_SECONDS), Ok(20));
        for wrong in [-1, 21, i64::MIN, i64::MAX] {
            let error = within("WaitTimeSeconds", wrong, WAIT_SECONDS).unwrap_err();
            assert_eq!(error.code(), "InvalidParameterValue");
            assert!(error.to_string().contains(&format!("Value {wrong} for parameter WaitTimeSeconds")), "{error}");
        }
    }
}
