//! The fields of a `[[provider]]` block of kind `twilio`.

use shared::PhoneNumber;
use shared::settings::schema::text_like;
use shared::settings::{Faults, Key, Schema, Section, key};

use crate::provider::fields::{self, Field};
use crate::provider::http::{BasicAuth, Timeouts};
use crate::provider::{BaseUrl, Resolve};

const DEFAULT_BASE_URL: &str = "https://api.twilio.com";

/// How to send through one Twilio account.
pub struct TwilioSettings {
    pub(crate) name: String,
    pub(crate) base_url: BaseUrl,
    pub(super) account_sid: String,
    pub(super) credentials: BasicAuth,
    pub(super) sender: Sender,
    /// Ask Twilio to keep neither the text nor the recipient's last digits (`ContentRetention=discard`,
    /// `AddressRetention=obfuscate`). Off by default: what an account needs before it may ask is not verified, and
    /// an account that may not could have every message refused.
    pub(super) discard_content: bool,
    pub(super) timeouts: Timeouts,
}

/// Whom the SMS comes from.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) enum Sender {
    /// A number, a short code or a name.
    From(String),
    MessagingService(String),
}

impl TwilioSettings {
    /// Reads the block, whose `name` and `kind` the caller has already taken. None when anything is wrong with it;
    /// all of that is then in `faults`.
    pub fn read(
        mut section: Section<'_>,
        name: String,
        placeholders: &Resolve<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let mut own = Faults::default();
        let settings = Self::read_all(&mut section, name, placeholders, &mut own);
        section.finish(&mut own);
        let sound = own.is_empty();
        faults.extend(own);
        settings.filter(|_| sound)
    }

    /// Reads every field, so that all faults are found; those with a default have it when they are faulty.
    fn read_all(
        section: &mut Section<'_>,
        name: String,
        placeholders: &Resolve<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        const BASE_URL: Key = key("base_url", "A regional host or a proxy instead of https://api.twilio.com.");
        const ACCOUNT_SID: Key = key("account_sid", "The account: AC and 32 hexadecimal digits.");
        const DISCARD_CONTENT: Key =
            key("discard_content", "Whether Twilio is asked to keep neither the text nor the whole number.");
        let base_url = section.parsed(BASE_URL, BaseUrl::schema, BaseUrl::parse, faults);
        let base_url = base_url.or_else(|| BaseUrl::parse(DEFAULT_BASE_URL).ok());

        let missing = format!("provider {name} needs account_sid (AC and 32 hexadecimal digits)");
        section.require(ACCOUNT_SID.name(), missing, faults);
        let account_sid = sid(section, ACCOUNT_SID, "AC", placeholders, faults).sound();
        let sender = sender(section, &name, placeholders, faults);
        let credentials = credentials(section, &name, account_sid.as_deref(), placeholders, faults);

        let discard_content = section.flag(DISCARD_CONTENT, faults).unwrap_or_default();
        let timeouts = Timeouts::read(section, faults);

        Some(Self {
            name,
            base_url: base_url?,
            account_sid: account_sid?,
            credentials: credentials?,
            sender: sender?,
            discard_content,
            timeouts,
        })
    }
}

fn sender(section: &mut Section<'_>, name: &str, placeholders: &Resolve<'_>, faults: &mut Faults) -> Option<Sender> {
    const FROM: Key = key("from", "Whom the SMS comes from: a number, a short code or a name.");
    const SERVICE: Key = key(
        "messaging_service_sid",
        "The messaging service that chooses the sender, instead of from: MG and 32 digits.",
    );
    let from = fields::text(section, FROM, sender_schema, placeholders, is_sender, faults);
    let service = sid(section, SERVICE, "MG", placeholders, faults);
    match (from, service) {
        (Field::Absent, Field::Absent) => {
            let fault = format!("provider {name} needs a sender: give either from or messaging_service_sid");
            section.fault(fault, faults);
            None
        }
        (from, Field::Absent) => from.sound().map(Sender::From),
        (Field::Absent, service) => service.sound().map(Sender::MessagingService),
        (Field::Faulty | Field::Sound(_), Field::Faulty | Field::Sound(_)) => {
            let fault = format!("provider {name} has two senders: remove either from or messaging_service_sid");
            section.fault(fault, faults);
            None
        }
    }
}

