//! Everything that must not be said, and the search for it in everything that was said.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::behaviour::PROVIDERS_WORDS;
use crate::event::Event;
use crate::providers::{ACCOUNT_SID, AUTH_TOKEN};
use crate::world::{NUMBER_KEY, SECRET_ACCESS_KEY};

/// In every text that is rendered, one or the other.
const OF_TEXTS: [&str; 5] =
    ["Do not share it", "temporary password is", "Unusual sign-in", "was not you", "Your Example"];

/// What is searched for.
pub(crate) struct Secrets {
    /// Codes and numbers, which are digits, by their length, sorted. Compared as integers: there are millions of digits
    /// to look at, in a debug build too.
    digits: BTreeMap<usize, Vec<u64>>,
    phrases: Vec<(&'static str, String)>,
}

impl Secrets {
    pub(crate) fn of(events: &[Event]) -> Self {
        let codes = events.iter().map(|event| event.code.clone());
        let numbers = events.iter().map(|event| event.number.trim_start_matches('+').to_owned());
        let mut by_length: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
        for digits in codes.chain(numbers) {
            // None of them begins with a zero.
            by_length.entry(digits.len()).or_default().extend(digits.parse::<u64>().ok());
        }
        let digits = by_length.into_iter().map(|(length, all)| (length, all.into_iter().collect())).collect();
        let basic = STANDARD.encode(format!("{ACCOUNT_SID}:{AUTH_TOKEN}"));
        let mut phrases = vec![
            ("credential", AUTH_TOKEN.to_owned()),
            ("credential", basic),
            ("credential", SECRET_ACCESS_KEY.to_owned()),
            ("credential", NUMBER_KEY.to_owned()),
            ("answer of a provider", PROVIDERS_WORDS.to_owned()),
        ];
        phrases.extend(OF_TEXTS.map(|phrase| ("text of an SMS", phrase.to_owned())));
        Self { digits, phrases }
    }

    /// How often each kind of secret is in what was said.
    pub(crate) fn found_in(&self, said: &str) -> BTreeMap<&'static str, usize> {
        let mut found = BTreeMap::new();
        for (kind, phrase) in &self.phrases {
            *found.entry(*kind).or_default() += said.matches(phrase.as_str()).count();
        }
        let runs = said.split(|c: char| !c.is_ascii_digit());
        let digits =
            runs.map(|run| self.digits.iter().map(|(length, all)| found_in_run(run, *length, all)).sum::<usize>());
        found.insert("code or number", digits.sum());
        found.retain(|_, times| *times > 0);
        found
    }
}

fn found_in_run(run: &str, length: usize, all: &[u64]) -> usize {
    let windows = (0..(run.len() + 1).saturating_sub(length)).map(|at| run[at..at + length].parse());
    windows.filter(|window| window.as_ref().is_ok_and(|digits: &u64| all.binary_search(digits).is_ok())).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::events;

    #[test]
    fn whatever_is_secret_is_found_in_whatever_stands_around_it() {
        let events = events(7, 500, |_| false);
        let secrets = Secrets::of(&events);
        let found = |said: &str| secrets.found_in(said).into_keys().collect::<Vec<_>>();
        for event in &events {
            let (code, number) = (&event.code, &event.number);
            for said in
                [code.clone(), format!("9{code}9"), format!("Vo<7&{code}\n"), format!("{{\"to\":\"{number}\"}}")]
            {
                assert_eq!(found(&said), ["code or number"], "{said}");
            }
            assert!(found(&format!("+1…{}", &number[number.len() - 2..])).is_empty());
        }
        assert_eq!(found(&format!("{AUTH_TOKEN} and {PROVIDERS_WORDS}")), ["answer of a provider", "credential"]);
        assert_eq!(found("Your Example account is ready."), ["text of an SMS"]);
        assert!(found(r#"{"id":"00112233445566778899aabbccddeeff","at":"2026-11-26T13:44:14.123Z"}"#).is_empty());
    }
}
