//! What providers are asked, and what phones get.

use std::collections::BTreeMap;

use super::holds::{Change, Holds};
use crate::history::History;
use crate::trace::{Event, Who};

/// By the clock of the worker that makes it.
pub(crate) fn no_attempt_begins_after_the_codes_expiry(history: &History) -> Result<(), String> {
    for entry in &history.trace {
        if let Event::AttemptBegun { message, clock, .. } = &entry.event
            && *clock >= history.letters[message].expires_at
        {
            return Err(format!("message {message} was tried at {} ms, after its code's expiry", entry.at));
        }
    }
    Ok(())
}

/// The number and the text are the message's own, however many are under way.
pub(crate) fn each_phone_gets_its_own_code(history: &History) -> Result<(), String> {
    for entry in &history.trace {
        if let Event::PhoneGot { message, is_right: false, .. } = &entry.event {
            return Err(format!("what was sent for message {message} is another one's"));
        }
    }
    Ok(())
}

/// A further SMS needs a further cause: an outcome that nobody knows, a crash, a message that SQS handed out twice, a
/// deletion or a dead letter that failed. And no process lets a message have more than two outcomes that nobody knows.
pub(crate) fn no_second_sms_without_a_cause(history: &History) -> Result<(), String> {
    history.letters.keys().try_for_each(|message| check_message(history, *message))
}

fn check_message(history: &History, message: u32) -> Result<(), String> {
    let mut holds = Holds::default();
    let mut causes = 0_usize;
    // Attempts that reached the phone, in the order in which they began.
    let mut sent = BTreeMap::new();
    let mut causes_when_begun = BTreeMap::new();
    let mut unknowns: BTreeMap<Who, i64> = BTreeMap::new();
    for entry in &history.trace {
        let change = holds.follow(message, &entry.event);
        let is_about_it = entry.event.message() == Some(message);
        let unknown = |end: &crate::trace::AttemptEnd| i64::from(end.is_unknown());
        // What a life may have of outcomes that nobody knows, less those that it had.
        let mut spends = |who: &Who, spent: i64| *unknowns.entry(*who).or_insert(2) -= spent;
        match (change, &entry.event) {
            (Change::TakenTwice { by_same }, Event::Handed { who, .. }) => {
                causes += 1;
                spends(who, if by_same { -1 } else { 0 });
            }
            (Change::Abandoned, _) => causes += 1,
            (_, Event::Handed { is_copy: true, .. }) if is_about_it => causes += 1,
            (_, Event::AttemptBegun { attempt, .. }) if is_about_it => {
                causes_when_begun.insert(*attempt, causes);
            }
            (_, Event::PhoneGot { attempt, .. }) if is_about_it => {
                sent.insert(*attempt, causes_when_begun[attempt]);
                if (0..).zip(sent.values()).any(|(before, causes)| *causes < before) {
                    let (at, sent) = (entry.at, sent.len());
                    return Err(format!("the phone of message {message} got SMS number {sent} at {at} ms"));
                }
            }
            (_, Event::AttemptEnded { who, end, .. }) if is_about_it => {
                causes += usize::from(end.is_unknown());
                spends(who, unknown(end));
            }
            // It may have had no time to count an outcome.
            (_, Event::WorkerPanicked { who, .. }) if is_about_it => {
                causes += 1;
                spends(who, -1);
            }
            (_, Event::Deleted { call, .. }) if is_about_it => causes += usize::from(!call.took_effect),
            (_, Event::DeadLettered { call, .. }) if is_about_it => causes += usize::from(!call.answered_well),
            _ => {}
        }
        if let Some((who, _)) = unknowns.iter().find(|(_, left)| **left < 0) {
            let at = entry.at;
            return Err(format!("{who:?} had a third outcome that nobody knows for message {message} at {at} ms"));
        }
    }
    Ok(())
}
