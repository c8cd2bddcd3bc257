//! A provider that does as it is told and keeps what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep};
use worker::provider::{Attempt, Outcome, OutcomeCode, Provider, ProviderMessageId, Sms};

/// How long an answer takes, unless the test says otherwise.
pub(crate) const LATENCY: Duration = Duration::from_millis(100);

pub(crate) struct ScriptedProvider {
    name: &'static str,
    /// In order; the last one repeats.
    script: Mutex<VecDeque<Behaviour>>,
    by_number: HashMap<String, Behaviour>,
    connects: bool,
    requests: Mutex<Vec<Request>>,
}

/// What the provider was asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) valid_for: Duration,
    pub(crate) timeout: Duration,
    pub(crate) at: Instant,
}

/// What the provider does with one request.
#[derive(Clone)]
pub(crate) struct Behaviour {
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

pub(crate) fn accepts() -> Behaviour {
    let provider_message_id = ProviderMessageId::parse("SM0123").expect("an id");
    answers(Attempt { outcome: Outcome::Accepted { provider_message_id }, code: None })
}

pub(crate) fn fails(outcome: Outcome, code: &str) -> Behaviour {
    answers(Attempt::failed(outcome, code))
}

pub(crate) fn transient() -> Behaviour {
    fails(Outcome::Transient { retry_after: None }, "http_503")
}

pub(crate) fn transient_for(pause: Duration) -> Behaviour {
    fails(Outcome::Transient { retry_after: Some(pause) }, "http_429")
}

pub(crate) fn unknown() -> Behaviour {
    fails(Outcome::Unknown, "connection_lost")
}

pub(crate) fn provider_permanent() -> Behaviour {
    fails(Outcome::ProviderPermanent, "20003")
}

pub(crate) fn recipient_permanent() -> Behaviour {
    fails(Outcome::RecipientPermanent, "21211")
}

pub(crate) fn fraud_blocked() -> Behaviour {
    fails(Outcome::FraudBlocked, "30450")
}

pub(crate) fn times_out() -> Behaviour {
    Behaviour { latency: Duration::ZERO, end: End::TimesOut }
}

pub(crate) fn hangs() -> Behaviour {
    Behaviour { latency: Duration::ZERO, end: End::Hangs }
}

pub(crate) fn panics() -> Behaviour {
    Behaviour { latency: LATENCY, end: End::Panics }
}

fn answers(attempt: Attempt) -> Behaviour {
    Behaviour { latency: LATENCY, end: End::Answers(attempt) }
}

/// Every class of end, once.
pub(crate) fn every_behaviour() -> [Behaviour; 8] {
    [accepts(), transient(), unknown(), provider_permanent(), recipient_permanent(), fraud_blocked(), panics(), hangs()]
}

impl Behaviour {
    pub(crate) fn after(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }
}

impl ScriptedProvider {
    pub(crate) fn named<const N: usize>(name: &'static str, script: [Behaviour; N]) -> Self {
        Self {
            name,
            script: Mutex::new(script.into()),
            by_number: HashMap::new(),
            connects: true,
            requests: Mutex::default(),
        }
    }

    /// Adds a step to the script; it repeats.
    pub(crate) fn then(self, behaviour: Behaviour) -> Self {
        self.script.lock().expect("not poisoned").push_back(behaviour);
        self
    }

    /// Cannot be reached: connecting takes for ever.
    pub(crate) fn whose_connection_hangs(self) -> Self {
        Self { connects: false, ..self }
    }

    /// Does something else with one number.
    pub(crate) fn with_number(mut self, number: String, behaviour: Behaviour) -> Self {
        self.by_number.insert(number, behaviour);
        self
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("not poisoned").clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
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

    async fn connect(&self) -> Result<(), OutcomeCode> {
        if !self.connects {
            std::future::pending::<()>().await;
        }
        Ok(())
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
