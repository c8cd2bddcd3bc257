//! The fake Twilio of the local pipeline, against the adapter and by hand: it takes what the adapter sends and nothing
//! else, and misbehaves as it is told.

use std::sync::Arc;

use local::fake_twilio::{FakeTwilio, FakeTwilioSettings, NO_MOBILE, Script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use worker::Provider;
use worker::provider::{Attempt, Outcome};

use crate::subject::{ACCOUNT, CREDENTIAL, LONG, SHORT, Subject, TEXT, TO, seen, send};
use crate::subjects;

const FROM: &str = "+12065550199";

async fn fake() -> FakeTwilio {
    fake_with(CREDENTIAL).await
}

async fn fake_with(auth_token: &str) -> FakeTwilio {
    let settings = FakeTwilioSettings { account_sid: ACCOUNT.to_owned(), auth_token: auth_token.to_owned() };
    FakeTwilio::start(settings).await.expect("a free port")
}

/// A Twilio that sends from a number, with the account's own token.
fn twilio(base_url: &str) -> Arc<dyn Provider> {
    let block = format!(
        "[[provider]]\nname = \"twilio\"\nkind = \"twilio\"\nbase_url = \"BASE_URL\"\naccount_sid = \"{ACCOUNT}\"\n\
         auth_token = \"${{env:TOKEN}}\"\nfrom = \"{FROM}\"\n"
    );
    Subject { block, ..subjects::twilio() }.provider(base_url, "")
}

/// Sends one SMS to a fresh fake that does what the script says.
async fn scripted(script: Script, timeout: std::time::Duration) -> (Attempt, FakeTwilio) {
    let fake = fake().await;
    fake.script(script);
    let attempt = send(twilio(&fake.base_url()).as_ref(), TEXT, timeout).await;
    (attempt, fake)
}

#[tokio::test]
async fn an_accepted_sms_arrives_as_it_was_rendered() {
    let fake = fake().await;
    let twilio = twilio(&fake.base_url());
    for text in
        [TEXT, "1 + 1 = 2 & 100%25; ~*'()", "Code für Zoë: 424242 \u{1F512}\nZeile\r\n\n@example.com #424242", " "]
    {
        let attempt = send(twilio.as_ref(), text, LONG).await;
        assert_eq!(seen(&attempt), ("accepted", None));
        let message = fake.next_message().await;
        assert_eq!((message.to.as_str(), message.from.as_str(), message.validity_period), (TO, FROM, 170));
        assert_eq!(message.body, text);
    }
    assert_eq!((fake.requests(), fake.connections()), (4, 1), "one connection serves them all");
}

#[tokio::test]
async fn every_accepted_sms_has_its_own_id() {
    let fake = fake().await;
    let twilio = twilio(&fake.base_url());
    let (first, second) = tokio::join!(send(twilio.as_ref(), TEXT, LONG), send(twilio.as_ref(), TEXT, LONG));
    match (first.outcome, second.outcome) {
        (Outcome::Accepted { provider_message_id: first }, Outcome::Accepted { provider_message_id: second }) => {
            let is_sid = |id: Option<&str>| id.is_some_and(|id| id.starts_with("SM"));
            assert!(is_sid(first.as_str()) && is_sid(second.as_str()));
            assert_ne!(first, second);
        }
        others => panic!("{others:?}"),
    }
}

#[tokio::test]
async fn an_outage_refuses_everything_until_it_ends() {
    let fake = fake().await;
    let twilio = twilio(&fake.base_url());
    fake.set_outage(true);
    for _ in 0..3 {
        assert_eq!(seen(&send(twilio.as_ref(), TEXT, LONG).await), ("transient", Some("20503")));
    }
    fake.set_outage(false);
    assert_eq!(seen(&send(twilio.as_ref(), TEXT, LONG).await), ("accepted", None));
    assert_eq!((fake.requests(), fake.messages()), (4, 1));
}

#[tokio::test]
async fn the_fake_misbehaves_as_it_is_told() {
    let refusal = Script::Answer { status: 400, headers: Vec::new(), body: "{\"code\":21211}".to_owned() };
    for (script, timeout, expected, messages) in [
        (refusal, LONG, ("recipient_permanent", Some("21211")), 0),
        (Script::Garbage200, LONG, ("unknown", Some("http_200")), 1),
        (Script::Delay(LONG, Box::new(Script::Accept)), SHORT, ("unknown", Some("timeout")), 0),
        (Script::Delay(SHORT, Box::new(Script::Accept)), LONG, ("accepted", None), 1),
        (Script::ResetBeforeRead, LONG, ("unknown", Some("connection_lost")), 0),
        (Script::ResetAfterRead, LONG, ("unknown", Some("connection_lost")), 1),
        (Script::HalfAnswer, LONG, ("unknown", Some("broken_answer")), 1),
    ] {
        let (attempt, fake) = scripted(script, timeout).await;
        assert_eq!(seen(&attempt), expected);
        assert_eq!((fake.requests(), fake.messages()), (1, messages));
    }
}

#[tokio::test]
async fn a_connection_in_use_is_reset_as_told() {
    let fake = fake().await;
    let twilio = twilio(&fake.base_url());
    assert_eq!(seen(&send(twilio.as_ref(), TEXT, LONG).await), ("accepted", None));
    for script in [Script::ResetBeforeRead, Script::ResetAfterRead] {
        let before = fake.requests();
        fake.script(script);
        assert_eq!(seen(&send(twilio.as_ref(), TEXT, LONG).await), ("unknown", Some("connection_lost")));
        assert_eq!(fake.requests(), before + 1);
        assert_eq!(seen(&send(twilio.as_ref(), TEXT, LONG).await), ("accepted", None), "the next one connects anew");
    }
}

#[tokio::test]
async fn wrong_credentials_are_the_providers_fault_and_not_the_recipients() {
    let fake = fake_with("another-token").await;
    let attempt = send(twilio(&fake.base_url()).as_ref(), TEXT, LONG).await;
    assert_eq!(seen(&attempt), ("provider_permanent", Some("20003")));
    assert_eq!(fake.messages(), 0);
}

#[tokio::test]
async fn the_fake_refuses_what_is_not_in_the_contract() {
    let fake = fake().await;
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    // ACCOUNT:CREDENTIAL in Base64.
    let authorization = "QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpodXNoLXRva2Vu";
    let form = "application/x-www-form-urlencoded";
    let sound = "To=%2B12065550100&From=12345&Body=x&ValidityPeriod=170";
    for (method, path, body, status, code) in [
        ("POST", path.as_str(), sound, "201", "\"error_code\":null"),
        ("GET", &path, sound, "405", "\"code\":20004"),
        ("POST", "/2010-04-01/Accounts/AC1/Messages.json", sound, "404", "\"code\":20404"),
        ("POST", &format!("{path}?a=b"), sound, "404", "\"code\":20404"),
        ("POST", &path, &sound.replace("ValidityPeriod", "ValidtyPeriod"), "400", "\"code\":20001"),
        ("POST", &path, &sound.replace("170", "0"), "400", "\"code\":20001"),
        ("POST", &path, &sound.replace("170", "36001"), "400", "\"code\":20001"),
        ("POST", &path, &format!("{sound}&Body=y"), "400", "\"code\":20001"),
        ("POST", &path, &format!("{sound}&ContentRetention=drop"), "400", "\"code\":20001"),
        ("POST", &path, &format!("{sound}&MessagingServiceSid=MG1"), "400", "\"code\":21603"),
        ("POST", &path, &sound.replace("From", "MessagingServiceSid"), "201", "\"from\":null"),
        ("POST", &path, &sound.replace("%2B", "+"), "400", "\"code\":21211"),
        ("POST", &path, &sound.replace("To=%2B12065550100&", ""), "400", "\"code\":21604"),
        ("POST", &path, &sound.replace("12065550100", &NO_MOBILE[1..]), "400", "\"code\":21614"),
        ("POST", &path, &sound.replace("Body=x", "Body="), "400", "\"code\":21602"),
        ("POST", &path, &sound.replace("Body=x", &format!("Body={}", "x".repeat(1601))), "400", "\"code\":21617"),
    ] {
        let answer = raw(&fake, method, path, authorization, form, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{body}: {answer}");
        assert!(answer.contains(code), "{body}: {answer}");
    }
    let answer = raw(&fake, "POST", &path, "QUM6eA==", form, sound).await;
    assert!(answer.contains("\"code\":20003"), "{answer}");
    let answer = raw(&fake, "POST", &path, authorization, "application/json", sound).await;
    assert!(answer.contains("\"code\":20001"), "{answer}");
    raw(&fake, "POST", &path, authorization, form, &sound.replace("Body=x", &"x".repeat(70_000))).await;
    assert_eq!(fake.messages(), 2);
}

#[tokio::test]
async fn a_dropped_fake_listens_no_longer() {
    let fake = fake().await;
    let twilio = twilio(&fake.base_url());
    drop(fake);
    // The task that listens ends when the runtime next runs it.
    tokio::task::yield_now().await;
    assert_eq!(seen(&send(twilio.as_ref(), TEXT, LONG).await), ("transient", Some("connect")));
}

/// One request written by hand, and the whole answer to it.
async fn raw(fake: &FakeTwilio, method: &str, path: &str, basic: &str, content_type: &str, body: &str) -> String {
    let address = fake.base_url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.expect("the fake listens");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Basic {basic}\r\n\
         content-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("writable");
    let mut answer = String::new();
    // A request that is refused unread, being too long, may end in a reset.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}
