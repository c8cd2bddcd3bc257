//! `--dry-run` of a provider shows what would arrive there.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::Value;
use shared::{Clock, Environment, MessageId, PhoneNumber};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use worker::config::File;
use worker::provider::Sms;

use crate::tool::{Said, TO, send};

const TWILIO: &str = "[[provider]]\nname = \"twilio\"\nkind = \"twilio\"\nbase_url = \"https://api.twilio.com\"\n\
    account_sid = \"${secret:TWILIO_ACCOUNT_SID}\"\nauth_token = \"${secret:TWILIO_AUTH_TOKEN}\"\nfrom = \"${env:FROM}\"\n\
    [texts]\nbrand = \"Example\"\n";
const OLD: &str = "[[provider]]\nname = \"old\"\nkind = \"http\"\nbase_url = \"https://sms.example.com\"\nmethod = \"GET\"\n\
    path = \"/send/${env:ACCOUNT}/{{to_digits}}\"\nquery = { key = \"${env:KEY}\", text = \"{{text}}\" }\n\
    headers = { authorization = \"Bearer ${env:TOKEN}\" }\nrules = [{ equals = \"OK\", class = \"accepted\" }]\n";
/// What each placeholder stands for, where there is one. Twilio's are of its own shapes.
const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
const FROM: &str = "+12065550199";
const CREDENTIAL: &str = "hush/to ken%";

/// Each file, its provider, and where that is.
fn files() -> [(&'static str, &'static str, &'static str); 5] {
    [
        (TWILIO, "twilio", "https://api.twilio.com"),
        (OLD, "old", "https://sms.example.com"),
        (include_str!("../../../../worker/gateways/infobip.toml"), "infobip", "https://api.infobip.com"),
        (include_str!("../../../../worker/gateways/vonage.toml"), "vonage", "https://api.nexmo.com"),
        (
            include_str!("../../../../worker/gateways/africas-talking.toml"),
            "africas-talking",
            "https://api.africastalking.com",
        ),
    ]
}

fn value_of(name: &str) -> &'static str {
    match name {
        "TWILIO_ACCOUNT_SID" => ACCOUNT_SID,
        "FROM" => FROM,
        _ => CREDENTIAL,
    }
}

async fn shown(text: &str, provider: &str, arguments: &[&str]) -> Said {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), text).expect("written");
    let config = file.path().to_str().expect("UTF-8");
    let of_provider = ["--provider", provider, "--dry-run", "--to", TO, "--config", config];
    // Nobody is there: nothing may be called.
    send("http://127.0.0.1:9", &[&of_provider[..], arguments].concat()).await
}

/// The one request that arrives at a real listener: its first line, its headers and its body.
async fn arriving(listener: TcpListener) -> (String, Vec<String>, String) {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut bytes = Vec::new();
    loop {
        assert!(stream.read_buf(&mut bytes).await.expect("readable") > 0, "a whole request");
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        if body.len().to_string() == length {
            stream.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").await.expect("writable");
            let (line, headers) = head.split_once("\r\n").expect("headers");
            let mut headers: Vec<_> = headers.lines().map(str::to_owned).collect();
            headers.sort_unstable();
            return (line.to_owned(), headers, body.to_owned());
        }
    }
}

