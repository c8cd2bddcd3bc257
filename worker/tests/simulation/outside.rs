//! KMS, the queues and the log, as one life of a process reaches them.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretBox;
use shared::telemetry::{Fact, Telemetry};
use tokio::time::sleep;
use worker::{DeadLetter, KeyError, KeyService, Queue, QueueError, Record, WrappedDataKey};

use crate::life::Life;
use crate::plan::{KeyTrouble, Kind};
use crate::trace::Event;

pub(crate) struct Outside(pub(crate) Arc<Life>);

/// What a planned panic carries: unlike others it is not reported.
pub(crate) struct PlannedPanic;

/// Longer than any process has for a record.
const TOO_LONG: Duration = Duration::from_secs(25);
const LONG_POLL: u64 = 5_000;
/// Later than any history's end.
pub(crate) const NEVER: u64 = 10_000_000_000;

#[async_trait]
impl KeyService for Outside {
    async fn unwrap(&self, wrapped: &WrappedDataKey) -> Result<SecretBox<[u8; 32]>, KeyError> {
        let Self(life) = self;
        let (world, who) = (&life.world, life.who);
        let public_key = wrapped.context.get("aws-crypto-public-key").expect("every code here is signed");
        let message = world.number_of(public_key).expect("a code of this history");
        let call = life.begin_call().await;
        let nth = world.count("keys", message);
        let trouble = world.key_trouble(message, nth);
        world.note(Event::KeyAsked { who, message, trouble });
        let latency = world.draws.of("latency of keys").nth(u64::from(message)).nth(u64::from(nth));
        sleep(Duration::from_millis(latency.between(3, 60))).await;
        life.took_effect(&call).await;
        let unavailable = || KeyError::Unavailable { code: "ThrottlingException".to_owned() };
        let not_allowed = || KeyError::NotAllowed { code: "DisabledException".to_owned() };
        let refusal = match trouble {
            None => None,
            Some(KeyTrouble::Unavailable) => Some(unavailable()),
            Some(KeyTrouble::NotAllowed) => Some(not_allowed()),
            Some(KeyTrouble::Slow) => {
                sleep(Duration::from_millis(latency.between(1_000, 9_000))).await;
                None
            }
            Some(KeyTrouble::Hangs) => pending().await,
            Some(KeyTrouble::AnswersTooLate) => {
                sleep(TOO_LONG).await;
                None
            }
            Some(KeyTrouble::Panics) => {
                world.note(Event::WorkerPanicked { who, work: world.work(), message });
                resume_unwind(Box::new(PlannedPanic))
            }
        };
        let letter = &world.letters[&message];
        let invalid = || KeyError::Invalid { code: "InvalidCiphertextException".to_owned() };
        let never = letter.planned.kind == Kind::InvalidDataKey;
        match refusal.or_else(|| never.then(invalid)) {
            Some(error) => {
                let never = matches!(error, KeyError::Invalid { .. });
                world.note(Event::KeyRefused { who, message, never });
                Err(error)
            }
            None => {
                world.note(Event::KeyGiven { who, message });
                Ok(SecretBox::new(Box::new(letter.code.data_key)))
            }
        }
    }
}

#[async_trait]
impl Queue for Outside {
    async fn receive(&self, most: u32) -> Result<Vec<Record>, QueueError> {
        let Self(life) = self;
        let call = life.begin_call().await;
        let now = life.world.now();
        // The poll under way when it is told to stop ends by itself.
        let polls = |stops: u64| stops.saturating_sub(now).div_ceil(LONG_POLL).max(1);
        let until = life.stops.map_or(NEVER, |stops| now + polls(stops) * LONG_POLL);
        let handed = life.world.receive(life, most, until).await;
        life.took_effect(&call).await;
        let handed = handed.map_err(|_| QueueError { code: "ServiceUnavailable".to_owned() })?;
        Ok(handed.into_iter().map(|handed| Record::from_value(handed.record).expect("a sound record")).collect())
    }

    async fn delete(&self, receipt_handle: &str) -> Result<(), QueueError> {
        self.0.world.delete(&self.0, receipt_handle).await
    }

    async fn postpone(&self, receipt_handle: &str, after: Duration) -> Result<(), QueueError> {
        self.0.world.postpone(&self.0, receipt_handle, after).await
    }

    async fn dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), QueueError> {
        self.0.world.dead_letter(&self.0, letter).await
    }
}

impl Telemetry for Outside {
    fn record(&self, fact: &Fact<'_>) {
        let Self(life) = self;
        if !life.is_alive() {
            return;
        }
        let (world, who) = (&life.world, life.who);
        let said_of = if let Fact::Decrypted { id, .. } | Fact::Attempted { id, .. } = fact {
            world.number_of(id.as_str())
        } else if let Fact::NotAttempted { id, trace: _, provider: _, cause } = fact {
            let message = world.number_of(id.as_str());
            message.inspect(|message| {
                world.note(Event::SaidNotAttempted { who, message: *message, cause: (*cause).to_owned() });
            })
        } else if let Fact::Retried { id, reason, .. } = fact {
            let message = world.number_of(id);
            message.inspect(|message| {
                world.note(Event::SaidRetried { who, message: *message, reason: (*reason).to_owned() });
            })
        } else if let Fact::Duplicate { id, .. } = fact {
            let message = world.number_of(id);
            message.inspect(|message| world.note(Event::SaidDuplicate { who, message: *message }))
        } else if let Fact::ClaimLost { id, .. } = fact {
            let message = world.number_of(id.as_str());
            message.inspect(|message| world.note(Event::SaidClaimLost { who, message: *message }))
        } else if let Fact::TriedBefore { id, .. } = fact {
            world.number_of(id.as_str())
        } else if let Fact::Delivered { id, .. } | Fact::DeadLettered { id, .. } = fact {
            world.number_of(id)
        } else if let Fact::CircuitChanged { provider, state, .. } = fact {
            let (provider, state) = ((*provider).to_owned(), (*state).to_owned());
            world.note(Event::SaidCircuit { who, provider, state });
            None
        } else {
            None
        };
        // Where a record's own task says something, its code can be made to panic.
        if let Some(message) = said_of
            && world.worker_panics(message, world.count("said", message))
        {
            world.note(Event::WorkerPanicked { who, work: world.work(), message });
            resume_unwind(Box::new(PlannedPanic));
        }
    }
}
