//! What can be seen of one event on its way from Cognito to the phone, and of the provider that it goes to.

use std::time::{Duration, Instant};

use shared::telemetry::{Fact, Telemetry};
use shared::{DeadLetterReason, SealedCode, TriggerSource};
use tokio::sync::mpsc::UnboundedSender;

use crate::fake_twilio::ReceivedSms;

/// A step of an event's way, as it happens.
#[derive(Clone, Debug)]
pub enum Stage {
    /// The producer put the event into the queue, its code as sealed as it came.
    Queued {
        /// The request id of the producer's invocation.
        invocation: String,
        trigger_source: TriggerSource,
        sealed_code: Option<SealedCode>,
        took: Duration,
    },
    /// The worker has the code in clear.
    Decrypted { took: Duration },
    /// A provider answered.
    Attempted { provider: String, outcome: String, code: Option<String>, took: Duration },
    /// A provider was not asked.
    NotAttempted { provider: String, cause: String },
    /// The worker is done: a provider took the SMS.
    Delivered { trigger_source: TriggerSource, provider_message_id: String },
    /// It comes back later.
    Postponed {
        reason: String,
        after: Duration,
        /// Counts the receives so far.
        receive_count: u32,
        /// None where the body could not be read.
        trigger_source: Option<TriggerSource>,
    },
    DeadLettered {
        /// None where the body could not be read.
        trigger_source: Option<TriggerSource>,
        reason: String,
        detail: String,
    },
    /// The same code was delivered before.
    AlreadySent { trigger_source: TriggerSource },
}

/// An event's way, as far as it has been seen.
#[derive(Clone, Debug)]
pub struct Journey {
    /// The request id of the producer's invocation; none for a message that came into the queue otherwise.
    pub invocation: Option<String>,
    /// None where nobody has said it.
    pub trigger_source: Option<String>,
    /// What happened since the journey was last told of.
    pub stages: Vec<Stage>,
    pub producer: Option<Duration>,
    /// From the producer's success to the worker's first step.
    pub queue: Option<Duration>,
    pub decrypt: Option<Duration>,
    pub provider: Option<Duration>,
    /// How often the worker received the message and came to a verdict.
    pub receives: u32,
    /// How often a provider was asked.
    pub attempts: u32,
    /// From the trigger's invocation to the latest stage.
    pub total: Duration,
    /// When the latest stage was.
    pub latest: Instant,
    pub ending: Ending,
}

impl Journey {
    /// One of which nothing has been seen before.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            invocation: None,
            trigger_source: None,
            stages: Vec::new(),
            producer: None,
            queue: None,
            decrypt: None,
            provider: None,
            receives: 0,
            attempts: 0,
            total: Duration::ZERO,
            latest: now,
            ending: Ending::Waiting,
        }
    }

    pub(crate) fn of_invocation(invocation: &str, now: Instant) -> Self {
        Self { invocation: Some(invocation.to_owned()), ..Self::new(now) }
    }
}

/// How an event's way ended.
#[derive(Clone, Debug)]
pub enum Ending {
    Arrived(ReceivedSms),
    /// By the producer.
    Refused {
        error_type: String,
        message: String,
    },
    DeadLettered {
        reason: String,
        detail: String,
    },
    /// With an earlier event, which had the same code.
    AlreadySent,
    /// It has not ended: the message is in the queue, or at work.
    Waiting,
}

impl Ending {
    pub fn has_arrived(&self) -> bool {
        matches!(self, Self::Arrived(_))
    }

    /// A newer code of the same user took its place: what arrives later than that would only confuse.
    pub fn is_superseded(&self) -> bool {
        matches!(self, Self::DeadLettered { reason, .. } if reason == DeadLetterReason::Superseded.as_str())
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting)
    }
}

/// The circuit breaker of a provider changed.
#[derive(Clone, Debug)]
pub(crate) struct CircuitChange {
    pub(crate) at: Instant,
    pub(crate) provider: String,
    pub(crate) circuit: Circuit,
}

/// What a circuit breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Circuit {
    /// Nothing.
    Open { open_for: Duration },
    /// One attempt, to see.
    HalfOpen,
    /// Everything.
    Closed,
}

/// What is new in a run.
#[derive(Clone, Debug)]
pub(crate) enum News {
    Journey(Box<Journey>),
    Circuit(CircuitChange),
}

