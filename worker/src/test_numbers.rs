//! `[[test_number]]`: numbers to which nothing is really sent, for end-to-end tests of an application.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared::settings::{Faults, Section};
use shared::{PhoneNumber, Timestamp};

/// All `[[test_number]]` blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestNumbers(Vec<TestNumber>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct TestNumber {
    number: PhoneNumber,
    /// The last day, in UTC. After it the number is like any other: what was opened for a test must not stay open.
    until: Date,
}

impl TestNumbers {
    pub(crate) fn is_one(&self, number: &PhoneNumber, now: Timestamp) -> bool {
        self.0.iter().any(|test| test.number == *number && test.holds_at(now))
    }

    /// What is to be said at start about numbers that are test numbers no more.
    pub fn notices(&self, now: Timestamp) -> Vec<String> {
        let over = self.0.iter().filter(|test| !test.holds_at(now));
        let notice = |TestNumber { number, until }: &TestNumber| {
            format!(
                "{number} was a test number until {until}: messages to it are sent like all others; \
                 move its until in [[test_number]], or delete the block"
            )
        };
        over.map(notice).collect()
    }

    pub(crate) fn read(blocks: Vec<Section<'_>>, faults: &mut Faults) -> Self {
        let mut tests: Vec<TestNumber> = Vec::new();
        for mut block in blocks {
            for (key, remedy) in [
                ("number", "as E.164, such as \"+447700900123\""),
                ("until", "the last day on which nothing is sent to it, such as \"2026-12-31\""),
            ] {
                if !block.has(key) {
                    block.fault(format!("a [[test_number]] needs {key}: {remedy}"), faults);
                }
            }
            let number = block.parsed("number", PhoneNumber::parse, faults);
            let until = block.parsed("until", date, faults);
            match (number, until) {
                (Some(number), _) if tests.iter().any(|test| test.number == number) => {
                    block.fault(format!("{number} is a [[test_number]] twice"), faults);
                }
                (Some(number), Some(until)) => tests.push(TestNumber { number, until }),
                (Some(_) | None, None) | (None, Some(_)) => {}
            }
            block.finish(faults);
        }
        Self(tests)
    }
}

impl TestNumber {
    fn holds_at(&self, now: Timestamp) -> bool {
        TimeZone::UTC.to_datetime(now).date() <= self.until
    }
}

fn date(text: &str) -> Result<Date, &'static str> {
    text.parse().map_err(|_| "must be a date such as \"2026-12-31\"")
}
