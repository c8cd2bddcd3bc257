//! One record from receipt to verdict.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, DeadLetterReason, QueueMessage, SealedCode, Timestamp};
use tokio::time::{Instant, timeout, timeout_at};

use crate::admission::{Admitted, Refused, admit};
use crate::claiming::Grant;
use crate::conclusion::{Facts, Settled, Worked};
use crate::config::Config;
use crate::delivery::{Delivery, SHORTEST_ATTEMPT, Trail};
use crate::gate::Providers;
use crate::keys::{KeyService, WrappedDataKey};
use crate::kill_switches::KillSwitches;
use crate::ledger::Ledger;
use crate::open::OpenCode;
use crate::queue::Queue;
use crate::record::Record;
use crate::render::render;
use crate::settlement::{Ending, RetryReason};
use crate::state::{StateError, Switch, Switches, UserCode, WhenUnreachable};

/// Everything that processing a record needs.
pub struct Worker {
    pub config: Config,
    pub keys: Arc<dyn KeyService>,
    pub open: OpenCode,
    pub providers: Providers,
    pub queue: Arc<dyn Queue>,
    pub clock: Clock,
    pub random: Mutex<fastrand::Rng>,
    pub ledger: Ledger,
    pub kill_switches: KillSwitches,
    pub telemetry: Arc<dyn Telemetry>,
}

/// What is not connected by then is at the first message: a start must not wait for somebody else's outage.
const TIME_TO_CONNECT: Duration = Duration::from_secs(1);

impl Worker {
    /// Opens the connections to KMS, the state and the providers, and reads the switches. On Lambda that is the time
    /// before the first message, which is nobody's wait.
    pub async fn connect(&self) {
        let switches = self.switches();
        let all = async { tokio::join!(self.keys.connect(), self.providers.connect(), switches) };
        let _ = timeout(TIME_TO_CONNECT, all).await;
    }

    /// Works on one record until `deadline` at the latest and acts on the verdict.
    pub(crate) async fn process(&self, record: &Record, deadline: Instant) -> Settled {
        let worked = self.work(record, deadline).await;
        self.conclude(record, worked).await
    }

    /// Settles a record whose task panicked. If it held a claim, that lapses, since nobody knows how far it came.
    pub(crate) async fn conclude_panicked(&self, record: &Record) -> Settled {
        let ending = Ending::failed(RetryReason::WorkerFault, "the worker panicked on it");
        let worked = match QueueMessage::parse(&record.body) {
            Ok(message) => Worked {
                id: Some(message.id),
                expires_at: Some(message.expires_at),
                trigger_source: Some(message.event.trigger_source()),
                ..Worked::without_attempt(ending)
            },
            Err(_) => Worked::without_attempt(ending),
        };
        self.conclude(record, worked).await
    }

    async fn work(&self, record: &Record, deadline: Instant) -> Worked {
        self.providers.keep_current(&self.clock, self.telemetry.as_ref()).await;
        let switches = self.switches().await;
        let off = switches.clone().unwrap_or_default();
        let admitted = match admit(record, &self.config, &off, self.clock.now()) {
            Ok(admitted) => admitted,
            Err(refused) => return self.refuse(record, refused, deadline).await,
        };
        let (trail, grant) = (Mutex::default(), OnceLock::new());
        let ending = match switches {
            Ok(_) => self.send(record, &admitted, &off, deadline, &trail, &grant).await,
            Err(error) => Ending::failed(RetryReason::StateUnavailable, format!("switches: {error}")),
        };
        let Admitted { message, country, way: _ } = admitted;
        let trigger_source = message.event.trigger_source();
        let facts = Facts { trigger_source, country, accepted_at: message.accepted_at, expires_at: message.expires_at };
        Worked {
            ending,
            id: Some(message.id),
            expires_at: Some(message.expires_at),
            trigger_source: Some(trigger_source),
            admitted: Some(facts),
            grant: grant.into_inner(),
            trail: trail.into_inner().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// What operators have switched off. While that cannot be known, nothing is, unless messages are to wait.
    async fn switches(&self) -> Result<Arc<Switches>, StateError> {
        let switches = self.kill_switches.now(&self.clock, self.telemetry.as_ref()).await;
        match self.config.state.unreachable {
            WhenUnreachable::Allow => Ok(switches.unwrap_or_default()),
            WhenUnreachable::Hold => switches,
        }
    }

    /// A message that is not admitted. One that has expired may have been sent before, and not been deleted.
    async fn refuse(&self, record: &Record, refused: Refused, deadline: Instant) -> Worked {
        let Refused { reason, detail, id, trigger_source } = refused;
        let mut ending = Ending::refused(reason, detail);
        if let (DeadLetterReason::Expired, Some(id)) = (reason, &id) {
            ending = self.already_sent(record, id, deadline).await.unwrap_or(ending);
        }
        Worked { id, trigger_source, ..Worked::without_attempt(ending) }
    }

    /// Decrypts, renders and delivers an admitted message.
    async fn send(
        &self,
        record: &Record,
        admitted: &Admitted,
        off: &Switches,
        deadline: Instant,
        trail: &Mutex<Trail>,
        grant: &OnceLock<Grant>,
    ) -> Ending {
        let message = &admitted.message;
        // A first receive of a message that was sent before is found out by its claim.
        let may_be_known = record.receive_count() > 1 || record.redriven > 0;
        if may_be_known && let Some(ending) = self.already_ended(record, &message.id, deadline).await {
            return ending;
        }
        if off.is_off(&Switch::Everything) {
            return Ending::failed(RetryReason::SwitchedOff, "everything is switched off");
        }
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
            trail,
        };
        let route = delivery.without_switched_off(self.providers.on_way(&admitted.way), off);
        if let Some(hopeless) = delivery.hopeless(&route) {
            return self.record_newest(record, admitted, deadline).await.err().unwrap_or(hopeless);
        }
        let sent = async {
            let text = self.text_of(record, admitted, deadline).await?;
            let hold = self.take(record, admitted, deadline, grant).await?;
            Ok(delivery.along(&route, &text, &hold).await)
        };
        sent.await.unwrap_or_else(|ending| ending)
    }

    /// Records a code as its user's newest though it cannot be sent yet: after an outage, older ones are not sent
    /// instead. One receive, the first, is enough for that, and costs the one call to KMS.
    async fn record_newest(&self, record: &Record, admitted: &Admitted, deadline: Instant) -> Result<(), Ending> {
        let Some(code) = UserCode::of(&admitted.message, self.clock.now()) else { return Ok(()) };
        if record.receive_count() > 1 {
            return Ok(());
        }
        self.text_of(record, admitted, deadline).await?;
        self.page(record, &admitted.message.id).must_be_newest(&code, self.clock.now()).await
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

    /// When SQS took the message; where it does not say, its horizon begins now.
    pub(crate) fn sent_at(&self, record: &Record) -> Timestamp {
        record.sent_at().unwrap_or_else(|| self.clock.now())
    }

    pub(crate) fn with_random<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
