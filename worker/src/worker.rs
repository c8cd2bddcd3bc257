//! One record from receipt to verdict.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, DeadLetterReason, MessageId, QueueMessage, SealedCode, Timestamp, TriggerSource};
use tokio::time::{Instant, timeout_at};

use crate::admission::{Admitted, Refused, admit};
use crate::config::Config;
use crate::delivery::{Delivery, Trail};
use crate::keys::{KeyError, KeyService, WrappedDataKey};
use crate::open::{OpenCode, OpenFailure};
use crate::phone_region::Country;
use crate::provider::Provider;
use crate::queue::{DeadLetter, Queue};
use crate::record::Record;
use crate::render::render;
use crate::retry::visibility_delay;
use crate::settlement::{Circumstances, Ending, RetryReason, Verdict, settle};
use crate::unknowns::UnknownOutcomes;

/// Everything that processing a record needs.
pub struct Worker {
    pub config: Config,
    pub keys: Arc<dyn KeyService>,
    pub open: OpenCode,
    /// In the configuration's order; the route holds indexes into it.
    pub providers: Vec<Arc<dyn Provider>>,
    pub queue: Arc<dyn Queue>,
    pub clock: Clock,
    pub random: Mutex<fastrand::Rng>,
    pub unknowns: UnknownOutcomes,
    pub telemetry: Arc<dyn Telemetry>,
}

/// Whether the record's message is done with, or stays in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Done,
    StaysInQueue,
}

/// How the work on a record ended, and what is then known of its message.
struct Worked {
    ending: Ending,
    /// None where the body could not be read, as is the expiry.
    id: Option<MessageId>,
    expires_at: Option<Timestamp>,
    /// None where the message was not admitted.
    admitted: Option<Facts>,
    trail: Trail,
}

/// What an admitted message's verdict and log line need.
struct Facts {
    trigger_source: TriggerSource,
    country: Country,
    accepted_at: Timestamp,
    expires_at: Timestamp,
}

impl Worker {
    /// Works on one record until `deadline` at the latest and acts on the verdict.
    pub(crate) async fn process(&self, record: &Record, deadline: Instant) -> Settled {
        let worked = self.work(record, deadline).await;
        self.conclude(record, worked).await
    }

    /// Settles a record whose task panicked.
    pub(crate) async fn conclude_panicked(&self, record: &Record) -> Settled {
        let message = QueueMessage::parse(&record.body).ok();
        let worked = Worked {
            ending: failed(RetryReason::WorkerFault, "the worker panicked on it"),
            expires_at: message.as_ref().map(|message| message.expires_at),
            id: message.map(|message| message.id),
            admitted: None,
            trail: Trail::default(),
        };
        self.conclude(record, worked).await
    }

    async fn work(&self, record: &Record, deadline: Instant) -> Worked {
        let admitted = match admit(record, &self.config, self.clock.now()) {
            Ok(admitted) => admitted,
            Err(Refused { reason, detail, id }) => {
                let ending = refused(reason, detail);
                return Worked { ending, id, expires_at: None, admitted: None, trail: Trail::default() };
            }
        };
        let trail = Mutex::default();
        let ending = match self.text_of(&admitted, deadline).await {
            Ok(text) => self.deliver(&admitted, &text, deadline, &trail).await,
            Err(ending) => ending,
        };
        let Admitted { message, country, route: _ } = admitted;
        let facts = Facts {
            trigger_source: message.event.trigger_source(),
            country,
            accepted_at: message.accepted_at,
            expires_at: message.expires_at,
        };
        let trail = trail.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (id, expires_at) = (Some(message.id), Some(message.expires_at));
        Worked { ending, id, expires_at, admitted: Some(facts), trail }
    }

    /// Decrypts the message's code, if it has one, and renders the text.
    async fn text_of(&self, admitted: &Admitted, deadline: Instant) -> Result<SecretString, Ending> {
        if Instant::now() >= deadline {
            return Err(failed(RetryReason::OutOfTime, "no time left in this invocation"));
        }
        let event = &admitted.message.event;
        let clear = match event.code() {
            Some(code) => Some(self.decrypt(code, deadline).await?),
            None => None,
        };
        render(event, clear.as_ref(), &self.config.texts)
            .map_err(|error| refused(DeadLetterReason::RenderFailed, error.to_string()))
    }

