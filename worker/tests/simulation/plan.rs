//! What happens to whom and when, as data: one seed is one plan, and one plan is one history.

use std::time::Duration;

use shared::{DeadLetterReason, TriggerSource};
use worker::{StateSettings, Switch};

/// Since the history's beginning.
pub(crate) type Millis = u64;

pub(crate) fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).expect("days at most")
}

/// Everything that a history is made of. Elements keep their numbers when others are taken out.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) horizon: Duration,
    pub(crate) time_to_type: Duration,
    /// Of the Lambda function.
    pub(crate) function_timeout: Duration,
    /// Without one each life of a process remembers by itself.
    pub(crate) has_table: bool,
    pub(crate) state: StateSettings,
    pub(crate) limits: PlannedLimits,
    pub(crate) providers: usize,
    /// From then on everything works.
    pub(crate) heals_at: Millis,
    pub(crate) messages: Vec<PlannedMessage>,
    pub(crate) repeats: Vec<Repeat>,
    pub(crate) redrives: Vec<Redrive>,
    pub(crate) shutdowns: Vec<Shutdown>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) processes: Vec<Process>,
    pub(crate) incidents: Vec<Incident>,
}

/// One message that the producer puts into the queue.
#[derive(Clone, Debug)]
pub(crate) struct PlannedMessage {
    pub(crate) number: u32,
    pub(crate) arrives: Millis,
    /// SQS shows it so much later: messages overtake each other.
    pub(crate) delay_seconds: u32,
    pub(crate) source: TriggerSource,
    pub(crate) lifetime: Duration,
    pub(crate) user: u32,
    pub(crate) kind: Kind,
}

/// Messages within ten minutes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlannedLimits {
    pub(crate) per_number: Option<u32>,
    pub(crate) in_all: Option<u32>,
}

/// Lambda tries the producer's asynchronous invocation again though it went well: the same body comes into the queue
/// once more, as another message of SQS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeat {
    pub(crate) message: u32,
    pub(crate) after: Millis,
}

/// An operator puts every dead letter back into the main queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redrive {
    pub(crate) at: Millis,
}

/// An operator switches something off for a while.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown {
    pub(crate) of: Switch,
    pub(crate) from: Millis,
    pub(crate) until: Millis,
}

/// What is particular about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Sound,
    /// Only sources that may come without a code have it.
    WithoutCode,
    NotJson,
    UnknownType,
    ForeignId,
    UntrustedSender,
    ForeignPool,
    NoPhoneNumber,
    ImpossibleNumber,
    RefusedCountry,
    ExpiredOnArrival,
    /// It has waited for so long already that its code expires while it is worked on, or a moment before.
    ExpiresSoon,
    /// Wrapped by a key that is not ours.
    ForeignKey,
    /// KMS says that it never wrapped the data key.
    InvalidDataKey,
    NeverOpens,
    OpensToNothing,
    /// The decryption itself fails, each time.
    OpeningFails,
    /// Every provider says that the number cannot be reached.
    RejectedRecipient,
    /// Every provider's fraud defence refuses it.
    Fraud,
}

impl Kind {
    /// For what such a message is refused, whatever happens around it.
    pub(crate) fn refused_as(self) -> Option<DeadLetterReason> {
        match self {
            Self::NotJson | Self::UnknownType | Self::ForeignId => Some(DeadLetterReason::Malformed),
            Self::UntrustedSender => Some(DeadLetterReason::UntrustedSender),
            Self::ForeignPool => Some(DeadLetterReason::WrongUserPool),
            Self::NoPhoneNumber => Some(DeadLetterReason::NoPhoneNumber),
            Self::ImpossibleNumber => Some(DeadLetterReason::InvalidPhoneNumber),
            Self::RefusedCountry => Some(DeadLetterReason::CountryNotAllowed),
            Self::ForeignKey | Self::InvalidDataKey | Self::NeverOpens => Some(DeadLetterReason::Undecryptable),
            Self::OpensToNothing => Some(DeadLetterReason::RenderFailed),
            Self::Sound
            | Self::WithoutCode
            | Self::ExpiredOnArrival
            | Self::ExpiresSoon
            | Self::OpeningFails
            | Self::RejectedRecipient
            | Self::Fraud => None,
        }
    }

