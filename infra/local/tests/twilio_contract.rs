//! The Twilio adapter over real HTTP against a strict fake.

use std::io;
use std::time::Duration;

use local::fake_twilio::{FakeTwilio, FakeTwilioSettings, Script};
use secrecy::SecretString;
use shared::settings::Document;
use shared::{Clock, MessageId, PhoneNumber};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use worker::provider::{Attempt, Outcome, Placeholder, Provider, Sms, Twilio, TwilioSettings};

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "hush-token";
const TO: &str = "+12065550100";
const FROM: &str = "+447700900123";
const TEXT: &str = "Your code is 424242.";
/// No test waits this long; it only keeps a broken one from hanging.
const LONG: Duration = Duration::from_secs(20);
/// For the tests in which nobody answers.
const SHORT: Duration = Duration::from_millis(150);

async fn fake() -> FakeTwilio {
    let settings = FakeTwilioSettings { account_sid: ACCOUNT.to_owned(), auth_token: TOKEN.to_owned() };
    FakeTwilio::start(settings).await.expect("a free port")
}

/// A Twilio whose block has these further lines.
fn twilio(base_url: &str, lines: &str) -> Twilio {
    let text = format!("[[provider]]\nbase_url = \"{base_url}\"\naccount_sid = \"{ACCOUNT}\"\n{lines}\n");
    let resolve = |placeholder: Placeholder<'_>| match placeholder {
        Placeholder::Env("WRONG") => Ok(SecretString::from("another-token")),
        Placeholder::Env(_) | Placeholder::Secret(_) => Ok(SecretString::from(TOKEN)),
    };
    let (document, mut faults) = Document::parse(&text);
    let section = document.root().sections("provider", &mut faults).pop().expect("one block");
    let settings = TwilioSettings::read(section, "main".to_owned(), &resolve, &mut faults);
    let settings = settings.unwrap_or_else(|| panic!("{faults}"));
    Twilio::new(settings, Clock::from_fn(|| "2026-11-23T12:00:00Z".parse().expect("a timestamp"))).expect("a client")
}

fn plain(base_url: &str) -> Twilio {
    twilio(base_url, &format!("auth_token = \"${{env:TOKEN}}\"\nfrom = \"{FROM}\""))
}

