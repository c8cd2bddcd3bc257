//! One code, one SMS: what may lead to a second one, and that nothing leads to a third.

use std::collections::BTreeSet;

use shared::DeadLetterReason;
use worker::{Status, Switch, WhenUnreachable};

use super::tries::Try;
use crate::history::History;
use crate::plan::millis;
use crate::table::PATIENCE;
use crate::table_call::Asked;
use crate::trace::{AttemptEnd, Entry, Event, Who};

/// Two attempts that may each have been sent are enough.
const MOST_THAT_MAY_HAVE_BEEN_SENT: usize = 2;

/// Another attempt after an SMS follows an outcome that nobody knows, a worker that died or panicked between the beginning
/// of a send and the sent mark, a sent mark that could not be written, or a claim that the table did not answer where that
/// is allowed. Without a table that holds for each process by itself.
pub(crate) fn a_second_sms_comes_only_where_nobody_could_know_of_the_first(history: &History) -> Result<(), String> {
    for (message, tries) in history.tries() {
        for (index, second) in tries.all.iter().enumerate() {
            for first in tries.all[..index].iter().filter(|first| first.reached_phone) {
                if history.plan.has_table || first.who == second.who {
                    may_follow(history, first, second).map_err(|objection| {
                        format!("a second SMS of message {message} was tried at {} ms, {objection}", second.at)
                    })?;
                }
            }
        }
    }
    Ok(())
}

fn may_follow(history: &History, first: &Try, second: &Try) -> Result<(), &'static str> {
    let is_before = |moment: Option<usize>, than: usize| moment.is_some_and(|moment| moment < than);
    if is_before(first.forgotten, second.began) {
        return Ok(());
    }
    let is_known_at = if first.is_unprotected {
        first.end.map(|(ended, _)| history.trace[ended].at)
    } else {
        first.unmarked.map(|unmarked| history.trace[unmarked].at + millis(PATIENCE))
    };
    let claimed = second.claimed.unwrap_or(second.at);
    if first.who == second.who && is_known_at.is_some_and(|is_known_at| is_known_at < claimed) {
        return Err("though its own process knew of the first");
    }
    let Some(claim) = second.claim else { return Ok(()) };
    let was_unmarked = is_before(first.unmarked, second.began) || first.is_unprotected;
    let is_marked = is_before(first.marked, claim.granted);
    match (was_unmarked, is_marked) {
        (_, true) => Err("though the first was marked as sent before"),
        (false, false) => Err("though nothing had gone wrong with the first"),
        (true, false) => Ok(()),
    }
}

/// Since it was last redriven, over all processes that share a table, at most two attempts at a message may have been
/// sent; without a table, of each process.
pub(crate) fn no_third_attempt_follows_two_that_may_have_been_sent(history: &History) -> Result<(), String> {
    let is_allowed = history.plan.state.unreachable == WhenUnreachable::Allow;
    for (message, tries) in history.tries() {
        for (index, third) in tries.all.iter().enumerate() {
            let before = tries.all[..index].iter().filter(|tried| tried.may_have_been_sent_by(third.began));
            let (count, most) = match third.claim {
                Some(claim) => {
                    let redriven = |tried: &&Try| tried.claim.is_some_and(|held| held.redriven == claim.redriven);
                    let lost = tries.not_written_down.iter().filter(|moment| **moment < third.began).count();
                    (before.filter(redriven).count(), if is_allowed { lost } else { 0 })
                }
                None => {
                    let redriven = history.redriven_before(*message, third.began);
                    let by_same = before.filter(|tried| tried.who == third.who && tried.is_unprotected);
                    (by_same.count(), redriven * MOST_THAT_MAY_HAVE_BEEN_SENT)
                }
            };
            if count >= MOST_THAT_MAY_HAVE_BEEN_SENT + most {
                return Err(format!(
                    "message {message} was tried at {} ms, though {count} attempts may have been sent",
                    third.at
                ));
            }
        }
    }
    Ok(())
}

/// Whoever shares a table never sends a message at the same time as somebody else; nor does one process twice.
pub(crate) fn no_message_is_sent_twice_at_once(history: &History) -> Result<(), String> {
    for (message, tries) in history.tries() {
        for (index, second) in tries.all.iter().enumerate() {
            let first = tries.all[..index].iter().find(|first| {
                let share_table = !first.is_unprotected && !second.is_unprotected;
                let share_memory = first.who == second.who && first.is_unprotected && second.is_unprotected;
                first.is_under_way_at(second.began) && (share_table || share_memory)
            });
            if let Some(first) = first {
                let (first, second) = (first.at, second.at);
                return Err(format!(
                    "message {message} was sent at {second} ms while the attempt of {first} ms went on"
                ));
            }
        }
    }
    Ok(())
}

/// A message that was sent is done with: it is said to be a duplicate, and is no dead letter any more. Only where that
/// could not be known, or an operator's switch came before.
pub(crate) fn what_was_sent_is_no_dead_letter(history: &History) -> Result<(), String> {
    let mut accepted = BTreeSet::new();
    for (index, entry) in history.trace.iter().enumerate() {
        if let Event::AttemptEnded { message, end: AttemptEnd::Accepted, .. } = &entry.event {
            accepted.insert(*message);
        } else if let Event::SaidDuplicate { message, .. } = &entry.event
            && !accepted.contains(message)
        {
            return Err(format!("message {message} was said to be sent at {} ms, and was not", entry.at));
        } else if let Event::DeadLettered { who, message, reason, .. } = &entry.event
            && accepted.contains(message)
            && must_know_that_it_was_sent(history, *who, *message, *reason, index)
        {
            return Err(format!("message {message} is dead as {reason} at {} ms, though it was sent", entry.at));
        }
    }
    Ok(())
}

fn must_know_that_it_was_sent(
    history: &History,
    who: Who,
    message: u32,
    reason: DeadLetterReason,
    index: usize,
) -> bool {
    let Some(handed) = history.handed(message, who, index) else { return false };
    let is_marked = |entry: &Entry| {
        matches!(&entry.event, Event::Table(call) if call.message == Some(message) && call.took_effect()
            && matches!(call.asked, Asked::Update { status: Status::Sent, .. }))
    };
    let comes_before = [DeadLetterReason::CountryNotAllowed, DeadLetterReason::StateUnavailable].contains(&reason)
        || history.knows_to_be_off(&Switch::Everything, who, message, index);
    // A first receive looks a message up by claiming it.
    let looks_it_up = handed.receive_count > 1 || handed.redriven > 0 || reason == DeadLetterReason::Expired;
    let receive = history.receive_of(message, who, index);
    let cannot_tell = |event: &Event| {
        matches!(event, Event::Table(call) if call.is_unanswered()) || matches!(event, Event::WorkerPanicked { .. })
    };
    looks_it_up
        && !comes_before
        && !receive.is_double
        && !receive.has(cannot_tell)
        && history.trace[..handed.index].iter().any(is_marked)
}
