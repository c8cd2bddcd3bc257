//! Why a number is sent to as it is, or refused.

use std::path::Path;

use shared::settings::Document;
use shared::{DeadLetterReason, Environment, PhoneNumber, Timestamp};
use worker::config::{Checked, File};
use worker::{Country, Destination, NumberRefusal, PlannedNumber, Switches, Way};

/// What decides about a number.
pub(super) struct Configuration<'c> {
    /// None: the built-in defaults.
    pub(super) path: Option<&'c Path>,
    pub(super) document: &'c Document<'c>,
    pub(super) file: &'c File,
}

/// What becomes of a number, and why.
pub(super) struct Explanation {
    /// Masked, as everywhere.
    pub(super) number: String,
    pub(super) outcome: Result<Sent, Refused>,
    /// Where a numbering plan knows them. A test number need not have any.
    pub(super) country: Option<String>,
    pub(super) kind: Option<&'static str>,
    /// That the number is or was a test number.
    pub(super) test_number: Option<String>,
    /// None where it is not looked at.
    pub(super) route: Option<String>,
    /// The limits that it counts in, by name: the narrowest first.
    pub(super) limits: Vec<(&'static str, String)>,
}

/// To whom the message would go.
pub(super) enum Sent {
    /// In this order. None: whatever providers the configuration will have.
    Through(Option<Vec<String>>),
    /// To nobody, since it is a test number.
    ToNobody,
}

/// Why nothing is sent, and what would have to change.
pub(super) struct Refused {
    pub(super) reason: DeadLetterReason,
    pub(super) detail: String,
    pub(super) remedy: String,
}

/// A configuration that says nothing, but for the provider without which there is none.
const BUILT_IN_DEFAULTS: &str = "[[provider]]\nname = \"any\"\nkind = \"twilio\"\naccount_sid = \"${env:SID}\"\n\
    auth_token = \"${env:TOKEN}\"\nfrom = \"${env:FROM}\"\n";

/// What a worker has without a word in its configuration.
pub(super) fn built_in_defaults() -> anyhow::Result<(String, File)> {
    let file = Checked::read(BUILT_IN_DEFAULTS, &Environment::from_lookup(|_| None)).file?;
    Ok((BUILT_IN_DEFAULTS.to_owned(), file))
}

/// Finds out what the worker would do. What is switched off in the state table is not looked at.
pub(super) fn explain(number: &PhoneNumber, configuration: &Configuration<'_>, now: Timestamp) -> Explanation {
    let file = configuration.file;
    let found = Destination::find(number, &file.route, &file.test_numbers, &Switches::default(), now);
    let planned = PlannedNumber::find(number).ok();
    let country = planned.map(|planned| planned.country);
    let is_routed = !matches!(found, Ok(Destination { way: Way::TestNumber, .. }));
    let limits = match &found {
        Ok(Destination { country, way: Way::Route(_) }) => {
            file.limits.rates(*country).map(|(scope, rate)| (scope.as_str(), rate.to_string())).collect()
        }
        Ok(Destination { way: Way::TestNumber, .. }) | Err(_) => Vec::new(),
    };
    Explanation {
        number: number.to_string(),
        outcome: found.map(|destination| configuration.sent(&destination.way)).map_err(|refusal| Refused {
            reason: refusal.reason(),
            detail: refusal.to_string(),
            remedy: configuration.remedy(refusal),
        }),
        country: country.map(|country| country.to_string()),
        kind: planned.map(|planned| planned.kind()),
        test_number: configuration.test_number(number, now),
        route: country.filter(|_| is_routed).map(|country| configuration.route(country)),
        limits,
    }
}

impl Configuration<'_> {
    fn sent(&self, way: &Way) -> Sent {
        match way {
            Way::TestNumber => Sent::ToNobody,
            Way::Route(_) if self.path.is_none() => Sent::Through(None),
            Way::Route(providers) => {
                let name = |index: &usize| self.file.providers[*index].name().to_owned();
                Sent::Through(Some(providers.iter().map(name).collect()))
            }
        }
    }

    /// Where it is decided who is asked for a country.
    fn route(&self, country: Country) -> String {
        if self.file.route.names(country) {
            return format!("{country} in [route.country]{}", self.line(&["route", "country", &country.to_string()]));
        }
        let default = self.line(&["route", "default"]);
        if default.is_empty() {
            "no line of the configuration, so all providers in its order".to_owned()
        } else {
            format!("default in [route]{default}, since [route.country] has no {country}")
        }
    }

    fn test_number(&self, number: &PhoneNumber, now: Timestamp) -> Option<String> {
        let (index, until) = self.file.test_numbers.find(number)?;
        let place = self.line(&["test_number", &index.to_string(), "number"]);
        let state = if self.file.test_numbers.is_one(number, now) { "until" } else { "no more: it was one until" };
        Some(format!("{state} {until}, by [[test_number]]{place}"))
    }

    fn remedy(&self, refusal: NumberRefusal) -> String {
        use worker::NoCountry::{Impossible, Unknown};
        match refusal {
            NumberRefusal::NoCountry(Impossible) => "look for a slip in the number; no configuration helps".to_owned(),
            NumberRefusal::NoCountry(Unknown) => {
                "no route is taken to a country that nobody knows; to test with such a number, add a [[test_number]]"
                    .to_owned()
            }
            NumberRefusal::SwitchedOff(country) => format!("sealpost switch on country {country}"),
            NumberRefusal::NothingSentTo(country) if self.file.route.names(country) => {
                let place = self.line(&["route", "country", &country.to_string()]);
                format!("name providers for {country} in [route.country]{place}, or remove its line")
            }
            NumberRefusal::NothingSentTo(country) => {
                let place = self.line(&["route", "default"]);
                format!("add {country} = [\"…\"] to [route.country], or name providers for default in [route]{place}")
            }
            NumberRefusal::FixedLine => {
                let place = self.line(&["route", "allow_fixed_lines"]);
                format!("remove allow_fixed_lines from [route]{place}; some networks lose SMS to fixed lines")
            }
            NumberRefusal::TakesNoSms(_) => "no configuration changes that".to_owned(),
        }
    }

    /// ` (FILE:LINE)`, or nothing where the file has no such key.
    fn line(&self, path: &[&str]) -> String {
        match (self.path, self.document.line_of(path)) {
            (Some(file), Some(line)) => format!(" ({}:{line})", file.display()),
            (None, _) | (_, None) => String::new(),
        }
    }
}
