//! Whether anything is sent to a number, and by whom: as far as the number, the configuration and what is switched off
//! decide it.

use shared::{DeadLetterReason, PhoneNumber, Timestamp};

use crate::phone_number_plan::{Line, PlannedNumber};
use crate::phone_region::{Country, NoCountry};
use crate::route::{Route, RouteRefusal};
use crate::state::{Switch, Switches};
use crate::test_numbers::TestNumbers;

/// A number that a message may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub country: Country,
    pub way: Way,
}

/// Who is asked to send a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Indexes of the configured providers, in order.
    Route(Vec<usize>),
    /// Nobody: only the provider that sends nothing.
    TestNumber,
}

/// Why nothing is sent to a number, which is the dead letter's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberRefusal {
    #[error(transparent)]
    NoCountry(#[from] NoCountry),
    #[error("{0} is switched off")]
    SwitchedOff(Country),
    #[error("nothing is sent to {0}")]
    NothingSentTo(Country),
    #[error("it is a fixed line, and allow_fixed_lines in [route] is false")]
    FixedLine,
    /// No configuration changes that.
    #[error("it is {0}")]
    TakesNoSms(&'static str),
}

impl Destination {
    /// Decides whether a number is sent to.
    ///
    /// # Errors
    /// What refuses it.
    pub fn find(
        number: &PhoneNumber,
        route: &Route,
        test_numbers: &TestNumbers,
        switches: &Switches,
        now: Timestamp,
    ) -> Result<Self, NumberRefusal> {
        if test_numbers.is_one(number, now) {
            // It may be of a range that is kept for fiction, which is no country's.
            return Ok(Self { country: Country::NONE, way: Way::TestNumber });
        }
        let planned = PlannedNumber::find(number)?;
        let country = planned.country;
        if switches.is_off(&Switch::Country(country)) {
            return Err(NumberRefusal::SwitchedOff(country));
        }
        let providers = route.for_country(country).map_err(|refusal| match refusal {
            RouteRefusal::CountryNotAllowed => NumberRefusal::NothingSentTo(country),
        })?;
        match planned.line {
            Line::TakesSms => {}
            Line::Fixed if route.allows_fixed_lines() => {}
            Line::Fixed => return Err(NumberRefusal::FixedLine),
            Line::Refused(what) => return Err(NumberRefusal::TakesNoSms(what)),
        }
        Ok(Self { country, way: Way::Route(providers.to_vec()) })
    }
}

impl NumberRefusal {
    /// The dead letter's reason.
    pub fn reason(self) -> DeadLetterReason {
        match self {
            Self::NoCountry(NoCountry::Unknown) | Self::SwitchedOff(_) | Self::NothingSentTo(_) => {
                DeadLetterReason::CountryNotAllowed
            }
            Self::NoCountry(NoCountry::Impossible) | Self::FixedLine | Self::TakesNoSms(_) => {
                DeadLetterReason::InvalidPhoneNumber
            }
        }
    }
}
