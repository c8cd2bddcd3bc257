//! KMS, SQS, decryption and telemetry, played by doubles that keep what happened.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{SecretBox, SecretString};
use serde_json::Value;
use shared::telemetry::{Fact, JsonLines, MetricsNamespace, Telemetry};
use shared::{Clock, DeadLetterReason, SealedCode, Timestamp};
use tokio::time::{Instant, sleep};
use worker::{DeadLetter, KeyError, KeyService, OpenFailure, Queue, QueueError, Record, WrappedDataKey};

use crate::messages::beginning;

/// KMS.
pub(crate) struct Keys {
    behaviour: Mutex<KeyBehaviour>,
    calls: Mutex<Vec<WrappedDataKey>>,
}

#[derive(Clone)]
pub(crate) enum KeyBehaviour {
    UnwrapsAfter(Duration),
    Fails(KeyError),
    Hangs,
    Panics,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self { behaviour: Mutex::new(KeyBehaviour::UnwrapsAfter(Duration::ZERO)), calls: Mutex::default() }
    }

    pub(crate) fn become_like(&self, behaviour: KeyBehaviour) {
        *self.behaviour.lock().expect("not poisoned") = behaviour;
    }

    pub(crate) fn calls(&self) -> Vec<WrappedDataKey> {
        self.calls.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl KeyService for Keys {
    async fn unwrap(&self, wrapped: &WrappedDataKey) -> Result<SecretBox<[u8; 32]>, KeyError> {
        self.calls.lock().expect("not poisoned").push(wrapped.clone());
        let behaviour = self.behaviour.lock().expect("not poisoned").clone();
        match behaviour {
            KeyBehaviour::UnwrapsAfter(latency) => {
                sleep(latency).await;
                Ok(SecretBox::new(Box::new([7; 32])))
            }
            KeyBehaviour::Fails(error) => Err(error),
            KeyBehaviour::Hangs => std::future::pending().await,
            KeyBehaviour::Panics => panic!("KMS"),
        }
    }
}

/// The code inside a sealed code of these tests: six digits made of its message id, and not part of it.
pub(crate) fn code_in(message_id: &str) -> String {
    let mixed = message_id.bytes().fold(17_u64, |mixed, byte| mixed * 31 % 1_000_003 + u64::from(byte));
    format!("{:06}", mixed * 7_919 % 1_000_000)
}

pub(crate) fn opens(code: &SealedCode, _: &SecretBox<[u8; 32]>) -> Result<SecretString, OpenFailure> {
    Ok(code_in(code.message_id().as_str()).into())
}

pub(crate) fn opens_to_nothing(_: &SealedCode, _: &SecretBox<[u8; 32]>) -> Result<SecretString, OpenFailure> {
    Ok("".into())
}

pub(crate) fn never_opens(_: &SealedCode, _: &SecretBox<[u8; 32]>) -> Result<SecretString, OpenFailure> {
    Err(OpenFailure::Undecryptable("the code is not authentic".to_owned()))
}

pub(crate) fn faults_when_opening(_: &SealedCode, _: &SecretBox<[u8; 32]>) -> Result<SecretString, OpenFailure> {
    Err(OpenFailure::Fault("the library failed".to_owned()))
}

/// Both queues.
#[derive(Default)]
pub(crate) struct Queues {
    pub(crate) receiving: Mutex<QueueBehaviour>,
    pub(crate) deleting: Mutex<QueueBehaviour>,
    arrivals: Mutex<VecDeque<Record>>,
    receives: Mutex<Vec<Instant>>,
    deleted: Mutex<Vec<String>>,
    pub(crate) postponing: Mutex<QueueBehaviour>,
    pub(crate) dead_lettering: Mutex<QueueBehaviour>,
    postponed: Mutex<Vec<(String, Duration)>>,
    letters: Mutex<Vec<Letter>>,
}

#[derive(Clone, Copy, Default)]
pub(crate) enum QueueBehaviour {
    #[default]
    Works,
    Refuses,
    Hangs,
}

/// A [`DeadLetter`] that outlives its record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Letter {
    pub(crate) body: String,
    pub(crate) reason: DeadLetterReason,
    pub(crate) detail: String,
    pub(crate) provider: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) failed_at: Timestamp,
    pub(crate) trace_header: Option<String>,
}

/// As long as the worker's own receive waits in SQS.
pub(crate) const LONG_POLL: Duration = Duration::from_secs(5);

impl Queues {
    /// Lets records wait to be received.
    pub(crate) fn arrive(&self, records: impl IntoIterator<Item = Value>) {
        let records = records.into_iter().map(|record| Record::from_value(record).expect("a record"));
        self.arrivals.lock().expect("not poisoned").extend(records);
    }

    pub(crate) fn receiving_becomes(&self, behaviour: QueueBehaviour) {
        *self.receiving.lock().expect("not poisoned") = behaviour;
    }

    pub(crate) fn deleting_becomes(&self, behaviour: QueueBehaviour) {
        *self.deleting.lock().expect("not poisoned") = behaviour;
    }

    /// When messages were asked for.
    pub(crate) fn receives(&self) -> Vec<Instant> {
        self.receives.lock().expect("not poisoned").clone()
    }

