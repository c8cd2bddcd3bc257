//! What providers are asked, and what phones get.

use std::collections::{BTreeMap, BTreeSet};

use super::holds::{Change, Holds};
use crate::history::History;
use crate::trace::{CallEnd, Event, Who};

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

/// Without a table too a further SMS needs a further cause: an outcome that nobody knows, a crash, a message that came
/// twice or was redriven, a deletion or a dead letter that failed.
pub(crate) fn no_second_sms_without_a_cause(history: &History) -> Result<(), String> {
    if history.plan.has_table {
        return Ok(());
    }
    history.letters.keys().try_for_each(|message| check_message(history, *message))
}

fn check_message(history: &History, message: u32) -> Result<(), String> {
    let (mut holds, mut account) = (Holds::default(), Account::default());
    for entry in &history.trace {
        let change = holds.follow(message, &entry.event);
        let is_about_it = entry.event.message() == Some(message);
        if is_about_it || change != Change::Nothing {
            account.follow(&entry.event, change);
        }
        let at = entry.at;
        if account.has_sms_without_cause() {
            let sent = account.sent.len();
            return Err(format!("the phone of message {message} got SMS number {sent} at {at} ms"));
        }
    }
    Ok(())
}

/// What may have led to a further SMS of one message, and what did.
#[derive(Default)]
struct Account {
    causes: usize,
    /// Lives that made attempts.
    tried: BTreeSet<Who>,
    /// By attempt: the causes when it was begun.
    begun: BTreeMap<u32, usize>,
    /// The same, of those that reached the phone.
    sent: BTreeMap<u32, usize>,
}

impl Account {
    fn follow(&mut self, event: &Event, change: Change) {
        // Whatever goes wrong in a life that has sent nothing leads to no second SMS.
        let has_tried = event.who().is_some_and(|who| self.tried.contains(&who));
        let fails = |call: &CallEnd| has_tried && !(call.took_effect && call.answered_well);
        if let Event::Handed { is_copy, .. } = event {
            let overlaps = change == Change::TakenTwice;
            self.causes += usize::from(*is_copy || overlaps);
        } else if let Event::Repeated { .. } | Event::Redriven { .. } = event {
            self.causes += 1;
        } else if let Event::AttemptBegun { who, attempt, .. } = event {
            self.tried.insert(*who);
            self.begun.insert(*attempt, self.causes);
        } else if let Event::PhoneGot { attempt, .. } = event {
            self.sent.insert(*attempt, self.begun[attempt]);
        } else if let Event::AttemptEnded { end, .. } = event {
            self.causes += usize::from(end.is_unknown());
        } else if let Event::WorkerPanicked { .. } = event {
            self.causes += usize::from(has_tried);
        } else if let Event::Deleted { call, .. } | Event::DeadLettered { call, .. } = event {
            self.causes += usize::from(fails(call));
        } else if change == Change::Abandoned {
            self.causes += usize::from(has_tried);
        }
    }

    /// Attempts in the order in which they were begun: before each there must be a cause more than before the last.
    fn has_sms_without_cause(&self) -> bool {
        (0..).zip(self.sent.values()).any(|(before, causes)| *causes < before)
    }
}
