//! Of a user's codes for one purpose only the newest is worth sending.

use shared::DeadLetterReason;
use worker::{Standing, UserCode, WhenUnreachable};

use super::tries::Try;
use crate::history::History;
use crate::plan::{Kind, Millis};
use crate::table_call::{Asked, Did, TableCall};
use crate::trace::{Event, Who};

/// From the beginning of the question to the attempt: a call that takes its time, beside a claim that does.
const AGE_OF_AN_ANSWER: Millis = 2_000;
/// A process without a table asks its memory; the answer counts so long.
const AGE_IN_MEMORY: Millis = 250;

/// Before each attempt it is asked whether the code is its user's newest, and none begins of a code that was not: its
/// last question began when the acceptance of a newer one was in the table.
pub(crate) fn no_attempt_of_an_older_code_begins_after_a_newer_one_was_recorded(
    history: &History,
) -> Result<(), String> {
    for (message, tries) in history.tries() {
        let Some(code) = &history.letters[message].user_code else { continue };
        for (index, tried) in tries.all.iter().enumerate() {
            let check = if history.plan.has_table {
                let before = tries.all[..index].iter().rfind(|before| before.work == tried.work);
                check_by_table(history, code, tried, before)
            } else {
                check_by_memory(history, code, tried)
            };
            check.map_err(|objection| format!("message {message} was tried at {} ms, {objection}", tried.at))?;
        }
    }
    Ok(())
}

fn check_by_table(history: &History, code: &UserCode, tried: &Try, before: Option<&Try>) -> Result<(), String> {
    let is_last = |call: &&TableCall| call.work == tried.work && call.asked == Asked::Newest && is_final(call);
    let last = calls(history, tried.began).rfind(is_last).ok_or("and nobody asked whether it was the newest")?;
    if tried.at - last.began > AGE_OF_AN_ANSWER || before.is_some_and(|before| last.began < before.at) {
        return Err(format!("and it was last asked at {} ms whether it was the newest", last.began));
    }
    if last.is_unanswered() {
        let is_allowed = history.plan.state.unreachable == WhenUnreachable::Allow;
        return if is_allowed { Ok(()) } else { Err("and the table did not say whether it was the newest".to_owned()) };
    }
    let is_newer =
        |call: &TableCall| call.did == Some(Did::Ranked(Standing::Newest)) && is_about_newer(history, call, code);
    let mut recorded = history.trace[..tried.began].iter().filter(|entry| entry.at < last.began);
    match recorded.find(|entry| matches!(&entry.event, Event::Table(call) if is_newer(call))) {
        Some(newer) => Err(format!("and a newer code was recorded at {} ms", newer.at)),
        None => Ok(()),
    }
}

/// What a process has tried to send was its newest.
fn check_by_memory(history: &History, code: &UserCode, tried: &Try) -> Result<(), String> {
    let newer = history.trace[..tried.began].iter().find(|entry| {
        entry.at + AGE_IN_MEMORY < tried.at
            && matches!(&entry.event, Event::AttemptBegun { who, message, .. }
                if *who == tried.who && is_newer(history, *message, code))
    });
    newer.map_or(Ok(()), |newer| Err(format!("and that process tried to send a newer one at {} ms", newer.at)))
}

/// A code is its user's newest once it was decrypted: what anybody could have written must not cancel a true one.
pub(crate) fn only_what_was_decrypted_is_recorded_as_newest(history: &History) -> Result<(), String> {
    for (index, entry) in history.trace.iter().enumerate() {
        let Event::Table(call) = &entry.event else { continue };
        let (Asked::Newest, Some(message)) = (call.asked, call.message) else { continue };
        let code = history.letters[&message].user_code.as_ref().expect("it was asked for");
        let mut same = history.letters.values().filter(|letter| letter.user_code.as_ref() == Some(code));
        if !same.any(|letter| was_opened(history, letter.planned.number, call.who, index)) {
            return Err(format!("message {message} was recorded at {} ms before it was decrypted", entry.at));
        }
    }
    Ok(())
}

/// A message is dead as superseded because a newer code was recorded, or the process itself has opened one.
pub(crate) fn what_is_superseded_has_a_newer_code(history: &History) -> Result<(), String> {
    for (index, entry) in history.trace.iter().enumerate() {
        let Event::DeadLettered { who, message, reason: DeadLetterReason::Superseded, .. } = &entry.event else {
            continue;
        };
        let code = history.letters[message].user_code.as_ref();
        let code = code.ok_or(format!("message {message} is dead as superseded at {} ms, and nothing is", entry.at))?;
        let is_recorded = calls(history, index)
            .any(|call| call.did == Some(Did::Ranked(Standing::Newest)) && is_about_newer(history, call, code));
        let mut newer = history.letters.keys().filter(|other| is_newer(history, **other, code));
        let is_known = newer.any(|newer| was_opened(history, *newer, *who, index));
        if !is_recorded && !is_known {
            return Err(format!("message {message} is dead as superseded at {} ms, and has no newer one", entry.at));
        }
    }
    Ok(())
}

fn was_opened(history: &History, message: u32, who: Who, before: usize) -> bool {
    let kind = history.letters[&message].planned.kind;
    let never_opens = [Kind::NeverOpens, Kind::OpensToNothing, Kind::OpeningFails];
    !never_opens.contains(&kind)
        && history.trace[..before].iter().any(
            |entry| matches!(&entry.event, Event::KeyGiven { who: by, message: of } if *by == who && *of == message),
        )
}

fn calls(history: &History, before: usize) -> impl DoubleEndedIterator<Item = &TableCall> {
    history.trace[..before].iter().filter_map(|entry| {
        let Event::Table(call) = &entry.event else { return None };
        Some(call)
    })
}

/// The first of a call that is made twice is not, nor is one that arrives when its caller has given up.
fn is_final(call: &TableCall) -> bool {
    call.is_heard || call.is_unanswered()
}

fn is_about_newer(history: &History, call: &TableCall, code: &UserCode) -> bool {
    call.message.is_some_and(|message| is_newer(history, message, code))
}

fn is_newer(history: &History, message: u32, code: &UserCode) -> bool {
    let other = history.letters[&message].user_code.as_ref();
    other.is_some_and(|other| other.key == code.key && other.accepted_at > code.accepted_at)
}
