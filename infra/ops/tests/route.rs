//! `sealpost route` as an operator runs it.

use std::process::{Command, Output};

use serde_json::{Value, json};
use shared::{Clock, Environment, PhoneNumber};
use tempfile::TempDir;
use worker::config::Checked;
use worker::{Destination, Switches, Way};

const CONFIGURATION: &str = "\
[[provider]]
name = \"twilio-main\"
kind = \"twilio\"
account_sid = \"${secret:SID}\"
auth_token = \"${secret:TOKEN}\"
from = \"Example\"
[[provider]]
name = \"twilio-eu\"
kind = \"twilio\"
account_sid = \"${secret:SID}\"
auth_token = \"${secret:TOKEN}\"
from = \"Example\"
[route]
default = [\"twilio-eu\", \"twilio-main\"]
allow_fixed_lines = false
[route.country]
GB = [\"twilio-main\"]
KP = []
[limits]
in_all = \"100000/1d\"
[limits.per_country]
GB = \"1000/1h\"
[[test_number]]
number = \"+447700900123\"
until = \"9999-12-30\"
[[test_number]]
number = \"+447700900456\"
until = \"2020-12-31\"
";

struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new(configuration: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("sealpost.toml"), configuration).expect("written");
        Self { folder }
    }

    fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(variables.iter().copied())
            .arg("route")
            .args(arguments);
        command.output().expect("the binary runs")
    }

    /// What is said of a number, and the exit code.
    fn says(&self, number: &str) -> (Option<i32>, String) {
        let output = self.run(&[], &[number, "--config", "sealpost.toml"]);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(!said.contains(&number[5..]), "{said}");
        (output.status.code(), said)
    }

    fn json(&self, number: &str) -> (Option<i32>, Value) {
        let output = self.run(&[], &[number, "--config", "sealpost.toml", "--json"]);
        (output.status.code(), serde_json::from_slice(&output.stdout).expect("JSON"))
    }
}

#[test]
fn a_number_that_is_sent_to_is_told_who_is_asked_and_why() {
    let scene = Scene::new(CONFIGURATION);
    let (code, said) = scene.says("+12065550100");
    let expected = "\
+1…00 would be sent through twilio-eu, then twilio-main
country        US
kind           mobile or fixed line
route          default in [route] (sealpost.toml:14), since [route.country] has no US
counted by     per_number 20/1h, in_all 100000/1d; beyond that it is refused as rate_limited
not looked at  kill switches, which are in the state table: sealpost switch
";
    assert_eq!((code, said.as_str()), (Some(0), expected));
    let (code, said) = scene.says("+447400123456");
    let expected = "\
+44…56 would be sent through twilio-main
country        GB
kind           mobile
route          GB in [route.country] (sealpost.toml:17)
counted by     per_number 20/1h, per_country 1000/1h, in_all 100000/1d; beyond that it is refused as rate_limited
not looked at  kill switches, which are in the state table: sealpost switch
";
    assert_eq!((code, said.as_str()), (Some(0), expected));
}

#[test]
fn a_number_that_is_refused_is_told_the_dead_letters_reason_and_what_to_change() {
    let scene = Scene::new(CONFIGURATION);
    let default_refuses = Scene::new(&CONFIGURATION.replace("[\"twilio-eu\", \"twilio-main\"]", "[]"));
    for (scene, number, first, remedy) in [
        (
            &scene,
            "+8501921234567",
            "+850…67 would be refused as country_not_allowed: nothing is sent to KP",
            "name providers for KP in [route.country] (sealpost.toml:18), or remove its line",
        ),
        (
            &default_refuses,
            "+12065550100",
            "+1…00 would be refused as country_not_allowed: nothing is sent to US",
            "add US = [\"…\"] to [route.country], or name providers for default in [route] (sealpost.toml:14)",
        ),
        (
            &scene,
            "+442079460958",
            "+44…58 would be refused as invalid_phone_number: it is a fixed line, and allow_fixed_lines in [route] is false",
            "remove allow_fixed_lines from [route] (sealpost.toml:15); some networks lose SMS to fixed lines",
        ),
        (
            &scene,
            "+449012345678",
            "+44…78 would be refused as invalid_phone_number: it is a premium-rate number: its owner earns from what is \
             sent there",
            "no configuration changes that",
        ),
        (
            &scene,
            "+9990000000",
            "+999…00 would be refused as invalid_phone_number: no numbering plan has a number of this calling code and \
             length",
            "look for a slip in the number; no configuration helps",
        ),
        (
            &scene,
            "+447700900999",
            "+44…99 would be refused as country_not_allowed: its country is not known: several share the calling code and \
             none is known to use this range",
            "no route is taken to a country that nobody knows; to test with such a number, add a [[test_number]]",
        ),
    ] {
        let (code, said) = scene.says(number);
        let lines: Vec<_> = said.lines().collect();
        assert_eq!((code, lines[0]), (Some(1), first));
        assert!(lines.contains(&format!("remedy         {remedy}").as_str()), "{said}");
        assert!(!said.contains("counted by"), "{said}");
    }
}

#[test]
fn a_test_number_is_told_until_when_it_is_one() {
    let scene = Scene::new(CONFIGURATION);
    let (code, said) = scene.says("+447700900123");
    let expected = "\
+44…23 is a test number: all is done, but nothing is sent
country        unknown
kind           unknown
test number    until 9999-12-30, by [[test_number]] (sealpost.toml:24)
not looked at  kill switches, which are in the state table: sealpost switch
";
    assert_eq!((code, said.as_str()), (Some(0), expected));
    let (code, said) = scene.says("+447700900456");
    let expected = "test number    no more: it was one until 2020-12-31, by [[test_number]] (sealpost.toml:27)\n";
    assert!(code == Some(1) && said.contains(expected), "{said}");
}

