//! Who may send a message, by the table's own record.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use shared::Timestamp;
use worker::{OnAbandoned, Refusal, Status, VISIBILITY, WhenUnreachable};

use super::tries::Try;
use crate::bodies::moment;
use crate::drawing::MOST_SKEW_MILLIS;
use crate::history::History;
use crate::plan::Millis;
use crate::table_call::{Asked, Did, TableCall};
use crate::trace::{AttemptEnd, Entry, Event, Who, Work};

/// A claim that was granted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) claim: u32,
    pub(crate) granted: usize,
    pub(crate) lease_until: Timestamp,
    /// How often the message was redriven, by the table's record.
    pub(crate) redriven: u32,
}

/// The claims of one message.
#[derive(Default)]
pub(crate) struct Claims {
    /// The one that the table knows as open.
    open: Option<Held>,
    /// What each work on the message was told.
    told: BTreeMap<Work, Told>,
}

/// What a work on a message knows of its own claim.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    /// When it asked.
    pub(crate) asked: Millis,
    /// None where the table did not grant it.
    pub(crate) held: Option<Held>,
    /// The table did not answer, and messages are sent all the same.
    pub(crate) is_unprotected: bool,
}

impl Claims {
    /// Takes note of the next call about the message.
    pub(crate) fn follow(&mut self, history: &History, index: usize, call: &TableCall) {
        if let Asked::Claim { claim, lease_until, .. } = call.asked {
            let held = if let Some(Did::Granted { redriven, .. }) = call.did {
                Some(Held { claim, granted: index, lease_until, redriven })
            } else {
                None
            };
            self.open = held.or(self.open);
            if call.is_heard {
                self.told.insert(call.work, Told { asked: call.began, held, is_unprotected: false });
            } else if call.is_unanswered() {
                let is_unprotected = history.plan.state.unreachable == WhenUnreachable::Allow;
                self.told.insert(call.work, Told { asked: call.began, held: None, is_unprotected });
            }
        } else if let Asked::Update { claim, status, .. } = call.asked
            && status != Status::InFlight
        {
            // Whatever becomes of the call, who makes it is through.
            if let Some(told) = self.told.get_mut(&call.work) {
                told.held = None;
            }
            let is_holders = self.open.is_some_and(|open| open.claim == claim) || status == Status::Sent;
            if is_holders && call.took_effect() {
                self.open = None;
            }
        }
    }

    pub(crate) fn open(&self) -> Option<&Held> {
        self.open.as_ref()
    }

    /// What this work was told of its claim; nothing if it made none.
    pub(crate) fn told(&self, work: Work) -> Option<Told> {
        self.told.get(&work).copied()
    }
}

/// No message is sent that is not claimed, but where the table did not answer and that is allowed; nor does an attempt
/// outlast its claim, by anybody's clock.
pub(crate) fn every_attempt_is_claimed(history: &History) -> Result<(), String> {
    if !history.plan.has_table {
        return Ok(());
    }
    for (message, tries) in history.tries() {
        for tried in &tries.all {
            let Some(held) = tried.claim else {
                if tried.is_unprotected {
                    continue;
                }
                return Err(format!("message {message} was tried at {} ms without a claim", tried.at));
            };
            let Some((ended, end)) = tried.end else { continue };
            let ended = history.trace[ended].at;
            // Of somebody who is ahead of all others.
            let clock = moment(ended) + SignedDuration::from_millis(MOST_SKEW_MILLIS);
            if end != AttemptEnd::Died && clock >= held.lease_until {
                return Err(format!("an attempt at message {message} outlasted its claim until {ended} ms"));
            }
        }
    }
    Ok(())
}

/// A claim is granted when no other is open, or that one's lease has ended; not at all if it was abandoned and
/// `[state] abandoned` is `park`, unless an operator redrives it. And nobody is refused what is his own.
pub(crate) fn a_message_has_one_holder(history: &History) -> Result<(), String> {
    let mut claims: BTreeMap<u32, Claims> = BTreeMap::new();
    for (index, entry) in history.trace.iter().enumerate() {
        let Event::Table(call) = &entry.event else { continue };
        let Some(message) = call.message else { continue };
        let claims = claims.entry(message).or_default();
        if let Asked::Claim { claim, now, redriven, .. } = call.asked
            && let Some(open) = claims.open()
        {
            let (is_own, is_granted) = (open.claim == claim, matches!(call.did, Some(Did::Granted { .. })));
            if is_granted && !is_own && now < open.lease_until {
                return Err(format!("message {message} had two holders at {} ms", entry.at));
            }
            let is_parked = history.plan.state.abandoned == OnAbandoned::Park && redriven <= open.redriven;
            if is_granted && !is_own && is_parked {
                return Err(format!("message {message} was abandoned, and taken over at {} ms", entry.at));
            }
            let is_refused = matches!(call.did, Some(Did::Refused(Refusal::InFlight { .. } | Refusal::Abandoned)));
            if is_refused && is_own {
                return Err(format!("message {message} was refused to its own holder at {} ms", entry.at));
            }
        }
        claims.follow(history, index, call);
    }
    Ok(())
}

