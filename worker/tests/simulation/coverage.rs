//! What the histories reached: a simulation that never comes to something proves nothing about it.

use std::collections::BTreeMap;

use crate::history::History;
use crate::plan::ProcessKind;
use crate::trace::{CallEnd, Event};

/// How often each thing happened.
#[derive(Default)]
pub(crate) struct Coverage(BTreeMap<String, u64>);

/// Each of these happens at least so often in 2,000 histories: a third, at most, of how often it did when this was
/// written.
const EXPECTED: [(&str, u64); 89] = [
    ("KMS: AnswersTooLate", 300),
    ("KMS: Hangs", 500),
    ("KMS: NotAllowed", 500),
    ("KMS: Panics", 500),
    ("KMS: Slow", 300),
    ("KMS: Unavailable", 1000),
    ("KMS: never", 100),
    ("a circuit: closed", 100),
    ("a circuit: half_open", 1000),
    ("a circuit: open", 1000),
    ("a crash after an effect", 100),
    ("a crash at a moment", 500),
    ("a crash before an effect", 100),
    ("a function's environment starts", 1000),
    ("a provider: AnswersTooLate", 200),
    ("a provider: Hangs { sent: false }", 100),
    ("a provider: Hangs { sent: true }", 100),
    ("a provider: Panics { sent: false }", 100),
    ("a provider: Panics { sent: true }", 100),
    ("a provider: ProviderPermanent", 500),
    ("a provider: Slow", 100),
    ("a provider: TimesOut { sent: false }", 100),
    ("a provider: TimesOut { sent: true }", 200),
    ("a provider: Transient", 1000),
    ("a provider: TransientFor(1)", 200),
    ("a provider: TransientFor(120)", 50),
    ("a provider: TransientFor(30)", 200),
    ("a provider: TransientFor(5)", 100),
    ("a provider: Unknown { sent: false }", 100),
    ("a provider: Unknown { sent: true }", 100),
    ("a receive fails: AnswerLost", 100),
    ("a receive fails: Hangs", 200),
    ("a receive fails: Refused", 300),
    ("a service is told to stop", 200),
    ("a service starts", 1000),
    ("a stop in good order", 500),
    ("an SMS", 1000),
    ("an attempt ends: Accepted", 1000),
    ("an attempt ends: CutOff", 200),
    ("an attempt ends: Died", 100),
    ("an attempt ends: FraudBlocked", 100),
    ("an attempt ends: Panicked", 300),
    ("an attempt ends: ProviderPermanent", 500),
    ("an attempt ends: RecipientPermanent", 100),
    ("an attempt ends: Transient", 1000),
    ("an attempt ends: Unknown", 500),
    ("dead-lettered", 1000),
    ("dead-lettered: AnswerLost", 30),
    ("dead-lettered: Hangs", 30),
    ("dead-lettered: Refused", 50),
    ("dead-lettered: Slow", 30),
    ("dead: country_not_allowed", 100),
    ("dead: expired", 100),
    ("dead: fraud_blocked", 100),
    ("dead: invalid_phone_number", 100),
    ("dead: key_unavailable", 50),
    ("dead: malformed", 500),
    ("dead: no_phone_number", 100),
    ("dead: outcome_unknown", 300),
    ("dead: providers_exhausted", 50),
    ("dead: recipient_rejected", 100),
    ("dead: render_failed", 100),
    ("dead: undecryptable", 300),
    ("dead: untrusted_sender", 100),
    ("dead: worker_fault", 100),
    ("dead: wrong_user_pool", 100),
    ("deleted", 1000),
    ("deleted: AnswerLost", 50),
    ("deleted: Forgotten", 100),
    ("deleted: Hangs", 50),
    ("deleted: Refused", 100),
    ("deleted: Slow", 50),
    ("handed out once more", 500),
    ("not attempted: busy", 5),
    ("not attempted: circuit_open", 1000),
    ("postponed", 1000),
    ("postponed: AnswerLost", 30),
    ("postponed: Hangs", 30),
    ("postponed: Refused", 50),
    ("postponed: Slow", 20),
    ("received again", 1000),
    ("received by nobody", 200),
    ("retried: dead_letter_queue_unavailable", 100),
    ("retried: key_not_allowed", 500),
    ("retried: key_unavailable", 1000),
    ("retried: out_of_time", 10),
    ("retried: providers_unavailable", 1000),
    ("retried: worker_fault", 1000),
    ("the worker panics", 1000),
];