    /// Whether the worker can read when the code expires.
    pub(crate) fn is_readable(self) -> bool {
        !matches!(self, Self::NotJson | Self::UnknownType | Self::ForeignId | Self::NoPhoneNumber)
    }

    /// Whether a world in which everything works delivers it.
    pub(crate) fn is_deliverable(self) -> bool {
        matches!(self, Self::Sound | Self::WithoutCode)
    }
}

/// Something that goes wrong for a while, for some of those whom it could hit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) number: u32,
    pub(crate) from: Millis,
    pub(crate) until: Millis,
    pub(crate) percent: u64,
    pub(crate) trouble: Trouble,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Keys(KeyTrouble),
    /// Of the n-th provider.
    Provider(usize, ProviderTrouble),
    Queue(QueueCall, CallTrouble),
    /// Of every call to the state table.
    Table(TableTrouble),
    /// SQS hands a message out again although it is in flight, or gone.
    DoubleDelivery,
    /// Somebody has shortened the queue's visibility timeout: messages come back while they are worked on.
    ShortVisibility,
    /// The worker's own code panics at a place that the world can reach: where it logs.
    WorkerPanics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeyTrouble {
    Unavailable,
    NotAllowed,
    Slow,
    Hangs,
    AnswersTooLate,
    Panics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProviderTrouble {
    Transient,
    /// With a pause of so many seconds that it asks for.
    TransientFor(u64),
    ProviderPermanent,
    /// Answered in time: nobody knows.
    Unknown {
        sent: bool,
    },
    /// Keeps to its time, and then does not know.
    TimesOut {
        sent: bool,
    },
    /// Never returns, whatever its time.
    Hangs {
        sent: bool,
    },
    Slow,
    /// Accepts it after its time, but before it is cut off.
    AnswersTooLate,
    Panics {
        sent: bool,
    },
}

impl ProviderTrouble {
    /// Whether an attempt that meets it can count as a failure of the provider only.
    pub(crate) fn always_fails(self) -> bool {
        match self {
            Self::Transient
            | Self::TransientFor(_)
            | Self::ProviderPermanent
            | Self::Unknown { .. }
            | Self::TimesOut { .. }
            | Self::Hangs { .. }
            | Self::Panics { .. } => true,
            Self::Slow | Self::AnswersTooLate => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum QueueCall {
    Receive,
    Delete,
    Postpone,
    DeadLetter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallTrouble {
    /// It fails before it takes effect.
    Refused,
    /// It takes effect, and nobody hears of it.
    AnswerLost,
    /// It fails when the client's patience ends.
    Hangs,
    Slow,
    /// Answered as done, but one of SQS's servers does not know: the message comes back. Deletions only.
    Forgotten,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TableTrouble {
    /// It fails before it takes effect.
    Throttled,
    /// The same, when the client's patience ends: the table cannot be reached.
    TimesOut,
    /// It takes effect, and nobody hears of it.
    AnswerLost,
    /// It fails, and takes effect some seconds later.
    ArrivesLate,
    /// It takes effect, its answer is lost, and the SDK makes it again.
    MadeTwice,
    Slow,
}

/// One worker process, on one machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pub(crate) number: u32,
    pub(crate) kind: ProcessKind,
    pub(crate) starts: Millis,
    /// How far its clock is ahead.
    pub(crate) skew_millis: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProcessKind {
    /// An execution environment with its share of the event source mapping.
    Lambda,
    Service,
}

/// The end of one life of a process. It starts again `back_after` later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incident {
    pub(crate) process: u32,
    pub(crate) end: LifesEnd,
    pub(crate) back_after: Millis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LifesEnd {
    /// In good order: SIGTERM, or an execution environment that is not used any more.
    StopAt(Millis),
    CrashAt(Millis),
    /// At the n-th call that the process makes to the outside, before or after it takes effect.
    CrashAtCall {
        n: u32,
        after_effect: bool,
    },
}
