//! A provider under the contract: its configuration, and what it must send and understand.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use shared::{Clock, Environment, MessageId, PhoneNumber};
use worker::Provider;
use worker::config::{File, ProviderSettings};
use worker::provider::{Attempt, OutgoingRequest, Sms};

use crate::gateway::{Answer, Gateway, Script};
use crate::request::Request;

pub(crate) const TO: &str = "+12065550100";
pub(crate) const TEXT: &str = "Your code is 424242.";
/// What every credential of every subject is.
pub(crate) const CREDENTIAL: &str = "hush-token";
pub(crate) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// No test waits this long; it only keeps a broken one from hanging.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// For the tests in which nobody answers.
pub(crate) const SHORT: Duration = Duration::from_millis(150);

pub(crate) struct Subject {
    /// Its block in the configuration file, with `BASE_URL`.
    pub(crate) block: String,
    pub(crate) request_line: &'static str,
    /// All but `host`, `user-agent` and `content-length`, in alphabetical order.
    pub(crate) headers: &'static [&'static str],
    /// Empty where the whole message stands in the URL.
    pub(crate) body: &'static str,
    /// Where the text stands in a request.
    pub(crate) text_of: fn(&Request) -> String,
    pub(crate) success: (u16, &'static str),
    /// The message's id in `success`, if it has one.
    pub(crate) id: Option<&'static str>,
    pub(crate) rows: Vec<Row>,
    /// What redirects mean.
    pub(crate) redirects: [(u16, &'static str); 5],
}

/// One row of a classification table.
pub(crate) struct Row {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) class: &'static str,
    /// None where the outcome has no code.
    pub(crate) code: Option<String>,
}

/// A row whose outcome has this code.
pub(crate) fn row(status: u16, body: impl Into<String>, class: &'static str, code: &str) -> Row {
    Row { status, body: body.into(), class, code: Some(code.to_owned()) }
}

/// A row of which only the status says anything.
pub(crate) fn by_status(status: u16, body: &str, class: &'static str) -> Row {
    row(status, body, class, &format!("http_{status}"))
}

/// A row of acceptance.
pub(crate) fn accepted(status: u16, body: impl Into<String>) -> Row {
    Row { status, body: body.into(), class: "accepted", code: None }
}

impl Subject {
    pub(crate) fn success(&self) -> Answer {
        Answer::new(self.success.0, self.success.1)
    }

    /// The provider as the worker would have it, with further lines in its block.
    pub(crate) fn provider(&self, base_url: &str, lines: &str) -> Arc<dyn Provider> {
        self.settings(base_url, lines).into_provider(&clock()).unwrap()
    }

    /// The request that the provider would make for the SMS that [`send`] sends, without making it.
    pub(crate) fn request(&self, base_url: &str) -> OutgoingRequest {
        let message = Message::new(TEXT);
        self.settings(base_url, "").into_request(&message.sms(LONG), &clock()).unwrap()
    }

    fn settings(&self, base_url: &str, lines: &str) -> ProviderSettings {
        let head = format!("[[provider]]\n{lines}\n");
        let text = self.block.replace("BASE_URL", base_url).replacen("[[provider]]\n", &head, 1);
        let environment = Environment::from_lookup(|_| Some(CREDENTIAL.to_owned()));
        let file = File::parse(&text, &environment).unwrap_or_else(|faults| panic!("{faults}"));
        file.providers.into_iter().next().unwrap()
    }

    /// What comes of one SMS for each of these answers. Nothing is sent twice.
    pub(crate) async fn attempts(&self, answers: Vec<Answer>) -> Vec<Attempt> {
        let expected = answers.len();
        let gateway = Gateway::told(answers.into_iter().map(Script::Answer)).await;
        let provider = self.provider(&gateway.base_url(), "");
        let mut attempts = Vec::new();
        for _ in 0..expected {
            attempts.push(send(provider.as_ref(), TEXT, LONG).await);
        }
        assert_eq!(gateway.begun(), expected, "a provider never retries");
        attempts
    }

    /// Sends one SMS to a fresh gateway that does this.
    pub(crate) async fn sends_to(&self, script: Script, timeout: Duration) -> (Attempt, Gateway) {
        let gateway = Gateway::told([script]).await;
        let attempt = send(self.provider(&gateway.base_url(), "").as_ref(), TEXT, timeout).await;
        (attempt, gateway)
    }
}

/// What an SMS borrows.
struct Message {
    id: MessageId,
    to: PhoneNumber,
    text: SecretString,
}

impl Message {
    fn new(text: &str) -> Self {
        Self { id: MessageId::from_bytes(&[7; 16]), to: PhoneNumber::parse(TO).unwrap(), text: text.into() }
    }

    fn sms(&self, timeout: Duration) -> Sms<'_> {
        Sms { id: &self.id, to: &self.to, text: &self.text, valid_for: Duration::from_secs(170), timeout }
    }
}

fn clock() -> Clock {
    Clock::from_fn(|| "2026-11-23T12:00:00Z".parse().unwrap())
}

/// Sends one SMS, and sees to it that what comes back shows nothing that is secret.
pub(crate) async fn send(provider: &dyn Provider, text: &str, timeout: Duration) -> Attempt {
    let message = Message::new(text);
    let attempt = provider.send(&message.sms(timeout)).await;
    let shown = format!("{attempt:?}");
    for hidden in ["424242", "2065550100", CREDENTIAL, ACCOUNT, "127.0.0.1"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    attempt
}

pub(crate) fn seen(attempt: &Attempt) -> (&'static str, Option<&str>) {
    (attempt.outcome.class(), attempt.code.as_ref().map(|code| code.as_str()))
}
