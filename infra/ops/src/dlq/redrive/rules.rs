//! Which letters a redrive moves, and why it leaves the others.

use std::collections::{BTreeSet, HashSet};

use shared::{DeadLetterReason, Timestamp};

use crate::dlq::filter::Filter;
use crate::dlq::letter::{Letter, Reason};

/// What an operator has allowed.
pub(crate) struct Rules {
    pub(crate) filter: Filter,
    /// The principals whose messages may be sent; none where nobody has said, and then nobody is asked.
    pub(crate) trusted_senders: Option<BTreeSet<String>>,
    pub(crate) include_expired: bool,
    pub(crate) resend_unknown: bool,
    pub(crate) force: bool,
    /// A letter that was redriven so often is left.
    pub(crate) max_redrives: u32,
}

/// What becomes of one letter.
pub(crate) enum Decision {
    Move,
    /// The filters do not mean it.
    NotMeant,
    HeldBack(HeldBack),
}

/// Why a letter that the filters mean is left all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum HeldBack {
    UntrustedSender,
    UntrustedBeforeTheWorker,
    Unreadable,
    UnknownReason,
    MaySendTwice,
    ReasonStands,
    RedrivenTooOften,
    Expired,
    MovedInThisRun,
}

impl Rules {
    /// Judges a letter; `moved` are the ids that this run has moved already.
    pub(crate) fn judge(&self, letter: &Letter, moved: &HashSet<String>, now: Timestamp) -> Decision {
        if !self.filter.matches(letter, now) {
            return Decision::NotMeant;
        }
        // Whoever could write here could pair one user's code with another phone.
        if !self.is_trusted(letter) {
            return Decision::HeldBack(HeldBack::UntrustedSender);
        }
        let by_reason = self.forbidden(letter.reason);
        if by_reason == Some(HeldBack::UntrustedBeforeTheWorker) {
            return Decision::HeldBack(HeldBack::UntrustedBeforeTheWorker);
        }
        let Ok(message) = &letter.content else { return Decision::HeldBack(HeldBack::Unreadable) };
        let held_back = if moved.contains(message.id.as_str()) {
            Some(HeldBack::MovedInThisRun)
        } else if letter.redriven >= self.max_redrives {
            Some(HeldBack::RedrivenTooOften)
        } else if message.expires_at <= now && !self.include_expired {
            Some(HeldBack::Expired)
        } else {
            by_reason
        };
        held_back.map_or(Decision::Move, Decision::HeldBack)
    }

    fn is_trusted(&self, letter: &Letter) -> bool {
        let sender = letter.received.sender.as_deref();
        self.trusted_senders.as_ref().is_none_or(|trusted| sender.is_some_and(|sender| trusted.contains(sender)))
    }

    /// What speaks against sending a letter of this reason again.
    fn forbidden(&self, reason: Reason) -> Option<HeldBack> {
        match reason {
            Reason::ReceiveLimit | Reason::ProducerFailed => None,
            Reason::Unknown => (!self.force).then_some(HeldBack::UnknownReason),
            Reason::Worker(reason) => match reason {
                // What was in the way may be gone.
                DeadLetterReason::ProvidersExhausted
                | DeadLetterReason::KeyUnavailable
                | DeadLetterReason::StateUnavailable
                | DeadLetterReason::WorkerFault => None,
                DeadLetterReason::UntrustedSender => (!self.force).then_some(HeldBack::UntrustedBeforeTheWorker),
                DeadLetterReason::OutcomeUnknown => (!self.resend_unknown).then_some(HeldBack::MaySendTwice),
                // What was said of the message itself, and would be said again unless somebody has changed something.
                DeadLetterReason::Malformed
                | DeadLetterReason::WrongUserPool
                | DeadLetterReason::Undecryptable
                | DeadLetterReason::NoPhoneNumber
                | DeadLetterReason::InvalidPhoneNumber
                | DeadLetterReason::CountryNotAllowed
                | DeadLetterReason::RateLimited
                | DeadLetterReason::FraudBlocked
                | DeadLetterReason::RecipientRejected
                | DeadLetterReason::RenderFailed
                | DeadLetterReason::Expired
                | DeadLetterReason::Superseded => {
                    (!self.filter.names(Reason::Worker(reason))).then_some(HeldBack::ReasonStands)
                }
            },
        }
    }
}

impl HeldBack {
    /// Whether somebody should look into it.
    pub(crate) fn is_alarming(self) -> bool {
        match self {
            Self::UntrustedSender => true,
            Self::UntrustedBeforeTheWorker
            | Self::Unreadable
            | Self::UnknownReason
            | Self::MaySendTwice
            | Self::ReasonStands
            | Self::RedrivenTooOften
            | Self::Expired
            | Self::MovedInThisRun => false,
        }
    }

    /// Its name in audit records.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::UntrustedSender => "untrusted_sender",
            Self::UntrustedBeforeTheWorker => "untrusted_before_the_worker",
            Self::Unreadable => "unreadable",
            Self::UnknownReason => "unknown_reason",
            Self::MaySendTwice => "may_send_twice",
            Self::ReasonStands => "reason_stands",
            Self::RedrivenTooOften => "redriven_too_often",
            Self::Expired => "expired",
            Self::MovedInThisRun => "moved_in_this_run",
        }
    }

    /// What it is, and what an operator can do about it.
    pub(crate) fn explained(self) -> &'static str {
        match self {
            Self::UntrustedSender => "written by somebody who is not trusted: find out who (dlq list --json, sender)",
            Self::UntrustedBeforeTheWorker => {
                "refused by the worker as written by somebody else (untrusted_sender); --force moves them"
            }
            Self::Unreadable => "cannot be read: dlq show says why, dlq drop puts them into a file",
            Self::UnknownReason => "dead for a reason that this version does not know: use the worker's, or --force",
            Self::MaySendTwice => "perhaps sent already (outcome_unknown); --resend-unknown moves them",
            Self::ReasonStands => {
                "refused for what they are, and would be again unless you have changed that; --reason moves what it names"
            }
            Self::RedrivenTooOften => "redriven as often as --max-redrives allows",
            Self::Expired => "expired: their codes cannot be used any more; --include-expired moves them",
            Self::MovedInThisRun => "copies of letters that this run has moved, or back already",
        }
    }
}
