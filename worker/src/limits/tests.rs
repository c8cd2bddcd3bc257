use std::collections::BTreeSet;

use proptest::prelude::*;
use secrecy::SecretString;
use shared::settings::Document;

use super::*;
use crate::provider::{Placeholder, Resolved};

const KEY: &str = "a key of these tests, long enough";

/// Reads `[limits]`, where `${env:KEY}` is the key of these tests and any other variable a value of its name.
fn read(text: &str) -> Result<Limits, String> {
    let (document, mut faults) = Document::parse(text);
    let section = document.root().section(key("limits", ""), &mut faults).expect("a table");
    let resolve = |placeholder: Placeholder<'_>| match placeholder {
        Placeholder::Env("KEY") => Ok(Resolved::Value(KEY.into())),
        Placeholder::Env(name) | Placeholder::Secret(name) => Ok(Resolved::Value(name.into())),
    };
    let limits = Limits::read(section, &resolve, &mut faults);
    faults.or(limits).map_err(|faults| faults.to_string())
}

fn limits(text: &str) -> Limits {
    read(&format!("[limits]\n{text}\n")).expect("sound")
}

fn windows(limits: &Limits, to: &str, country: &str, now: &str) -> Vec<(String, u32, String)> {
    let (to, country) = (PhoneNumber::parse(to).expect("a number"), Country::parse(country).expect("a country"));
    let windows = limits.windows(&to, country, now.parse().expect("RFC 3339"));
    windows.into_iter().map(|window| (window.key, window.limit, window.ends_at.to_string())).collect()
}

#[test]
fn by_default_only_numbers_have_a_limit() {
    for limits in [Limits::default(), limits("")] {
        let windows = windows(&limits, "+12065550100", "US", "2026-11-23T12:34:56Z");
        let [(key, 20, ends_at)] = windows.as_slice() else { panic!("one window: {windows:?}") };
        assert!(key.starts_with("per_number/") && key.ends_with("/3600000/1795435200000"), "{key}");
        assert_eq!(ends_at, "2026-11-23T13:00:00Z");
    }
    assert_eq!(windows(&limits("per_number = \"off\""), "+12065550100", "US", "2026-11-23T12:34:56Z"), []);
}

#[test]
fn the_narrowest_limit_comes_first_and_a_country_may_differ_from_the_others() {
    let limits = limits(
        "in_all = \"9000/1m\"\nper_number = \"3/10m\"\n\
         [limits.per_country]\ndefault = \"100/1d\"\nGB = \"1000/1h\"\nFR = \"off\"",
    );
    let of = |country| windows(&limits, "+12065550100", country, "2026-11-23T12:34:56Z");
    let [number, gb, in_all] = of("GB").try_into().expect("three windows");
    assert_eq!((number.1, number.2.as_str()), (3, "2026-11-23T12:40:00Z"));
    let starts_at = |time: &str| time.parse::<Timestamp>().expect("RFC 3339").as_millisecond();
    let noon = starts_at("2026-11-23T12:00:00Z");
    assert_eq!(gb, (format!("per_country/GB/3600000/{noon}"), 1_000, "2026-11-23T13:00:00Z".to_owned()));
    let minute = starts_at("2026-11-23T12:34:00Z");
    assert_eq!(in_all, (format!("in_all/everybody/60000/{minute}"), 9_000, "2026-11-23T12:35:00Z".to_owned()));

    let midnight = starts_at("2026-11-23T00:00:00Z");
    let us = (format!("per_country/US/86400000/{midnight}"), 100, "2026-11-24T00:00:00Z".to_owned());
    assert_eq!(of("US"), [number.clone(), us, in_all.clone()]);
    assert_eq!(of("FR"), [number, in_all]);
}

