//! What the numbering plans say of a number: its country, and whether an SMS can reach it at a sane price.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};
use shared::PhoneNumber;

use crate::phone_region::{Country, NoCountry};

/// A number as the numbering plan of its country knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedNumber {
    pub country: Country,
    pub line: Line,
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
        let number: rlibphonenumber::PhoneNumber = number.expose().parse().map_err(|_| NoCountry::Impossible)?;
        if !PHONE_NUMBER_UTIL.is_possible_number(&number) {
            return Err(NoCountry::Impossible);
        }
        let country = Country::of(&number)?;
        Ok(Self { country, line: line(number.get_type(), number.country_code) })
    }
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

/// Loads the numbering plans: the first number would otherwise wait some 10 ms for them.
pub fn warm_up() {
    if let Ok(number) = PhoneNumber::parse("+12065550100") {
        let _ = PlannedNumber::find(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_number_of_a_wrong_length_or_calling_code_is_impossible() {
        for number in ["+9990000000", "+1206555010", "+441234567890123"] {
            assert_eq!(country(number), Err(NoCountry::Impossible), "{number}");
        }
    }
}