#[test]
fn programs_are_told_the_same() {
    let scene = Scene::new(CONFIGURATION);
    let not_looked_at = "kill switches, which are in the state table: sealpost switch";
    let sent = json!({
        "number": "+1…00", "sent": true, "providers": ["twilio-eu", "twilio-main"], "country": "US", "kind": "mobile or fixed line",
        "test_number": null, "route": "default in [route] (sealpost.toml:14), since [route.country] has no US",
        "limits": [{ "limit": "per_number", "rate": "20/1h" }, { "limit": "in_all", "rate": "100000/1d" }],
        "reason": null, "detail": null, "remedy": null, "not_looked_at": not_looked_at,
    });
    assert_eq!(scene.json("+12065550100"), (Some(0), sent));
    let refused = json!({
        "number": "+850…67", "sent": false, "providers": [], "country": "KP", "kind": "mobile", "test_number": null,
        "route": "KP in [route.country] (sealpost.toml:18)", "limits": [], "reason": "country_not_allowed",
        "detail": "nothing is sent to KP",
        "remedy": "name providers for KP in [route.country] (sealpost.toml:18), or remove its line",
        "not_looked_at": not_looked_at,
    });
    assert_eq!(scene.json("+8501921234567"), (Some(1), refused));
}

#[test]
fn what_it_says_is_what_the_workers_own_decision_is() {
    let scene = Scene::new(CONFIGURATION);
    let file = Checked::read(CONFIGURATION, &Environment::from_lookup(|_| None)).file.expect("sound");
    for written in [
        "+12065550100",
        "+447400123456",
        "+33639980001",
        "+919800000000",
        "+8501921234567",
        "+447700900123",
        "+447700900456",
        "+10000000000",
        "+9990000000",
        "+1206555010",
        "+442079460958",
        "+493012345678",
        "+18005550199",
        "+80012345678",
        "+19002345678",
        "+979123456789",
        "+491801234567",
        "+447012345678",
        "+447640123456",
        "+33999999999",
    ] {
        let number = PhoneNumber::parse(written).expect("E.164 shape");
        let now = Clock::system().now();
        let found = Destination::find(&number, &file.route, &file.test_numbers, &Switches::default(), now);
        let (code, said) = scene.json(written);
        let expected = match found {
            Ok(Destination { way: Way::Route(providers), .. }) => {
                let names: Vec<_> = providers.iter().map(|index| ["twilio-main", "twilio-eu"][*index]).collect();
                (Some(0), json!([true, names, null, null]))
            }
            Ok(Destination { way: Way::TestNumber, .. }) => (Some(0), json!([true, [], null, null])),
            Err(refusal) => (Some(1), json!([false, [], refusal.reason().to_string(), refusal.to_string()])),
        };
        assert_eq!(
            (code, json!([said["sent"], said["providers"], said["reason"], said["detail"]])),
            expected,
            "{written}"
        );
    }
}

#[test]
fn without_a_file_the_built_in_defaults_are_explained() {
    let scene = Scene::new("");
    let output = scene.run(&[], &["+12065550100"]);
    let expected = "\
+1…00 would be sent through each [[provider]], in the order of the configuration
country        US
kind           mobile or fixed line
route          no line of the configuration, so all providers in its order
counted by     per_number 20/1h; beyond that it is refused as rate_limited
not looked at  kill switches, which are in the state table: sealpost switch
";
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()), (Some(0), expected));
    assert_eq!(scene.run(&[], &["+9990000000"]).status.code(), Some(1));
    let output = scene.run(&[], &["+12065550100", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(said["providers"], Value::Null, "nobody knows them");
}

#[test]
fn the_readme_shows_what_is_said() {
    let scene = Scene::new(CONFIGURATION);
    for number in ["+442079460958", "+12065550100"] {
        let (_, said) = scene.says(number);
        let shown = format!("$ cargo run -- route {number} --config sealpost.toml\n{said}");
        assert!(include_str!("../../../README.md").contains(&shown), "{shown}");
    }
}

#[test]
fn the_file_may_be_named_as_the_programs_have_it() {
    let scene = Scene::new(CONFIGURATION);
    let output = scene.run(&[("SEALPOST_CONFIG", "sealpost.toml")], &["+12065550100"]);
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .starts_with("+1…00 would be sent through twilio-eu, then twilio-main\n")
    );
}

#[test]
fn a_number_of_another_shape_is_wrong_usage_and_is_not_repeated() {
    let scene = Scene::new(CONFIGURATION);
    for (number, fault) in [
        ("07700900123", "the number does not begin with '+'"),
        ("+44 7700 900123", "the number holds something other than digits after the '+'"),
        ("+447700900123456789", "the number does not have 7 to 15 digits"),
    ] {
        let output = scene.run(&[], &[number]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        let expected = format!("sealpost: {fault}: a phone number is written as E.164: a plus sign and 7 to 15 digits");
        assert!(said.starts_with(&expected) && !said.contains("900123"), "{said}");
    }
    assert_eq!(scene.run(&[], &[]).status.code(), Some(2), "which number?");
}

#[test]
fn a_file_that_the_worker_would_not_start_with_explains_nothing() {
    let scene = Scene::new(&CONFIGURATION.replace("default = ", "defualt = "));
    let output = scene.run(&[], &["+12065550100", "--config", "sealpost.toml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = "sealpost: the worker would not start with sealpost.toml:\n\
                    line 14, column 1: unknown key defualt in [route]; did you mean default?\n";
    assert_eq!((output.status.code(), said.as_str()), (Some(1), expected));
}