#[test]
fn each_fault_says_what_to_write_instead() {
    for (text, expected) in [
        ("per_number = 20", "line 2, column 14: per_number in [limits] must be a text in quotes"),
        (
            "per_number = \"20\"",
            "per_number in [limits] must be a number of messages and a duration, such as \"20/1h\"",
        ),
        ("in_all = \"0/1h\"", "in_all in [limits] must allow 1 to 1000000 messages; \"off\" allows any number"),
        ("in_all = \"1/8d\"", "in_all in [limits] has a duration that must lie between 1s and 604800s"),
        ("per_country = \"1/1h\"", "per_country in [limits] must be a table, written as [limits.per_country]"),
        (
            "[limits.per_country]\nUK = \"1/1h\"",
            "line 3, column 6: per_country.UK in [limits] is neither default nor an ISO 3166 region such as GB",
        ),
        ("[limits.per_country]\nGB = 7", "line 3, column 6: per_country.GB in [limits] must be a text in quotes"),
        ("[limits.per_country]\nGB = \"x\"", "per_country.GB in [limits] must be a number of messages"),
        ("per_numbers = \"off\"", "unknown key per_numbers in [limits]; did you mean per_number?"),
        (
            "number_key = \"hush\"",
            "number_key in [limits] must be a placeholder, since secrets do not belong in the file",
        ),
        (
            "number_key = \"${env:hush}\"",
            "is shorter than 32 characters, so it could be guessed: make one with `openssl rand -base64 32`",
        ),
    ] {
        let faults = read(&format!("[limits]\n{text}\n")).expect_err(text);
        assert!(faults.contains(expected) && !faults.contains("hush"), "{faults}");
    }
}

#[test]
fn without_a_common_key_no_two_processes_count_numbers_together() {
    let (own, others) = (Limits::default(), Limits::default());
    let of = |limits: &Limits| windows(limits, "+12065550100", "US", "2026-11-23T12:34:56Z");
    assert_eq!(of(&own), of(&own.clone()));
    assert_ne!(of(&own), of(&others));
    assert!(own.lacks_number_key() && !limits("number_key = \"${env:KEY}\"").lacks_number_key());
    assert!(!limits("per_number = \"off\"").lacks_number_key(), "no number is hashed");
}

#[test]
fn the_hash_is_the_beginning_of_hmac_sha256() {
    // printf +12065550100 | openssl dgst -sha256 -hmac 'a key of these tests, long enough'
    let [(key, ..)] = windows(&limits("number_key = \"${env:KEY}\""), "+12065550100", "US", "1970-01-01T00:00:00Z")
        .try_into()
        .expect("one window");
    assert_eq!(key, "per_number/8a873d22c3798c4e359c287355b6823c/3600000/0");
}

#[test]
fn the_key_is_not_printed() {
    let shown = format!("{:?}", limits("number_key = \"${env:KEY}\""));
    assert!(shown.contains("NumberKey") && !shown.contains(KEY) && !shown.contains("97, 32"), "{shown}");
}

proptest! {
    #[test]
    fn a_windows_key_tells_numbers_and_times_apart_and_holds_neither_number_nor_secret(
        numbers in prop::collection::btree_set("[1-9][0-9]{6,14}", 2..10),
        time in 0_i64..4_000_000_000_000,
        (secret, other) in ("[!-~]{32,64}", "[!-~]{32,64}"),
    ) {
        prop_assume!(secret != other);
        let number_key = |secret: &str| NumberKey::given(&SecretString::from(secret));
        let of = |secret: &str| Limits { number_key: number_key(secret), ..Limits::default() };
        let now = Timestamp::from_millisecond(time).expect("in range");
        let country = Country::parse("US").expect("a country");
        let key = |limits: &Limits, number: &str, now| {
            let windows = limits.windows(&PhoneNumber::parse(&format!("+{number}")).expect("a number"), country, now);
            windows[0].clone()
        };
        let later = Timestamp::from_millisecond(time + 3_600_000).expect("in range");
        let mut keys = BTreeSet::new();
        for number in &numbers {
            let window = key(&of(&secret), number, now);
            prop_assert!(window.ends_at > now && window.ends_at <= later);
            prop_assert_eq!(&window, &key(&of(&secret), number, now));
            prop_assert!(!window.key.contains(&secret));
            let hash = window.key.split('/').nth(1).expect("a hash");
            prop_assert!(hash.len() == 32 && !hash.contains(number));
            keys.insert(key(&of(&secret), number, later).key);
            keys.insert(key(&of(&other), number, now).key);
            keys.insert(window.key);
        }
        prop_assert_eq!(keys.len(), numbers.len() * 3);
    }
}
