//! What a template can say about the message.

use std::time::Duration;

use secrecy::ExposeSecret;
use shared::Timestamp;
use shared::settings::did_you_mean;

use crate::provider::Sms;

/// A fact about the message that stands in a template as `{{name}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    /// The number as E.164 with its plus sign.
    To,
    /// The number without the plus sign.
    ToDigits,
    Text,
    /// What is left of the code's life, rounded down, but at least 1: gateways take 0 for "no limit".
    ValidForSeconds,
    ValidForMilliseconds,
    ValidForMinutes,
    /// RFC 3339 in UTC with whole seconds.
    ExpiresAt,
    /// The message's idempotency key, 32 or 64 hexadecimal digits, the same in every attempt.
    MessageId,
}

use Variable::{ExpiresAt, MessageId, Text, To, ToDigits, ValidForMilliseconds, ValidForMinutes, ValidForSeconds};

const NAMES: [(&str, Variable); 8] = [
    ("to", To),
    ("to_digits", ToDigits),
    ("text", Text),
    ("valid_for_seconds", ValidForSeconds),
    ("valid_for_milliseconds", ValidForMilliseconds),
    ("valid_for_minutes", ValidForMinutes),
    ("expires_at", ExpiresAt),
    ("message_id", MessageId),
];

impl Variable {
    /// Reads a variable's name.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, variable)| *variable).ok_or_else(|| {
            let shown: String = name.chars().take(32).collect();
            format!("names the variable {shown}, which does not exist; {}", did_you_mean(name, &NAMES.map(|it| it.0)))
        })
    }

    /// Whether all its values are digits, so that it can stand in JSON as a number.
    pub(super) fn is_number(self) -> bool {
        match self {
            ToDigits | ValidForSeconds | ValidForMilliseconds | ValidForMinutes => true,
            To | Text | ExpiresAt | MessageId => false,
        }
    }
}

/// The variables' values for one message.
pub(super) struct Values<'m> {
    to: &'m str,
    text: &'m str,
    message_id: &'m str,
    seconds: String,
    milliseconds: String,
    minutes: String,
    expires_at: String,
}

impl<'m> Values<'m> {
    /// `max_validity` is the longest validity that the gateway takes.
    pub(super) fn of(sms: &'m Sms<'_>, max_validity: Option<Duration>, now: Timestamp) -> Self {
        let valid_for = max_validity.map_or(sms.valid_for, |longest| sms.valid_for.min(longest));
        let expires_at = now.checked_add(valid_for).unwrap_or(Timestamp::MAX);
        Self {
            to: sms.to.expose(),
            text: sms.text.expose_secret(),
            message_id: sms.id.as_str(),
            seconds: valid_for.as_secs().max(1).to_string(),
            milliseconds: valid_for.as_millis().max(1).to_string(),
            minutes: (valid_for.as_secs() / 60).max(1).to_string(),
            expires_at: format!("{expires_at:.0}"),
        }
    }

    pub(super) fn get(&self, variable: Variable) -> &str {
        match variable {
            To => self.to,
            ToDigits => self.to.trim_start_matches('+'),
            Text => self.text,
            ValidForSeconds => &self.seconds,
            ValidForMilliseconds => &self.milliseconds,
            ValidForMinutes => &self.minutes,
            ExpiresAt => &self.expires_at,
            MessageId => self.message_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::gateway::sample::sent;

    fn values(valid_for: Duration, max_validity: Option<Duration>) -> [String; 8] {
        sent("Code: 1", valid_for, |sms| {
            let now = "2026-11-23T12:00:00.900Z".parse().expect("a timestamp");
            let values = Values::of(sms, max_validity, now);
            NAMES.map(|(_, variable)| {
                let value = values.get(variable);
                assert!(!variable.is_number() || value.parse::<u128>().is_ok(), "{variable:?}: {value}");
                value.to_owned()
            })
        })
    }

    #[test]
    fn every_variable_has_its_value() {
        assert_eq!(
            values(Duration::from_millis(179_999), None),
            [
                "+12065550100",
                "12065550100",
                "Code: 1",
                "179",
                "179999",
                "2",
                "2026-11-23T12:03:00Z",
                "07070707070707070707070707070707",
            ]
        );
    }

    #[test]
    fn validity_is_never_nothing_and_never_longer_than_the_gateway_takes() {
        let day = Duration::from_hours(24);
        let [.., seconds, milliseconds, minutes, expires_at, _] = values(Duration::from_hours(168), Some(day));
        assert_eq!([seconds, milliseconds, minutes, expires_at], ["86400", "86400000", "1440", "2026-11-24T12:00:00Z"]);
        let [.., seconds, milliseconds, minutes, _, _] = values(Duration::from_micros(300), Some(day));
        assert_eq!([seconds, milliseconds, minutes], ["1", "1", "1"]);
        let [.., expires_at, _] = values(Duration::MAX, None);
        assert_eq!(expires_at, "9999-12-30T22:00:00Z");
    }

    #[test]
    fn an_unknown_name_is_told_the_nearest_known_one() {
        assert_eq!(Variable::parse("to_digits"), Ok(ToDigits));
        for (name, remedy) in [
            ("to_digit", "names the variable to_digit, which does not exist; did you mean to_digits?"),
            (
                "valid_seconds",
                "names the variable valid_seconds, which does not exist; did you mean valid_for_seconds?",
            ),
            ("", "names the variable , which does not exist; known here: to, to_digits, text, valid_for_seconds"),
            ("TEXT", "names the variable TEXT, which does not exist; known here: to, to_digits, text"),
        ] {
            let error = Variable::parse(name).expect_err(name);
            assert!(error.starts_with(remedy), "{error}");
        }
    }
}
