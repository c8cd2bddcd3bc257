//! What becomes of a message that is not delivered, and why.

use jiff::SignedDuration;
use shared::{DeadLetterReason, Timestamp};

use super::holds::Receive;
use crate::bodies::moment;
use crate::history::History;
use crate::plan::Kind;
use crate::trace::{AttemptEnd, Entry, Event, Who};

/// The reason is one that the world's own record bears out, and SQS itself never moves a message.
pub(crate) fn every_dead_letter_has_its_true_reason(history: &History) -> Result<(), String> {
    for (index, entry) in history.trace.iter().enumerate() {
        if let Event::MovedBySqs { message } = &entry.event {
            return Err(format!("SQS moved message {message} at {} ms", entry.at));
        }
        if let Event::DeadLettered { who, message, reason, clock, call: _ } = &entry.event {
            let letter = Letter { history, index, at: entry.at, who: *who, message: *message, clock: *clock };
            if let Err(objection) = letter.bears_out(*reason) {
                return Err(format!("message {message} is dead as {reason} at {} ms, but {objection}", entry.at));
            }
        }
    }
    Ok(())
}

/// The reasons that a message past its expiry may have: its own, and those that are looked for before.
const PRECEDES_EXPIRY: [DeadLetterReason; 5] = [
    DeadLetterReason::Expired,
    DeadLetterReason::Malformed,
    DeadLetterReason::UntrustedSender,
    DeadLetterReason::WrongUserPool,
    DeadLetterReason::NoPhoneNumber,
];

/// Only one that the dead-letter queue did not take comes back later than its end of retries.
pub(crate) fn no_message_is_postponed_past_its_end(history: &History) -> Result<(), String> {
    for (index, entry) in history.trace.iter().enumerate() {
        let Event::Postponed { who, message, after, clock, .. } = &entry.event else { continue };
        let receive = history.receive_of(*message, *who, index);
        let after = SignedDuration::try_from(*after).expect("short");
        let is_past = end_of_retries(history, *message).duration_since(*clock) < after;
        let refused = |event: &Event| matches!(event, Event::DeadLettered { call, .. } if !call.answered_well);
        if is_past && !receive.has(refused) {
            return Err(format!("message {message} was postponed for {after:?} at {} ms", entry.at));
        }
    }
    Ok(())
}

/// The earlier of (expiry − time to type) and (arrival + horizon); of a message that cannot be read, the latter.
pub(crate) fn end_of_retries(history: &History, message: u32) -> Timestamp {
    let letter = &history.letters[&message];
    let by_horizon = moment(letter.planned.arrives).checked_add(history.plan.horizon).expect("in range");
    let by_expiry = letter.expires_at.checked_sub(history.plan.time_to_type).expect("in range");
    if letter.planned.kind.is_readable() { by_horizon.min(by_expiry) } else { by_horizon }
}

/// A dead letter as it is sent.
struct Letter<'h> {
    history: &'h History,
    index: usize,
    at: u64,
    who: Who,
    message: u32,
    clock: Timestamp,
}

