//! What the command line says of itself.

use std::process::{Command, Output};

fn sealpost(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sealpost")).env_clear().args(arguments).output().expect("the binary runs")
}

fn says(arguments: &[&str]) -> String {
    let output = sealpost(arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

const DLQ: [&str; 6] = ["stats", "list", "show", "redrive", "drop", "restore"];
const OF_EVERY_AWS_COMMAND: [&str; 6] = ["--stack", "--profile", "--region", "--endpoint-url", "--role-arn", "--json"];

#[test]
fn every_command_on_dead_letters_teaches_by_examples() {
    for command in DLQ {
        let help = says(&["dlq", command, "--help"]);
        assert!(help.contains("Examples:\n") && help.contains(&format!("  sealpost dlq {command} ")), "{help}");
        for option in ["--queue", "--failed-invocations", "--config"].iter().chain(&OF_EVERY_AWS_COMMAND) {
            assert!(help.contains(option), "{command}: {option}");
        }
    }
    for command in ["redrive", "drop", "restore"] {
        assert!(says(&["dlq", command, "--help"]).contains("Without --yes it only counts."), "{command}");
    }
}

#[test]
fn a_switch_is_reached_as_a_queue_is() {
    for arguments in [&["switch", "--help"][..], &["switch", "off", "--help"], &["switch", "on", "--help"]] {
        let help = says(arguments);
        for option in ["--table"].iter().chain(&OF_EVERY_AWS_COMMAND) {
            assert!(help.contains(option), "{arguments:?}: {option}");
        }
    }
}

#[test]
fn every_look_at_the_configuration_teaches_by_examples() {
    for (arguments, example, options) in [
        (&["config", "--help"][..], "  sealpost config check infra/aws/sealpost.toml\n", &["check", "schema"][..]),
        (
            &["config", "check", "--help"],
            "  sealpost config check sealpost.toml --json\n",
            &["--json", "FILE:LINE:COLUMN"],
        ),
        (&["config", "schema", "--help"], "  sealpost config schema > sealpost.schema.json\n", &["#:schema"]),
        (&["route", "--help"], "  sealpost route +12065550100\n", &["--config", "SEALPOST_CONFIG", "--json"]),
    ] {
        let help = says(arguments);
        assert!(help.contains("Examples:\n") && help.contains(example), "{help}");
        for option in options {
            assert!(help.contains(option), "{arguments:?}: {option}");
        }
    }
}

#[test]
fn a_trigger_is_changed_only_by_whoever_says_so() {
    for command in ["attach", "detach"] {
        let help = says(&[command, "--help"]);
        assert!(
            help.contains("Without --yes it only says what it would do.") && help.contains("Examples:\n"),
            "{help}"
        );
        for option in ["--user-pool-id", "--undo-file", "--yes"].iter().chain(&OF_EVERY_AWS_COMMAND) {
            assert!(help.contains(option), "{command}: {option}");
        }
    }
    let no_key = sealpost(&["attach", "--user-pool-id", "eu-west-1_x", "--region", "eu-west-1", "--function", "x"]);
    assert_eq!(no_key.status.code(), Some(1), "a function that is none is no matter of usage");
    let nothing = sealpost(&["attach", "--user-pool-id", "eu-west-1_x", "--region", "eu-west-1"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("which function? Give --function ARN or --stack NAME"));
}

#[cfg(feature = "local")]
#[test]
fn a_message_is_sent_by_the_way_that_a_queue_is_reached_by() {
    let help = says(&["send", "--help"]);
    assert!(help.contains("Examples:\n") && help.contains("  sealpost send --stack "), "{help}");
    for option in ["--user-pool", "--source", "--to", "--wait", "--yes"].iter().chain(&OF_EVERY_AWS_COMMAND) {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn the_doctor_says_what_it_can_be_told() {
    let help = says(&["doctor", "--help"]);
    for option in ["--user-pool-id", "--config", "--function", "--worker-role-arn", "--offline", "--secret-file"] {
        assert!(help.contains(option), "{option}");
    }
    for option in OF_EVERY_AWS_COMMAND {
        assert!(help.contains(option), "{option}");
    }
    assert!(help.contains("Examples:\n  sealpost doctor --stack "), "{help}");
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = says(&["completions", shell]);
        for word in DLQ.iter().chain(&["attach", "detach", "doctor", "switch", "config", "route", "completions"]) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_manual_page_has_every_command_with_its_options() {
    let page = says(&["man"]);
    assert!(page.starts_with(".ie \\n(.g .ds Aq") && page.contains(".TH sealpost 1"), "{page}");
    for command in DLQ {
        assert!(page.contains(&format!(".SH \"SEALPOST DLQ {}\"", command.to_uppercase())), "{command}");
    }
    for option in ["resend\\-unknown", "trusted\\-sender", "older\\-than"] {
        assert!(page.contains(option), "{option}");
    }
}
