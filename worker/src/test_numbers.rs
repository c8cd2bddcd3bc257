//! `[[test_number]]`: numbers to which nothing is really sent, for end-to-end tests of an application.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared::settings::schema::text_like;
use shared::settings::{Faults, Key, Schema, Section, key};
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
    /// Whether nothing is sent to the number now.
    pub fn is_one(&self, number: &PhoneNumber, now: Timestamp) -> bool {
        self.0.iter().any(|test| test.number == *number && test.holds_at(now))
    }

    /// Which block names the number, counted from 0, and the last day of it.
    pub fn find(&self, number: &PhoneNumber) -> Option<(usize, Date)> {
        let index = self.0.iter().position(|test| test.number == *number)?;
        Some((index, self.0[index].until))
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
        const NUMBER: Key = key("number", "The number as E.164, such as \"+447700900123\".");
        const UNTIL: Key =
            key("until", "The last day, in UTC, on which nothing is sent to it, such as \"2026-12-31\".");
        let mut tests: Vec<TestNumber> = Vec::new();
        for mut block in blocks {
            for (key, remedy) in [
                (NUMBER, "as E.164, such as \"+447700900123\""),
                (UNTIL, "the last day on which nothing is sent to it, such as \"2026-12-31\""),
            ] {
                block.require(key.name(), format!("a [[test_number]] needs {}: {remedy}", key.name()), faults);
            }
            let number = block.parsed(NUMBER, || text_like(r"^\+[1-9][0-9]{6,14}$", ""), PhoneNumber::parse, faults);
            let until = block.parsed(UNTIL, date_schema, date, faults);
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

fn date_schema() -> Schema {
    // What jiff reads begins with a year, perhaps with a sign, and may do without hyphens.
    text_like("^[-+]?[0-9]{4}", "")
}

fn date(text: &str) -> Result<Date, &'static str> {
    text.parse().map_err(|_| "must be a date such as \"2026-12-31\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::settings::Document;

    fn read(text: &str) -> Result<TestNumbers, String> {
        let (document, mut faults) = Document::parse(text);
        let mut root = document.root();
        let numbers = TestNumbers::read(root.sections(key("test_number", ""), &mut faults), &mut faults);
        root.finish(&mut faults);
        faults.or(numbers).map_err(|faults| faults.to_string())
    }

    #[test]
    fn a_start_says_which_test_numbers_are_none_any_more() {
        let numbers = read(
            "[[test_number]]\nnumber = \"+447700900123\"\nuntil = \"2026-11-23\"\n\
             [[test_number]]\nnumber = \"+12065550100\"\nuntil = \"2026-11-24\"\n",
        )
        .expect("sound");
        let at = |now: &str| numbers.notices(now.parse().expect("RFC 3339"));
        assert_eq!(at("2026-11-23T23:59:59.999Z"), [""; 0]);
        let notice = "+44…23 was a test number until 2026-11-23: messages to it are sent like all others; \
            move its until in [[test_number]], or delete the block";
        assert_eq!(at("2026-11-24T00:00:00Z"), [notice]);
        assert_eq!(at("2027-01-01T00:00:00Z").len(), 2);
        assert!(!format!("{numbers:?}").contains("7700900123"));
    }

    #[test]
    fn each_fault_says_what_to_write_instead_and_no_number_whole() {
        let sound = "[[test_number]]\nnumber = \"+447700900456\"\nuntil = \"2026-12-31\"\n";
        for (text, expected) in [
            (
                "[[test_number]]\nnumber = \"+447700900456\"\n",
                "line 1, column 1: a [[test_number]] needs until: the last day on which nothing is sent to it",
            ),
            ("[[test_number]]\nuntil = \"2026-12-31\"\n", "line 1, column 1: a [[test_number]] needs number: as E.164"),
            (
                "[[test_number]]\nnumber = \"07700 900456\"\nuntil = \"2026-12-31\"\n",
                "line 2, column 10: number in [[test_number]] does not begin with '+'",
            ),
            (
                "[[test_number]]\nnumber = \"+447700900456\"\nuntil = \"next year\"\n",
                "line 3, column 9: until in [[test_number]] must be a date such as \"2026-12-31\"",
            ),
            (&format!("{sound}{sound}"), "line 4, column 1: +44…56 is a [[test_number]] twice"),
            (
                &format!("{sound}to = 1\n"),
                "line 4, column 1: unknown key to in [[test_number]]; known here: number, until",
            ),
        ] {
            let faults = read(text).expect_err(text);
            assert!(faults.starts_with(expected) && !faults.contains("900456"), "{faults}");
        }
    }
}
