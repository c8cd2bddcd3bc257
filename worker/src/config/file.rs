//! The configuration file.

use shared::settings::{Document, Faults, Section};
use shared::{Environment, Settings};

use super::ProviderSettings;
use super::placeholders::resolve;
use crate::provider::TwilioSettings;
use crate::render::Texts;
use crate::retry::RetrySettings;
use crate::route::Route;

/// Everything the configuration file says.
pub struct File {
    pub settings: Settings,
    pub providers: Vec<ProviderSettings>,
    pub route: Route,
    pub retry: RetrySettings,
    pub texts: Texts,
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
        let (document, mut faults) = Document::parse(text);
        let mut root = document.root();
        let settings = Settings::read(&mut root, &mut faults);
        let blocks = root.sections("provider", &mut faults);
        if blocks.is_empty() {
            root.fault(PROVIDER_EXAMPLE, &mut faults);
        }
        let mut names = Vec::new();
        let providers = blocks.into_iter().filter_map(|block| provider(block, &mut names, environment, &mut faults));
        let providers: Vec<_> = providers.collect();
        let route = match root.section("route", &mut faults) {
            Some(section) => Route::read(section, &names, &mut faults),
            None => Route::through_all(providers.len()),
        };
        let retry = root.section("retry", &mut faults).map(|section| RetrySettings::read(section, &mut faults));
        let texts = root.section("texts", &mut faults).map(|section| texts(section, &mut faults));
        root.finish(&mut faults);
        faults.or(Self {
            settings,
            providers,
            route,
            retry: retry.unwrap_or_default(),
            texts: texts.unwrap_or_default(),
        })
    }
}

fn provider(
    mut block: Section<'_>,
    names: &mut Vec<String>,
    environment: &Environment<'_>,
    faults: &mut Faults,
) -> Option<ProviderSettings> {
    let name = block.parsed("name", provider_name, faults).unwrap_or_else(|| {
        block.fault("a [[provider]] needs a name of its own, for routes, logs and metrics", faults);
        String::new()
    });
    if names.contains(&name) {
        block.fault(format!("two providers are named {name}"), faults);
    }
    names.push(name.clone());
    let resolver = |placeholder: crate::provider::Placeholder<'_>| resolve(placeholder, environment);
    match block.text("kind", faults).as_deref() {
        Some("twilio") => TwilioSettings::read(block, name, &resolver, faults).map(ProviderSettings::Twilio),
        Some(_) | None => {
            block.fault(format!("provider {name} needs a kind; this version knows: twilio"), faults);
            None
        }
    }
}

fn provider_name(text: &str) -> Result<String, &'static str> {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=40).contains(&text.len()) && text.bytes().all(sound) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 40 lower-case letters, digits and hyphens")
    }
}

fn texts(mut section: Section<'_>, faults: &mut Faults) -> Texts {
    let texts = Texts { brand: section.parsed("brand", brand, faults) };
    section.finish(faults);
    texts
}

fn brand(text: &str) -> Result<String, &'static str> {
    let is_sound = (1..=LONGEST_BRAND).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_sound { Ok(text.to_owned()) } else { Err("must be 1 to 30 characters, none of them a control character") }
}
