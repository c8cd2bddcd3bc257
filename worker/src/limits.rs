//! `[limits]`: how many messages a number, a country and everybody may get.

mod number_key;
mod rate;

use std::collections::BTreeMap;
use std::time::Duration;

use shared::settings::schema::table_like;
use shared::settings::{Faults, Section, Shape, Value, key};
use shared::{PhoneNumber, Timestamp};

use crate::phone_region::Country;
use crate::provider::{Resolve, secret_that};
use crate::state::{LimitScope, Window};

use number_key::NumberKey;
pub use rate::Rate;
use rate::{rate_or_off, rate_schema};

/// `[limits]`. Where there is no rate, nothing is counted.
#[derive(Clone, Debug)]
pub struct Limits {
    per_number: Option<Rate>,
    number_key: NumberKey,
    /// Countries that differ from the next line.
    per_country: BTreeMap<Country, Option<Rate>>,
    per_other_country: Option<Rate>,
    in_all: Option<Rate>,
}

/// Far more than anybody asks for who gets the codes: a family of four on one phone that signs up, lets each code be
/// sent again and signs in on two devices makes 16 messages. It is also what Infobip lets through by itself (20
/// different texts to a number in 60 minutes), and it bounds what one number can cost.
const PER_NUMBER: Rate = Rate::new(20, Duration::from_hours(1));

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_number: Some(PER_NUMBER),
            number_key: NumberKey::of_this_process(),
            per_country: BTreeMap::new(),
            per_other_country: None,
            in_all: None,
        }
    }
}

impl Limits {
    /// The windows that a message counts in, the narrowest limit first.
    pub fn windows(&self, to: &PhoneNumber, country: Country, now: Timestamp) -> Vec<Window> {
        let whose = |scope| match scope {
            LimitScope::PerNumber => self.number_key.hash(to),
            LimitScope::PerCountry => country.to_string(),
            LimitScope::InAll => "everybody".to_owned(),
        };
        self.rates(country).map(|(scope, rate)| rate.window(scope, &whose(scope), now)).collect()
    }

    /// The limits for a country, the narrowest first.
    pub fn rates(&self, country: Country) -> impl Iterator<Item = (LimitScope, Rate)> {
        let of_country = *self.per_country.get(&country).unwrap_or(&self.per_other_country);
        let rates = [
            (LimitScope::PerNumber, self.per_number),
            (LimitScope::PerCountry, of_country),
            (LimitScope::InAll, self.in_all),
        ];
        rates.into_iter().filter_map(|(scope, rate)| Some((scope, rate?)))
    }

    /// Whether numbers are counted under a key that no other process has: then no other process counts with this one.
    pub fn lacks_number_key(&self) -> bool {
        self.per_number.is_some() && self.number_key.is_of_this_process()
    }

    pub(crate) fn read(mut section: Section<'_>, resolve: &Resolve<'_>, faults: &mut Faults) -> Self {
        let per_number = key("per_number", "How many messages one number gets.");
        let number_key = key(
            "number_key",
            "What numbers are hashed under to be counted, at least 32 characters; all workers on one table have the same.",
        );
        let per_country = key(
            "per_country",
            "How many messages a country gets, by its ISO 3166 region; \"default\" is each other one.",
        );
        let in_all = key("in_all", "How many messages are sent altogether.");
        let mut limits = Self::default();
        if let Some(rate) = section.parsed(per_number, rate_schema, rate_or_off, faults) {
            limits.per_number = rate;
        }
        if let Some(key) = secret_that(&mut section, number_key, resolve, NumberKey::check, faults).sound() {
            limits.number_key = NumberKey::given(&key);
        }
        if let Some(table) = section.value(per_country, || table_like(&per_country_names(), rate_schema())) {
            limits.read_countries(&table, faults);
        }
        limits.in_all = section.parsed(in_all, rate_schema, rate_or_off, faults).flatten();
        section.finish(faults);
        limits
    }

    fn read_countries(&mut self, table: &Value<'_>, faults: &mut Faults) {
        let Shape::Table(entries) = table.shape() else {
            return table.fault("must be a table, written as [limits.per_country]", faults);
        };
        for (name, value) in entries {
            let Shape::Text(text) = value.shape() else {
                value.fault("must be a text in quotes", faults);
                continue;
            };
            match (name, Country::parse(name), rate_or_off(text)) {
                (_, _, Err(error)) => value.fault(&error.to_string(), faults),
                ("default", _, Ok(rate)) => self.per_other_country = rate,
                (_, Some(country), Ok(rate)) => drop(self.per_country.insert(country, rate)),
                (_, None, Ok(_)) => {
                    value.fault("is neither default nor an ISO 3166 region such as GB, in capitals", faults);
                }
            }
        }
    }
}

fn per_country_names() -> String {
    format!("^default$|{}", Country::pattern())
}

#[cfg(test)]
mod tests;
