//! What happened, as the world saw it: all that the invariants judge by.

use std::time::Duration;

use shared::{DeadLetterReason, Timestamp};

use crate::plan::{CallTrouble, KeyTrouble, Millis, ProcessKind, ProviderTrouble};
use crate::table_call::TableCall;

/// One life of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who {
    pub(crate) process: u32,
    pub(crate) life: u32,
}

/// The work of one process on one delivery of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Work(pub(crate) u32);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) at: Millis,
    pub(crate) event: Event,
}

/// `clock` is the time by the clock of the process. Messages go by their number in the plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Arrived {
        message: u32,
        sent_at: Timestamp,
    },
    /// The same body came once more.
    Repeated {
        message: u32,
    },
    /// A dead letter came back, for the so-many-th time.
    Redriven {
        message: u32,
        reason: String,
        redriven: u32,
    },
    SwitchedOff {
        switch: String,
    },
    SwitchedOn {
        switch: String,
    },
    Healed,
    Started {
        who: Who,
        kind: ProcessKind,
    },
    Crashed {
        who: Who,
        after_effect: Option<bool>,
    },
    StopAsked {
        who: Who,
    },
    /// A service says how many records it left; an execution environment leaves none.
    Stopped {
        who: Who,
        left: usize,
    },
    Handed {
        who: Who,
        message: u32,
        receipt: u32,
        receive_count: u32,
        redriven: u32,
        is_copy: bool,
        sent_at: Timestamp,
        clock: Timestamp,
    },
    /// The process never heard of what SQS took out of sight for it.
    HandedToNobody {
        who: Who,
        message: u32,
        trouble: CallTrouble,
    },
    ReceiveFailed {
        who: Who,
        trouble: CallTrouble,
    },
    /// SQS's own redrive policy took it.
    MovedBySqs {
        message: u32,
    },
    KeyAsked {
        who: Who,
        message: u32,
        trouble: Option<KeyTrouble>,
    },
    KeyGiven {
        who: Who,
        message: u32,
    },
    KeyRefused {
        who: Who,
        message: u32,
        never: bool,
    },
    AttemptBegun {
        who: Who,
        work: Work,
        message: u32,
        provider: usize,
        attempt: u32,
        clock: Timestamp,
        trouble: Option<ProviderTrouble>,
    },
    /// `is_right` says whether number and text are this message's.
    PhoneGot {
        message: u32,
        attempt: u32,
        is_right: bool,
    },
    AttemptEnded {
        who: Who,
        message: u32,
        provider: usize,
        attempt: u32,
        end: AttemptEnd,
    },
    Postponed {
        who: Who,
        message: u32,
        receipt: u32,
        after: Duration,
        clock: Timestamp,
        call: CallEnd,
    },
    DeadLettered {
        who: Who,
        message: u32,
        reason: DeadLetterReason,
        redriven: u32,
        clock: Timestamp,
        call: CallEnd,
    },
    Deleted {
        who: Who,
        message: u32,
        receipt: u32,
        call: CallEnd,
    },
    Table(TableCall),
    Invoked {
        who: Who,
        batch: Vec<u32>,
    },
    /// Messages that the answer names stay in the queue.
    Answered {
        who: Who,
        batch: Vec<u32>,
        named: Vec<u32>,
    },
    /// The function's timeout ended it.
    Killed {
        who: Who,
    },
    WorkerPanicked {
        who: Who,
        work: Work,
        message: u32,
    },
    SaidNotAttempted {
        who: Who,
        message: u32,
        cause: String,
    },
    SaidRetried {
        who: Who,
        message: u32,
        reason: String,
    },
    SaidDuplicate {
        who: Who,
        message: u32,
    },
    SaidClaimLost {
        who: Who,
        message: u32,
    },
    SaidCircuit {
        who: Who,
        provider: String,
        state: String,
    },
}

/// How an attempt ended for the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptEnd {
    Accepted,
    Transient,
    Unknown,
    RecipientPermanent,
    ProviderPermanent,
    FraudBlocked,
    Panicked,
    /// It overran its time.
    CutOff,
    /// The process died.
    Died,
}