/// What the run hears from its parts.
pub(crate) enum Heard {
    /// An invocation of the producer begins.
    Invoked,
    /// An invocation of the producer has ended.
    Returned,
    /// The producer refused an event.
    Refused(Journey),
    /// Something happened to the message of this id.
    Happened {
        id: String,
        at: Instant,
        stage: Stage,
    },
    CircuitChanged(CircuitChange),
    /// An SMS arrived at the phone.
    Phone(ReceivedSms),
}

/// The telemetry of a local run: facts become stages.
pub(crate) struct Observer {
    pub(crate) heard: UnboundedSender<Heard>,
    /// The invocation that it observes; none for the worker's.
    pub(crate) invocation: Option<String>,
}

impl Telemetry for Observer {
    fn record(&self, fact: &Fact<'_>) {
        let at = Instant::now();
        let (id, stage) = match fact {
            Fact::Accepted { id, trigger_source, sealed_code, took, .. } => {
                let invocation = self.invocation.clone().unwrap_or_default();
                let (trigger_source, sealed_code, took) = (*trigger_source, sealed_code.cloned(), *took);
                (id.to_string(), Stage::Queued { invocation, trigger_source, sealed_code, took })
            }
            Fact::Decrypted { id, took, .. } => (id.to_string(), Stage::Decrypted { took: *took }),
            Fact::Attempted { id, provider, outcome, code, took, .. } => {
                let (provider, outcome) = ((*provider).to_owned(), (*outcome).to_owned());
                let stage = Stage::Attempted { provider, outcome, code: code.map(str::to_owned), took: *took };
                (id.to_string(), stage)
            }
            Fact::NotAttempted { id, provider, cause, trace: _ } => {
                let (provider, cause) = ((*provider).to_owned(), (*cause).to_owned());
                (id.to_string(), Stage::NotAttempted { provider, cause })
            }
            Fact::CircuitChanged { provider, state, open_for } => {
                let circuit = match (*state, *open_for) {
                    (_, Some(open_for)) => Circuit::Open { open_for },
                    ("half_open", None) => Circuit::HalfOpen,
                    (_, None) => Circuit::Closed,
                };
                let change = CircuitChange { at, provider: (*provider).to_owned(), circuit };
                // Here and below: nobody listens any more once the run is over.
                let _ = self.heard.send(Heard::CircuitChanged(change));
                return;
            }
            Fact::Delivered { id, trigger_source, provider_message_id, .. } => {
                // The fake Twilio gives one to every message.
                let provider_message_id = provider_message_id.unwrap_or_default().to_owned();
                let trigger_source = *trigger_source;
                ((*id).to_owned(), Stage::Delivered { trigger_source, provider_message_id })
            }
            Fact::Retried { id, reason, after, receive_count, trace: _, trigger_source } => {
                let (reason, after, receive_count) = ((*reason).to_owned(), *after, *receive_count);
                let trigger_source = *trigger_source;
                ((*id).to_owned(), Stage::Postponed { reason, after, receive_count, trigger_source })
            }
            Fact::DeadLettered { id, reason, detail, trigger_source, .. } => {
                let (reason, detail, trigger_source) = (reason.to_string(), (*detail).to_owned(), *trigger_source);
                ((*id).to_owned(), Stage::DeadLettered { trigger_source, reason, detail })
            }
            // Refusals are told by the invocation itself, which also knows them.
            Fact::Rejected { .. } | Fact::NotEnqueued { .. } => return,
            Fact::Duplicate { id, trigger_source, trace: _ } => {
                ((*id).to_owned(), Stage::AlreadySent { trigger_source: *trigger_source })
            }
            Fact::TriedBefore { .. }
            | Fact::ClaimLost { .. }
            | Fact::LimitReached { .. }
            | Fact::StateCallFailed { .. }
            | Fact::Switched { .. }
            | Fact::SecretChanged
            | Fact::SecretReadFailed { .. }
            | Fact::QueueCallFailed { .. }
            | Fact::ReceiveFailed { .. }
            | Fact::Draining { .. }
            | Fact::Drained { .. }
            | Fact::Panicked { .. }
            | Fact::Notice { .. } => return,
        };
        let _ = self.heard.send(Heard::Happened { id, at, stage });
    }
}
