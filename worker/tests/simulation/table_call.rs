//! A call to the state table: what was asked, and what the table made of it.

use shared::Timestamp;
use worker::{LimitScope, Refusal, Standing, Status};

use crate::plan::{Millis, TableTrouble};
use crate::trace::{Who, Work};

/// Noted when it takes effect, or fails. One that the SDK makes twice, or that arrives after its caller has given up, is
/// noted twice.
#[derive(Clone, PartialEq)]
pub(crate) struct TableCall {
    pub(crate) who: Who,
    pub(crate) work: Work,
    /// None where it is about all of them.
    pub(crate) message: Option<u32>,
    pub(crate) asked: Asked,
    pub(crate) began: Millis,
    /// None where it took no effect.
    pub(crate) did: Option<Did>,
    /// Whether the worker got the answer.
    pub(crate) is_heard: bool,
    pub(crate) trouble: Option<TableTrouble>,
}

/// Claims go by the number of their owner, times by the clock of the process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asked {
    Look,
    Claim { claim: u32, now: Timestamp, lease_until: Timestamp, redriven: u32 },
    Update { claim: u32, status: Status, unknowns: Option<u32> },
    Newest,
    Count { scope: LimitScope },
    Switches,
}

/// What the table did and would answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Did {
    Found(Option<Status>),
    /// `redriven` and `unknowns` as the table has them now.
    Granted {
        redriven: u32,
        unknowns: u32,
    },
    Refused(Refusal),
    Updated {
        was_held: bool,
    },
    Ranked(Standing),
    Counted(worker::Counted),
    /// What is off.
    Read(Vec<String>),
}

impl Asked {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Claim { .. } => "claim",
            Self::Update { .. } => "update",
            Self::Newest => "newest",
            Self::Count { .. } => "count",
            Self::Switches => "switches",
        }
    }
}

impl TableCall {
    pub(crate) fn took_effect(&self) -> bool {
        self.did.is_some()
    }

    /// Whether the worker has to do without an answer: neither a call that the SDK makes again, nor one that arrives
    /// when nobody waits for it any more.
    pub(crate) fn is_unanswered(&self) -> bool {
        match self.trouble {
            Some(TableTrouble::MadeTwice) => false,
            Some(TableTrouble::ArrivesLate) => self.did.is_none(),
            Some(TableTrouble::Throttled | TableTrouble::TimesOut | TableTrouble::AnswerLost) => true,
            Some(TableTrouble::Slow) | None => false,
        }
    }
}

/// What came of it before what else is known.
impl std::fmt::Debug for TableCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { who: _, work, message, asked, began, did, is_heard, trouble } = self;
        if let Some(message) = message {
            write!(f, "message {message}: ")?;
        }
        write!(f, "{asked:?} -> ")?;
        match did {
            Some(did) => write!(f, "{did:?}")?,
            None => write!(f, "no effect")?,
        }
        write!(f, "{}", if *is_heard { "" } else { ", not heard" })?;
        if let Some(trouble) = trouble {
            write!(f, " ({trouble:?})")?;
        }
        write!(f, ", {work:?}, began {began}")
    }
}
