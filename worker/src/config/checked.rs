//! The configuration file, looked at away from the worker: its environment is not there, nor, as a rule, the providers'
//! secret.

use std::cell::RefCell;

use shared::settings::Faults;
use shared::{Environment, Settings};

use super::File;
use super::placeholders::{Needed, resolve, resolve_elsewhere};
use crate::provider::Placeholder;
use crate::provider_secret::SecretMembers;

/// What a configuration file is for producer and worker, as far as this can be known without their environment.
pub struct Checked {
    /// What the worker makes of it. A placeholder whose value is not known here is no fault and stands for itself, so
    /// what is read may be shown, but no worker be started with it.
    pub file: Result<File, Faults>,
    /// What hinders the producer's start, a part of the worker's faults; or else the faults of syntax with which it starts
    /// all the same, and what they hide has its default.
    pub producer: Result<Faults, Faults>,
    /// Complete where there is no fault.
    pub needed: Needed,
}

impl Checked {
    /// Reads the file as both programs do. A variable that `environment` has is checked for its shape too.
    pub fn read(text: &str, environment: &Environment<'_>) -> Self {
        let needed = RefCell::default();
        let file = File::read(text, &|placeholder| Ok(resolve_elsewhere(placeholder, environment, &needed)));
        Self { file, producer: Settings::parse(text).map(|(_, of_syntax)| of_syntax), needed: needed.into_inner() }
    }

    /// What the worker makes of the file with this secret, as far as it can be known without its environment.
    ///
    /// # Errors
    /// All faults at once, among them each member of the secret that is missing or cannot be what it is used as.
    pub fn read_with_secret(text: &str, secret: &SecretMembers) -> Result<File, Faults> {
        let (environment, needed) = (Environment::from_lookup(|_| None), RefCell::default());
        File::read(text, &|placeholder| match placeholder {
            Placeholder::Env(_) => Ok(resolve_elsewhere(placeholder, &environment, &needed)),
            Placeholder::Secret(_) => resolve(placeholder, &environment, Some(secret)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "[[provider]]\nname = \"main\"\nkind = \"twilio\"\naccount_sid = \"${env:SID}\"\n\
        auth_token = \"${secret:TOKEN}\"\nfrom = \"${env:FROM}\"\n\
        [[provider]]\nname = \"other\"\nkind = \"http\"\nbase_url = \"https://sms.example.com/a\"\n\
        basic_auth = { user = \"${env:USER}\", password = \"${secret:PASSWORD}\" }\n\
        headers = { x-key = \"Key ${secret:KEY}\" }\nmessage_id = \"/id\"\n\
        json = { to = \"{{to}}\", text = \"{{text}}\", nested = [{ account = \"${env:ACCOUNT}\" }] }\n\
        [limits]\nnumber_key = \"${secret:NUMBER_KEY}\"\n";

    fn names<'n>(names: impl IntoIterator<Item = &'n String>) -> Vec<&'n str> {
        names.into_iter().map(String::as_str).collect()
    }

    #[test]
    fn without_environment_and_secret_a_sound_file_has_no_fault_and_says_what_it_needs() {
        let checked = Checked::read(SOUND, &Environment::from_lookup(|_| None));
        let file = checked.file.unwrap_or_else(|faults| panic!("{faults}"));
        let providers: Vec<_> =
            file.providers.iter().map(|it| (it.name(), it.kind(), it.base_url().as_str())).collect();
        assert_eq!(
            providers,
            [("main", "twilio", "https://api.twilio.com/"), ("other", "http", "https://sms.example.com/a")]
        );
        assert!(!file.limits.lacks_number_key(), "one is given, wherever it is");
        assert_eq!(checked.producer, Ok(Faults::default()));
        assert_eq!(names(&checked.needed.environment), ["ACCOUNT", "FROM", "SID", "USER"]);
        assert_eq!(names(&checked.needed.secret), ["KEY", "NUMBER_KEY", "PASSWORD", "TOKEN"]);
    }

    #[test]
    fn placeholders_without_a_value_hide_no_other_fault() {
        let text = SOUND.replace("https://sms", "http://sms").replace("[limits]", "[limits]\nin_al = \"1/1h\"");
        let faults = Checked::read(&text, &Environment::from_lookup(|_| None)).file.map(|_| ()).expect_err("faults");
        let places: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column)).collect();
        assert_eq!(places, [(10, 12), (16, 1)], "{faults}");
    }

    #[test]
    fn a_variable_that_is_there_is_checked_and_not_shown() {
        let environment =
            Environment::from_lookup(|name| (name == "SID" || name == "USER").then(|| "hush:".to_owned()));
        let faults = Checked::read(SOUND, &environment).file.map(|_| ()).expect_err("faults").to_string();
        let expected = [
            "line 4, column 15: account_sid in [[provider]] (from ${env:SID}) must be AC and 32 hexadecimal digits, as \
             Twilio's console shows it",
            "line 11, column 23: user in [provider.basic_auth] (from ${env:USER}) holds a colon or control character, \
             which Basic authentication cannot carry",
        ];
        assert_eq!(faults.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_secret_that_is_at_hand_is_checked_and_not_shown() {
        let read = |json: &str| {
            let secret = SecretMembers::parse(json, "").expect("an object of texts");
            Checked::read_with_secret(SOUND, &secret).map(|_| ()).map_err(|faults| faults.to_string())
        };
        let key = "hush0123456789abcdefghijklmnopqrstuv";
        let sound = format!(r#"{{"TOKEN":"{key}","PASSWORD":"hush","KEY":"hush","NUMBER_KEY":"{key}"}}"#);
        assert_eq!(read(&sound), Ok(()));
        let faults = read(&sound.replace("\"KEY\":\"hush\"", "\"KEY\":\"\"").replace("\"PASSWORD\":\"hush\",", ""));
        let faults = faults.expect_err("two faults");
        let places: Vec<_> = faults.lines().map(|fault| fault.split(':').next().unwrap_or_default()).collect();
        assert_eq!(places, ["line 11, column 49", "line 12, column 26"], "{faults}");
        assert!(faults.contains("names ${secret:PASSWORD}, which the secret"), "{faults}");
        assert!(!faults.contains("hush"), "{faults}");
    }

    #[test]
    fn the_producer_is_hindered_only_by_what_it_reads() {
        let producer = |text: &str| Checked::read(text, &Environment::from_lookup(|_| None)).producer;
        assert_eq!(producer("[[provider]]\nkind = 5\n[retry]\nhorizon = \"1y\"\n"), Ok(Faults::default()));
        let of_syntax = producer("[lifetime]\nsign_up = 1h\n").expect("what is hidden has its default");
        assert_eq!(of_syntax.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2]);
        let faults = producer("[lifetime]\nsign_up = \"1s\"\n").expect_err("a fault");
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2]);
    }
}
