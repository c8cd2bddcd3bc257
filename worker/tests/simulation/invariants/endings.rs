//! What messages end as.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use shared::DeadLetterReason;
use worker::SWITCHES_ARE_READ_EVERY;

use super::claims::Claims;
use super::reasons::end_of_retries;
use crate::drawing::MOST_SKEW_MILLIS;
use crate::history::History;
use crate::plan::{Millis, millis};
use crate::trace::{AttemptEnd, Event};

/// Time to come to an attempt after a receive in which everything works: invocation, KMS, a circuit breaker's turn.
const TIME_TO_ATTEMPT: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause between two receives (600 s), the longest that a provider may ask for (120 s here) and a call to
/// SQS or two that were still under way when everything began to work.
const TIME_TO_SETTLE: Millis = 800_000;
/// Between the clocks of two processes.
const MOST_SKEW: SignedDuration = SignedDuration::from_millis(2 * MOST_SKEW_MILLIS);

/// Where a message is.
#[derive(Default)]
struct Whereabouts {
    /// In the main queue: once, or more often where it was repeated or redriven.
    queued: usize,
    /// In the dead-letter queue, by reason.
    dead: BTreeMap<String, usize>,
    /// A provider has taken it.
    is_sent: bool,
}

impl Whereabouts {
    fn is_nowhere(&self) -> bool {
        !self.is_sent && self.queued == 0 && self.dead.values().all(|count| *count == 0)
    }

    fn follow(&mut self, event: &Event) {
        if let Event::Arrived { .. } | Event::Repeated { .. } = event {
            self.queued += 1;
        } else if let Event::Redriven { reason, .. } = event {
            self.queued += 1;
            *self.dead.entry(reason.clone()).or_default() -= 1;
        } else if let Event::DeadLettered { reason, call, .. } = event
            && call.took_effect
        {
            *self.dead.entry(reason.to_string()).or_default() += 1;
        } else if let Event::MovedBySqs { .. } = event {
            self.queued -= 1;
            *self.dead.entry(String::new()).or_default() += 1;
        } else if let Event::Deleted { call, .. } = event
            && call.took_effect
        {
            self.queued -= 1;
        } else if let Event::AttemptEnded { end: AttemptEnd::Accepted, .. } = event {
            self.is_sent = true;
        }
    }
}

/// A message leaves the queue when a provider has taken it or the dead-letter queue has it, and not before. It is in
/// both as often as it came there, as it was received.
pub(crate) fn nothing_is_lost(history: &History) -> Result<(), String> {
    let mut messages: BTreeMap<u32, Whereabouts> = BTreeMap::new();
    for entry in &history.trace {
        let Some(message) = entry.event.message() else { continue };
        let whereabouts = messages.entry(message).or_default();
        whereabouts.follow(&entry.event);
        if whereabouts.is_nowhere() {
            return Err(format!("message {message} was deleted at {} ms, and is nowhere", entry.at));
        }
    }
    for (message, Whereabouts { dead, .. }) in &messages {
        let body = &history.letters[message].body;
        for (reason, count) in dead {
            let is_it = |(dead, said): &&(String, Option<String>)| {
                dead == body && said.as_deref().unwrap_or_default() == reason.as_str()
            };
            if history.dead.iter().filter(is_it).count() != *count {
                return Err(format!("message {message} is not {count} times in the dead-letter queue as {reason}"));
            }
        }
    }
    let queued: usize = messages.values().map(|whereabouts| whereabouts.queued).sum();
    if queued != history.queued {
        return Err(format!("{queued} messages should be in the queue, and {} are", history.queued));
    }
    Ok(())
}

/// Once everything works the queue runs empty, and what can be delivered does not wait for long.
pub(crate) fn every_message_is_settled_in_the_end(history: &History) -> Result<(), String> {
    if history.queued > 0 {
        return Err(format!("{} messages are still in the queue", history.queued));
    }
    let mut arrived: BTreeMap<u32, Millis> = BTreeMap::new();
    for entry in &history.trace {
        let Some(message) = entry.event.message() else { continue };
        if let Event::Arrived { .. } | Event::Repeated { .. } | Event::Redriven { .. } = &entry.event {
            arrived.insert(message, entry.at);
        }
        let planned = &history.letters[&message].planned;
        let due = arrived[&message].max(history.plan.heals_at) + TIME_TO_SETTLE;
        if planned.kind.is_deliverable() && entry.at > due {
            return Err(format!("message {message} was not settled before {} ms", entry.at));
        }
    }
    Ok(())
}

/// A message that is received when everything works again, and early enough, arrives: after the end of a lease that
/// somebody else left, if there is one. Only one that may have been sent twice already does not, nor one whose user has
/// a newer code or whose number has had enough.
pub(crate) fn what_can_be_delivered_after_the_faults_is_delivered(history: &History) -> Result<(), String> {
    let mut claims: BTreeMap<u32, Claims> = BTreeMap::new();
    for (index, entry) in history.trace.iter().enumerate() {
        if let Event::Table(call) = &entry.event
            && let Some(message) = call.message
        {
            claims.entry(message).or_default().follow(history, index, call);
        }
        let Event::Handed { message, clock, sent_at, .. } = &entry.event else { continue };
        // What was off may still be taken to be.
        let known_for = if history.plan.shutdowns.is_empty() { Duration::ZERO } else { SWITCHES_ARE_READ_EVERY };
        if entry.at < history.plan.heals_at + millis(known_for) {
            continue;
        }
        let letter = &history.letters[message];
        let open = claims.get(message).and_then(Claims::open);
        let in_time = match open.filter(|open| open.lease_until > *clock - MOST_SKEW) {
            // It waits for the lease's end, and comes back once more before its end of retries.
            Some(open) => open.lease_until + TIME_TO_ATTEMPT < end_of_retries(history, *message, *sent_at),
            None => letter.expires_at.duration_since(*clock) > TIME_TO_ATTEMPT,
        };
        let is_settled = |event: &Event| {
            let is_final =
                [DeadLetterReason::OutcomeUnknown, DeadLetterReason::Superseded, DeadLetterReason::RateLimited];
            matches!(event, Event::PhoneGot { .. })
                || matches!(event, Event::DeadLettered { reason, .. } if is_final.contains(reason))
        };
        let is_well = history.trace.iter().any(|e| e.event.message() == Some(*message) && is_settled(&e.event));
        if letter.planned.kind.is_deliverable() && in_time && !is_well {
            let (at, healed) = (entry.at, history.plan.heals_at);
            return Err(format!(
                "message {message} was received at {at} ms, all was well from {healed} ms on, and it never arrived"
            ));
        }
    }
    Ok(())
}
