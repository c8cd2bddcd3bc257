//! What can be seen of one event on its way from Cognito to the phone.

use std::time::{Duration, Instant};

use shared::telemetry::{Fact, Telemetry};
use tokio::sync::mpsc;

use crate::fake_twilio::ReceivedSms;

/// A step of an event's way, as it happens.
#[derive(Clone, Debug)]
pub enum Stage {
    /// The producer put the event into the queue, its code as sealed as it came.
    Queued {
        id: String,
        took: Duration,
    },
    /// The producer refused the event.
    Refused {
        message: String,
    },
    /// The worker has the code in clear.
    Decrypted {
        took: Duration,
    },
    /// A provider answered.
    Attempted {
        provider: String,
        outcome: String,
        code: Option<String>,
        took: Duration,
    },
    /// The worker is done: a provider took the SMS.
    Delivered,
    /// It comes back later.
    Postponed {
        reason: String,
        after: Duration,
    },
    DeadLettered {
        reason: String,
        detail: String,
    },
}

impl Stage {
    /// Whether it was the producer that told of it.
    pub(crate) fn is_the_producers(&self) -> bool {
        match self {
            Self::Queued { .. } | Self::Refused { .. } => true,
            Self::Decrypted { .. }
            | Self::Attempted { .. }
            | Self::Delivered
            | Self::Postponed { .. }
            | Self::DeadLettered { .. } => false,
        }
    }
}

/// A stage, with the message that it belongs to and the moment.
pub(crate) struct Observed {
    pub(crate) id: Option<String>,
    pub(crate) at: Instant,
    pub(crate) stage: Stage,
}

/// An event's whole way.
#[derive(Clone, Debug)]
pub struct Journey {
    pub trigger_source: String,
    pub producer: Option<Duration>,
    /// From the producer's success to the worker's first step.
    pub queue: Option<Duration>,
    pub decrypt: Option<Duration>,
    pub provider: Option<Duration>,
    /// From the trigger's invocation to the end.
    pub total: Duration,
    pub ending: Ending,
}

/// How an event's way ended.
#[derive(Clone, Debug)]
pub enum Ending {
    Arrived(ReceivedSms),
    Refused {
        message: String,
    },
    DeadLettered {
        reason: String,
        detail: String,
    },
    /// Still in the queue when the run stopped waiting for it.
    Waiting,
}

impl Ending {
    pub fn has_arrived(&self) -> bool {
        matches!(self, Self::Arrived(_))
    }
}

/// The telemetry of a local run: facts become stages that can be waited for.
pub(crate) struct Observer {
    stages: mpsc::UnboundedSender<Observed>,
}

impl Observer {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Observed>) {
        let (stages, observed) = mpsc::unbounded_channel();
        (Self { stages }, observed)
    }
}

impl Telemetry for Observer {
    fn record(&self, fact: &Fact<'_>) {
        let (id, stage) = match fact {
            Fact::Accepted { id, took, .. } => {
                (Some(id.to_string()), Stage::Queued { id: id.to_string(), took: *took })
            }
            Fact::Rejected { message, .. } | Fact::NotEnqueued { message, .. } => {
                (None, Stage::Refused { message: (*message).to_owned() })
            }
            Fact::Decrypted { id, took, .. } => (Some(id.to_string()), Stage::Decrypted { took: *took }),
            Fact::Attempted { id, provider, outcome, code, took } => {
                let (provider, outcome) = ((*provider).to_owned(), (*outcome).to_owned());
                let stage = Stage::Attempted { provider, outcome, code: code.map(str::to_owned), took: *took };
                (Some(id.to_string()), stage)
            }
            Fact::Delivered { id, .. } => (Some((*id).to_owned()), Stage::Delivered),
            Fact::Retried { id, reason, after, .. } => {
                (Some((*id).to_owned()), Stage::Postponed { reason: (*reason).to_owned(), after: *after })
            }
            Fact::DeadLettered { id, reason, detail, .. } => {
                let stage = Stage::DeadLettered { reason: reason.to_string(), detail: (*detail).to_owned() };
                (Some((*id).to_owned()), stage)
            }
            Fact::QueueCallFailed { .. }
            | Fact::ReceiveFailed { .. }
            | Fact::Draining { .. }
            | Fact::Drained { .. }
            | Fact::Panicked { .. }
            | Fact::Notice { .. } => return,
        };
        // Nobody listens any more once the run is over.
        let _ = self.stages.send(Observed { id, at: Instant::now(), stage });
    }
}
