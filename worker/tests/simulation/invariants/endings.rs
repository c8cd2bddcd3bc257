//! What messages end as.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use shared::DeadLetterReason;

use crate::history::History;
use crate::plan::Millis;
use crate::trace::{AttemptEnd, Event};

/// Time to come to an attempt after a receive in which everything works: invocation, KMS, a circuit breaker's turn.
const TIME_TO_ATTEMPT: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause between two receives (600 s), the longest that a provider may ask for (120 s here) and a call to
/// SQS or two that were still under way when everything began to work.
const TIME_TO_SETTLE: Millis = 800_000;

/// A message leaves the queue when a provider has taken it or the dead-letter queue has it, and not before.
pub(crate) fn nothing_is_lost(history: &History) -> Result<(), String> {
    let mut safe = BTreeSet::new();
    for entry in &history.trace {
        if let Event::AttemptEnded { message, end: AttemptEnd::Accepted, .. } = &entry.event {
            safe.insert(*message);
        } else if let Event::DeadLettered { message, call, .. } = &entry.event
            && call.took_effect
        {
            safe.insert(*message);
        } else if let Event::Deleted { message, call, .. } = &entry.event
            && call.took_effect
            && !safe.contains(message)
        {
            return Err(format!("message {message} was deleted at {} ms, and is nowhere", entry.at));
        }
    }
    for entry in &history.trace {
        if let Event::DeadLettered { message, reason, call, .. } = &entry.event
            && call.took_effect
        {
            let body = &history.letters[message].body;
            let is_it =
                |(dead, said): &(String, Option<String>)| dead == body && said.as_deref() == Some(reason.as_str());
            if !history.dead.iter().any(is_it) {
                return Err(format!("message {message} is not in the dead-letter queue as it was received"));
            }
        }
    }
    let gone = history.letters.len() - history.letters.keys().filter(|message| safe.contains(message)).count();
    if gone > history.queued {
        return Err(format!("{gone} messages ended nowhere, and {} are in the queue", history.queued));
    }
    Ok(())
}

/// Once everything works the queue runs empty, and what can be delivered does not wait for long.
pub(crate) fn every_message_is_settled_in_the_end(history: &History) -> Result<(), String> {
    if history.queued > 0 {
        return Err(format!("{} messages are still in the queue", history.queued));
    }
    for entry in &history.trace {
        let Some(message) = entry.event.message() else { continue };
        let planned = &history.letters[&message].planned;
        let due = planned.arrives.max(history.plan.heals_at) + TIME_TO_SETTLE;
        if planned.kind.is_deliverable() && entry.at > due {
            return Err(format!("message {message} was not settled before {} ms", entry.at));
        }
    }
    Ok(())
}

/// A message that is received when everything works again, and early enough, arrives. Only one that may have been sent
/// twice already does not.
pub(crate) fn what_can_be_delivered_after_the_faults_is_delivered(history: &History) -> Result<(), String> {
    for entry in history.trace.iter().filter(|entry| entry.at >= history.plan.heals_at) {
        let Event::Handed { message, clock, .. } = &entry.event else { continue };
        let letter = &history.letters[message];
        let in_time = letter.expires_at.duration_since(*clock) > TIME_TO_ATTEMPT;
        let of_message = |event: &Event| event.message() == Some(*message);
        let arrives_or_is_unknown = |event: &Event| {
            matches!(event, Event::PhoneGot { .. })
                || matches!(event, Event::DeadLettered { reason: DeadLetterReason::OutcomeUnknown, .. })
        };
        let is_well = history.trace.iter().any(|e| of_message(&e.event) && arrives_or_is_unknown(&e.event));
        if letter.planned.kind.is_deliverable() && in_time && !is_well {
            let (at, healed) = (entry.at, history.plan.heals_at);
            return Err(format!(
                "message {message} was received at {at} ms, all was well from {healed} ms on, and it never arrived"
            ));
        }
    }
    Ok(())
}