async fn send(twilio: &Twilio, text: &str, timeout: Duration) -> Attempt {
    let to = PhoneNumber::parse(TO).expect("a number");
    let text = SecretString::from(text);
    let id = MessageId::from_bytes(&[7; 16]);
    let attempt =
        twilio.send(&Sms { id: &id, to: &to, text: &text, valid_for: Duration::from_secs(170), timeout }).await;
    let shown = format!("{attempt:?} {twilio:?}");
    for hidden in ["424242", "2065550100", TOKEN, ACCOUNT, "127.0.0.1"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    attempt
}

fn seen(attempt: &Attempt) -> (&'static str, Option<&str>) {
    (attempt.outcome.class(), attempt.code.as_ref().map(|code| code.as_str()))
}

/// Sends one SMS to a fresh fake that does what the script says.
async fn scripted(script: Script, timeout: Duration) -> (Attempt, FakeTwilio) {
    let fake = fake().await;
    fake.script(script);
    let attempt = send(&plain(&fake.base_url()), TEXT, timeout).await;
    (attempt, fake)
}

fn answer(status: u16, body: &str) -> Script {
    Script::Answer { status, headers: Vec::new(), body: body.to_owned() }
}

fn error(status: u16, code: u32) -> Script {
    let message = format!("The 'To' number {TO} cannot have '{TEXT}'");
    answer(status, &format!("{{\"code\":{code},\"message\":\"{message}\",\"more_info\":\"x\",\"status\":{status}}}"))
}

#[tokio::test]
async fn an_accepted_sms_arrives_as_it_was_rendered() {
    let fake = fake().await;
    let twilio = plain(&fake.base_url());
    for text in
        [TEXT, "1 + 1 = 2 & 100%25; ~*'()", "Code für Zoë: 424242 \u{1F512}\nZeile\r\n\n@example.com #424242", " "]
    {
        let attempt = send(&twilio, text, LONG).await;
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
    let twilio = plain(&fake.base_url());
    let (first, second) = tokio::join!(send(&twilio, TEXT, LONG), send(&twilio, TEXT, LONG));
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
async fn the_request_is_exactly_this_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let lines = "api_key_sid = \"SK0123456789abcdef0123456789abcdef\"\napi_key_secret = \"${env:TOKEN}\"\n\
                 messaging_service_sid = \"MG0123456789abcdef0123456789abcdef\"\ndiscard_content = true";
    let twilio = twilio(&format!("http://{address}/proxy/"), lines);
    let body = "To=%2B12065550100&MessagingServiceSid=MG0123456789abcdef0123456789abcdef&Body=Your+code+is+424242.\
                &ValidityPeriod=170&ContentRetention=discard&AddressRetention=obfuscate";
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await.expect("writable");
        request
    };
    let (request, attempt) = tokio::join!(serve, send(&twilio, TEXT, LONG));
    assert_eq!(seen(&attempt), ("provider_permanent", Some("http_401")));

    let (head, sent_body) = request.split_once("\r\n\r\n").expect("a head");
    assert_eq!(sent_body, body);
    let (request_line, headers) = head.split_once("\r\n").expect("headers");
    assert_eq!(request_line, format!("POST /proxy/2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1"));
    let mut headers: Vec<_> = headers.lines().collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            "accept: application/json",
            // The API key and its secret, not the account.
            "authorization: Basic U0swMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpodXNoLXRva2Vu",
            &format!("content-length: {}", body.len()),
            "content-type: application/x-www-form-urlencoded",
            &format!("host: {address}"),
            concat!("user-agent: sealpost/", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[tokio::test]
async fn every_class_of_refusal_comes_over_the_wire() {
    for (script, expected) in [
        (error(400, 21211), ("recipient_permanent", Some("21211"))),
        (error(400, 21610), ("recipient_permanent", Some("21610"))),
        (error(403, 30450), ("fraud_blocked", Some("30450"))),
        (error(400, 21408), ("provider_permanent", Some("21408"))),
        (error(401, 20003), ("provider_permanent", Some("20003"))),
        (error(429, 63038), ("provider_permanent", Some("63038"))),
        (error(429, 20429), ("transient", Some("20429"))),
        (error(503, 20503), ("transient", Some("20503"))),
        (error(500, 20500), ("unknown", Some("http_500"))),
        (answer(502, "<html>"), ("unknown", Some("http_502"))),
        (answer(404, ""), ("provider_permanent", Some("http_404"))),
        (answer(408, ""), ("unknown", Some("http_408"))),
        (answer(201, "{\"sid\":\"SM1\",\"status\":\"queued\"}"), ("unknown", Some("http_201"))),
        (Script::Garbage200, ("unknown", Some("http_200"))),
    ] {
        let (attempt, fake) = scripted(script, LONG).await;
        assert_eq!(seen(&attempt), expected);
        assert_eq!(fake.requests(), 1, "an adapter never retries");
    }
}

#[tokio::test]
async fn wrong_credentials_are_the_providers_fault_and_not_the_recipients() {
    let fake = fake().await;
    let twilio = twilio(&fake.base_url(), "auth_token = \"${env:WRONG}\"\nfrom = \"12345\"");
    assert_eq!(seen(&send(&twilio, TEXT, LONG).await), ("provider_permanent", Some("20003")));
    assert_eq!(fake.messages(), 0);
}

#[tokio::test]
async fn retry_after_is_passed_on_in_both_its_forms() {
    for (value, seconds) in [("17", 17), ("Mon, 23 Nov 2026 12:01:30 GMT", 90), ("86400", 3600)] {
        let script = Script::Answer {
            status: 429,
            headers: vec![("retry-after", value.to_owned())],
            body: "{\"code\":20429}".to_owned(),
        };
        let (attempt, _fake) = scripted(script, LONG).await;
        assert_eq!(attempt.outcome, Outcome::Transient { retry_after: Some(Duration::from_secs(seconds)) }, "{value}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let other = fake().await;
        let headers = vec![("location", format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", other.base_url()))];
        let (attempt, _fake) = scripted(Script::Answer { status, headers, body: String::new() }, LONG).await;
        assert_eq!(seen(&attempt), ("provider_permanent", Some(format!("http_{status}").as_str())));
        assert_eq!(other.connections(), 0, "the code went elsewhere");
    }
}

#[tokio::test]
async fn nobody_listening_is_provably_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let attempt = send(&plain(&format!("http://{address}")), TEXT, LONG).await;
    assert_eq!(seen(&attempt), ("transient", Some("connect")));
}

#[tokio::test]
async fn a_failed_tls_handshake_is_provably_not_sent() {
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            assert!(stream.read(&mut [0; 4096]).await.expect("readable") > 0);
            stream.write_all(answer.as_bytes()).await.expect("writable");
        };
        let twilio = plain(&format!("https://{address}"));
        let ((), attempt) = tokio::join!(serve, send(&twilio, TEXT, LONG));
        assert_eq!(seen(&attempt), ("transient", Some("tls")));
    }
}

#[tokio::test]
async fn a_connection_that_never_stands_is_provably_not_sent() {
    // The kernel completes the connection; nobody answers the handshake of TLS.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base_url = format!("https://{}", listener.local_addr().expect("bound"));
    let lines = format!("auth_token = \"${{env:TOKEN}}\"\nfrom = \"{FROM}\"\nconnect_timeout = \"150ms\"");
    let attempt = send(&twilio(&base_url, &lines), TEXT, LONG).await;
    assert_eq!(seen(&attempt), ("transient", Some("connect_timeout")), "the client's own limit");
    let attempt = send(&plain(&base_url), TEXT, SHORT).await;
    assert_eq!(seen(&attempt), ("transient", Some("connect_timeout")), "the attempt's limit");
}

#[tokio::test]
async fn silence_after_the_request_is_unknown() {
    let (attempt, fake) = scripted(Script::Delay(LONG, Box::new(Script::Accept)), SHORT).await;
    assert_eq!(seen(&attempt), ("unknown", Some("timeout")));
    assert_eq!(fake.requests(), 1);
}

#[tokio::test]
async fn the_shorter_of_the_two_limits_wins() {
    let fake = fake().await;
    fake.script(Script::Delay(LONG, Box::new(Script::Accept)));
    let lines = format!("auth_token = \"${{env:TOKEN}}\"\nfrom = \"{FROM}\"\ntimeout = \"150ms\"");
    let attempt = send(&twilio(&fake.base_url(), &lines), TEXT, LONG).await;
    assert_eq!(seen(&attempt), ("unknown", Some("timeout")));
}

#[tokio::test]
async fn a_slow_answer_within_the_limit_counts() {
    let (attempt, _fake) = scripted(Script::Delay(SHORT, Box::new(Script::Accept)), LONG).await;
    assert_eq!(seen(&attempt), ("accepted", None));
}

#[tokio::test]
async fn a_reset_on_the_way_is_unknown_read_or_not() {
    let (attempt, fake) = scripted(Script::ResetBeforeRead, LONG).await;
    assert_eq!(seen(&attempt), ("unknown", Some("connection_lost")));
    assert_eq!((fake.requests(), fake.messages()), (1, 0));

    let (attempt, fake) = scripted(Script::ResetAfterRead, LONG).await;
    assert_eq!(seen(&attempt), ("unknown", Some("connection_lost")));
    assert_eq!((fake.requests(), fake.messages()), (1, 1));
}

#[tokio::test]
async fn a_reset_of_a_connection_in_use_is_not_repeated_in_silence() {
    let fake = fake().await;
    let twilio = plain(&fake.base_url());
    assert_eq!(seen(&send(&twilio, TEXT, LONG).await), ("accepted", None));
    for script in [Script::ResetBeforeRead, Script::ResetAfterRead] {
        let before = fake.requests();
        fake.script(script);
        assert_eq!(seen(&send(&twilio, TEXT, LONG).await), ("unknown", Some("connection_lost")));
        assert_eq!(fake.requests(), before + 1);
        assert_eq!(seen(&send(&twilio, TEXT, LONG).await), ("accepted", None), "the next one connects anew");
    }
}

#[tokio::test]
async fn half_an_answer_is_unknown() {
    let (attempt, fake) = scripted(Script::HalfAnswer, LONG).await;
    assert_eq!(seen(&attempt), ("unknown", Some("broken_answer")));
    assert_eq!(fake.messages(), 1);
}

#[tokio::test]
async fn an_answer_of_a_megabyte_is_not_read() {
    let padding = "x".repeat(1024 * 1024);
    let body =
        format!("{{\"sid\":\"SM0123456789abcdef0123456789abcdef\",\"status\":\"queued\",\"body\":\"{padding}\"}}");
    let (attempt, _fake) = scripted(answer(201, &body), LONG).await;
    assert_eq!(seen(&attempt), ("unknown", Some("http_201")));
    // Without Content-Length the reading itself must stop.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let twilio = plain(&format!("http://{}", listener.local_addr().expect("bound")));
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 201 Created\r\n\r\n").await.expect("writable");
        let mut sent = 0_usize;
        let error = loop {
            match stream.write_all(&[b'x'; 4096]).await {
                Ok(()) => sent += 4096,
                Err(error) => break error,
            }
        };
        assert!(matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), "after {sent}");
    };
    let ((), attempt) = tokio::join!(serve, send(&twilio, TEXT, LONG));
    assert_eq!(seen(&attempt), ("unknown", Some("http_201")));
}

#[tokio::test]
async fn the_fake_refuses_what_is_not_in_the_contract() {
    let fake = fake().await;
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    // ACCOUNT:TOKEN in Base64.
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
    let twilio = plain(&fake.base_url());
    drop(fake);
    // The task that listens ends when the runtime next runs it.
    tokio::task::yield_now().await;
    assert_eq!(seen(&send(&twilio, TEXT, LONG).await), ("transient", Some("connect")));
}

/// Reads one request to its end.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        assert!(stream.read_buf(&mut request).await.expect("readable") > 0, "the request ends too early");
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        if body.len().to_string() == length {
            return text.into_owned();
        }
    }
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
