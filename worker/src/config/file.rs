//! The configuration file.

use serde_json::json;
use shared::settings::schema::text_like;
use shared::settings::{Document, Faults, Key, Schema, Section, did_you_mean, key};
use shared::{Environment, KeyArn, Settings};

use super::placeholders::resolve;
use super::{Config, ProviderSettings};
use crate::limits::Limits;
use crate::provider::{HttpGatewaySettings, Resolve, TestNumberProvider, TwilioSettings};
#[cfg(feature = "schema")]
use crate::provider::{Placeholder, Resolved};
use crate::provider_secret::SecretMembers;
use crate::render::Texts;
use crate::retry::RetrySettings;
use crate::route::Route;
use crate::state::StateSettings;
use crate::test_numbers::TestNumbers;

/// Everything the configuration file says.
pub struct File {
    pub settings: Settings,
    pub providers: Vec<ProviderSettings>,
    pub route: Route,
    pub retry: RetrySettings,
    pub texts: Texts,
    pub state: StateSettings,
    pub limits: Limits,
    pub test_numbers: TestNumbers,
}

const PROVIDER_EXAMPLE: &str = "there is no [[provider]]: add one with name, kind = \"twilio\", account_sid, \
    auth_token = \"${env:TWILIO_AUTH_TOKEN}\" and from";
/// What fits into a text of one segment beside the code.
const LONGEST_BRAND: usize = 30;

impl File {
    /// Reads the file; placeholders are looked up in `environment`.
    ///
    /// # Errors
    /// All faults at once, each with its line and column.
    pub fn parse(text: &str, environment: &Environment<'_>) -> Result<Self, Faults> {
        Self::parse_with(text, environment, None)
    }

    /// Reads the file; placeholders are looked up in `environment` and in the providers' secret.
    ///
    /// # Errors
    /// All faults at once, each with its line and column.
    pub fn parse_with(
        text: &str,
        environment: &Environment<'_>,
        secret: Option<&SecretMembers>,
    ) -> Result<Self, Faults> {
        Self::read(text, &|placeholder| resolve(placeholder, environment, secret))
    }

    pub(super) fn read(text: &str, resolver: &Resolve<'_>) -> Result<Self, Faults> {
        let (document, mut faults) = Document::parse(text);
        let file = Self::take(document.root(), resolver, &mut faults);
        faults.or(file)
    }

    /// The JSON Schema of the file, for editors: it takes whatever [`File::parse`] takes, and not all that this refuses.
    #[cfg(feature = "schema")]
    pub fn schema() -> Schema {
        let elsewhere = |_: Placeholder<'_>| Ok(Resolved::Elsewhere);
        Section::schema(|root| drop(Self::take(root, &elsewhere, &mut Faults::default())))
    }

    fn take(mut root: Section<'_>, resolver: &Resolve<'_>, faults: &mut Faults) -> Self {
        const PROVIDER: Key = key("provider", "The SMS providers.");
        const ROUTE: Key = key("route", "Which providers are asked, in which order.");
        const RETRY: Key = key("retry", "For how long a message is retried.");
        const TEXTS: Key = key("texts", "What the SMS say.");
        const STATE: Key = key("state", "What happens where the state table cannot say what it should.");
        const LIMITS: Key = key("limits", "How many messages are sent in a window of time.");
        const TEST_NUMBER: Key =
            key("test_number", "Numbers to which nothing is really sent, for end-to-end tests of an application.");
        let settings = Settings::read(&mut root, faults);
        let blocks = root.sections(PROVIDER, faults);
        if blocks.is_empty() {
            root.fault(PROVIDER_EXAMPLE, faults);
        }
        let mut names = Vec::new();
        let providers = blocks.into_iter().filter_map(|block| provider(block, &mut names, resolver, faults));
        let providers: Vec<_> = providers.collect();
        let route = match root.section(ROUTE, faults) {
            Some(section) => Route::read(section, &names, faults),
            None => Route::through_all(providers.len()),
        };
        let retry = root.section(RETRY, faults).map(|section| RetrySettings::read(section, faults));
        let texts = root.section(TEXTS, faults).map(|section| texts(section, faults));
        let state = root.section(STATE, faults).map(|section| StateSettings::read(section, faults));
        let limits = root.section(LIMITS, faults).map(|section| Limits::read(section, resolver, faults));
        let test_numbers = TestNumbers::read(root.sections(TEST_NUMBER, faults), faults);
        root.finish(faults);
        Self {
            settings,
            providers,
            route,
            retry: retry.unwrap_or_default(),
            texts: texts.unwrap_or_default(),
            state: state.unwrap_or_default(),
            limits: limits.unwrap_or_default(),
            test_numbers,
        }
    }

