//! Durations as the configuration file writes them.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Schema, schema};

/// Why a text is no duration that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    #[error("must be a duration such as \"20s\", \"3m\", \"6h\" or \"7d\"")]
    NotADuration,
    #[error("must lie between {:?} and {:?}", .0.start(), .0.end())]
    NotAllowed(RangeInclusive<Duration>),
}

/// Reads `3m`, `20s` or `7d` (a day is 24 hours).
///
/// # Errors
/// When it is no duration, or not an allowed one.
pub fn parse_duration(text: &str, allowed: RangeInclusive<Duration>) -> Result<Duration, DurationError> {
    let span: jiff::Span = text.parse().map_err(|_| DurationError::NotADuration)?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok();
    let duration = duration.and_then(|duration| Duration::try_from(duration).ok());
    match duration.ok_or(DurationError::NotADuration)? {
        duration if allowed.contains(&duration) => Ok(duration),
        _ => Err(DurationError::NotAllowed(allowed)),
    }
}

/// The duration as the file would write it, in the largest unit of which it has a whole number.
pub fn written_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    match units.iter().find(|(length, _)| millis >= *length && millis.is_multiple_of(*length)) {
        Some((length, unit)) => format!("{}{unit}", millis / length),
        None if millis == 0 => "0s".to_owned(),
        None => format!("{millis}ms"),
    }
}

/// What [`parse_duration`] reads, with the bounds in words: JSON Schema cannot compare durations.
pub(super) fn duration_schema(allowed: &RangeInclusive<Duration>) -> Schema {
    let [shortest, longest] = [allowed.start(), allowed.end()].map(|bound| written_duration(*bound));
    // A number and a unit stand somewhere in whatever jiff reads: `1h 30m`, `PT90M`, `1 day, 02:30:00`.
    schema::text_like("[0-9] *[A-Za-zµμ:]", &format!("Between \"{shortest}\" and \"{longest}\"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<u64, String> {
        let allowed = Duration::from_secs(1)..=Duration::from_secs(600);
        parse_duration(text, allowed).map(|duration| duration.as_secs()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_duration_has_a_number_and_a_unit() {
        for (text, seconds) in [("10s", 10), ("2m", 120), ("1m 30s", 90), ("1s", 1), ("10m", 600)] {
            assert_eq!(parsed(text), Ok(seconds), "{text}");
        }
        for text in ["", "10", "ten", "-5s", "1y", "3 parsecs", "99999999999999999999s"] {
            let refusal = parsed(text).expect_err(text);
            assert_eq!(refusal, "must be a duration such as \"20s\", \"3m\", \"6h\" or \"7d\"", "{text}");
        }
    }

    #[test]
    fn one_that_is_too_short_or_too_long_is_told_what_is_allowed() {
        for text in ["0s", "999ms", "601s", "1h"] {
            assert_eq!(parsed(text), Err("must lie between 1s and 600s".to_owned()), "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_can_be_read() {
        for (millis, expected) in [
            (0, "0s"),
            (1, "1ms"),
            (1_500, "1500ms"),
            (20_000, "20s"),
            (90_000, "90s"),
            (180_000, "3m"),
            (21_600_000, "6h"),
            (604_800_000, "7d"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(written_duration(duration), expected);
            assert_eq!(parse_duration(expected, Duration::ZERO..=Duration::MAX), Ok(duration));
        }
    }
}
