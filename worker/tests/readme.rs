//! What the README says about the worker is what the worker does.

use std::time::Duration;

use shared::{Environment, TriggerSource};
use worker::config::File;
use worker::{max_receive_count, visibility_schedule};

const README: &str = include_str!("../../README.md");

fn sample() -> &'static str {
    let (_, from_sample) = README.split_once("```toml\n").expect("the README has a sample configuration");
    from_sample.split_once("```").expect("the sample ends").0
}

fn parse(text: &str) -> File {
    let environment = Environment::from_lookup(|name| match name {
        "TWILIO_ACCOUNT_SID" => Some(format!("AC{}", "0".repeat(32))),
        "NUMBER_KEY" => Some("0123456789abcdef".repeat(2)),
        _ => Some("token".to_owned()),
    });
    File::parse(text, &environment).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn the_sample_configuration_is_sound_and_shows_the_defaults() {
    let as_written = parse(sample());
    let uncommented: Vec<_> = sample().lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    assert!(uncommented.join("\n") != sample().trim_end(), "some defaults are commented out");
    let with_defaults_written_out = parse(&uncommented.join("\n"));

    assert_eq!(with_defaults_written_out.settings, as_written.settings);
    assert_eq!(with_defaults_written_out.retry, as_written.retry);
    assert_eq!(with_defaults_written_out.route, as_written.route);
    assert_eq!(with_defaults_written_out.state, as_written.state);
    assert_eq!(format!("{:?}", with_defaults_written_out.limits), format!("{:?}", as_written.limits));
    assert_eq!(with_defaults_written_out.texts, as_written.texts);
    assert_eq!(with_defaults_written_out.test_numbers, as_written.test_numbers);
    let providers = |file: &File| -> Vec<_> {
        file.providers.iter().map(|it| (it.name().to_owned(), it.kind(), it.base_url().clone())).collect()
    };
    assert_eq!(providers(&with_defaults_written_out), providers(&as_written));
    assert_eq!(as_written.texts.brand.as_deref(), Some("Example"));
}

#[test]
fn the_schedules_are_those_that_are_documented() {
    for (row, source) in [
        ("Authentication", Some(TriggerSource::Authentication)),
        ("AdminCreateUser, AccountTakeOverNotification", Some(TriggerSource::AdminCreateUser)),
        ("AdminCreateUser, AccountTakeOverNotification", Some(TriggerSource::AccountTakeOverNotification)),
        ("all others", Some(TriggerSource::SignUp)),
        ("all others", Some(TriggerSource::ResendCode)),
        ("all others", Some(TriggerSource::ForgotPassword)),
        ("all others", Some(TriggerSource::UpdateUserAttribute)),
        ("all others", Some(TriggerSource::VerifyUserAttribute)),
        ("all others", Some(TriggerSource::Other)),
        ("all others", None),
    ] {
        let steps: Vec<_> = visibility_schedule(source).iter().map(|step| step.as_secs().to_string()).collect();
        let row = format!("| {row} | {}, 600, … |", steps.join(", "));
        assert!(README.contains(&row), "{row}");
    }
}

#[test]
fn the_receive_count_that_the_queue_needs_is_documented() {
    let [six, eight, more] = [6, 8, 9].map(|hours| max_receive_count(Duration::from_hours(hours)));
    let words: Vec<_> = README.split_whitespace().collect();
    let sentence =
        format!("at least {six} with the default horizon of 6 hours ({eight} with 8 hours, 1,000 with more)");
    assert!(words.join(" ").contains(&sentence), "{sentence}");
    assert_eq!(more, 1_000);
}

#[test]
fn every_other_piece_of_configuration_is_sound_with_the_sample() {
    for piece in README.split("```toml\n").skip(2) {
        let (piece, _) = piece.split_once("```").expect("the piece ends");
        let whole = if piece.contains("[[provider]]") { piece.to_owned() } else { format!("{}{piece}", sample()) };
        parse(&whole);
    }
}