impl Letter<'_> {
    fn bears_out(&self, reason: DeadLetterReason) -> Result<(), &'static str> {
        let letter = &self.history.letters[&self.message];
        let kind = letter.planned.kind;
        let receive = self.history.receive_of(self.message, self.who, self.index);
        let is_expired = self.clock >= letter.expires_at;
        let panicked = receive.has(|event| matches!(event, Event::WorkerPanicked { .. }));
        if !receive.is_double && !panicked && receive.begins_at_or_after(letter.expires_at) {
            holds(PRECEDES_EXPIRY.contains(&reason), "its code had expired when it was received")?;
        }
        match reason {
            DeadLetterReason::Malformed
            | DeadLetterReason::UntrustedSender
            | DeadLetterReason::WrongUserPool
            | DeadLetterReason::NoPhoneNumber
            | DeadLetterReason::InvalidPhoneNumber
            | DeadLetterReason::CountryNotAllowed
            | DeadLetterReason::Undecryptable
            | DeadLetterReason::RenderFailed => holds(kind.refused_as() == Some(reason), "nothing like that is wrong"),
            DeadLetterReason::Expired => {
                holds(is_expired, "its code lives")?;
                holds(receive.is_double || receive.attempts() == 0, "it was tried in that receive")
            }
            DeadLetterReason::RecipientRejected => self.ended_as(&receive, AttemptEnd::RecipientPermanent),
            DeadLetterReason::FraudBlocked => self.ended_as(&receive, AttemptEnd::FraudBlocked),
            DeadLetterReason::OutcomeUnknown => {
                holds(self.unknowns() >= 2, "fewer than two outcomes are not known to that process")
            }
            DeadLetterReason::ProvidersExhausted => {
                self.no_retry_fits()?;
                holds(receive.has(is_failure), "no provider failed it in that receive")?;
                holds(receive.is_double || !receive.has(is_acceptance), "a provider took it")
            }
            DeadLetterReason::KeyUnavailable => {
                self.no_retry_fits()?;
                let asked = receive.has(|event| matches!(event, Event::KeyAsked { .. }));
                holds(asked, "KMS was not asked in that receive")?;
                let given = receive.has(|event| matches!(event, Event::KeyGiven { .. }));
                holds(receive.is_double || !given, "KMS gave the key")
            }
            DeadLetterReason::WorkerFault => {
                self.no_retry_fits()?;
                let is_fault = kind == Kind::OpeningFails || panicked || self.is_out_of_time(&receive);
                holds(is_fault, "the worker did not fail on it in that receive")
            }
            DeadLetterReason::RateLimited | DeadLetterReason::StateUnavailable | DeadLetterReason::Superseded => {
                Err("there is no such reason yet")
            }
        }
    }

    fn no_retry_fits(&self) -> Result<(), &'static str> {
        let left = end_of_retries(self.history, self.message).duration_since(self.clock);
        holds(left < SignedDuration::from_secs(1), "a further retry fits")
    }

    fn ended_as(&self, receive: &Receive<'_>, expected: AttemptEnd) -> Result<(), &'static str> {
        let is_attempt = |event: &Event| matches!(event, Event::AttemptBegun { .. } | Event::AttemptEnded { .. });
        let last = receive.entries.iter().rfind(|entry| is_attempt(&entry.event));
        let is_so = last.is_some_and(|last| ended(&last.event, expected))
            || (receive.is_double && receive.has(|event| ended(event, expected)));
        holds(is_so, "its last attempt did not end so")
    }

    /// In the life that wrote the letter.
    fn unknowns(&self) -> usize {
        let is_its =
            |entry: &&Entry| entry.event.who() == Some(self.who) && entry.event.message() == Some(self.message);
        let before = self.history.trace[..self.index].iter().filter(is_its);
        before.filter(|entry| matches!(&entry.event, Event::AttemptEnded { end, .. } if end.is_unknown())).count()
    }

    /// Nearly all of the record's time had passed.
    fn is_out_of_time(&self, receive: &Receive<'_>) -> bool {
        let time = self.history.plan.function_timeout.min(worker::TIME_FOR_A_RECORD);
        let time = u64::try_from(time.as_millis()).expect("short").saturating_sub(5_100);
        receive.entries.first().is_some_and(|handed| self.at - handed.at >= time)
    }
}

impl Receive<'_> {
    /// By the clock of the process that received it.
    fn begins_at_or_after(&self, moment: Timestamp) -> bool {
        self.has(|event| matches!(event, Event::Handed { clock, .. } if *clock >= moment))
    }

    fn attempts(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.event, Event::AttemptBegun { .. })).count()
    }
}

fn ended(event: &Event, expected: AttemptEnd) -> bool {
    matches!(event, Event::AttemptEnded { end, .. } if *end == expected)
}

fn is_acceptance(event: &Event) -> bool {
    ended(event, AttemptEnd::Accepted)
}

fn is_failure(event: &Event) -> bool {
    let fails = [AttemptEnd::Transient, AttemptEnd::ProviderPermanent, AttemptEnd::Unknown];
    fails.iter().chain(&[AttemptEnd::CutOff, AttemptEnd::Panicked]).any(|end| ended(event, *end))
        || matches!(event, Event::SaidNotAttempted { .. })
}

fn holds(is_so: bool, objection: &'static str) -> Result<(), &'static str> {
    if is_so { Ok(()) } else { Err(objection) }
}