    /// What processing depends on, for any pool and sender, and the providers.
    pub fn into_config(self, key_arns: Vec<KeyArn>) -> (Config, Vec<ProviderSettings>) {
        let Self { settings, providers, route, retry, texts, state, limits, test_numbers } = self;
        let (allowed_pools, trusted_senders) = (None, None);
        let config = Config {
            settings,
            allowed_pools,
            trusted_senders,
            key_arns,
            route,
            retry,
            texts,
            state,
            limits,
            test_numbers,
        };
        (config, providers)
    }
}

fn provider(
    mut block: Section<'_>,
    names: &mut Vec<String>,
    resolver: &Resolve<'_>,
    faults: &mut Faults,
) -> Option<ProviderSettings> {
    const NAME: Key = key("name", "The provider's name in routes, logs and metrics.");
    const KIND: Key = key("kind", "What kind of provider it is, which decides the other keys.");
    block.require(NAME.name(), "a [[provider]] needs a name of its own, for routes and logs", faults);
    let name = block.parsed(NAME, || text_like("^[a-z0-9-]{1,40}$", ""), provider_name, faults).unwrap_or_default();
    if !name.is_empty() && names.contains(&name) {
        block.fault(format!("two providers are named {name}"), faults);
    }
    names.push(name.clone());
    block.require(
        KIND.name(),
        format!("a [[provider]] needs a kind; {}", did_you_mean("", &KINDS.map(|it| it.0))),
        faults,
    );
    let read = |kind, block: Section<'_>, faults: &mut Faults| match kind {
        Kind::Twilio => TwilioSettings::read(block, name.clone(), resolver, faults).map(ProviderSettings::Twilio),
        Kind::Http => HttpGatewaySettings::read(block, name.clone(), resolver, faults).map(ProviderSettings::Http),
    };
    block.read_by_word(KIND, &KINDS, "is not a kind of provider", read, faults)
}

/// The kinds of provider that this version knows.
#[derive(Clone, Copy)]
enum Kind {
    Twilio,
    /// Any gateway, as the block describes it.
    Http,
}

const KINDS: [(&str, Kind); 2] = [("twilio", Kind::Twilio), ("http", Kind::Http)];

pub(crate) fn provider_name(text: &str) -> Result<String, &'static str> {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text == TestNumberProvider::NAME {
        return Err("is what the built-in provider of [[test_number]] is called: choose another name");
    }
    if (1..=40).contains(&text.len()) && text.bytes().all(sound) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 40 lower-case letters, digits and hyphens")
    }
}

fn texts(mut section: Section<'_>, faults: &mut Faults) -> Texts {
    const BRAND: Key = key("brand", "The name in \"Your Example sign-in code is …\".");
    let texts = Texts { brand: section.parsed(BRAND, brand_schema, brand, faults) };
    section.finish(faults);
    texts
}

fn brand_schema() -> Schema {
    json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_BRAND })
}

