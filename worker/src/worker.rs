//! One record from receipt to verdict.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, DeadLetterReason, MessageId, QueueMessage, SealedCode, Timestamp, TraceId, TriggerSource};
use tokio::time::{Instant, timeout, timeout_at};

use crate::admission::{Admitted, Refused, admit};
use crate::config::Config;
use crate::delivery::{Delivery, SHORTEST_ATTEMPT, Trail};
use crate::gate::Providers;
use crate::keys::{KeyService, WrappedDataKey};
use crate::open::OpenCode;
use crate::phone_region::Country;
use crate::queue::{DeadLetter, Queue};
use crate::record::Record;
use crate::render::render;
use crate::settlement::{Circumstances, Ending, RetryReason, Verdict, after_refused_dead_letter, settle};
use crate::unknowns::UnknownOutcomes;

/// Everything that processing a record needs.
pub struct Worker {
    pub config: Config,
    pub keys: Arc<dyn KeyService>,
    pub open: OpenCode,
    pub providers: Providers,
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
    /// None where the body could not be read, as are the next two.
    id: Option<MessageId>,
    expires_at: Option<Timestamp>,
    trigger_source: Option<TriggerSource>,
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

/// A message as the facts about it name it.
#[derive(Clone, Copy)]
struct Named<'r> {
    /// SQS's id where the body could not be read.
    id: &'r str,
    trace: Option<TraceId<'r>>,
    trigger_source: Option<TriggerSource>,
}

/// What is not connected by then is at the first message: a start must not wait for somebody else's outage.
const TIME_TO_CONNECT: Duration = Duration::from_secs(1);

impl Worker {
    /// Opens the connections to KMS and the providers. On Lambda that is the time before the first message, which is
    /// nobody's wait.
    pub async fn connect(&self) {
        let all = async { tokio::join!(self.keys.connect(), self.providers.connect()) };
        let _ = timeout(TIME_TO_CONNECT, all).await;
    }

    /// Works on one record until `deadline` at the latest and acts on the verdict.
    pub(crate) async fn process(&self, record: &Record, deadline: Instant) -> Settled {
        let worked = self.work(record, deadline).await;
        self.conclude(record, worked).await
    }

    /// Settles a record whose task panicked.
    pub(crate) async fn conclude_panicked(&self, record: &Record) -> Settled {
        let message = QueueMessage::parse(&record.body).ok();
        let worked = Worked {
            ending: Ending::failed(RetryReason::WorkerFault, "the worker panicked on it"),
            expires_at: message.as_ref().map(|message| message.expires_at),
            trigger_source: message.as_ref().map(|message| message.event.trigger_source()),
            id: message.map(|message| message.id),
            admitted: None,
            trail: Trail::default(),
        };
        self.conclude(record, worked).await
    }

    async fn work(&self, record: &Record, deadline: Instant) -> Worked {
        let admitted = match admit(record, &self.config, self.clock.now()) {
            Ok(admitted) => admitted,
            Err(Refused { reason, detail, id, trigger_source }) => {
                let (ending, trail) = (Ending::refused(reason, detail), Trail::default());
                return Worked { ending, id, expires_at: None, trigger_source, admitted: None, trail };
            }
        };
        let trail = Mutex::default();
        let ending = self.send(record, &admitted, deadline, &trail).await;
        let Admitted { message, country, route: _ } = admitted;
        let trigger_source = message.event.trigger_source();
        let facts = Facts { trigger_source, country, accepted_at: message.accepted_at, expires_at: message.expires_at };
        let trail = trail.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (id, expires_at) = (Some(message.id), Some(message.expires_at));
        Worked { ending, id, expires_at, trigger_source: Some(trigger_source), admitted: Some(facts), trail }
    }

    /// Decrypts, renders and delivers an admitted message.
    async fn send(&self, record: &Record, admitted: &Admitted, deadline: Instant, trail: &Mutex<Trail>) -> Ending {
        let message = &admitted.message;
        let delivery = Delivery {
            id: &message.id,
            trace: record.trace(),
            to: message.event.phone_number(),
            expires_at: message.expires_at,
            end_of_retries: self.config.retry.end_of_retries(self.sent_at(record), Some(message.expires_at)),
            deadline,
            clock: &self.clock,
            random: &self.random,
            telemetry: self.telemetry.as_ref(),
            unknowns: &self.unknowns,
            trail,
        };
        let route = self.providers.on_route(&admitted.route);
        if let Some(ending) = delivery.hopeless(&route) {
            return ending;
        }
        match self.text_of(record, admitted, deadline).await {
            Ok(text) => delivery.along(&route, &text).await,
            Err(ending) => ending,
        }
    }

