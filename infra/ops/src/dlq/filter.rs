//! Which letters are meant.

use std::time::Duration;

use shared::settings::parse_duration;
use shared::{Timestamp, TriggerSource};
use worker::Country;

use super::letter::{Letter, Reason};
use crate::usage::trigger_source;

/// Letters that match each filter which is given; of one that is given several times, any of its values.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Filter {
    /// Why it is here, such as `providers_exhausted`; `receive_limit` is what SQS itself moved, `producer_failed` what
    /// Lambda did.
    #[arg(long, value_delimiter = ',', value_parser = reason)]
    reason: Vec<Reason>,
    /// Trigger source, such as `SignUp` or `CustomSMSSender_SignUp`.
    #[arg(long, value_delimiter = ',', value_parser = trigger_source)]
    source: Vec<TriggerSource>,
    /// Country of the number: ISO 3166, in capitals, such as `GB`.
    #[arg(long, value_delimiter = ',', value_parser = country)]
    country: Vec<Country>,
    /// Provider that was tried last.
    #[arg(long, value_delimiter = ',')]
    provider: Vec<String>,
    /// Id of the message, or its beginning.
    #[arg(long, value_delimiter = ',')]
    id: Vec<String>,
    /// Accepted longer ago than this, such as `10m`.
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Duration>,
    /// Accepted at most so long ago, such as `2h`.
    #[arg(long, value_name = "AGE", value_parser = age)]
    newer_than: Option<Duration>,
    /// At most so many of them.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

impl Filter {
    /// How many letters have to be looked at, where that is known: each look counts as a receive.
    pub(crate) fn at_most(&self) -> Option<u64> {
        let is_for_all = Self { limit: None, ..self.clone() }.is_empty();
        self.limit.filter(|_| is_for_all)
    }

    /// Whether this reason is asked for by name.
    pub(crate) fn names(&self, reason: Reason) -> bool {
        self.reason.contains(&reason)
    }

    /// Whether every letter is meant.
    pub(crate) fn is_empty(&self) -> bool {
        self.described().is_empty()
    }

    pub(crate) fn matches(&self, letter: &Letter, now: Timestamp) -> bool {
        let age = letter.accepted_at().and_then(|at| Duration::try_from(now.duration_since(at)).ok());
        let is_one_of = |ids: &[String]| ids.iter().any(|id| names(id, letter));
        any_or_one(&self.reason, Some(letter.reason))
            && any_or_one(&self.source, letter.trigger_source())
            && (self.country.is_empty() || any_or_one(&self.country, letter.country()))
            && any_or_one(&self.provider, letter.provider.clone())
            && (self.id.is_empty() || is_one_of(&self.id))
            && self.older_than.is_none_or(|limit| age.is_some_and(|age| age > limit))
            && self.newer_than.is_none_or(|limit| age.is_none_or(|age| age <= limit))
    }

    /// The filters that are given, as they are written on the command line.
    pub(crate) fn described(&self) -> Vec<String> {
        let mut given = Vec::new();
        let mut add = |name: &str, values: Vec<String>| {
            if !values.is_empty() {
                given.push(format!("--{name} {}", values.join(",")));
            }
        };
        add("reason", self.reason.iter().map(|reason| reason.as_str().to_owned()).collect());
        add("source", self.source.iter().map(ToString::to_string).collect());
        add("country", self.country.iter().map(ToString::to_string).collect());
        add("provider", self.provider.clone());
        add("id", self.id.clone());
        add("older-than", self.older_than.iter().map(|age| format!("{}s", age.as_secs())).collect());
        add("newer-than", self.newer_than.iter().map(|age| format!("{}s", age.as_secs())).collect());
        add("limit", self.limit.iter().map(ToString::to_string).collect());
        given
    }
}

/// Whether this text names the letter: the beginning of its id or the whole of SQS's.
pub(crate) fn names(text: &str, letter: &Letter) -> bool {
    (!text.is_empty() && letter.id().starts_with(text)) || letter.received.sqs_id == text
}

fn any_or_one<T: PartialEq>(allowed: &[T], value: Option<T>) -> bool {
    allowed.is_empty() || value.is_some_and(|value| allowed.contains(&value))
}

fn reason(text: &str) -> Result<Reason, String> {
    Reason::parse(text).ok_or_else(|| {
        let all: Vec<_> = Reason::all().map(Reason::as_str).collect();
        format!("there is no such reason; there are {}", all.join(", "))
    })
}

fn country(text: &str) -> Result<Country, &'static str> {
    Country::parse(text).ok_or("there is no such country; give its ISO 3166 code in capitals, such as GB")
}

/// Nothing in a queue is older than the 14 days that SQS keeps it.
fn age(text: &str) -> Result<Duration, shared::settings::DurationError> {
    parse_duration(text, Duration::from_secs(1)..=Duration::from_secs(366 * 24 * 60 * 60))
}
