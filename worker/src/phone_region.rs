use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};
use shared::PhoneNumber;

/// The country or region of a phone number: an ISO 3166 code, or `001` for numbers of no country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Country(Region);

impl Country {
    /// Reads the code of a region that has phone numbers, such as `GB`, in capitals.
    pub fn parse(code: &str) -> Option<Self> {
        let region: Region = code.parse().ok().filter(|region: &Region| region.to_string() == code)?;
        let has_numbers = region == Region::World || PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some();
        has_numbers.then_some(Self(region))
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0.as_region_str())
    }
}

/// Why a number has no country to route by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCountry {
    #[error("no numbering plan has a number of this calling code and length")]
    Impossible,
    #[error("its country is not known: several share the calling code and none is known to use this range")]
    Unknown,
}

/// The country of a number.
///
/// # Errors
/// When the number cannot exist, or its country cannot be told.
pub fn country_of(number: &PhoneNumber) -> Result<Country, NoCountry> {
    let number: rlibphonenumber::PhoneNumber = number.expose().parse().map_err(|_| NoCountry::Impossible)?;
    if !PHONE_NUMBER_UTIL.is_possible_number(&number) {
        return Err(NoCountry::Impossible);
    }
    if let Some(region) = number.get_region_code() {
        return Ok(Country(region));
    }
    // Ranges are opened faster than numbering plans are published. Where a calling code is one country's alone
    // that does no harm; where it is shared, guessing could pay a foreign country's prices.
    let mut regions = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(number.country_code).into_iter().flatten();
    match (regions.next(), regions.next()) {
        (Some(region), None) => Ok(Country(region)),
        _ => Err(NoCountry::Unknown),
    }
}

/// Loads the numbering plans: the first number would otherwise wait some 10 ms for them.
pub fn warm_up() {
    if let Ok(number) = PhoneNumber::parse("+12065550100") {
        let _ = country_of(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(number: &str) -> Result<String, NoCountry> {
        country_of(&PhoneNumber::parse(number).expect("E.164 shape")).map(|country| country.to_string())
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

    #[test]
    fn only_regions_with_numbers_can_be_named() {
        assert!(Country::parse("GB").is_some() && Country::parse("001").is_some());
        for code in ["UK", "gb", "GBR", "", "ZZ"] {
            assert_eq!(Country::parse(code), None, "{code}");
        }
    }
}
