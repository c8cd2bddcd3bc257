//! What the numbering plans say of a number: its country, and whether an SMS can reach it at a sane price.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber as Parsed, PhoneNumberType};
use shared::PhoneNumber;

use crate::phone_region::{Country, NoCountry};

/// A number as the numbering plan of its country knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedNumber {
    pub country: Country,
    pub line: Line,
    kind: PhoneNumberType,
}

/// What stands at a number's other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It takes SMS as far as anybody knows.
    TakesSms,
    /// Where the network offers it, SMS are shown or read out; elsewhere they are lost.
    Fixed,
    /// Nothing is ever sent there; the text completes "it is …".
    Refused(&'static str),
}

/// The North American plan (calling code 1).
const NORTH_AMERICA: i32 = 1;

impl PlannedNumber {
    /// Looks a number up.
    ///
    /// # Errors
    /// When the number cannot exist, or its country cannot be told.
    pub fn find(number: &PhoneNumber) -> Result<Self, NoCountry> {
        let as_it_stands = split(number).ok_or(NoCountry::Impossible)?;
        if PHONE_NUMBER_UTIL.is_possible_number(&as_it_stands) {
            let kind = as_it_stands.get_type();
            if kind != PhoneNumberType::Unknown {
                let country = Country::of(&as_it_stands)?;
                return Ok(Self { country, line: line(kind, as_it_stands.country_code), kind });
            }
        }
        // Perhaps with a prefix too many, such as the zero of +44 07400 123456.
        let number: Parsed = number.expose().parse().map_err(|_| NoCountry::Impossible)?;
        if !PHONE_NUMBER_UTIL.is_possible_number(&number) {
            return Err(NoCountry::Impossible);
        }
        let country = Country::of(&number)?;
        let kind = number.get_type();
        Ok(Self { country, line: line(kind, number.country_code), kind })
    }

    /// What the plan calls the number.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            PhoneNumberType::Mobile => "mobile",
            PhoneNumberType::FixedLineOrMobile => "mobile or fixed line",
            PhoneNumberType::VoIP => "voice over IP",
            PhoneNumberType::Unknown => "of a range that no plan knows yet",
            PhoneNumberType::FixedLine => "fixed line",
            PhoneNumberType::TollFree => "toll-free",
            PhoneNumberType::PremiumRate => "premium-rate",
            PhoneNumberType::SharedCost => "shared-cost",
            PhoneNumberType::PersonalNumber => "personal number",
            PhoneNumberType::Pager => "pager",
            PhoneNumberType::UAN => "company's access number",
            PhoneNumberType::VoiceMail => "voicemail access number",
        }
    }
}

/// The number's parts. The library's own parser is for whatever people write, and takes three times as long as all the
/// rest; of numbers that a plan knows it makes the same.
fn split(number: &PhoneNumber) -> Option<Parsed> {
    let code = number.calling_code();
    let national = &number.expose()[1 + code.len()..];
    let zeros = national.bytes().take_while(|digit| *digit == b'0').count().min(national.len() - 1);
    Some(Parsed {
        country_code: code.parse().ok()?,
        national_number: national.parse().ok()?,
        italian_leading_zero: (zeros > 0).then_some(true),
        number_of_leading_zeros: i32::try_from(zeros).ok().filter(|zeros| *zeros > 1),
        ..Parsed::default()
    })
}

/// Every type that the plans know (README, "Which numbers get no SMS").
fn line(kind: PhoneNumberType, calling_code: i32) -> Line {
    match kind {
        PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile => Line::TakesSms,
        // Many of them take SMS, and the plans do not say which.
        PhoneNumberType::VoIP => Line::TakesSms,
        // Ranges are opened faster than plans are published.
        PhoneNumberType::Unknown => Line::TakesSms,
        PhoneNumberType::FixedLine => Line::Fixed,
        // There, and only there, an owner can have SMS enabled on such a number.
        PhoneNumberType::TollFree if calling_code == NORTH_AMERICA => Line::TakesSms,
        PhoneNumberType::TollFree => Line::Refused("a toll-free number: it takes calls only"),
        PhoneNumberType::PremiumRate => Line::Refused("a premium-rate number: its owner earns from what is sent there"),
        PhoneNumberType::SharedCost => Line::Refused("a shared-cost number: it takes calls only, at the caller's cost"),
        PhoneNumberType::PersonalNumber => {
            Line::Refused("a personal number: it forwards calls only, at the caller's cost")
        }
        PhoneNumberType::Pager => Line::Refused("a pager"),
        PhoneNumberType::UAN => Line::Refused("a company's access number: it takes calls only"),
        PhoneNumberType::VoiceMail => Line::Refused("a voicemail access number: it takes calls only"),
    }
}

