//! A provider that does as it is told and keeps what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep};
use worker::provider::{Attempt, Outcome, Provider, ProviderMessageId, Sms};

/// How long an answer takes, unless the test says otherwise.
pub const LATENCY: Duration = Duration::from_millis(100);

pub struct ScriptedProvider {
    name: &'static str,
    /// In order; the last one repeats.
    script: Mutex<VecDeque<Behaviour>>,
    by_number: HashMap<String, Behaviour>,
    requests: Mutex<Vec<Request>>,
}

/// What the provider was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub to: String,
    pub text: String,
    pub valid_for: Duration,
    pub timeout: Duration,
    pub at: Instant,
}

/// What the provider does with one request.
#[derive(Clone)]
pub struct Behaviour {
    latency: Duration,
    end: End,
}

#[derive(Clone)]
enum End {
    Answers(Attempt),
    /// Keeps to its limit and then does not know.
    TimesOut,
    /// Never returns, whatever its limit.
    Hangs,
    /// With the text in its panic, as a careless library might.
    Panics,
}

pub fn accepts() -> Behaviour {
    let provider_message_id = ProviderMessageId::parse("SM0123").expect("an id");
    answers(Attempt { outcome: Outcome::Accepted { provider_message_id }, code: None })
}

pub fn fails(outcome: Outcome, code: &str) -> Behaviour {
    answers(Attempt::failed(outcome, code))
}

pub fn transient() -> Behaviour {
    fails(Outcome::Transient { retry_after: None }, "http_503")
}

pub fn transient_for(pause: Duration) -> Behaviour {
    fails(Outcome::Transient { retry_after: Some(pause) }, "http_429")
}

pub fn unknown() -> Behaviour {
    fails(Outcome::Unknown, "connection_lost")
}

pub fn provider_permanent() -> Behaviour {
    fails(Outcome::ProviderPermanent, "20003")
}

pub fn recipient_permanent() -> Behaviour {
    fails(Outcome::RecipientPermanent, "21211")
}

pub fn fraud_blocked() -> Behaviour {
    fails(Outcome::FraudBlocked, "30450")
}

pub fn times_out() -> Behaviour {
    Behaviour { latency: Duration::ZERO, end: End::TimesOut }
}

pub fn hangs() -> Behaviour {
    Behaviour { latency: Duration::ZERO, end: End::Hangs }
}

pub fn panics() -> Behaviour {
    Behaviour { latency: LATENCY, end: End::Panics }
}

fn answers(attempt: Attempt) -> Behaviour {
    Behaviour { latency: LATENCY, end: End::Answers(attempt) }
}

impl Behaviour {
    pub fn after(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }
}

impl ScriptedProvider {
    pub fn named<const N: usize>(name: &'static str, script: [Behaviour; N]) -> Self {
        Self { name, script: Mutex::new(script.into()), by_number: HashMap::new(), requests: Mutex::default() }
    }

    /// Does something else with one number.
    pub fn with_number(mut self, number: String, behaviour: Behaviour) -> Self {
        self.by_number.insert(number, behaviour);
        self
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("not poisoned").clone()
    }

    pub fn texts(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.text).collect()
    }

    fn next(&self, number: &str) -> Behaviour {
        if let Some(behaviour) = self.by_number.get(number) {
            return behaviour.clone();
        }
        let mut script = self.script.lock().expect("not poisoned");
        let next = script.pop_front().expect("a script has a last step");
        if script.is_empty() {
            script.push_back(next.clone());
        }
        next
    }
}

#[async_trait]
impl Provider for ScriptedProvider {
    fn name(&self) -> &str {
        self.name
    }

    async fn send(&self, sms: &Sms<'_>) -> Attempt {
        let text = sms.text.expose_secret();
        self.requests.lock().expect("not poisoned").push(Request {
            to: sms.to.expose().to_owned(),
            text: text.to_owned(),
            valid_for: sms.valid_for,
            timeout: sms.timeout,
            at: Instant::now(),
        });
        let Behaviour { latency, end } = self.next(sms.to.expose());
        sleep(latency).await;
        match end {
            End::Answers(attempt) => attempt,
            End::TimesOut => {
                sleep(sms.timeout).await;
                Attempt::failed(Outcome::Unknown, "timeout")
            }
            End::Hangs => std::future::pending().await,
            End::Panics => panic!("could not send {text} to {}", sms.to.expose()),
        }
    }
}