    /// Receipt handles, in the order of the deletions.
    pub(crate) fn deleted(&self) -> Vec<String> {
        self.deleted.lock().expect("not poisoned").clone()
    }

    pub(crate) fn postponing_becomes(&self, behaviour: QueueBehaviour) {
        *self.postponing.lock().expect("not poisoned") = behaviour;
    }

    pub(crate) fn dead_lettering_becomes(&self, behaviour: QueueBehaviour) {
        *self.dead_lettering.lock().expect("not poisoned") = behaviour;
    }

    /// Receipt handles and delays.
    pub(crate) fn postponed(&self) -> Vec<(String, Duration)> {
        self.postponed.lock().expect("not poisoned").clone()
    }

    pub(crate) fn delays(&self) -> Vec<Duration> {
        self.postponed().into_iter().map(|(_, delay)| delay).collect()
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.letters.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl Queue for Queues {
    async fn receive(&self, most: u32) -> Result<Vec<Record>, QueueError> {
        self.receives.lock().expect("not poisoned").push(Instant::now());
        let behaviour = *self.receiving.lock().expect("not poisoned");
        outcome(behaviour).await?;
        let received: Vec<_> = {
            let mut arrivals = self.arrivals.lock().expect("not poisoned");
            let most = arrivals.len().min(most.try_into().expect("ten at most"));
            arrivals.drain(..most).collect()
        };
        if received.is_empty() {
            sleep(LONG_POLL).await;
        }
        Ok(received)
    }

    async fn delete(&self, receipt_handle: &str) -> Result<(), QueueError> {
        let behaviour = *self.deleting.lock().expect("not poisoned");
        outcome(behaviour).await?;
        self.deleted.lock().expect("not poisoned").push(receipt_handle.to_owned());
        Ok(())
    }

    async fn postpone(&self, receipt_handle: &str, after: Duration) -> Result<(), QueueError> {
        let behaviour = *self.postponing.lock().expect("not poisoned");
        outcome(behaviour).await?;
        self.postponed.lock().expect("not poisoned").push((receipt_handle.to_owned(), after));
        Ok(())
    }

    async fn dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), QueueError> {
        let behaviour = *self.dead_lettering.lock().expect("not poisoned");
        outcome(behaviour).await?;
        self.letters.lock().expect("not poisoned").push(Letter {
            body: letter.body.to_owned(),
            reason: letter.reason,
            detail: letter.detail.to_owned(),
            provider: letter.provider.map(str::to_owned),
            attempts: letter.attempts,
            failed_at: letter.failed_at,
            trace_header: letter.trace_header.map(str::to_owned),
        });
        Ok(())
    }
}

async fn outcome(behaviour: QueueBehaviour) -> Result<(), QueueError> {
    match behaviour {
        QueueBehaviour::Works => Ok(()),
        QueueBehaviour::Refuses => Err(QueueError { code: "AccessDenied".to_owned() }),
        QueueBehaviour::Hangs => std::future::pending().await,
    }
}

/// Everything that the worker said.
#[derive(Default)]
pub(crate) struct Facts(Mutex<Vec<Said>>);

struct Said {
    fact: Value,
    /// The line of the log.
    line: String,
    /// What a careless `{:?}` would show.
    debug: String,
}

impl Facts {
    /// The facts of one kind, such as `retried`.
    pub(crate) fn of(&self, event: &str) -> Vec<Value> {
        self.all().into_iter().filter(|fact| fact["event"] == event).collect()
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().expect("not poisoned").iter().map(|said| said.fact.clone()).collect()
    }

    /// Every fact, in every form.
    pub(crate) fn shown(&self) -> String {
        let facts = self.0.lock().expect("not poisoned");
        facts.iter().map(|said| format!("{}{}\n", said.line, said.debug)).collect()
    }

    /// What CloudWatch counts and measures, such as `Delivered{Provider=first}`, once for each number.
    pub(crate) fn metrics(&self) -> Vec<String> {
        let facts = self.0.lock().expect("not poisoned");
        facts.iter().flat_map(|said| metrics_in(&serde_json::from_str(&said.line).expect("JSON"))).collect()
    }
}

impl Telemetry for Facts {
    fn record(&self, fact: &Fact<'_>) {
        let printed = Printed::default();
        JsonLines::new(printed.clone(), Clock::from_fn(beginning), MetricsNamespace::default()).record(fact);
        let line = String::from_utf8(printed.0.lock().expect("not poisoned").clone()).expect("UTF-8");
        let (fact, debug) = (serde_json::to_value(fact).expect("facts serialise"), format!("{fact:?}"));
        self.0.lock().expect("not poisoned").push(Said { fact, line, debug });
    }
}

#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn metrics_in(line: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut metrics = Vec::new();
    for directive in list(&line["_aws"]["CloudWatchMetrics"]) {
        for set in list(&directive["Dimensions"]) {
            let dimensions = list(&set).into_iter().map(|name| format!("{}={}", text(&name), text(&line[text(&name)])));
            let dimensions = dimensions.collect::<Vec<_>>().join(",");
            let names = list(&directive["Metrics"]).into_iter().map(|metric| text(&metric["Name"]));
            metrics.extend(names.map(|name| format!("{name}{{{dimensions}}}")));
        }
    }
    metrics
}
