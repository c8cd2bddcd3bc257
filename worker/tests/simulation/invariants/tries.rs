//! Attempts to send a message, with what protected it from being sent twice.

use std::collections::BTreeMap;

use worker::Status;

use super::claims::{Claims, Held};
use crate::history::History;
use crate::plan::Millis;
use crate::table_call::{Asked, TableCall};
use crate::trace::{AttemptEnd, Event, Who, Work};

/// A call to the table that takes its time, after the provider's answer.
const TIME_TO_MARK: Millis = 2_000;

/// One attempt. Moments are places in the trace.
pub(crate) struct Try {
    pub(crate) who: Who,
    pub(crate) work: Work,
    pub(crate) attempt: u32,
    pub(crate) began: usize,
    pub(crate) at: Millis,
    /// When its work claimed the message; none without a claim.
    pub(crate) claimed: Option<Millis>,
    /// What the table granted to it.
    pub(crate) claim: Option<Held>,
    /// The table had not answered the claim, and `[state] unreachable` is `allow`; or there is no table.
    pub(crate) is_unprotected: bool,
    pub(crate) end: Option<(usize, AttemptEnd)>,
    ended_at: Millis,
    pub(crate) reached_phone: bool,
    /// From when on even its own process did not know that it was sent: an outcome that nobody knows, or its end.
    pub(crate) forgotten: Option<usize>,
    /// When the sent mark could not be written.
    pub(crate) unmarked: Option<usize>,
    /// When the sent mark was in the table.
    pub(crate) marked: Option<usize>,
}

/// All attempts at one message, in their order.
#[derive(Default)]
pub(crate) struct Tries {
    pub(crate) all: Vec<Try>,
    /// The times at which an outcome that nobody knows could not be written down.
    pub(crate) not_written_down: Vec<usize>,
    claims: Claims,
}

impl Try {
    /// Whether it may have been sent, as far as can be known at that moment.
    pub(crate) fn may_have_been_sent_by(&self, moment: usize) -> bool {
        self.end.is_some_and(|(ended, end)| {
            ended < moment && (end.is_unknown() || matches!(end, AttemptEnd::Died | AttemptEnd::Accepted))
        })
    }

    pub(crate) fn is_under_way_at(&self, moment: usize) -> bool {
        self.began < moment && self.end.is_none_or(|(ended, _)| ended > moment)
    }

    fn is_accepted(&self) -> bool {
        self.end.is_some_and(|(_, end)| end == AttemptEnd::Accepted)
    }

    fn follow(&mut self, index: usize, at: Millis, event: &Event) {
        if let Event::PhoneGot { attempt, .. } = event {
            self.reached_phone |= *attempt == self.attempt;
        } else if let Event::AttemptEnded { attempt, end, .. } = event
            && *attempt == self.attempt
        {
            self.end = Some((index, *end));
            self.ended_at = at;
            if end.is_unknown() || *end == AttemptEnd::Died {
                self.forgotten = Some(index);
            }
        } else if let Event::Table(call) = event
            && let Asked::Update { status: Status::Sent, .. } = call.asked
            && call.work == self.work
            && self.is_accepted()
        {
            let place = if call.took_effect() { &mut self.marked } else { &mut self.unmarked };
            *place = place.or(Some(index));
        } else if self.marked.is_none() && self.ends_work(at, event) {
            self.forgotten = self.forgotten.or(Some(index));
        }
    }

    /// Whether whoever made the attempt came to do nothing more: the work panicked, or its process ended before it can
    /// have marked the message as sent.
    fn ends_work(&self, at: Millis, event: &Event) -> bool {
        if let Event::WorkerPanicked { work, .. } = event {
            return *work == self.work;
        }
        let is_end = matches!(event, Event::Crashed { .. } | Event::Killed { .. } | Event::Stopped { .. });
        is_end && event.who() == Some(self.who) && at <= self.ended_at + TIME_TO_MARK
    }
}

impl Tries {
    /// By message.
    pub(crate) fn of(history: &History) -> BTreeMap<u32, Self> {
        let mut tries: BTreeMap<u32, Self> =
            history.letters.keys().map(|message| (*message, Self::default())).collect();
        for (index, entry) in history.trace.iter().enumerate() {
            if let Some(message) = entry.event.message() {
                let of_message = tries.get_mut(&message).expect("a message of this history");
                of_message.follow(history, index, entry.at, &entry.event);
            } else if let Event::Crashed { .. } | Event::Killed { .. } | Event::Stopped { .. } = &entry.event {
                let all = tries.values_mut().flat_map(|tries| &mut tries.all);
                all.for_each(|tried| tried.follow(index, entry.at, &entry.event));
            }
        }
        tries
    }

    fn follow(&mut self, history: &History, index: usize, at: Millis, event: &Event) {
        if let Event::Table(call) = event {
            self.claims.follow(history, index, call);
            if is_unwritten(call) {
                self.not_written_down.push(index);
            }
        } else if let Event::AttemptBegun { who, work, attempt, .. } = event {
            let told = self.claims.told(*work);
            self.all.push(Try {
                who: *who,
                work: *work,
                attempt: *attempt,
                began: index,
                at,
                claimed: told.map(|told| told.asked),
                claim: told.and_then(|told| told.held),
                is_unprotected: !history.plan.has_table || told.is_some_and(|told| told.is_unprotected),
                end: None,
                ended_at: at,
                reached_phone: false,
                forgotten: None,
                unmarked: None,
                marked: None,
            });
        }
        self.all.iter_mut().for_each(|tried| tried.follow(index, at, event));
    }
}

fn is_unwritten(call: &TableCall) -> bool {
    matches!(call.asked, Asked::Update { status: Status::InFlight, .. }) && !call.took_effect()
}
