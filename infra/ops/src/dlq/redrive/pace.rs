//! How quickly messages are moved.

use std::str::FromStr;
use std::time::Duration;

use tokio::time::Instant;

/// Messages per second, at most; `unlimited` is as many as SQS takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(Option<u32>);

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "unlimited" {
            return Ok(Self(None));
        }
        let rate = text.parse().ok().filter(|rate| (1..=100_000).contains(rate));
        rate.map(|rate| Self(Some(rate))).ok_or("must be 1 to 100000, or `unlimited`")
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(rate) => write!(f, "{rate}"),
            None => f.write_str("unlimited"),
        }
    }
}

impl Rate {
    /// How long so many messages take at least; unknown without a limit.
    pub(crate) fn time_for(self, messages: u64) -> Option<Duration> {
        self.0.map(|rate| Duration::from_millis(messages.saturating_mul(1_000) / u64::from(rate)))
    }
}

/// When the next messages may be sent.
pub(crate) struct Pace {
    rate: Rate,
    pub(crate) next: Instant,
}

impl Pace {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, next: now }
    }

    /// Counts messages that are sent now. Time that passed unused is not caught up with.
    pub(crate) fn count(&mut self, messages: usize, now: Instant) {
        let messages = u64::try_from(messages).unwrap_or(u64::MAX);
        self.next = self.next.max(now) + self.rate.time_for(messages).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_or_unlimited() {
        for text in ["1", "50", "100000", "unlimited"] {
            assert_eq!(text.parse::<Rate>().map(|rate| rate.to_string()).as_deref(), Ok(text));
        }
        for text in ["0", "-1", "100001", "", "fast", "1.5"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn messages_go_out_evenly_and_a_pause_is_not_made_up_for() {
        let began = Instant::now();
        let mut pace = Pace::new(Rate(Some(20)), began);
        pace.count(10, began);
        assert_eq!(pace.next, began + Duration::from_millis(500));
        pace.count(10, began + Duration::from_millis(500));
        assert_eq!(pace.next, began + Duration::from_secs(1));
        pace.count(10, began + Duration::from_secs(60));
        assert_eq!(pace.next, began + Duration::from_millis(60_500));
        let mut unlimited = Pace::new(Rate(None), began);
        unlimited.count(10, began);
        assert_eq!(unlimited.next, began);
    }
}
