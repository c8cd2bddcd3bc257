//! The kill switches: what operators have switched off without a deployment.

use std::collections::BTreeMap;

use shared::Timestamp;

use crate::phone_region::Country;

/// Something that can be switched off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    /// Every message waits in the queue.
    Everything,
    /// Messages to it are dead-lettered as `country_not_allowed`.
    Country(Country),
    /// It is passed over like one whose circuit breaker is open. Named as in `[[provider]]`.
    Provider(String),
}

/// Since when, by whom and why something is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwitchedOff {
    /// None if it does not say so: a switch is off in whatever form it was written.
    pub since: Option<Timestamp>,
    pub by: Option<String>,
    pub because: Option<String>,
}

/// Everything that is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches(pub BTreeMap<Switch, SwitchedOff>);

impl Switch {
    /// Reads what `Display` writes: `everything`, `country GB`, `provider twilio-main`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            None if text == "everything" => Some(Self::Everything),
            Some(("country", code)) => Country::parse(code).map(Self::Country),
            Some(("provider", name)) => crate::config::provider_name(name).ok().map(Self::Provider),
            None | Some(_) => None,
        }
    }
}

impl std::fmt::Display for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.pad("everything"),
            Self::Country(country) => write!(f, "country {country}"),
            Self::Provider(name) => write!(f, "provider {name}"),
        }
    }
}

impl Switches {
    pub fn is_off(&self, switch: &Switch) -> bool {
        self.0.contains_key(switch)
    }
}
