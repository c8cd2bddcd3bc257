//! A worker whose outside answers at once and keeps what happened.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{SecretBox, SecretString};
use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, Environment, KeyArn, SealedCode, UserPoolId};
use worker::config::{Config, File};
use worker::provider::{Attempt, Outcome, ProviderMessageId, Sms};
use worker::{
    DeadLetter, KeyError, KeyService, KillSwitches, Ledger, OpenFailure, Provider, Providers, Queue, QueueError,
    Record, RetryReason, Worker, WrappedDataKey,
};

use crate::queue_message::NOON;

/// The pool and the key of the code of the published capture.
const POOL: &str = "eu-west-1_UVcwvZ1E8";
const KEY: &str = "arn:aws:kms:eu-west-1:249759398934:key/8a23102c-9b68-4fed-82ce-523c5363539e";
const CLEAR_CODE: &str = "918273";

const CONFIGURATION: &str = r#"
[[provider]]
name = "twilio-main"
kind = "twilio"
account_sid = "AC00000000000000000000000000000000"
auth_token = "${env:TWILIO_AUTH_TOKEN}"
from = "Example"
[route.country]
FR = []
"#;

/// Queues, KMS, a provider and the log, all in one.
#[derive(Default)]
pub(crate) struct Outside(Mutex<Happened>);

#[derive(Default)]
struct Happened {
    sent: usize,
    dead_lettered_bodies: Vec<String>,
    faults: usize,
    said: String,
}

/// A worker for one pool and one key, which sends to every country but France.
pub(crate) fn worker() -> (Arc<Worker>, Arc<Outside>) {
    static CONFIG: LazyLock<Config> = LazyLock::new(config);
    let outside = Arc::new(Outside::default());
    let worker = Worker {
        config: CONFIG.clone(),
        keys: outside.clone(),
        open,
        providers: Providers::new(vec![outside.clone()]),
        queue: outside.clone(),
        clock: Clock::from_fn(|| NOON.parse().expect("it is RFC 3339")),
        random: Mutex::new(fastrand::Rng::with_seed(7)),
        ledger: Ledger::new(None),
        kill_switches: KillSwitches::new(None),
        telemetry: outside.clone(),
    };
    (Arc::new(worker), outside)
}

fn config() -> Config {
    let environment = Environment::from_lookup(|_| Some("token".to_owned()));
    let file = File::parse(CONFIGURATION, &environment).unwrap_or_else(|faults| panic!("{faults}"));
    let (config, _) = file.into_config(vec![KeyArn::parse(KEY).expect("it is a key ARN")]);
    Config { allowed_pools: Some([UserPoolId::parse(POOL).expect("it is a pool id")].into()), ..config }
}

impl Outside {
    /// How many messages were sent or dead-lettered.
    pub(crate) fn endings(&self) -> usize {
        self.happened(|happened| happened.sent + happened.dead_lettered_bodies.len())
    }

    pub(crate) fn dead_lettered_bodies(&self) -> Vec<String> {
        self.happened(|happened| happened.dead_lettered_bodies.clone())
    }

    /// How many records the worker failed on by itself: a panic is one.
    pub(crate) fn faults(&self) -> usize {
        self.happened(|happened| happened.faults)
    }

    /// Everything that was logged, and said in dead letters' attributes.
    pub(crate) fn said(&self) -> String {
        self.happened(|happened| happened.said.clone())
    }

    fn happened<T>(&self, change: impl FnOnce(&mut Happened) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl KeyService for Outside {
    /// Unwraps every second data key, and is out of reach for the others.
    async fn unwrap(&self, wrapped: &WrappedDataKey) -> Result<SecretBox<[u8; 32]>, KeyError> {
        let sum = wrapped.ciphertext.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        match sum % 2 {
            0 => Ok(SecretBox::new(Box::new([7; 32]))),
            _ => Err(KeyError::Unavailable { code: "timeout".to_owned() }),
        }
    }
}

fn open(_: &SealedCode, _: &SecretBox<[u8; 32]>) -> Result<SecretString, OpenFailure> {
    Ok(CLEAR_CODE.into())
}

#[async_trait]
impl Provider for Outside {
    fn name(&self) -> &str {
        "twilio-main"
    }

    async fn send(&self, _: &Sms<'_>) -> Attempt {
        self.happened(|happened| happened.sent += 1);
        let provider_message_id = ProviderMessageId::parse("SM1").expect("it is an id");
        Attempt { outcome: Outcome::Accepted { provider_message_id }, code: None }
    }
}

#[async_trait]
impl Queue for Outside {
    async fn receive(&self, _: u32) -> Result<Vec<Record>, QueueError> {
        Ok(Vec::new())
    }

    async fn delete(&self, _: &str) -> Result<(), QueueError> {
        Ok(())
    }

    async fn postpone(&self, _: &str, _: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), QueueError> {
        self.happened(|happened| {
            happened.dead_lettered_bodies.push(letter.body.to_owned());
            happened.said.push_str(letter.detail);
        });
        Ok(())
    }
}

impl Telemetry for Outside {
    fn record(&self, fact: &Fact<'_>) {
        let line = serde_json::to_string(fact).expect("facts serialise");
        let is_fault = matches!(fact, Fact::Retried { reason, .. } if *reason == RetryReason::WorkerFault.as_str());
        self.happened(|happened| {
            happened.said.push_str(&format!("{line} {fact:?}\n"));
            happened.faults += usize::from(is_fault);
        });
    }
}
