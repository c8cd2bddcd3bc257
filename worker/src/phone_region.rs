use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, Region};

/// The country or region of a phone number: an ISO 3166 code, or `001` for numbers of no country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Country(Region);

impl Country {
    /// What numbers have that belong to no country.
    pub(crate) const NONE: Self = Self(Region::World);

    /// Reads the code of a region that has phone numbers, such as `GB`, in capitals.
    pub fn parse(code: &str) -> Option<Self> {
        let region: Region = code.parse().ok().filter(|region: &Region| region.to_string() == code)?;
        let has_numbers = region == Region::World || PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some();
        has_numbers.then_some(Self(region))
    }

    /// A regular expression for the codes that [`Country::parse`] reads.
    pub(crate) fn pattern() -> String {
        let mut codes: Vec<_> = PHONE_NUMBER_UTIL.get_supported_regions().map(|region| region.to_string()).collect();
        codes.push(Self::NONE.to_string());
        codes.sort_unstable();
        format!("^({})$", codes.join("|"))
    }

    /// The country of a possible number.
    pub(crate) fn of(number: &PhoneNumber) -> Result<Self, NoCountry> {
        if let Some(region) = number.get_region_code() {
            return Ok(Self(region));
        }
        // Ranges are opened faster than numbering plans are published. Where a calling code is one country's alone
        // that does no harm; where it is shared, guessing could pay a foreign country's prices.
        let regions = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(number.country_code);
        let mut regions = regions.into_iter().flatten();
        match (regions.next(), regions.next()) {
            (Some(region), None) => Ok(Self(region)),
            _ => Err(NoCountry::Unknown),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_has_the_codes_of_all_regions_with_numbers() {
        let letters = || 'A'..='Z';
        let pairs = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
        let known: Vec<_> =
            ["001".to_owned()].into_iter().chain(pairs).filter(|it| Country::parse(it).is_some()).collect();
        assert_eq!(Country::pattern(), format!("^({})$", known.join("|")));
    }

    #[test]
    fn only_regions_with_numbers_can_be_named() {
        assert!(Country::parse("GB").is_some() && Country::parse("001").is_some());
        for code in ["UK", "gb", "GBR", "", "ZZ"] {
            assert_eq!(Country::parse(code), None, "{code}");
        }
    }
}