impl Coverage {
    pub(crate) fn add(&mut self, history: &History) {
        for entry in &history.trace {
            self.add_event(&entry.event);
        }
    }

    fn add_event(&mut self, event: &Event) {
        match event {
            Event::Started { kind: ProcessKind::Lambda, .. } => self.count("a function's environment starts"),
            Event::Started { kind: ProcessKind::Service, .. } => self.count("a service starts"),
            Event::Crashed { after_effect: None, .. } => self.count("a crash at a moment"),
            Event::Crashed { after_effect: Some(false), .. } => self.count("a crash before an effect"),
            Event::Crashed { after_effect: Some(true), .. } => self.count("a crash after an effect"),
            Event::StopAsked { .. } => self.count("a service is told to stop"),
            Event::Stopped { .. } => self.count("a stop in good order"),
            Event::Handed { is_copy: true, .. } => self.count("handed out once more"),
            Event::Handed { receive_count, .. } if *receive_count > 1 => self.count("received again"),
            Event::HandedToNobody { .. } => self.count("received by nobody"),
            Event::ReceiveFailed { trouble, .. } => self.count(format!("a receive fails: {trouble:?}")),
            Event::KeyAsked { trouble: Some(trouble), .. } => self.count(format!("KMS: {trouble:?}")),
            Event::KeyRefused { never: true, .. } => self.count("KMS: never"),
            Event::AttemptBegun { trouble: Some(trouble), .. } => self.count(format!("a provider: {trouble:?}")),
            Event::PhoneGot { .. } => self.count("an SMS"),
            Event::AttemptEnded { end, .. } => self.count(format!("an attempt ends: {end:?}")),
            Event::Postponed { call, .. } => self.count(told("postponed", call)),
            Event::DeadLettered { reason, call, .. } => {
                self.count(told("dead-lettered", call));
                self.count(format!("dead: {reason}"));
            }
            Event::Deleted { call, .. } => self.count(told("deleted", call)),
            Event::WorkerPanicked { .. } => self.count("the worker panics"),
            Event::SaidNotAttempted { cause, .. } => self.count(format!("not attempted: {cause}")),
            Event::SaidRetried { reason, .. } => self.count(format!("retried: {reason}")),
            Event::SaidCircuit { state, .. } => self.count(format!("a circuit: {state}")),
            Event::Arrived { .. }
            | Event::Healed
            | Event::Handed { .. }
            | Event::MovedBySqs { .. }
            | Event::KeyAsked { .. }
            | Event::KeyGiven { .. }
            | Event::KeyRefused { .. }
            | Event::AttemptBegun { .. }
            | Event::Invoked { .. }
            | Event::Answered { .. }
            | Event::Killed { .. } => {}
        }
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub(crate) fn assert_reaches_everything(&self) {
        for (what, least) in EXPECTED {
            self.assert_reaches(what, least);
        }
    }

    pub(crate) fn assert_reaches(&self, what: &str, least: u64) {
        let count = self.0.get(what).copied().unwrap_or_default();
        assert!(count >= least, "{what}: {count} times, and at least {least} are expected");
    }
}

fn told(call: &str, CallEnd { trouble, .. }: &CallEnd) -> String {
    trouble.map_or_else(|| call.to_owned(), |trouble| format!("{call}: {trouble:?}"))
}