/// A worker that is killed delays a message no longer than SQS does.
pub(crate) fn a_lease_ends_before_the_message_comes_back(history: &History) -> Result<(), String> {
    for (index, entry) in history.trace.iter().enumerate() {
        let Event::Table(TableCall { who, message: Some(message), asked, .. }) = &entry.event else { continue };
        let Asked::Claim { lease_until, .. } = asked else { continue };
        let Some(handed) = history.handed(*message, *who, index) else { continue };
        let back = handed.clock + VISIBILITY;
        if *lease_until >= back {
            return Err(format!(
                "message {message} was claimed until {lease_until} at {} ms, and is back by {back}",
                entry.at
            ));
        }
    }
    Ok(())
}

/// The sent mark says that a provider took it. A claim is given back when nothing is under way any more.
pub(crate) fn nothing_is_written_before_it_is_so(history: &History) -> Result<(), String> {
    let tries = history.tries();
    for (index, entry) in history.trace.iter().enumerate() {
        let Event::Table(TableCall { work, message: Some(message), asked, .. }) = &entry.event else { continue };
        let Asked::Update { claim, status, .. } = asked else { continue };
        let tries = &tries[message].all;
        let was_taken = |tried: &Try| {
            tried.work == *work && tried.end.is_some_and(|(ended, end)| ended < index && end == AttemptEnd::Accepted)
        };
        if *status == Status::Sent && !tries.iter().any(was_taken) {
            return Err(format!(
                "message {message} was marked as sent at {} ms, and no provider had taken it",
                entry.at
            ));
        }
        let is_under_way =
            |tried: &Try| tried.claim.is_some_and(|held| held.claim == *claim) && tried.is_under_way_at(index);
        if *status != Status::InFlight && tries.iter().any(is_under_way) {
            return Err(format!("message {message} was given up at {} ms while it was being sent", entry.at));
        }
    }
    Ok(())
}

/// Whoever was granted a claim gives it back with what came of it, unless it dies or panics before: a message would
/// wait for the lease's end, and count as one of which nobody knows.
pub(crate) fn every_claim_is_given_back(history: &History) -> Result<(), String> {
    let mut held: BTreeMap<Work, (Who, u32, Millis)> = BTreeMap::new();
    let mut ended = BTreeSet::new();
    for entry in &history.trace {
        if let Event::Table(TableCall { who, work, message: Some(message), asked, did, is_heard, .. }) = &entry.event {
            let is_granted = *is_heard && matches!(did, Some(Did::Granted { .. }));
            if matches!(asked, Asked::Claim { .. }) && is_granted && !ended.contains(who) {
                held.insert(*work, (*who, *message, entry.at));
            } else if matches!(asked, Asked::Update { status, .. } if *status != Status::InFlight) {
                held.remove(work);
            }
        } else if let Event::WorkerPanicked { work, .. } = &entry.event {
            held.remove(work);
        } else if let Event::Crashed { who, .. } | Event::Killed { who } | Event::Stopped { who, .. } = &entry.event {
            held.retain(|_, (holder, ..)| holder != who);
            ended.insert(*who);
        }
    }
    match held.values().next() {
        Some((who, message, at)) => Err(format!("{who:?} claimed message {message} at {at} ms, and keeps it")),
        None => Ok(()),
    }
}

/// Whoever takes over from a killed worker must know of each outcome that nobody knows before a further attempt.
pub(crate) fn an_unknown_outcome_is_written_down_before_the_next_attempt(history: &History) -> Result<(), String> {
    for (message, tries) in history.tries() {
        for (index, next) in tries.all.iter().enumerate() {
            let before = tries.all[..index].iter().rfind(|tried| tried.work == next.work);
            let (Some(before), Some(_)) = (before, next.claim) else { continue };
            let Some((ended, end)) = before.end else { continue };
            let is_written = |entry: &Entry| {
                let Event::Table(call) = &entry.event else { return false };
                let is_held = match call.did {
                    Some(Did::Updated { was_held }) if call.is_heard => was_held,
                    _ => history.plan.state.unreachable == WhenUnreachable::Allow,
                };
                call.work == next.work && matches!(call.asked, Asked::Update { .. }) && is_held
            };
            if end.is_unknown() && !history.trace[ended..next.began].iter().any(is_written) {
                return Err(format!("message {message} was tried again at {} ms, and nobody could know", next.at));
            }
        }
    }
    Ok(())
}
