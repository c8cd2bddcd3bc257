//! What becomes of a message that is not delivered, and why.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use shared::{DeadLetterReason, Timestamp};
use worker::{Counted, OnAbandoned, Refusal, Status, Switch, WhenUnreachable};

use super::holds::Receive;
use crate::history::History;
use crate::plan::Kind;
use crate::table_call::{Asked, Did, TableCall};
use crate::trace::{AttemptEnd, Entry, Event, Who};

/// The reason is one that the world's own record bears out, and SQS itself never moves a message.
pub(crate) fn every_dead_letter_has_its_true_reason(history: &History) -> Result<(), String> {
    for (index, entry) in history.trace.iter().enumerate() {
        if let Event::MovedBySqs { message } = &entry.event {
            return Err(format!("SQS moved message {message} at {} ms", entry.at));
        }
        if let Event::DeadLettered { who, message, reason, redriven, clock, call: _ } = &entry.event {
            let receive = history.receive_of(*message, *who, index);
            if !receive.has(|event| matches!(event, Event::Handed { redriven: known, .. } if known == redriven)) {
                return Err(format!(
                    "message {message} is dead at {} ms, and was not redriven {redriven} times",
                    entry.at
                ));
            }
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

/// Only one that the dead-letter queue did not take comes back later than its end of retries, or one that is somebody
/// else's to settle.
pub(crate) fn no_message_is_postponed_past_its_end(history: &History) -> Result<(), String> {
    for (index, entry) in history.trace.iter().enumerate() {
        let Event::Postponed { who, message, after, clock, .. } = &entry.event else { continue };
        let receive = history.receive_of(*message, *who, index);
        let after = SignedDuration::try_from(*after).expect("short");
        let is_past = !receive.ends_of_retries(history, *message).any(|end| end.duration_since(*clock) >= after);
        let refused = |event: &Event| matches!(event, Event::DeadLettered { call, .. } if !call.answered_well);
        let is_others = receive.has(is_somebody_elses) || may_be_in_flight_in_memory(history, *message, *who, index);
        if is_past && !receive.has(refused) && !receive.is_double && !is_others {
            return Err(format!("message {message} was postponed for {after:?} at {} ms", entry.at));
        }
    }
    Ok(())
}

/// By the table, or by the holder itself, which has lost it.
fn is_somebody_elses(event: &Event) -> bool {
    let Event::Table(TableCall { did: Some(did), .. }) = event else { return false };
    [Did::Found(Some(Status::InFlight)), Did::Updated { was_held: false }].contains(did)
        || matches!(did, Did::Refused(Refusal::InFlight { .. }))
}

/// Whether a claim in the memory of that life may be open: it has panicked while it held one.
fn may_be_in_flight_in_memory(history: &History, message: u32, who: Who, before: usize) -> bool {
    let panicked = |entry: &Entry| matches!(entry.event, Event::WorkerPanicked { who: by, message: of, .. } if (by, of) == (who, message));
    history.trace[..before].iter().any(panicked)
}

/// The earlier of (expiry − time to type) and (when SQS took it + horizon); of a message that cannot be read, the
/// latter.
pub(crate) fn end_of_retries(history: &History, message: u32, sent_at: Timestamp) -> Timestamp {
    let letter = &history.letters[&message];
    let by_horizon = sent_at.checked_add(history.plan.horizon).expect("in range");
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
            | DeadLetterReason::Undecryptable
            | DeadLetterReason::RenderFailed => holds(kind.refused_as() == Some(reason), "nothing like that is wrong"),
            DeadLetterReason::CountryNotAllowed => {
                let country = self.history.country_of(self.message);
                let is_off = country.is_some_and(|country| self.knows_to_be_off(&Switch::Country(country)));
                holds(kind.refused_as() == Some(reason) || is_off, "its country is allowed")
            }
            DeadLetterReason::Expired => {
                holds(is_expired, "its code lives")?;
                holds(receive.is_double || receive.attempts() == 0, "it was tried in that receive")
            }
            DeadLetterReason::RecipientRejected => self.ended_as(&receive, AttemptEnd::RecipientPermanent),
            DeadLetterReason::FraudBlocked => self.ended_as(&receive, AttemptEnd::FraudBlocked),
            DeadLetterReason::OutcomeUnknown => {
                let least = match self.history.plan.state.abandoned {
                    OnAbandoned::Park => 1,
                    OnAbandoned::Resend => 2,
                };
                holds(self.unknowns(&receive) >= least, "too few outcomes are not known")
            }
            DeadLetterReason::ProvidersExhausted => {
                self.no_retry_fits(&receive)?;
                let is_failed = receive.has(is_failure) || self.knows_to_be_off(&Switch::Everything);
                holds(is_failed, "no provider failed it in that receive")?;
                holds(receive.is_double || !receive.has(is_acceptance), "a provider took it")
            }
            DeadLetterReason::KeyUnavailable => {
                self.no_retry_fits(&receive)?;
                let asked = receive.has(|event| matches!(event, Event::KeyAsked { .. }));
                holds(asked, "KMS was not asked in that receive")?;
                let given = receive.has(|event| matches!(event, Event::KeyGiven { .. }));
                holds(receive.is_double || !given, "KMS gave the key")
            }
            DeadLetterReason::WorkerFault => {
                self.no_retry_fits(&receive)?;
                let is_fault = kind == Kind::OpeningFails || panicked || self.is_out_of_time(&receive);
                holds(is_fault, "the worker did not fail on it in that receive")
            }
            DeadLetterReason::StateUnavailable => {
                self.no_retry_fits(&receive)?;
                let is_hold = self.history.plan.state.unreachable == WhenUnreachable::Hold;
                holds(is_hold && self.history.plan.has_table, "it does not wait for a table")?;
                let unanswered = |event: &Event| matches!(event, Event::Table(call) if call.is_unanswered());
                let mut readings = self.history.asked_for_switches(self.who, self.index);
                let knows_no_switches = readings.all(|(_, off)| off.is_none());
                holds(receive.has(unanswered) || knows_no_switches, "the table answered")
            }
            // Another invariant looks for the newer code.
            DeadLetterReason::Superseded => Ok(()),
            DeadLetterReason::RateLimited => {
                let is_limited = !self.history.scopes().is_empty();
                let was_counted = |event: &Event| {
                    matches!(event, Event::Table(call) if matches!(call.asked, Asked::Count { .. })
                        && (call.is_unanswered() || call.did == Some(Did::Counted(Counted::Full))))
                };
                holds(is_limited && (!self.history.plan.has_table || receive.has(was_counted)), "no limit was reached")
            }
        }
    }

    fn no_retry_fits(&self, receive: &Receive<'_>) -> Result<(), &'static str> {
        let is_past = |end: Timestamp| end.duration_since(self.clock) < SignedDuration::from_secs(1);
        holds(receive.ends_of_retries(self.history, self.message).any(is_past), "a further retry fits")
    }

    fn knows_to_be_off(&self, switch: &Switch) -> bool {
        self.history.knows_to_be_off(switch, self.who, self.message, self.index)
    }

    fn ended_as(&self, receive: &Receive<'_>, expected: AttemptEnd) -> Result<(), &'static str> {
        let is_attempt = |event: &Event| matches!(event, Event::AttemptBegun { .. } | Event::AttemptEnded { .. });
        let last = receive.entries.iter().rfind(|entry| is_attempt(&entry.event));
        let is_so = last.is_some_and(|last| ended(&last.event, expected))
            || (receive.is_double && receive.has(|event| ended(event, expected)));
        holds(is_so, "its last attempt did not end so")
    }

    /// Since its last redrive: attempts of which nobody knows the outcome, and claims that were never given back. Of the
    /// life that wrote the letter alone, and with its panics, where that remembers by itself.
    fn unknowns(&self, receive: &Receive<'_>) -> usize {
        let history = self.history;
        let redriven = receive.entries.iter().filter_map(|entry| {
            let Event::Handed { redriven, .. } = &entry.event else { return None };
            Some(*redriven)
        });
        let redriven = redriven.min().unwrap_or_default();
        let is_redrive = |entry: &Entry| {
            matches!(entry.event, Event::Redriven { message, redriven: count, .. }
                if message == self.message && count == redriven)
        };
        let since = history.trace[..self.index].iter().position(is_redrive);
        let (mut open, mut unknowns) = (BTreeSet::new(), 0);
        for entry in &history.trace[since.unwrap_or_default()..self.index] {
            let is_about_it = entry.event.message() == Some(self.message);
            if !is_about_it || (!history.plan.has_table && entry.event.who() != Some(self.who)) {
                continue;
            }
            if let Event::AttemptEnded { end, .. } = &entry.event {
                unknowns += usize::from(end.is_unknown());
            } else if let Event::WorkerPanicked { .. } = &entry.event {
                unknowns += 1;
            } else if let Event::Table(TableCall { asked, did: Some(did), .. }) = &entry.event {
                if let (Asked::Claim { claim, .. }, Did::Granted { .. }) = (asked, did) {
                    open.insert(*claim);
                } else if let (Asked::Update { claim, status, .. }, Did::Updated { was_held: true }) = (asked, did)
                    && *status != Status::InFlight
                {
                    open.remove(claim);
                }
            }
        }
        unknowns + open.len()
    }

    /// Nearly all of the record's time had passed.
    fn is_out_of_time(&self, receive: &Receive<'_>) -> bool {
        let time = self.history.plan.function_timeout.min(worker::TIME_FOR_A_RECORD);
        let time = u64::try_from(time.as_millis()).expect("short").saturating_sub(5_100);
        receive.entries.first().is_some_and(|handed| self.at - handed.at >= time)
    }
}

impl Receive<'_> {
    /// One of each time that the message was handed over.
    fn ends_of_retries(&self, history: &History, message: u32) -> impl Iterator<Item = Timestamp> {
        self.entries.iter().filter_map(move |entry| {
            let Event::Handed { sent_at, .. } = &entry.event else { return None };
            Some(end_of_retries(history, message, *sent_at))
        })
    }

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