impl AttemptEnd {
    /// Whether nobody knows if the SMS was sent, as far as the worker can tell.
    pub(crate) fn is_unknown(self) -> bool {
        match self {
            Self::Unknown | Self::Panicked | Self::CutOff => true,
            Self::Accepted
            | Self::Transient
            | Self::RecipientPermanent
            | Self::ProviderPermanent
            | Self::FraudBlocked
            | Self::Died => false,
        }
    }
}

/// What became of a call to SQS, and what its caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallEnd {
    pub(crate) took_effect: bool,
    pub(crate) answered_well: bool,
    pub(crate) trouble: Option<CallTrouble>,
}

impl Event {
    pub(crate) fn message(&self) -> Option<u32> {
        match self {
            Self::Arrived { message, .. }
            | Self::Repeated { message }
            | Self::Redriven { message, .. }
            | Self::Handed { message, .. }
            | Self::HandedToNobody { message, .. }
            | Self::MovedBySqs { message }
            | Self::KeyAsked { message, .. }
            | Self::KeyGiven { message, .. }
            | Self::KeyRefused { message, .. }
            | Self::AttemptBegun { message, .. }
            | Self::PhoneGot { message, .. }
            | Self::AttemptEnded { message, .. }
            | Self::Postponed { message, .. }
            | Self::DeadLettered { message, .. }
            | Self::Deleted { message, .. }
            | Self::WorkerPanicked { message, .. }
            | Self::SaidNotAttempted { message, .. }
            | Self::SaidRetried { message, .. }
            | Self::SaidDuplicate { message, .. }
            | Self::SaidClaimLost { message, .. } => Some(*message),
            Self::Table(call) => call.message,
            Self::Healed
            | Self::SwitchedOff { .. }
            | Self::SwitchedOn { .. }
            | Self::Started { .. }
            | Self::Crashed { .. }
            | Self::StopAsked { .. }
            | Self::Stopped { .. }
            | Self::ReceiveFailed { .. }
            | Self::Invoked { .. }
            | Self::Answered { .. }
            | Self::Killed { .. }
            | Self::SaidCircuit { .. } => None,
        }
    }

    pub(crate) fn who(&self) -> Option<Who> {
        match self {
            Self::Started { who, .. }
            | Self::Crashed { who, .. }
            | Self::StopAsked { who }
            | Self::Stopped { who, .. }
            | Self::Handed { who, .. }
            | Self::HandedToNobody { who, .. }
            | Self::ReceiveFailed { who, .. }
            | Self::KeyAsked { who, .. }
            | Self::KeyGiven { who, .. }
            | Self::KeyRefused { who, .. }
            | Self::AttemptBegun { who, .. }
            | Self::AttemptEnded { who, .. }
            | Self::Postponed { who, .. }
            | Self::DeadLettered { who, .. }
            | Self::Deleted { who, .. }
            | Self::Invoked { who, .. }
            | Self::Answered { who, .. }
            | Self::Killed { who }
            | Self::WorkerPanicked { who, .. }
            | Self::SaidNotAttempted { who, .. }
            | Self::SaidRetried { who, .. }
            | Self::SaidDuplicate { who, .. }
            | Self::SaidClaimLost { who, .. }
            | Self::SaidCircuit { who, .. } => Some(*who),
            Self::Table(call) => Some(call.who),
            Self::Arrived { .. }
            | Self::Repeated { .. }
            | Self::Redriven { .. }
            | Self::SwitchedOff { .. }
            | Self::SwitchedOn { .. }
            | Self::Healed
            | Self::MovedBySqs { .. }
            | Self::PhoneGot { .. } => None,
        }
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>6}.{:03} s  ", self.at / 1_000, self.at % 1_000)?;
        if let Some(who) = self.event.who() {
            write!(f, "process {} life {}  ", who.process, who.life)?;
        }
        write!(f, "{:?}", self.event)
    }
}
