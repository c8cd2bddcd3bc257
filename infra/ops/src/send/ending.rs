//! What became of the message.

use std::time::Duration;

use super::invocation::ProducerError;
use super::logged_fact::LoggedFact;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ending {
    Delivered,
    DeadLettered {
        reason: String,
        detail: String,
    },
    /// The producer refused the event, or failed.
    NotAccepted(ProducerError),
    /// Nothing of the above was seen so far.
    NotYet {
        within: Duration,
        last: Option<Box<LoggedFact>>,
    },
    /// The producer accepted it; the rest cannot be seen.
    NotFollowed {
        cause: String,
    },
}

impl Ending {
    pub(super) fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered)
    }

    /// As JSON names it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::DeadLettered { .. } => "dead_lettered",
            Self::NotAccepted(_) => "not_accepted",
            Self::NotYet { .. } => "not_yet",
            Self::NotFollowed { .. } => "not_followed",
        }
    }
}
