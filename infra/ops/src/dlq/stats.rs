//! `sealpost dlq stats`: what lies in the queue, counted.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Value, json};
use shared::Timestamp;

use super::letter::Letter;
use super::wording::{dead_letters, grouped, spoken};

/// Upper ends of the ages that are counted together, in seconds.
const AGES: [(i64, &str); 6] = [
    (180, "up to 3 min"),
    (1_800, "up to 30 min"),
    (3_600, "up to 1 h"),
    (21_600, "up to 6 h"),
    (86_400, "up to 1 d"),
    (i64::MAX, "older"),
];
/// What has no value in a column.
const NONE: &str = "-";

/// Letters by each of their sides.
#[derive(Default)]
pub(crate) struct Stats {
    all: Tally,
    by: BTreeMap<Side, BTreeMap<String, Tally>>,
    oldest: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Reason,
    Source,
    Country,
    Provider,
    Age,
    Sender,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    letters: u64,
    alive: u64,
}

/// How much of the queue was looked at.
pub(crate) struct Coverage {
    /// SQS's estimate of all, with what others hold out of sight.
    pub(crate) about: u64,
    pub(crate) in_flight: u64,
    pub(crate) is_whole: bool,
}

impl Side {
    const ALL: [Self; 6] = [Self::Reason, Self::Source, Self::Country, Self::Provider, Self::Age, Self::Sender];

    fn as_str(self) -> &'static str {
        match self {
            Self::Reason => "reason",
            Self::Source => "source",
            Self::Country => "country",
            Self::Provider => "provider",
            Self::Age => "age",
            Self::Sender => "sender",
        }
    }

    fn of(self, letter: &Letter, now: Timestamp) -> Option<String> {
        match self {
            Self::Reason => Some(letter.reason.as_str().to_owned()),
            Self::Source => letter.trigger_source().map(|source| source.to_string()),
            Self::Country => letter.country().map(|country| country.to_string()),
            Self::Provider => letter.provider.clone(),
            Self::Age => {
                let age = now.duration_since(letter.accepted_at()?).as_secs();
                AGES.iter().find(|(end, _)| age <= *end).map(|(_, name)| (*name).to_owned())
            }
            Self::Sender => letter.received.sender.clone(),
        }
    }
}

impl Stats {
    pub(crate) fn add(&mut self, letter: &Letter, now: Timestamp) {
        let is_alive = letter.is_alive(now) == Some(true);
        self.all.add(is_alive);
        for side in Side::ALL {
            let value = side.of(letter, now).unwrap_or_else(|| NONE.to_owned());
            self.by.entry(side).or_default().entry(value).or_default().add(is_alive);
        }
        self.oldest = [self.oldest, letter.accepted_at()].into_iter().flatten().min();
    }

    pub(crate) fn count(&self) -> u64 {
        self.all.letters
    }

    pub(crate) fn show(
        &self,
        queue: &str,
        now: Timestamp,
        coverage: &Coverage,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let Tally { letters, alive } = self.all;
        writeln!(out, "{queue}: {}, {} within their lifetime", dead_letters(letters), grouped(alive))?;
        if let Some(oldest) = self.oldest {
            writeln!(out, "the oldest was accepted {} ago", spoken(now.duration_since(oldest).as_secs()))?;
        }
        if !coverage.is_whole {
            writeln!(out, "a sample: the queue holds about {}", grouped(coverage.about))?;
        }
        if coverage.in_flight > 0 {
            let hidden = grouped(coverage.in_flight);
            writeln!(out, "about {hidden} more are held out of sight, by another command or by a run that was killed")?;
        }
        let sides: Vec<_> = self.by.iter().filter(|(_, values)| values.keys().any(|value| value != NONE)).collect();
        let names = sides.iter().flat_map(|(_, values)| values.keys());
        let width = names.map(|name| name.chars().count()).max().unwrap_or_default();
        for (side, values) in sides {
            writeln!(out, "\n{:<width$}  {:>9}  {:>15}", side.as_str(), "letters", "within lifetime")?;
            for (value, tally) in ordered(*side, values) {
                writeln!(out, "{value:<width$}  {:>9}  {:>15}", grouped(tally.letters), grouped(tally.alive))?;
            }
        }
        Ok(())
    }

    pub(crate) fn to_json(&self, queue: &str, coverage: &Coverage) -> Value {
        let mut json = json!({
            "queue": queue,
            "letters": self.all.letters,
            "within_lifetime": self.all.alive,
            "oldest_accepted_at": self.oldest.map(shared::rfc3339_millis),
            "complete": coverage.is_whole,
            "about": coverage.about,
            "in_flight": coverage.in_flight,
        });
        for side in Side::ALL {
            let values = self.by.get(&side).into_iter().flatten();
            let values = values.map(|(value, tally)| {
                (value.clone(), json!({ "letters": tally.letters, "within_lifetime": tally.alive }))
            });
            json[side.as_str()] = Value::Object(values.collect());
        }
        json
    }
}

/// The most letters first; ages from young to old.
fn ordered(side: Side, values: &BTreeMap<String, Tally>) -> Vec<(&str, Tally)> {
    let mut ordered: Vec<_> = values.iter().map(|(value, tally)| (value.as_str(), *tally)).collect();
    ordered.sort_by_key(|(value, tally)| match side {
        Side::Age => AGES.iter().position(|(_, name)| name == value).map_or(u64::MAX, |at| at as u64),
        Side::Reason | Side::Source | Side::Country | Side::Provider | Side::Sender => u64::MAX - tally.letters,
    });
    ordered
}

impl Tally {
    fn add(&mut self, is_alive: bool) {
        self.letters += 1;
        self.alive += u64::from(is_alive);
    }
}