fn credentials(
    section: &mut Section<'_>,
    name: &str,
    account_sid: Option<&str>,
    placeholders: &Resolve<'_>,
    faults: &mut Faults,
) -> Option<BasicAuth> {
    const TOKEN: Key = key("auth_token", "The account's auth token; an API key is the better choice.");
    const KEY_SID: Key = key("api_key_sid", "The API key that takes the auth token's place: SK and 32 digits.");
    const KEY_SECRET: Key = key("api_key_secret", "The API key's secret.");
    let token = fields::secret(section, TOKEN, placeholders, faults);
    let key_sid = sid(section, KEY_SID, "SK", placeholders, faults);
    let key_secret = fields::secret(section, KEY_SECRET, placeholders, faults);
    let fault = match (token.is_absent(), key_sid.is_absent(), key_secret.is_absent()) {
        (false, true, true) => {
            return Some(BasicAuth { user: account_sid?.to_owned(), password: token.sound()? });
        }
        (true, false, false) => return Some(BasicAuth { user: key_sid.sound()?, password: key_secret.sound()? }),
        (true, true, true) => "needs credentials: give either api_key_sid and api_key_secret, or auth_token",
        (true, false, true) => "has an api_key_sid without api_key_secret: add it",
        (true, true, false) => "has an api_key_secret without api_key_sid: add it (SK and 32 hexadecimal digits)",
        (false, _, _) => "has two kinds of credentials: remove either auth_token, or api_key_sid and api_key_secret",
    };
    section.fault(format!("provider {name} {fault}"), faults);
    None
}

/// What [`is_sender`] takes.
fn sender_schema() -> Schema {
    text_like(r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 +_&-]{1,11})$", "")
}

/// A number, a short code, or a name of up to 11 characters: letters, digits, space, `+`, `-`, `_`, `&`, at
/// least one letter (<https://support.twilio.com/hc/en-us/articles/223181348>).
fn is_sender(text: &str) -> Result<(), &'static str> {
    let is_short_code = (3..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'+' | b'-' | b'_' | b'&');
    let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_name = text.len() <= 11 && has_letter && text.bytes().all(allowed);
    if PhoneNumber::parse(text).is_ok() || is_short_code || is_name {
        return Ok(());
    }
    Err("is no sender; write a number as \"+12065550100\", a short code of 3 to 8 digits, or a name of at most 11 \
         letters, digits, spaces, +, -, _ and &")
}

/// Takes an identifier of Twilio's.
fn sid(
    section: &mut Section<'_>,
    key: Key,
    prefix: &str,
    placeholders: &Resolve<'_>,
    faults: &mut Faults,
) -> Field<String> {
    let schema = || text_like(&format!("^{prefix}[0-9A-Fa-f]{{32}}$"), "");
    fields::text(section, key, schema, placeholders, |text| is_sid(prefix, text), faults)
}

/// Twilio's identifiers: two letters that say of what, and 32 hexadecimal digits
/// (<https://www.twilio.com/docs/glossary/what-is-a-sid>).
fn is_sid(prefix: &str, text: &str) -> Result<(), String> {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(format!("must be {prefix} and 32 hexadecimal digits, as Twilio's console shows it"))
}