/// The code and the message's id that a dry run has made up, as its request holds them.
fn made_up(request: &str) -> (String, MessageId) {
    let of = |first: char, length: usize, is: fn(&u8) -> bool| {
        let starts = request.match_indices(first).map(|(at, _)| &request.as_bytes()[at + first.len_utf8()..]);
        let mut found =
            starts.filter(|rest| rest.len() > length && rest[..length].iter().all(is) && !is(&rest[length]));
        found.next().map(|rest| String::from_utf8_lossy(&rest[..length]).into_owned())
    };
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let code = [' ', '+', '0'].into_iter().find_map(|before| of(before, 6, u8::is_ascii_digit)).expect("a code");
    let id = of('"', 32, is_hex).and_then(|id| MessageId::parse(&id));
    (code, id.unwrap_or_else(|| MessageId::from_bytes(&[7; 16])))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_is_what_arrives_but_for_placeholders_and_the_numbers_middle() {
    for (text, name, host) in files() {
        let said = shown(text, name, &["--json"]).await;
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{name}");
        let request = said.json();
        let (code, id) = made_up(&format!("{} {}", request["url"], request["body"].as_str().expect("a text")));

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = format!("http://{}", listener.local_addr().expect("bound"));
        let environment = Environment::from_lookup(|name| Some(value_of(name).to_owned()));
        let text = text.replace(host, &here).replace("${secret:", "${env:");
        let file = File::parse(&text, &environment).unwrap_or_else(|faults| panic!("{faults}"));
        let brand = if name == "twilio" { "Example " } else { "" };
        let rendered = SecretString::from(format!("Your {brand}sign-up code is {code}. Do not share it."));
        let (to, timeout) = (PhoneNumber::parse(TO).expect("sound"), Duration::from_secs(20));
        let sms = Sms { id: &id, to: &to, text: &rendered, valid_for: Duration::from_hours(24), timeout };
        let provider =
            file.providers.into_iter().next().expect("one").into_provider(&Clock::system()).expect("a client");
        let (_, (line, headers, body)) = tokio::join!(provider.send(&sms), arriving(listener));

        let url = placed(request["url"].as_str().expect("a text"), &in_url);
        assert_eq!(format!("{} {} HTTP/1.1", request["method"].as_str().expect("a text"), &url[host.len()..]), line);
        let is_of_http =
            |header: &String| ["host:", "user-agent:", "content-length:"].iter().any(|it| header.starts_with(it));
        let headers: Vec<_> = headers.into_iter().filter(|header| !is_of_http(header)).collect();
        assert_eq!(request["headers"].as_array().expect("a list").iter().map(header).collect::<Vec<_>>(), headers);
        assert_eq!(placed(request["body"].as_str().expect("a text"), &in_form), body, "{name}");
    }
}

/// A shown text with values in place of placeholders, and with the whole number.
fn placed(text: &str, escaped: &dyn Fn(&str) -> String) -> String {
    let mut placed = String::new();
    let mut rest = text;
    while let Some((before, placeholder)) = rest.split_once("${") {
        let (placeholder, after) = placeholder.split_once('}').expect("a whole placeholder");
        let (_, name) = placeholder.split_once(':').expect("a kind and a name");
        placed += before;
        placed += &escaped(value_of(name));
        rest = after;
    }
    (placed + rest).replace("1xxxxxxxx42", &TO[1..])
}

fn header(header: &Value) -> String {
    let (name, value) = (header["name"].as_str().expect("a text"), header["value"].as_str().expect("a text"));
    let value = placed(value, &str::to_owned);
    let basic = value.strip_prefix("Basic <").and_then(|value| value.strip_suffix('>'));
    let value = basic.map_or_else(|| value.clone(), |inside| format!("Basic {}", STANDARD.encode(inside)));
    format!("{name}: {value}")
}

/// In a path and in a query alike.
fn in_url(value: &str) -> String {
    in_form(value).replace('+', "%20")
}

fn in_form(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reads_as_http_and_says_what_is_not_there() {
    let said = shown(TWILIO, "twilio", &["--source", "AdminCreateUser"]).await;
    let told: Vec<_> = said.out.lines().collect();
    assert_eq!(
        told[..5],
        [
            "POST https://api.twilio.com/2010-04-01/Accounts/${secret:TWILIO_ACCOUNT_SID}/Messages.json",
            "accept: application/json",
            "authorization: Basic <${secret:TWILIO_ACCOUNT_SID}:${secret:TWILIO_AUTH_TOKEN}>",
            "content-type: application/x-www-form-urlencoded",
            "",
        ]
    );
    assert!(
        told[5].starts_with("To=%2B1xxxxxxxx42&From=${env:FROM}&Body=Your+Example+account+is+ready.+"),
        "{}",
        said.out
    );
    assert!(told[5].contains("%3C") && told[5].contains("%26"), "the password is not as HTML: {}", said.out);
    assert_eq!(
        told[6..],
        [
            "",
            "nothing was sent. HTTP adds host, user-agent and content-length; the number's middle is shown as x",
            "${…} stands for its value, escaped as the place asks; <…> goes in Base64",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_faults_and_a_provider_that_is_not_in_it_are_told() {
    let faulty = TWILIO.replace("from =", "form =");
    shown(&faulty, "twilio", &[]).await.assert_told(
        1,
        &["the worker would not start with ", "line 7, column 1: unknown key form in [[provider]]; did you mean from?"],
    );
    shown(TWILIO, "vonage", &[]).await.assert_told(1, &["there is no provider vonage; there are twilio"]);
    let said = send("http://127.0.0.1:9", &["--provider", "a", "--dry-run", "--to", TO, "--config", "/nowhere"]).await;
    said.assert_told(1, &["reading /nowhere: No such file"]);
}
