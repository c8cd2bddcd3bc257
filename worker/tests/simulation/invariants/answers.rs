//! What processes answer, and when.

use crate::history::History;
use crate::trace::{AttemptEnd, Event, Who};

/// A service that is told to stop lets its last receive end (7 s) and what it has begun (21 s).
const TIME_TO_STOP: u64 = 28_000;
/// A call to SQS may be under way, and answered well, when time is over.
const CALL: u64 = 1_500;

/// What an invocation's answer does not name is deleted: it was delivered, dead-lettered or found to be sent in that
/// invocation. What it names was none of these. And nobody deletes what it has postponed.
pub(crate) fn what_stays_in_the_queue_is_named_and_nothing_else(history: &History) -> Result<(), String> {
    for (index, entry) in history.trace.iter().enumerate() {
        if let Event::Answered { who, batch, named } = &entry.event {
            for message in batch {
                // Of a message that came twice it cannot be told which is done with.
                if batch.iter().filter(|other| *other == message).count() > 1 {
                    continue;
                }
                let done = done_in_invocation(history, *who, *message, index);
                if !named.contains(message) && done == Done::No {
                    return Err(format!("the answer at {} ms lets message {message} be deleted", entry.at));
                }
                if named.contains(message) && done == Done::Surely {
                    return Err(format!("the answer at {} ms keeps message {message}, which is done with", entry.at));
                }
            }
        }
        if let Event::Deleted { who, message, receipt, .. } = &entry.event {
            let receive = history.receive_of(*message, *who, index);
            // One that panics when it was postponed is settled anew.
            let panicked = receive.has(|event| matches!(event, Event::WorkerPanicked { .. }));
            let postponed = |event: &Event| matches!(event, Event::Postponed { receipt: of, .. } if of == receipt);
            // A deletion is tried again, and the message may be handed out once more meanwhile.
            let tried_before = history.trace[..index].iter().any(|entry| {
                matches!(&entry.event, Event::Deleted { who: by, receipt: of, .. } if by == who && of == receipt)
            });
            if !receive.is_double && !panicked && !tried_before && receive.has(postponed) {
                return Err(format!("message {message} was postponed, and deleted at {} ms", entry.at));
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    No,
    /// The worker may not have heard of it in time, or panicked over it.
    Perhaps,
    Surely,
}

fn done_in_invocation(history: &History, who: Who, message: u32, answered: usize) -> Done {
    let invoked = history.trace[..answered]
        .iter()
        .rposition(|entry| matches!(&entry.event, Event::Invoked { who: by, .. } if *by == who));
    let until = history.trace[answered].at;
    let mut done = Done::No;
    for entry in &history.trace[invoked.unwrap_or_default()..answered] {
        if entry.event.who() != Some(who) || entry.event.message() != Some(message) {
            continue;
        }
        if let Event::AttemptEnded { end: AttemptEnd::Accepted, .. } | Event::SaidDuplicate { .. } = &entry.event {
            done = Done::Surely;
        } else if let Event::DeadLettered { call, .. } = &entry.event
            && call.answered_well
        {
            done = if until - entry.at > CALL { Done::Surely } else { Done::Perhaps };
        } else if let Event::WorkerPanicked { .. } = &entry.event
            && done != Done::No
        {
            done = Done::Perhaps;
        }
    }
    done
}

/// Invocations answer before their timeout, services stop in time, and whatever panics is caught.
pub(crate) fn processes_keep_to_their_time_and_no_panic_escapes(history: &History) -> Result<(), String> {
    if let Some(panic) = history.panics.first() {
        return Err(panic.clone());
    }
    let mut asked = std::collections::BTreeMap::new();
    for entry in &history.trace {
        if let Event::Killed { who } = &entry.event {
            return Err(format!("{who:?} did not answer before its timeout at {} ms", entry.at));
        }
        if let Event::StopAsked { who } = &entry.event {
            asked.insert(*who, entry.at);
        }
        if let Event::Stopped { who, .. } = &entry.event
            && asked.get(who).is_some_and(|asked| entry.at - asked > TIME_TO_STOP)
        {
            return Err(format!("{who:?} took until {} ms to stop", entry.at));
        }
    }
    Ok(())
}