impl std::fmt::Debug for TwilioSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TwilioSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Placeholder, Resolved};
    use secrecy::ExposeSecret;
    use shared::settings::Document;
    use std::time::Duration;

    const HEX: &str = "0123456789abcdef0123456789ABCDEF";

    fn resolve(placeholder: Placeholder<'_>) -> Result<Resolved, String> {
        match placeholder {
            Placeholder::Env("SID") => Ok(Resolved::Value(format!("AC{HEX}").into())),
            Placeholder::Env("FROM") => Ok(Resolved::Value("+12065550100".into())),
            Placeholder::Env("TOKEN") | Placeholder::Secret("TOKEN") => Ok(Resolved::Value("hush-token".into())),
            Placeholder::Env(_) | Placeholder::Secret(_) => Err(format!("names {placeholder}, which is not set")),
        }
    }

    fn read(block: &str) -> Result<TwilioSettings, String> {
        let text = format!("[[provider]]\n{}", block.replace("HEX", HEX));
        let (document, mut faults) = Document::parse(&text);
        let section = document.root().sections(key("provider", ""), &mut faults).pop().expect("one block");
        let settings = TwilioSettings::read(section, "main".to_owned(), &resolve, &mut faults);
        match faults.or(()) {
            Ok(()) => Ok(settings.expect("no fault, so settings")),
            Err(faults) => Err(faults.to_string()),
        }
    }

    #[test]
    fn the_shortest_block_gets_the_defaults() {
        let settings = read("account_sid = \"ACHEX\"\nauth_token = \"${secret:TOKEN}\"\nfrom = \"+12065550100\"\n")
            .expect("a sound block");
        assert_eq!(settings.base_url, BaseUrl::parse(DEFAULT_BASE_URL).expect("sound"));
        assert_eq!(settings.sender, Sender::From("+12065550100".to_owned()));
        assert_eq!(settings.credentials.user, format!("AC{HEX}"));
        assert_eq!(settings.credentials.password.expose_secret(), "hush-token");
        assert!(!settings.discard_content);
        assert_eq!(settings.timeouts, Timeouts { connect: Duration::from_secs(2), attempt: Duration::from_secs(8) });
    }

    #[test]
    fn readme_has_the_defaults_commented_out() {
        let (_, block) = include_str!("../../../../README.md").split_once("\nkind = \"twilio\"\n").expect("a sample");
        let (block, _) = block.split_once("\n[").expect("the block ends");
        let block = block.replace("TWILIO_ACCOUNT_SID", "SID").replace("TWILIO_AUTH_TOKEN", "TOKEN");
        let in_full: String =
            block.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect();
        assert!(in_full.contains("\ntimeout = ") && in_full.contains("\ndiscard_content = "), "{in_full}");
        let [as_written, in_full] = [block, in_full].map(|block| read(&block).expect("sound"));
        assert_eq!(in_full.base_url, as_written.base_url);
        assert_eq!(in_full.discard_content, as_written.discard_content);
        assert_eq!(in_full.timeouts, as_written.timeouts);
    }

    #[test]
    fn every_field_is_read() {
        let settings = read(
            "base_url = \"https://api.dublin.ie1.twilio.com\"\naccount_sid = \"${env:SID}\"\napi_key_sid = \"SKHEX\"\n\
             api_key_secret = \"${env:TOKEN}\"\nmessaging_service_sid = \"MGHEX\"\ndiscard_content = true\n\
             connect_timeout = \"1s\"\ntimeout = \"500ms\"\n",
        )
        .expect("a sound block");
        assert_eq!(settings.base_url, BaseUrl::parse("https://api.dublin.ie1.twilio.com").expect("sound"));
        assert_eq!(settings.account_sid, format!("AC{HEX}"));
        assert_eq!(settings.credentials.user, format!("SK{HEX}"), "an API key replaces the account in Basic");
        assert_eq!(settings.sender, Sender::MessagingService(format!("MG{HEX}")));
        assert!(settings.discard_content);
        assert_eq!(
            settings.timeouts,
            Timeouts { connect: Duration::from_secs(1), attempt: Duration::from_millis(500) }
        );
    }

    #[test]
    fn senders_are_numbers_short_codes_and_names() {
        for text in ["+12065550100", "123", "12345", "12345678", "Example", "A", "My Shop &Co", "A+b-c_d 1"] {
            assert_eq!(is_sender(text), Ok(()), "{text}");
        }
        for text in ["", "12", "123456789", "twelve chars", "Café", "- -", "+1", "+0123456789", "a\nb"] {
            assert!(is_sender(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_fault_says_what_to_write_instead() {
        let account = "account_sid = \"ACHEX\"\n";
        let from = "from = \"Example\"\n";
        let token = "auth_token = \"${env:TOKEN}\"\n";
        for (block, fault) in [
            (format!("{from}{token}"), "provider main needs account_sid (AC and 32 hexadecimal digits)"),
            (format!("{account}{token}"), "provider main needs a sender: give either from or messaging_service_sid"),
            (format!("{account}{from}"), "provider main needs credentials: give either api_key_sid and api_key_secret"),
            (
                format!("{account}{from}{token}messaging_service_sid = \"MGHEX\"\n"),
                "provider main has two senders: remove either from or messaging_service_sid",
            ),
            (
                format!("{account}{from}{token}api_key_sid = \"SKHEX\"\n"),
                "provider main has two kinds of credentials: remove either",
            ),
            (
                format!("{account}{from}api_key_sid = \"SKHEX\"\n"),
                "provider main has an api_key_sid without api_key_secret: add it",
            ),
            (
                format!("{account}{from}api_key_secret = \"${{env:TOKEN}}\"\n"),
                "provider main has an api_key_secret without api_key_sid: add it",
            ),
            (
                format!("{account}{from}auth_token = \"literal-hush\"\n"),
                "auth_token in [[provider]] must be a placeholder, since secrets do not belong in the file; write \
                 \"${secret:AUTH_TOKEN}\"",
            ),
            (
                format!("{account}{from}auth_token = \"${{env:GONE}}\"\n"),
                "auth_token in [[provider]] names ${env:GONE}, which is not set",
            ),
            (
                format!("account_sid = \"literal-hush\"\n{from}{token}"),
                "account_sid in [[provider]] must be AC and 32 hexadecimal digits",
            ),
            (
                format!("account_sid = \"${{env:TOKEN}}\"\n{from}{token}"),
                "account_sid in [[provider]] (from ${env:TOKEN}) must be AC and 32 hexadecimal digits",
            ),
            (
                format!("{account}{token}from = \"a name too long\"\n"),
                "from in [[provider]] is no sender; write a number",
            ),
            (format!("{account}{token}from = 5\n"), "from in [[provider]] must be a text in quotes"),
            (
                format!("{account}{from}{token}base_url = \"http://api.twilio.com\"\n"),
                "base_url in [[provider]] must begin with https://",
            ),
            (
                format!("{account}{from}{token}timeout = \"2m\"\n"),
                "timeout in [[provider]] must lie between 100ms and 60s",
            ),
            (format!("{account}{from}{token}form = \"x\"\n"), "unknown key form in [[provider]]; did you mean from?"),
        ] {
            let shown = read(&block).expect_err(fault);
            assert!(shown.contains(fault), "{shown}");
            assert_eq!(shown.lines().count(), 1, "one fault, one line: {shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn all_faults_come_together() {
        let shown = read("base_url = \"x\"\nauth_token = \"x\"\nfrom = \"\"\ntimeout = \"1ms\"\n").expect_err("faults");
        assert_eq!(shown.lines().count(), 5, "{shown}");
    }

    #[test]
    fn nothing_secret_is_shown() {
        let settings = read("account_sid = \"${env:SID}\"\nauth_token = \"${env:TOKEN}\"\nfrom = \"${env:FROM}\"\n");
        let settings = settings.expect("a sound block");
        assert_eq!(format!("{settings:?}"), "TwilioSettings { name: \"main\", .. }");
        let twilio = super::super::Twilio::new(settings, shared::Clock::system()).expect("a client");
        assert_eq!(format!("{twilio:?}"), "Twilio { name: \"main\", .. }");
    }
}