    /// Decrypts the message's code, if it has one, and renders the text.
    async fn text_of(&self, record: &Record, admitted: &Admitted, deadline: Instant) -> Result<SecretString, Ending> {
        // What could not be sent any more is not decrypted either.
        if deadline.saturating_duration_since(Instant::now()) < SHORTEST_ATTEMPT {
            return Err(Ending::out_of_time());
        }
        let event = &admitted.message.event;
        let clear = match event.code() {
            Some(code) => Some(self.decrypt(record, code, deadline).await?),
            None => None,
        };
        render(event, clear.as_ref(), &self.config.texts)
            .map_err(|error| Ending::refused(DeadLetterReason::RenderFailed, error.to_string()))
    }

    async fn decrypt(&self, record: &Record, code: &SealedCode, deadline: Instant) -> Result<SecretString, Ending> {
        let began = Instant::now();
        let wrapped = WrappedDataKey::find(code.message(), &self.config.key_arns).ok_or_else(|| {
            let detail = "no data key of the code was wrapped by a key of KMS_KEY_ARNS";
            Ending::refused(DeadLetterReason::Undecryptable, detail)
        })?;
        let data_key = timeout_at(deadline, self.keys.unwrap(&wrapped))
            .await
            .map_err(|_elapsed| Ending::failed(RetryReason::KeyUnavailable, "KMS did not answer in time"))??;
        let clear = (self.open)(code, &data_key)?;
        let (id, trace, key) = (code.message_id(), record.trace(), Some(&wrapped.key));
        self.telemetry.record(&Fact::Decrypted { id, trace, key, took: began.elapsed() });
        Ok(clear)
    }

    /// Comes to the verdict and acts on it: the only place that does.
    async fn conclude(&self, record: &Record, worked: Worked) -> Settled {
        let Worked { ending, id, expires_at, trigger_source, admitted, trail } = worked;
        let id = id.as_ref().map_or(record.message_id.as_str(), MessageId::as_str);
        let named = Named { id, trace: record.trace(), trigger_source };
        let now = self.clock.now();
        let circumstances = Circumstances {
            now,
            sent_at: self.sent_at(record),
            expires_at,
            trigger_source,
            receive_count: record.receive_count(),
            unit: self.unit(),
        };
        match settle(ending, circumstances, &self.config.retry) {
            Verdict::Delivered { provider, provider_message_id } => {
                if let Some(facts) = &admitted {
                    self.telemetry.record(&Fact::Delivered {
                        id,
                        trace: named.trace,
                        trigger_source: facts.trigger_source,
                        provider: &provider,
                        provider_message_id: provider_message_id.as_str(),
                        country: &facts.country.to_string(),
                        country_has_route: self.config.route.names(facts.country),
                        time_to_provider: between(facts.accepted_at, now),
                        code_lifetime_left: between(now, facts.expires_at),
                    });
                }
                Settled::Done
            }
            Verdict::Retry { after, reason } => self.postpone(record, named, after, reason).await,
            Verdict::DeadLetter { reason, detail } => {
                if self.dead_letter(record, named, reason, &detail, &trail).await {
                    return Settled::Done;
                }
                let after = after_refused_dead_letter(circumstances);
                self.postpone(record, named, after, RetryReason::DeadLetterQueueUnavailable).await
            }
        }
    }

    async fn postpone(&self, record: &Record, named: Named<'_>, after: Duration, reason: RetryReason) -> Settled {
        let Named { id, trace, trigger_source } = named;
        if let Err(error) = self.queue.postpone(&record.receipt_handle, after).await {
            // It stays in the queue all the same, and comes back when its visibility timeout ends.
            let error = &error.to_string();
            self.telemetry.record(&Fact::QueueCallFailed { id, trace, call: "ChangeMessageVisibility", error });
        }
        let (reason, receive_count) = (reason.as_str(), record.receive_count());
        self.telemetry.record(&Fact::Retried { id, trace, trigger_source, reason, after, receive_count });
        Settled::StaysInQueue
    }

    /// Whether the dead-letter queue took it.
    async fn dead_letter(
        &self,
        record: &Record,
        named: Named<'_>,
        reason: DeadLetterReason,
        detail: &str,
        trail: &Trail,
    ) -> bool {
        let Named { id, trace, trigger_source } = named;
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
                self.telemetry.record(&Fact::DeadLettered { id, trace, trigger_source, reason, detail, receive_count });
                true
            }
            Err(error) => {
                let error = &error.to_string();
                self.telemetry.record(&Fact::QueueCallFailed { id, trace, call: "SendMessage", error });
                false
            }
        }
    }

    /// When SQS took the message; where it does not say, its horizon begins now.
    fn sent_at(&self, record: &Record) -> Timestamp {
        record.sent_at().unwrap_or_else(|| self.clock.now())
    }

    fn unit(&self) -> f64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

/// From one moment to a later one; clocks of two machines may disagree, then it is zero.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
