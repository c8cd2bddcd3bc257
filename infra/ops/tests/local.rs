//! `sealpost local` as a person runs it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::json;

fn sealpost(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sealpost")).args(arguments).output().expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn events_file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("the temporary folder is writable");
    path
}

fn event(source: &str, number: &str, code: &str) -> serde_json::Value {
    json!({
        "triggerSource": source, "userPoolId": "eu-west-1_MINE",
        "request": {
            "type": "customSMSSenderRequestV1", "code": code, "userAttributes": { "phone_number": number }
        }
    })
}

#[test]
fn one_event_of_every_trigger_source_arrives() {
    let output = sealpost(&["local", "--once"]);
    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("8 of 8 arrived"), "{shown}");
    for source in [
        "SignUp",
        "ResendCode",
        "ForgotPassword",
        "UpdateUserAttribute",
        "VerifyUserAttribute",
        "Authentication",
        "AdminCreateUser",
        "AccountTakeOverNotification",
    ] {
        assert!(shown.lines().any(|line| line.starts_with(source) && line.ends_with("arrived")), "{source}: {shown}");
    }
    assert!(shown.contains("suite 0x0378"), "{shown}");
    assert!(shown.contains("Your temporary password is Vo<7&maple"), "{shown}");
    assert!(shown.lines().count() < 40, "{} lines", shown.lines().count());
    assert!(!shown.contains('\u{1b}'), "no colours where there is no terminal");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn events_of_a_file_are_sealed_sent_and_told_apart_when_they_do_not_arrive() {
    let lines = [
        event("CustomSMSSender_Authentication", "+12065550100", "424242"),
        event("CustomSMSSender_SomethingNew", "+12065550101", "434343"),
        event("CustomEmailSender_SignUp", "+12065550102", "444444"),
        event("CustomSMSSender_SignUp", "0206 555 0103", "454545"),
        event("CustomSMSSender_SignUp", "+10000000000", "464646"),
    ];
    let text = lines.map(|line| line.to_string()).join("\n");
    let output = sealpost(&["local", "--once", "--events", events_file("mixed.jsonl", &text).to_str().expect("UTF-8")]);
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    for expected in [
        "Your Example sign-in code is 424242. Do not share it.",
        "Your Example code is 434343. Do not share it.",
        "refused: the event can never be sent: triggerSource is not one of CustomSMSSender",
        "refused: the event can never be sent: the user's phone_number does not begin with '+'",
        "dead-lettered as country_not_allowed",
        "2 of 5 arrived",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    for absent in ["444444", "454545", "464646"] {
        assert!(!shown.contains(absent), "{absent} was shown");
    }
}

#[test]
fn without_once_it_stays_up_and_ctrl_c_stops_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    let mut process = command.arg("local").stdout(Stdio::piped()).spawn().expect("the binary runs");
    let mut shown = BufReader::new(process.stdout.take().expect("piped"));
    let mut lines = String::new();
    while !lines.contains("Ctrl-C stops") {
        assert_ne!(shown.read_line(&mut lines).expect("UTF-8"), 0, "it ended by itself: {lines}");
    }
    let interrupted = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
    assert!(interrupted.expect("kill runs").success());
    shown.read_to_string(&mut lines).expect("UTF-8");
    assert!(lines.ends_with("Stopped.\n"), "{lines}");
    assert!(process.wait().expect("it ends").success());
}

#[test]
fn a_file_that_cannot_be_read_is_explained() {
    let output = sealpost(&["local", "--once", "--events", "/does/not/exist.json"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.starts_with("sealpost: reading /does/not/exist.json"), "{error}");
    let junk = events_file("junk.json", "{\"triggerSource\": \"123456\"");
    let output = sealpost(&["local", "--once", "--events", junk.to_str().expect("UTF-8")]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("is not JSON at line 1, column"), "{error}");
    assert!(!error.contains("123456"), "{error}");
}

#[test]
fn wrong_usage_exits_2() {
    assert_eq!(sealpost(&["local", "--nonsense"]).status.code(), Some(2));
    assert_eq!(sealpost(&[]).status.code(), Some(2));
}
