//! `sealpost local --outage`: what a person sees of an outage of the provider, and that it costs nobody a code.

use std::fs;
use std::path::PathBuf;

use local::{AUTH_TOKEN, Options};
use serde_json::{Value, json};

const NUMBER: &str = "+12065550100";

fn sign_in(code: &str) -> Value {
    event("CustomSMSSender_Authentication", NUMBER, code)
}

fn event(source: &str, number: &str, code: &str) -> Value {
    json!({
        "triggerSource": source, "userPoolId": "eu-west-1_MINE",
        "request": {
            "type": "customSMSSenderRequestV1", "code": code, "userAttributes": { "phone_number": number }
        }
    })
}

/// Whether everything arrived after an outage of two seconds, and the lines that were shown.
async fn shown_of_an_outage(name: &str, events: &[Value]) -> (bool, Vec<String>) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, json!(events).to_string()).expect("the temporary folder is writable");
    let outage = Some("2s".parse().expect("an allowed length"));
    let options = Options { once: true, port: 0, events: Some(path), outage, dead_letters: false };
    let mut out = Vec::new();
    let all_arrived = local::run(&options, &mut out).await.expect("it starts, and the events can be read");
    (all_arrived, String::from_utf8(out).expect("UTF-8").lines().map(str::to_owned).collect())
}

/// The first line that holds all of these.
fn first(lines: &[String], parts: &[&str]) -> usize {
    let found = lines.iter().position(|line| parts.iter().all(|part| line.contains(part)));
    found.unwrap_or_else(|| panic!("no line with {parts:?} in\n{}", lines.join("\n")))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_circuit_opens_messages_wait_one_tries_the_provider_and_everything_arrives() {
    let codes = ["710101", "710102", "710103", "710104", "710105", "710106", "710107"];
    let (all_arrived, lines) = shown_of_an_outage("outage.json", &codes.map(sign_in)).await;
    let shown = lines.join("\n");
    assert!(all_arrived, "{shown}");

    let story = [
        first(&lines, &["outage", "refuses everything with 503 for 2s"]),
        first(&lines, &["Authentication", "producer", "queued, still sealed"]),
        first(&lines, &["Authentication", "worker", "twilio-local answered", "transient (20503)"]),
        first(&lines, &["twilio-local", "circuit", "open: not asked for"]),
        first(&lines, &["postponed by", "providers_unavailable (twilio-local not asked: circuit_open)"]),
        first(&lines, &["outage", "is over"]),
        first(&lines, &["twilio-local answered", "accepted"]),
        first(&lines, &["phone", "Your Example sign-in code is"]),
        first(&lines, &["trigger source", "received", "attempts", "after event", "after outage"]),
    ];
    assert!(story.is_sorted(), "{story:?} in\n{shown}");
    let recovery = [
        first(&lines, &["circuit", "open: not asked for"]),
        first(&lines, &["circuit", "half-open: one message tries"]),
        first(&lines, &["circuit", "closed: it is well again"]),
    ];
    assert!(recovery.is_sorted() && recovery[2] > story[5], "{recovery:?} in\n{shown}");
    first(&lines, &["producer:", "(median)", "at most"]);
    first(&lines, &["twilio-local:", "requests during the outage of 2s; its circuit breaker kept"]);
    first(&lines, &["7 of 7 arrived", "after the outage"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_numbers_are_on_the_phone_and_nowhere_else() {
    let codes = ["720101", "720102", "720103", "720104", "720105"];
    let (_, lines) = shown_of_an_outage("outage_secrets.json", &codes.map(sign_in)).await;
    for code in codes {
        let with_code: Vec<_> = lines.iter().filter(|line| line.contains(code)).collect();
        assert!(matches!(with_code[..], [line] if line.contains("phone")), "{code} in {with_code:?}");
    }
    let with_number = lines.iter().filter(|line| line.contains(NUMBER));
    assert_eq!(with_number.filter(|line| line.contains("phone")).count(), 5);
    let elsewhere: Vec<_> = lines.iter().filter(|line| line.contains(NUMBER) && !line.contains("phone")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(!lines.join("\n").contains(AUTH_TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_alone_is_tried_three_times_in_a_receive_and_what_never_arrives_is_said() {
    let events = [sign_in("730101"), event("CustomSMSSender_SignUp", "0206 555 0103", "730102")];
    let (all_arrived, lines) = shown_of_an_outage("outage_refused.json", &events).await;
    let shown = lines.join("\n");
    assert!(!all_arrived, "{shown}");
    let postponed = first(&lines, &["Authentication", "receive 1, postponed by", "providers_unavailable"]);
    let attempts = lines[..postponed].iter().filter(|line| line.contains("transient (20503)")).count();
    assert_eq!(attempts, 3, "{shown}");
    first(&lines, &["SignUp", "producer", "refused as InvalidPhoneNumber"]);
    first(&lines, &["1 of 2 arrived"]);
}
