//! Which providers are asked, in which order: `[route]`.

use std::collections::BTreeMap;

use shared::settings::{Faults, Key, Section, key};

use crate::phone_region::Country;

/// Providers by country, as indexes into the configuration's list of providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    default: Vec<usize>,
    by_country: BTreeMap<Country, Vec<usize>>,
    allows_fixed_lines: bool,
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

    /// Whether the country has a line of its own in `[route.country]`.
    pub fn names(&self, country: Country) -> bool {
        self.by_country.contains_key(&country)
    }

    /// The providers for each country that has no line of its own; none refuses them all.
    pub fn default_providers(&self) -> &[usize] {
        &self.default
    }

    /// The lines of `[route.country]`.
    pub fn countries(&self) -> impl Iterator<Item = (Country, &[usize])> {
        self.by_country.iter().map(|(country, providers)| (*country, providers.as_slice()))
    }

    /// Whether numbers that certainly are fixed lines get SMS: some networks show them or read them out.
    pub fn allows_fixed_lines(&self) -> bool {
        self.allows_fixed_lines
    }

    /// All providers in the file's order, for every country.
    pub(crate) fn through_all(providers: usize) -> Self {
        Self { default: (0..providers).collect(), by_country: BTreeMap::new(), allows_fixed_lines: true }
    }

    pub(crate) fn read(mut section: Section<'_>, providers: &[String], faults: &mut Faults) -> Self {
        const DEFAULT: Key = key(
            "default",
            "The providers of every country that is not listed, in order of preference; [] refuses them.",
        );
        const COUNTRY: Key = key(
            "country",
            "Providers by the number's ISO 3166 region, in order of preference; [] refuses the country.",
        );
        const FIXED_LINES: Key = key(
            "allow_fixed_lines",
            "Whether numbers that certainly are fixed lines get SMS: some networks show them or read them out.",
        );
        let mut route = Self::through_all(providers.len());
        if let Some(names) = section.texts(DEFAULT, faults) {
            route.default = indexes("default in [route]", &names, providers, &section, faults);
        }
        for (code, names) in section.text_lists_by_name(COUNTRY, Country::pattern, faults) {
            let key = format!("{code} in [route.country]");
            let indexes = indexes(&key, &names, providers, &section, faults);
            match Country::parse(&code) {
                Some(country) => drop(route.by_country.insert(country, indexes)),
                None => section.fault(
                    format!("{code} in [route.country] is not an ISO 3166 region such as GB, in capitals"),
                    faults,
                ),
            }
        }
        if let Some(allows) = section.flag(FIXED_LINES, faults) {
            route.allows_fixed_lines = allows;
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
                section.fault(format!("{key} names provider {name} twice"), faults);
            }
            Some(index) => indexes.push(index),
            None => {
                let known = providers.join(", ");
                section.fault(format!("{key} names no provider: {name} (there are: {known})"), faults);
            }
        }
    }
    indexes
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::settings::Document;

    const PROVIDERS: [&str; 3] = ["first", "second", "third"];

    fn read(text: &str) -> Result<Route, String> {
        let (document, mut faults) = Document::parse(text);
        let section = document.root().section(key("route", ""), &mut faults).expect("a table");
        let route = Route::read(section, &PROVIDERS.map(str::to_owned), &mut faults);
        faults.or(route).map_err(|faults| faults.to_string())
    }

    fn for_country<'r>(route: &'r Route, country: &str) -> Result<&'r [usize], RouteRefusal> {
        route.for_country(Country::parse(country).expect("a region"))
    }

    #[test]
    fn a_country_has_its_own_providers_in_the_order_of_its_line() {
        let route = read("[route]\ndefault = [\"third\", \"first\"]\n[route.country]\nIN = [\"second\"]\nKP = []\n")
            .expect("sound");
        assert_eq!(for_country(&route, "GB"), Ok(&[2, 0][..]));
        assert_eq!(for_country(&route, "IN"), Ok(&[1][..]));
        assert_eq!(for_country(&route, "KP"), Err(RouteRefusal::CountryNotAllowed));
    }

    #[test]
    fn without_a_default_all_providers_serve_what_is_not_listed() {
        let route = read("[route.country]\nIN = [\"second\"]\n001 = []\n").expect("sound");
        assert_eq!(for_country(&route, "GB"), Ok(&[0, 1, 2][..]));
        assert_eq!(for_country(&route, "001"), Err(RouteRefusal::CountryNotAllowed));
        assert_eq!(read("[route]\n"), Ok(Route::through_all(3)));
    }

    #[test]
    fn an_empty_default_refuses_what_is_not_listed() {
        let route = read("[route]\ndefault = []\n[route.country]\nFR = [\"first\"]\n").expect("sound");
        assert_eq!(for_country(&route, "GB"), Err(RouteRefusal::CountryNotAllowed));
        assert_eq!(for_country(&route, "FR"), Ok(&[0][..]));
    }

    #[test]
    fn each_fault_says_what_to_write_instead() {
        for (text, expected) in [
            (
                "[route]\ndefault = [\"frist\"]\n",
                "default in [route] names no provider: frist (there are: first, second, third)",
            ),
            ("[route.country]\nIN = [\"msg91\"]\n", "IN in [route.country] names no provider: msg91"),
            ("[route]\ndefault = [\"first\", \"first\"]\n", "default in [route] names provider first twice"),
            ("[route.country]\nUK = []\n", "UK in [route.country] is not an ISO 3166 region such as GB, in capitals"),
            ("[route.country]\ngb = []\n", "gb in [route.country] is not an ISO 3166 region such as GB, in capitals"),
            ("[route]\ndefault = \"first\"\n", "default in [route] must be a list of texts"),
            ("[route.country]\nGB = \"first\"\n", "GB in [route.country] must be a list of texts"),
            ("[route]\ncountry = []\n", "country in [route] must be a table, written as [route.country]"),
            ("[route]\ncountries = {}\n", "unknown key countries in [route]; did you mean country?"),
        ] {
            let shown = read(text).expect_err(expected);
            assert!(shown.contains(expected), "{shown}");
            assert_eq!(shown.lines().count(), 1, "one fault, one line: {shown}");
        }
    }
}