fn brand(text: &str) -> Result<String, &'static str> {
    let is_sound = (1..=LONGEST_BRAND).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_sound { Ok(text.to_owned()) } else { Err("must be 1 to 30 characters, none of them a control character") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone_region::Country;
    use crate::state::{OnAbandoned, WhenUnreachable};
    use std::time::Duration;

    /// Text in which `BLOCK(name)` stands for a sound provider of that name.
    fn read(text: &str) -> Result<File, Vec<String>> {
        let mut whole = String::new();
        for (index, part) in text.split("BLOCK(").enumerate() {
            let (name, rest) = if index == 0 { ("", part) } else { part.split_once(')').expect("BLOCK(name)") };
            if index > 0 {
                whole += &block(name);
            }
            whole += rest;
        }
        let environment = Environment::from_lookup(|name| (name == "TOKEN").then(|| "hush-token".to_owned()));
        File::parse(&whole, &environment).map_err(|faults| faults.to_string().lines().map(str::to_owned).collect())
    }

    fn block(name: &str) -> String {
        let sid = format!("AC{}", "0".repeat(32));
        format!(
            "[[provider]]\nname = \"{name}\"\nkind = \"twilio\"\naccount_sid = \"{sid}\"\n\
             auth_token = \"${{env:TOKEN}}\"\nfrom = \"Example\"\n"
        )
    }

    fn faults(text: &str) -> Vec<String> {
        read(text).map(|_| ()).expect_err("faults")
    }

    #[test]
    fn one_provider_is_enough_and_the_rest_has_its_defaults() {
        let file = read("BLOCK(twilio-main)").expect("sound");
        assert_eq!(file.providers.len(), 1);
        assert_eq!(file.settings, Settings::default());
        assert_eq!(file.route, Route::through_all(1));
        assert_eq!(file.retry, RetrySettings::default());
        assert_eq!(file.texts, Texts::default());
        assert_eq!(file.state, StateSettings::default());
        assert_eq!(file.test_numbers, TestNumbers::default());
    }

    #[test]
    fn what_happens_without_an_answer_of_the_state_is_chosen_by_name() {
        let file = read("BLOCK(main)[state]\nunreachable = \"hold\"\nabandoned = \"park\"\n").expect("sound");
        let expected = StateSettings { unreachable: WhenUnreachable::Hold, abandoned: OnAbandoned::Park };
        assert_eq!(file.state, expected);
        let file = read("BLOCK(main)[state]\nunreachable = \"allow\"\nabandoned = \"resend\"\n").expect("sound");
        assert_eq!(file.state, StateSettings::default());
        assert_eq!(
            faults("BLOCK(main)[state]\nunreachable = \"Hold\"\nabandoned = true\nlease = \"1s\"\n"),
            [
                "line 8, column 15: unreachable in [state] is none of its choices; did you mean hold?",
                "line 9, column 13: abandoned in [state] must be a text in quotes",
                "line 10, column 1: unknown key lease in [state]; known here: unreachable, abandoned",
            ]
        );
    }

    #[test]
    fn every_section_is_read() {
        let file = read(
            "BLOCK(a)BLOCK(b)[route]\ndefault = [\"b\"]\n[retry]\nhorizon = \"1h\"\ntime_to_type = \"5s\"\n\
             [texts]\nbrand = \"Example\"\n[trust]\nallow_missing_pool = true\n",
        )
        .expect("sound");
        let ProviderSettings::Twilio(second) = &file.providers[1] else { panic!("a Twilio") };
        assert_eq!(format!("{second:?}"), "TwilioSettings { name: \"b\", .. }");
        assert_eq!(file.route.for_country(Country::parse("GB").expect("a region")), Ok(&[1][..]));
        let (horizon, time_to_type) = (Duration::from_secs(3_600), Duration::from_secs(5));
        assert_eq!(file.retry, RetrySettings { horizon, time_to_type });
        assert_eq!(file.texts.brand.as_deref(), Some("Example"));
        assert!(file.settings.trust.allow_missing_pool);
    }

    #[test]
    fn all_faults_come_at_once_in_the_files_order_with_line_and_column() {
        let shown = faults(
            "brand = \"x\"\nBLOCK(main)form = \"y\"\n[lifetime]\nauthentification = \"3m\"\n\
             [retry]\nhorizon = \"4d\"\n[routes]\n[texts]\nbrand = \"\"\n",
        );
        assert_eq!(
            shown,
            [
                "line 1, column 1: unknown key brand; known here: \
                 lifetime, trust, privacy, provider, route, retry, texts, state, limits, test_number",
                "line 8, column 1: unknown key form in [[provider]]; did you mean from?",
                "line 10, column 1: unknown key authentification in [lifetime]; did you mean authentication?",
                "line 12, column 11: horizon in [retry] must lie between 60s and 259200s",
                "line 13, column 2: unknown key routes; did you mean route?",
                "line 15, column 9: brand in [texts] must be 1 to 30 characters, none of them a control character",
            ]
        );
    }

    #[test]
    fn a_fault_of_syntax_does_not_hide_the_others() {
        let shown = faults("BLOCK(main)timeout = \n[retry]\nhorizont = \"1h\"\n").join("\n");
        assert!(shown.contains("line 7, column 11: "), "{shown}");
        assert!(shown.contains("unknown key horizont in [retry]; did you mean horizon?"), "{shown}");
    }

    #[test]
    fn a_file_without_a_provider_is_told_what_one_looks_like() {
        let shown = faults("");
        assert_eq!(shown.len(), 1);
        assert!(
            shown[0].starts_with("line 1, column 1: there is no [[provider]]: add one with name, kind"),
            "{shown:?}"
        );
    }

    #[test]
    fn providers_are_named_once_each_and_in_small_letters() {
        assert_eq!(faults("BLOCK(main)BLOCK(other)BLOCK(main)"), ["line 13, column 1: two providers are named main"]);
        for name in ["", "Main", "a b", "twilio_main", &"a".repeat(41)] {
            let shown = faults(&format!("BLOCK({name})"));
            let expected = "line 2, column 8: name in [[provider]] must be 1 to 40 lower-case letters";
            assert!(shown.iter().any(|line| line.starts_with(expected)), "{shown:?}");
        }
        assert_eq!(
            faults("BLOCK(test-number)"),
            ["line 2, column 8: name in [[provider]] is what the built-in provider of [[test_number]] is called: \
              choose another name"]
        );
        let nameless = faults("[[provider]]\nkind = \"twilio\"\n").join("\n");
        assert!(nameless.contains("a [[provider]] needs a name of its own"), "{nameless}");
    }

    #[test]
    fn a_kind_that_is_not_known_is_told_the_known_ones() {
        for (kind, expected) in [
            ("", "line 7, column 1: a [[provider]] needs a kind; known here: twilio, http"),
            (
                "kind = \"twilo\"\n",
                "line 9, column 8: kind in [[provider]] is not a kind of provider; did you mean twilio?",
            ),
        ] {
            assert_eq!(faults(&format!("BLOCK(main)[[provider]]\nname = \"b\"\n{kind}")), [expected]);
        }
    }

    #[test]
    fn a_route_names_providers_of_the_file_even_faulty_ones() {
        assert_eq!(
            faults("BLOCK(main)[[provider]]\nname = \"b\"\nkind = \"x\"\n[route]\ndefault = [\"b\", \"c\"]\n"),
            [
                "line 9, column 8: kind in [[provider]] is not a kind of provider; known here: twilio, http",
                "line 10, column 1: default in [route] names no provider: c (there are: main, b)",
            ]
        );
        let shown = faults("BLOCK(main)[route.country]\nUK = [\"main\"]\n");
        assert_eq!(shown.len(), 1);
        assert!(shown[0].ends_with("UK in [route.country] is not an ISO 3166 region such as GB, in capitals"));
    }

    #[test]
    fn secrets_stand_outside_the_file() {
        let sound = block("main");
        let token = "auth_token = \"${env:TOKEN}\"";
        for (value, expected) in [
            ("\"literal-hush\"", "must be a placeholder, since secrets do not belong in the file"),
            ("\"${env:GONE}\"", "needs the environment variable GONE, which is not set"),
            (
                "\"${secret:AUTH_TOKEN}\"",
                "names ${secret:AUTH_TOKEN}, but no secret was read: set PROVIDER_SECRET_ARN to its ARN, or use ${env:AUTH_TOKEN}",
            ),
        ] {
            let shown = faults(&sound.replace(token, &format!("auth_token = {value}")));
            assert_eq!(shown.len(), 1, "{shown:?}");
            assert!(shown[0].starts_with("line 5, column 14: auth_token in [[provider]] "), "{shown:?}");
            assert!(shown[0].contains(expected), "{shown:?}");
            assert!(!shown[0].contains("hush"), "{shown:?}");
        }
    }

    #[test]
    fn a_brand_is_short_and_of_one_line() {
        let longest = "é".repeat(LONGEST_BRAND);
        let file = read(&format!("BLOCK(main)[texts]\nbrand = \"{longest}\"\n")).expect("sound");
        assert_eq!(file.texts.brand, Some(longest.clone()));
        for brand in [String::new(), format!("{longest}e"), "a\\nb".to_owned()] {
            let shown = faults(&format!("BLOCK(main)[texts]\nbrand = \"{brand}\"\n"));
            assert_eq!(
                shown,
                ["line 8, column 9: brand in [texts] must be 1 to 30 characters, none of them a control character"]
            );
        }
    }
}
