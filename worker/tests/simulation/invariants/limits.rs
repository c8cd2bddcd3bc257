//! How many messages a number and everybody may get.

use std::collections::BTreeMap;

use worker::{Counted, LimitScope, Status, WhenUnreachable};

use crate::history::History;
use crate::plan::TableTrouble;
use crate::table_call::{Asked, Did, TableCall};
use crate::trace::{Event, Work};

/// A message is counted at its first claim and at no other, before it is tried, so that what is tried again uses no limit
/// up. Only a redrive counts once more, what a limit has refused, and where nobody heard that it was counted.
pub(crate) fn a_message_is_counted_once(history: &History) -> Result<(), String> {
    let scopes = history.scopes();
    let mut accounts: BTreeMap<u32, Account> = BTreeMap::new();
    for entry in &history.trace {
        let Some(message) = entry.event.message() else { continue };
        let account = accounts.entry(message).or_default();
        account.follow(history, &entry.event);
        let most = account.excuses + 1;
        if let Some(scope) = scopes.iter().find(|scope| account.times(**scope) > most) {
            let times = account.times(*scope);
            return Err(format!("message {message} counts {times} times for {scope:?} at {} ms", entry.at));
        }
        if let Event::AttemptBegun { work, .. } = &entry.event
            && account.first_claim == Some(*work)
            && let Some(scope) = scopes.iter().find(|scope| !account.passed.contains(&(*work, **scope)))
        {
            return Err(format!("message {message} was tried at {} ms, and not counted for {scope:?}", entry.at));
        }
    }
    Ok(())
}

/// What a message was counted for.
#[derive(Default)]
struct Account {
    counted: Vec<LimitScope>,
    /// Who may send it as far as this limit goes.
    passed: Vec<(Work, LimitScope)>,
    /// Reasons to count it once more.
    excuses: usize,
    /// None once it may have been claimed by others.
    first_claim: Option<Work>,
    was_claimed: bool,
}

impl Account {
    fn times(&self, scope: LimitScope) -> usize {
        self.counted.iter().filter(|counted| **counted == scope).count()
    }

    fn follow(&mut self, history: &History, event: &Event) {
        if let Event::Redriven { .. } = event {
            self.excuses += 1;
        }
        let Event::Table(call @ TableCall { work, asked, did, trouble, .. }) = event else { return };
        let is_uncertain = trouble.is_some_and(|trouble| trouble != TableTrouble::Slow);
        match asked {
            Asked::Count { scope } => {
                let (is_within, is_full) =
                    (*did == Some(Did::Counted(Counted::Within)), *did == Some(Did::Counted(Counted::Full)));
                self.excuses += usize::from(is_uncertain || is_full);
                self.counted.extend(is_within.then_some(*scope));
                let is_allowed = call.is_unanswered() && history.plan.state.unreachable == WhenUnreachable::Allow;
                if call.is_heard && is_within || is_allowed {
                    self.passed.push((*work, *scope));
                }
            }
            Asked::Claim { .. } => {
                let is_first = !self.was_claimed && matches!(did, Some(Did::Granted { .. }));
                self.first_claim = is_first.then_some(*work).or(self.first_claim.filter(|first| first == work));
                self.was_claimed = true;
                self.excuses += usize::from(is_uncertain);
            }
            // What was given back before it was counted.
            Asked::Update { status, .. } => {
                let is_release = *status == Status::Retry || *status == Status::DeadLettered;
                let was_counted = self.passed.iter().any(|(by, _)| by == work);
                self.excuses += usize::from(is_release && is_uncertain && !was_counted);
            }
            Asked::Look | Asked::Newest | Asked::Switches => {}
        }
    }
}

impl History {
    /// Whose messages are limited.
    pub(super) fn scopes(&self) -> Vec<LimitScope> {
        let limits = self.plan.limits;
        let per_number = limits.per_number.map(|_| LimitScope::PerNumber);
        let in_all = limits.in_all.map(|_| LimitScope::InAll);
        per_number.into_iter().chain(in_all).collect()
    }
}
