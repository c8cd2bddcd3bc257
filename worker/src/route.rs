//! Which providers are asked, in which order: `[route]`.

use std::collections::BTreeMap;

use shared::settings::{Faults, Section};

use crate::phone_region::Country;

/// Providers by country, as indexes into the configuration's list of providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    default: Vec<usize>,
    by_country: BTreeMap<Country, Vec<usize>>,
}

/// Why no provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteRefusal {
    CountryNotAllowed,
}

impl Route {
    /// The providers for a country, never none.
    ///
    /// # Errors
    /// When the configuration sends nothing there.
    pub fn for_country(&self, country: Country) -> Result<&[usize], RouteRefusal> {
        let providers = self.by_country.get(&country).unwrap_or(&self.default);
        if providers.is_empty() { Err(RouteRefusal::CountryNotAllowed) } else { Ok(providers) }
    }

    /// All providers in the file's order, for every country.
    pub(crate) fn through_all(providers: usize) -> Self {
        Self { default: (0..providers).collect(), by_country: BTreeMap::new() }
    }

    pub(crate) fn read(mut section: Section<'_>, providers: &[String], faults: &mut Faults) -> Self {
        let mut route = Self::through_all(providers.len());
        if let Some(names) = section.texts("default", faults) {
            route.default = indexes("default", &names, providers, &section, faults);
        }
        for (code, names) in section.text_lists_by_name("country", faults) {
            let indexes = indexes(&code, &names, providers, &section, faults);
            match Country::parse(&code) {
                Some(country) => drop(route.by_country.insert(country, indexes)),
                None => section.fault(
                    format!("{code} in [route.country] is not an ISO 3166 region such as GB, in capitals"),
                    faults,
                ),
            }
        }
        section.finish(faults);
        route
    }
}

fn indexes(
    key: &str,
    names: &[String],
    providers: &[String],
    section: &Section<'_>,
    faults: &mut Faults,
) -> Vec<usize> {
    let mut indexes = Vec::new();
    for name in names {
        match providers.iter().position(|provider| provider == name) {
            Some(index) if indexes.contains(&index) => {
                section.fault(format!("{key} in [route] names provider {name} twice"), faults);
            }
            Some(index) => indexes.push(index),
            None => {
                let known = providers.join(", ");
                section.fault(format!("{key} in [route] names no provider: {name} (there are: {known})"), faults);
            }
        }
    }
    indexes
}