/// Loads the numbering plans: the first number would otherwise wait some milliseconds for them.
pub fn warm_up() {
    if let Ok(number) = PhoneNumber::parse("+12065550100") {
        let _ = PlannedNumber::find(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn country(number: &str) -> Result<String, NoCountry> {
        PlannedNumber::find(&PhoneNumber::parse(number).expect("E.164 shape"))
            .map(|planned| planned.country.to_string())
    }

    #[test]
    fn a_number_has_the_country_of_its_numbering_plan() {
        for (number, expected) in [
            ("+12065550100", "US"),
            ("+14165550134", "CA"),
            ("+447400123456", "GB"),
            ("+33639980001", "FR"),
            ("+61491570156", "AU"),
            ("+46701740605", "SE"),
            ("+919800000000", "IN"),
        ] {
            assert_eq!(country(number).as_deref(), Ok(expected), "{number}");
        }
    }

    #[test]
    fn a_range_that_no_plan_knows_has_a_country_only_where_the_calling_code_is_not_shared() {
        assert_eq!(country("+33999999999").as_deref(), Ok("FR"));
        // The range that the British regulator keeps for fiction.
        assert_eq!(country("+447700900123"), Err(NoCountry::Unknown));
        assert_eq!(country("+10000000000"), Err(NoCountry::Unknown));
    }

    #[test]
    fn a_number_written_with_its_national_prefix_is_known_too() {
        assert_eq!(country("+4407400123456").as_deref(), Ok("GB"));
        // This zero is part of the number.
        assert_eq!(country("+390612345678").as_deref(), Ok("IT"));
    }

    #[test]
    fn a_number_of_a_wrong_length_or_calling_code_is_impossible() {
        for number in ["+9990000000", "+1206555010", "+441234567890123"] {
            assert_eq!(country(number), Err(NoCountry::Impossible), "{number}");
        }
    }

    fn line_of(number: &str) -> Line {
        PlannedNumber::find(&PhoneNumber::parse(number).expect("E.164 shape")).expect("a country").line
    }

    #[test]
    fn a_line_is_what_the_numbering_plan_says() {
        for (number, expected) in [
            ("+12065550100", Line::TakesSms),
            ("+447400123456", Line::TakesSms),
            // A range that no plan knows yet.
            ("+33639980001", Line::TakesSms),
            // Voice over IP.
            ("+445612345678", Line::TakesSms),
            ("+18005550199", Line::TakesSms),
            ("+442079460958", Line::Fixed),
            ("+493012345678", Line::Fixed),
        ] {
            assert_eq!(line_of(number), expected, "{number}");
        }
        for (number, expected) in [
            ("+448001234567", "toll-free"),
            ("+80012345678", "toll-free"),
            ("+19002345678", "premium-rate"),
            ("+449012345678", "premium-rate"),
            ("+979123456789", "premium-rate"),
            ("+491801234567", "shared-cost"),
            ("+447012345678", "personal"),
            ("+447640123456", "pager"),
            ("+445512345678", "company"),
        ] {
            assert!(matches!(line_of(number), Line::Refused(what) if what.contains(expected)), "{number}");
        }
    }

    #[test]
    fn the_examples_of_all_plans_are_read_as_the_librarys_own_parser_reads_them() {
        let kinds = [
            PhoneNumberType::Mobile,
            PhoneNumberType::FixedLine,
            PhoneNumberType::TollFree,
            PhoneNumberType::PremiumRate,
            PhoneNumberType::SharedCost,
            PhoneNumberType::VoIP,
            PhoneNumberType::UAN,
        ];
        let mut examples = 0;
        for plan in PHONE_NUMBER_UTIL.get_supported_regions() {
            for kind in kinds {
                let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(plan, kind) else {
                    continue;
                };
                let written = example.to_string();
                // Some plans have numbers of less than seven digits.
                let Ok(number) = PhoneNumber::parse(&written) else { continue };
                assert_eq!(split(&number), written.parse().ok(), "{written}");
                examples += 1;
            }
        }
        assert!(examples > 1_000, "{examples}");
    }

    proptest! {
        #[test]
        fn no_number_of_the_right_shape_makes_the_look_up_panic(digits in "[1-9][0-9]{6,14}") {
            let _ = PlannedNumber::find(&PhoneNumber::parse(&format!("+{digits}")).expect("E.164 shape"));
        }
    }
}
