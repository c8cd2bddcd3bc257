//! Who holds a message at each point of a history.

use std::collections::BTreeMap;

use shared::Timestamp;

use crate::history::History;
use crate::plan::Millis;
use crate::trace::{Entry, Event, Who};

/// The deliveries of one message that are not settled yet: how many each life of a process holds.
#[derive(Default)]
pub(crate) struct Holds {
    held: BTreeMap<Who, u32>,
    /// Who has just postponed it. A panic then is that delivery's, which is postponed once more.
    just_postponed: Option<Who>,
}

/// What an event changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    /// Nobody else held it.
    Taken,
    /// It was held already.
    TakenTwice,
    /// The life that held it ended with it.
    Abandoned,
}

impl Holds {
    /// Takes note of the next event, whomever it is about.
    pub(crate) fn follow(&mut self, message: u32, event: &Event) -> Change {
        match event {
            Event::Handed { who, message: of, .. } if *of == message => {
                let is_held = !self.held.is_empty();
                *self.held.entry(*who).or_default() += 1;
                self.just_postponed = None;
                if is_held { Change::TakenTwice } else { Change::Taken }
            }
            Event::Postponed { who, message: of, .. } if *of == message => {
                self.release(*who);
                self.just_postponed = Some(*who);
                Change::Nothing
            }
            Event::Deleted { who, message: of, .. } if *of == message => {
                self.release(*who);
                Change::Nothing
            }
            Event::WorkerPanicked { who, message: of, .. } if *of == message => {
                if self.just_postponed.take() == Some(*who) {
                    *self.held.entry(*who).or_default() += 1;
                }
                Change::Nothing
            }
            Event::Answered { who, named, .. } if named.contains(&message) => {
                named.iter().filter(|of| **of == message).for_each(|_| self.release(*who));
                Change::Nothing
            }
            Event::Crashed { who, .. } | Event::Killed { who } | Event::Stopped { who, .. } => {
                if self.held.remove(who).is_some() { Change::Abandoned } else { Change::Nothing }
            }
            Event::Handed { .. }
            | Event::Postponed { .. }
            | Event::Deleted { .. }
            | Event::Answered { .. }
            | Event::Arrived { .. }
            | Event::Repeated { .. }
            | Event::Redriven { .. }
            | Event::SwitchedOff { .. }
            | Event::SwitchedOn { .. }
            | Event::Table(_)
            | Event::Healed
            | Event::Started { .. }
            | Event::StopAsked { .. }
            | Event::HandedToNobody { .. }
            | Event::ReceiveFailed { .. }
            | Event::MovedBySqs { .. }
            | Event::KeyAsked { .. }
            | Event::KeyGiven { .. }
            | Event::KeyRefused { .. }
            | Event::AttemptBegun { .. }
            | Event::PhoneGot { .. }
            | Event::AttemptEnded { .. }
            | Event::DeadLettered { .. }
            | Event::Invoked { .. }
            | Event::WorkerPanicked { .. }
            | Event::SaidNotAttempted { .. }
            | Event::SaidRetried { .. }
            | Event::SaidDuplicate { .. }
            | Event::SaidClaimLost { .. }
            | Event::SaidCircuit { .. } => Change::Nothing,
        }
    }

    fn release(&mut self, who: Who) {
        if let Some(count) = self.held.get_mut(&who) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&who);
            }
        }
    }
}

/// What one life did with a message from the moment on when it got it, until `end`.
pub(crate) struct Receive<'h> {
    pub(crate) entries: Vec<&'h Entry>,
    /// It got it twice in that time: what belongs to which delivery cannot be told.
    pub(crate) is_double: bool,
}

impl Receive<'_> {
    pub(super) fn has(&self, is: impl Fn(&Event) -> bool) -> bool {
        self.entries.iter().any(|entry| is(&entry.event))
    }
}

/// How a message came to a process.
#[derive(Clone, Copy)]
pub(crate) struct Handing {
    pub(crate) index: usize,
    pub(crate) at: Millis,
    pub(crate) receive_count: u32,
    pub(crate) redriven: u32,
    pub(crate) clock: Timestamp,
}

impl History {
    /// How this life got the message last.
    pub(crate) fn handed(&self, message: u32, who: Who, before: usize) -> Option<Handing> {
        self.trace[..before].iter().enumerate().rev().find_map(|(index, entry)| {
            let Event::Handed { who: by, message: of, receive_count, redriven, clock, .. } = entry.event else {
                return None;
            };
            let at = entry.at;
            (by == who && of == message).then_some(Handing { index, at, receive_count, redriven, clock })
        })
    }

    /// How often the message has been redriven by then.
    pub(crate) fn redriven_before(&self, message: u32, before: usize) -> usize {
        let is_redrive = |entry: &&Entry| matches!(entry.event, Event::Redriven { message: of, .. } if of == message);
        self.trace[..before].iter().filter(is_redrive).count()
    }

    /// The receive that the entry at this index belongs to.
    pub(crate) fn receive_of(&self, message: u32, who: Who, end: usize) -> Receive<'_> {
        let (mut holds, mut start, mut is_double) = (Holds::default(), 0, false);
        for (index, entry) in self.trace[..end].iter().enumerate() {
            if entry.event.who() != Some(who) {
                continue;
            }
            match holds.follow(message, &entry.event) {
                Change::Taken => (start, is_double) = (index, false),
                Change::TakenTwice => is_double = true,
                Change::Nothing | Change::Abandoned => {}
            }
        }
        let is_its = |entry: &&Entry| entry.event.message() == Some(message) && entry.event.who() == Some(who);
        Receive { entries: self.trace[start..end].iter().filter(is_its).collect(), is_double }
    }
}
