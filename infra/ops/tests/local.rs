//! `sealpost local` as a person runs it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

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
        "refused as ForeignTrigger: the event can never be sent: triggerSource is not one of CustomSMSSender",
        "refused as InvalidPhoneNumber: the event can never be sent: the user's phone_number does not begin with '+'",
        "dead-lettered as country_not_allowed",
        "2 of 5 arrived",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    for absent in ["444444", "454545", "464646"] {
        assert!(!shown.contains(absent), "{absent} was shown");
    }
}

/// A `sealpost local` that stays up.
struct Staying {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Staying {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
        let mut process = command.arg("local").args(arguments).stdout(Stdio::piped()).spawn().expect("the binary runs");
        let out = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, out }
    }

    /// Reads on until this is shown; what was read.
    fn read_until(&mut self, text: &str) -> String {
        let mut shown = String::new();
        while !shown.contains(text) {
            assert_ne!(self.out.read_line(&mut shown).expect("UTF-8"), 0, "it ended by itself: {shown}");
        }
        shown
    }

    /// Ctrl-C; the rest of what is shown.
    fn interrupt(mut self) -> String {
        let interrupted = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        assert!(interrupted.expect("kill runs").success());
        let mut shown = String::new();
        self.out.read_to_string(&mut shown).expect("UTF-8");
        assert!(self.process.wait().expect("it ends").success());
        shown
    }
}

/// What follows the first occurrence of `before`, up to the next space or line end.
fn word_after<'s>(shown: &'s str, before: &str) -> &'s str {
    let (_, rest) = shown.split_once(before).unwrap_or_else(|| panic!("{before} is not in {shown}"));
    rest.split_whitespace().next().expect("something follows")
}

/// Sends a file as curl does; the whole answer.
fn post(file: &Path, url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).expect("a URL with a path");
    let body = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let head = format!("POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}", body.len());
    let mut stream = TcpStream::connect(host).expect("it listens");
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers in text");
    answer
}

#[test]
fn without_once_it_stays_up_and_ctrl_c_stops_it() {
    let mut local = Staying::start(&[]);
    local.read_until("Ctrl-C stops");
    let shown = local.interrupt();
    assert!(shown.ends_with("Stopped.\n"), "{shown}");
}

#[test]
fn the_send_that_it_says_to_try_arrives() {
    let mut local = Staying::start(&[]);
    let said = local.read_until("your own events");
    let command = said.lines().find_map(|line| line.split_once("cargo run -- send ")).expect("a line with it").1;
    let credentials = [("AWS_ACCESS_KEY_ID", "me"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let mut sealpost = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    let sent = sealpost.arg("send").args(command.split(' ')).envs(credentials).output().expect("the binary runs");
    let shown = stdout(&sent);
    assert!(sent.status.success(), "{shown}{}", String::from_utf8_lossy(&sent.stderr));
    let (_, code) = shown.trim_end().rsplit_once(" must show ").expect("a code");
    local.read_until(&format!("+12065550100 Your Example sign-up code is {code}."));
    local.interrupt();
}

#[test]
fn what_it_says_to_try_invokes_the_producer_and_the_sms_is_shown() {
    let mut local = Staying::start(&[]);
    let said = local.read_until("your own events");
    let (sample, url) = (PathBuf::from(word_after(&said, "curl -d @")), word_after(&said, "SignUp.json "));
    let endpoint = word_after(&said, "aws --endpoint-url ");
    assert_eq!(url, format!("{endpoint}/2015-03-31/functions/producer/invocations"));
    let of_the_cli = PathBuf::from(word_after(&said, "--payload fileb://"));
    assert!(said.contains("lambda invoke --function-name producer --invocation-type Event") && of_the_cli.exists());

    let answer = post(&sample, url);
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("null"), "{answer}");
    let shown = local.read_until("Your Example sign-up code is");
    assert!(shown.contains("SignUp") && shown.contains("queued, still sealed"), "{shown}");

    let junk = events_file("invoked.json", "{\"triggerSource\": \"CustomSMSSender_SignUp\"}");
    assert!(post(&junk, url).contains("\"errorType\":\"MalformedEvent\""));
    local.read_until("refused as MalformedEvent: the event can never be sent: userPoolId is missing");
    local.interrupt();
    assert!(!sample.exists(), "the samples of a run that has ended are left behind");
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
fn an_outage_is_shown_when_it_is_asked_for() {
    let text = event("CustomSMSSender_Authentication", "+12065550100", "474747").to_string();
    let events = events_file("outage.json", &text);
    let output = sealpost(&["local", "--once", "--outage", "1s", "--events", events.to_str().expect("UTF-8")]);
    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}");
    for expected in
        ["refuses everything with 503 for 1s", "postponed by", "is over", "code is 474747", "1 of 1 arrived"]
    {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

#[test]
fn an_outage_that_nobody_would_watch_is_refused_with_what_is_allowed() {
    for (length, remedy) in
        [("11m", "must lie between 1s and 600s"), ("0s", "must lie between 1s"), ("10", "must be a duration such as")]
    {
        let output = sealpost(&["local", "--once", "--outage", length]);
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("--outage") && error.contains(remedy), "{length}: {error}");
    }
}

#[test]
fn dead_letters_are_left_behind_when_they_are_asked_for() {
    let mut local = Staying::start(&["--dead-letters", "--outage", "1s"]);
    let shown = local.read_until("cargo run -- dlq redrive --yes");
    assert!(shown.contains("   20  providers_exhausted\n"), "{shown}");
    assert!(local.interrupt().ends_with("Stopped.\n"));
}

#[test]
fn dead_letters_that_nobody_could_look_at_are_refused() {
    for arguments in [["--dead-letters", "--once"].as_slice(), &["--dead-letters", "--events", "events.json"]] {
        let output = sealpost(&[&["local"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(&format!("cannot be used with '{}", arguments[1])), "{error}");
    }
}

#[test]
fn wrong_usage_exits_2() {
    assert_eq!(sealpost(&["local", "--nonsense"]).status.code(), Some(2));
    assert_eq!(sealpost(&[]).status.code(), Some(2));
}