    async fn decrypt(&self, code: &SealedCode, deadline: Instant) -> Result<SecretString, Ending> {
        let began = Instant::now();
        let undecryptable = |detail: String| refused(DeadLetterReason::Undecryptable, detail);
        let wrapped = WrappedDataKey::find(code.message(), &self.config.key_arns)
            .ok_or_else(|| undecryptable("no data key of the code was wrapped by a key of KMS_KEY_ARNS".to_owned()))?;
        let data_key = match timeout_at(deadline, self.keys.unwrap(&wrapped)).await {
            Ok(Ok(data_key)) => data_key,
            Ok(Err(error @ KeyError::Invalid { .. })) => return Err(undecryptable(error.to_string())),
            Ok(Err(error @ (KeyError::Unavailable { .. } | KeyError::NotAllowed { .. }))) => {
                return Err(failed(RetryReason::KeyUnavailable, error.to_string()));
            }
            Err(_elapsed) => return Err(failed(RetryReason::KeyUnavailable, "KMS did not answer in time")),
        };
        let clear = (self.open)(code, &data_key).map_err(|failure| match failure {
            OpenFailure::Undecryptable(detail) => undecryptable(detail),
            OpenFailure::Fault(detail) => failed(RetryReason::WorkerFault, detail),
        })?;
        let key = Some(&wrapped.key);
        self.telemetry.record(&Fact::Decrypted { id: code.message_id(), key, took: began.elapsed() });
        Ok(clear)
    }

    async fn deliver(
        &self,
        admitted: &Admitted,
        text: &SecretString,
        deadline: Instant,
        trail: &Mutex<Trail>,
    ) -> Ending {
        let message = &admitted.message;
        let route: Vec<_> = admitted.route.iter().filter_map(|index| self.providers.get(*index)).collect();
        let delivery = Delivery {
            id: &message.id,
            to: message.event.phone_number(),
            text,
            expires_at: message.expires_at,
            deadline,
            clock: &self.clock,
            telemetry: self.telemetry.as_ref(),
            unknowns: &self.unknowns,
            trail,
        };
        delivery.along(&route).await
    }

    /// Comes to the verdict and acts on it: the only place that does.
    async fn conclude(&self, record: &Record, worked: Worked) -> Settled {
        let Worked { ending, id, expires_at, admitted, trail } = worked;
        let id = id.as_ref().map_or(record.message_id.as_str(), MessageId::as_str);
        let now = self.clock.now();
        let circumstances = Circumstances {
            now,
            sent_at: record.sent_at().unwrap_or(now),
            expires_at,
            receive_count: record.receive_count(),
            unit: self.unit(),
        };
        match settle(ending, circumstances, &self.config.retry) {
            Verdict::Delivered { provider, provider_message_id } => {
                if let Some(facts) = &admitted {
                    self.telemetry.record(&Fact::Delivered {
                        id,
                        trigger_source: facts.trigger_source,
                        provider: &provider,
                        provider_message_id: provider_message_id.as_str(),
                        country: &facts.country.to_string(),
                        time_to_provider: between(facts.accepted_at, now),
                        code_lifetime_left: between(now, facts.expires_at),
                    });
                }
                Settled::Done
            }
            Verdict::Retry { after, reason } => self.postpone(record, id, after, reason).await,
            Verdict::DeadLetter { reason, detail } => self.dead_letter(record, id, reason, &detail, &trail).await,
        }
    }

    async fn postpone(&self, record: &Record, id: &str, after: Duration, reason: RetryReason) -> Settled {
        if let Err(error) = self.queue.postpone(&record.receipt_handle, after).await {
            // It stays in the queue all the same, and comes back when its visibility timeout ends.
            let error = error.to_string();
            self.telemetry.record(&Fact::QueueCallFailed { id, call: "ChangeMessageVisibility", error: &error });
        }
        let receive_count = record.receive_count();
        self.telemetry.record(&Fact::Retried { id, reason: reason.as_str(), after, receive_count });
        Settled::StaysInQueue
    }

    async fn dead_letter(
        &self,
        record: &Record,
        id: &str,
        reason: DeadLetterReason,
        detail: &str,
        trail: &Trail,
    ) -> Settled {
        let receive_count = record.receive_count();
        let letter = DeadLetter {
            body: &record.body,
            reason,
            detail,
            provider: trail.last_provider.as_deref(),
            attempts: trail.attempts,
            failed_at: self.clock.now(),
            trace_header: record.trace_header(),
        };
        match self.queue.dead_letter(&letter).await {
            Ok(()) => {
                self.telemetry.record(&Fact::DeadLettered { id, reason, detail, receive_count });
                Settled::Done
            }
            Err(error) => {
                let error = error.to_string();
                self.telemetry.record(&Fact::QueueCallFailed { id, call: "SendMessage", error: &error });
                // Whatever its age, it must not vanish: no end is set to this retry.
                let after = visibility_delay(receive_count, None, letter.failed_at, Timestamp::MAX, self.unit());
                let after = after.unwrap_or_default();
                self.postpone(record, id, after, RetryReason::DeadLetterQueueUnavailable).await
            }
        }
    }

    fn unit(&self) -> f64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

fn refused(reason: DeadLetterReason, detail: impl Into<String>) -> Ending {
    Ending::Refused { reason, detail: detail.into() }
}

fn failed(reason: RetryReason, detail: impl Into<String>) -> Ending {
    Ending::Failed { reason, detail: detail.into(), retry_after: None }
}

/// From one moment to a later one; clocks of two machines may disagree, then it is zero.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
