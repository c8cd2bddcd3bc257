//! So many messages in so much time.

use std::time::Duration;

use shared::Timestamp;
use shared::settings::schema::text_like;
use shared::settings::{DurationError, Schema, parse_duration, written_duration};

use crate::state::{LimitScope, Window};

/// A limit: `20/1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    messages: u32,
    /// Of each window. The windows of a length follow each other from 1970 on, so that all workers agree on them.
    length: Duration,
}

/// Why a text is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RateError {
    #[error("must be a number of messages and a duration, such as \"20/1h\", or \"off\"")]
    NotARate,
    #[error("must allow 1 to {MOST_MESSAGES} messages; \"off\" allows any number")]
    Messages,
    #[error("has a duration that {0}")]
    Length(DurationError),
}

const MOST_MESSAGES: u32 = 1_000_000;
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Reads `20/1h`, or `off` as none.
pub(super) fn rate_or_off(text: &str) -> Result<Option<Rate>, RateError> {
    if text == "off" {
        return Ok(None);
    }
    let (messages, length) = text.split_once('/').ok_or(RateError::NotARate)?;
    if messages.is_empty() || !messages.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RateError::NotARate);
    }
    let messages = messages.parse().ok().filter(|messages| (1..=MOST_MESSAGES).contains(messages));
    let messages = messages.ok_or(RateError::Messages)?;
    let length = parse_duration(length, SHORTEST..=LONGEST).map_err(RateError::Length)?;
    Ok(Some(Rate { messages, length }))
}

/// What [`rate_or_off`] reads.
pub(super) fn rate_schema() -> Schema {
    text_like("^(off$|[0-9]+/)", "Messages in a window of time, such as \"20/1h\", or \"off\".")
}

impl Rate {
    pub(super) const fn new(messages: u32, length: Duration) -> Self {
        Self { messages, length }
    }

    /// The window that `now` lies in, for one of those that the scope counts apart.
    pub(super) fn window(self, scope: LimitScope, whose: &str, now: Timestamp) -> Window {
        let length = i64::try_from(self.length.as_millis()).expect("a window has seven days at most");
        let since_start = now.as_millisecond().rem_euclid(length);
        let start = now.as_millisecond() - since_start;
        let ends_at = Timestamp::from_millisecond(start + length).unwrap_or(Timestamp::MAX);
        let key = format!("{}/{whose}/{length}/{start}", scope.as_str());
        Window { scope, key, limit: self.messages, ends_at }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.messages, written_duration(self.length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_count_and_a_duration() {
        for (text, messages, seconds) in
            [("20/1h", 20, 3_600), ("1/1s", 1, 1), ("1000000/7d", 1_000_000, 604_800), ("3/1m 30s", 3, 90)]
        {
            let rate = Rate::new(messages, Duration::from_secs(seconds));
            assert_eq!(rate_or_off(text), Ok(Some(rate)), "{text}");
            assert_eq!(rate_or_off(&rate.to_string()), Ok(Some(rate)), "{rate}");
        }
        assert_eq!(rate_or_off("off"), Ok(None));
    }

    #[test]
    fn other_texts_are_told_what_a_rate_is() {
        let [not_a_rate, messages, length] = [
            "must be a number of messages and a duration, such as \"20/1h\", or \"off\"",
            "must allow 1 to 1000000 messages; \"off\" allows any number",
            "has a duration that must lie between 1s and 604800s",
        ];
        for (text, expected) in [
            ("", not_a_rate),
            ("20", not_a_rate),
            ("/1h", not_a_rate),
            ("+20/1h", not_a_rate),
            ("many/1h", not_a_rate),
            ("Off", not_a_rate),
            ("0/1h", messages),
            ("1000001/1h", messages),
            ("99999999999999999999/1h", messages),
            ("20/999ms", length),
            ("20/8d", length),
            ("20/", "has a duration that must be a duration such as \"20s\", \"3m\", \"6h\" or \"7d\""),
        ] {
            assert_eq!(rate_or_off(text).expect_err(text).to_string(), expected, "{text}");
        }
    }
}
