//! What the histories reached: a simulation that never comes to something proves nothing about it.

use std::collections::BTreeMap;

use worker::Refusal;

use crate::history::History;
use crate::plan::ProcessKind;
use crate::table_call::{Did, TableCall};
use crate::trace::{CallEnd, Event};

/// How often each thing happened.
#[derive(Default)]
pub(crate) struct Coverage(BTreeMap<String, u64>);

/// Each of these happens at least so often in 2,000 histories: a third, at most, of how often it did when this was
/// written.
const EXPECTED: [(&str, u64); 160] = [
    ("KMS: AnswersTooLate", 300),
    ("KMS: Hangs", 200),
    ("KMS: NotAllowed", 500),
    ("KMS: Panics", 500),
    ("KMS: Slow", 300),
    ("KMS: Unavailable", 500),
    ("KMS: never", 200),
    ("a circuit: closed", 50),
    ("a circuit: half_open", 500),
    ("a circuit: open", 500),
    ("a crash after an effect", 100),
    ("a crash at a moment", 500),
    ("a crash before an effect", 100),
    ("a duplicate", 1000),
    ("a function's environment starts", 1000),
    ("a lost claim", 100),
    ("a provider: AnswersTooLate", 50),
    ("a provider: Hangs { sent: false }", 50),
    ("a provider: Hangs { sent: true }", 50),
    ("a provider: Panics { sent: false }", 50),
    ("a provider: Panics { sent: true }", 50),
    ("a provider: ProviderPermanent", 500),
    ("a provider: Slow", 300),
    ("a provider: TimesOut { sent: false }", 50),
    ("a provider: TimesOut { sent: true }", 50),
    ("a provider: Transient", 1000),
    ("a provider: TransientFor(1)", 200),
    ("a provider: TransientFor(120)", 30),
    ("a provider: TransientFor(30)", 30),
    ("a provider: TransientFor(5)", 100),
    ("a provider: Unknown { sent: false }", 100),
    ("a provider: Unknown { sent: true }", 100),
    ("a receive fails: AnswerLost", 100),
    ("a receive fails: Hangs", 100),
    ("a receive fails: Refused", 1000),
    ("a redrive", 1000),
    ("a service is told to stop", 200),
    ("a service starts", 1000),
    ("a stop in good order", 500),
    ("an SMS", 1000),
    ("an attempt ends: Accepted", 1000),
    ("an attempt ends: CutOff", 100),
    ("an attempt ends: Died", 100),
    ("an attempt ends: FraudBlocked", 100),
    ("an attempt ends: Panicked", 100),
    ("an attempt ends: ProviderPermanent", 500),
    ("an attempt ends: RecipientPermanent", 100),
    ("an attempt ends: Transient", 1000),
    ("an attempt ends: Unknown", 300),
    ("claim: Abandoned", 5),
    ("claim: AlreadySent", 300),
    ("claim: AnswerLost", 100),
    ("claim: ArrivesLate", 200),
    ("claim: MadeTwice", 200),
    ("claim: Slow", 100),
    ("claim: Throttled", 300),
    ("claim: TimesOut", 300),
    ("claim: granted", 1000),
    ("claim: granted after 1 unknown", 300),
    ("claim: granted after 2 unknown", 10),
    ("claim: in flight", 500),
    ("count: AnswerLost", 30),
    ("count: ArrivesLate", 100),
    ("count: Full", 500),
    ("count: MadeTwice", 100),
    ("count: Slow", 30),
    ("count: Throttled", 100),
    ("count: TimesOut", 100),
    ("count: Within", 1000),
    ("dead-lettered", 1000),
    ("dead-lettered: AnswerLost", 30),
    ("dead-lettered: Hangs", 20),
    ("dead-lettered: Refused", 100),
    ("dead-lettered: Slow", 30),
    ("dead: country_not_allowed", 200),
    ("dead: expired", 1000),
    ("dead: fraud_blocked", 100),
    ("dead: invalid_phone_number", 200),
    ("dead: key_unavailable", 50),
    ("dead: malformed", 500),
    ("dead: no_phone_number", 200),
    ("dead: outcome_unknown", 500),
    ("dead: providers_exhausted", 100),
    ("dead: rate_limited", 500),
    ("dead: recipient_rejected", 100),
    ("dead: render_failed", 100),
    ("dead: state_unavailable", 50),
    ("dead: superseded", 200),
    ("dead: undecryptable", 500),
    ("dead: untrusted_sender", 200),
    ("dead: worker_fault", 100),
    ("dead: wrong_user_pool", 200),
    ("deleted", 1000),
    ("deleted: AnswerLost", 30),
    ("deleted: Forgotten", 50),
    ("deleted: Hangs", 50),
    ("deleted: Refused", 50),
    ("deleted: Slow", 50),
    ("handed out once more", 500),
    ("look: AnswerLost", 100),
    ("look: ArrivesLate", 300),
    ("look: DeadLettered", 500),
    ("look: InFlight", 1000),
    ("look: MadeTwice", 100),
    ("look: Retry", 1000),
    ("look: Sent", 500),
    ("look: Slow", 100),
    ("look: Throttled", 500),
    ("look: TimesOut", 500),
    ("look: nothing is known", 1000),
    ("newest: AnswerLost", 50),
    ("newest: ArrivesLate", 100),
    ("newest: MadeTwice", 100),
    ("newest: Newest", 1000),
    ("newest: Slow", 50),
    ("newest: Superseded", 200),
    ("newest: Throttled", 200),
    ("newest: TimesOut", 200),
    ("not attempted: busy", 30),
    ("not attempted: circuit_open", 500),
    ("not attempted: switched_off", 500),
    ("postponed", 1000),
    ("postponed: AnswerLost", 50),
    ("postponed: Hangs", 100),
    ("postponed: Refused", 100),
    ("postponed: Slow", 50),
    ("received again", 1000),
    ("received by nobody", 100),
    ("retried: dead_letter_queue_unavailable", 200),
    ("retried: in_flight", 1000),
    ("retried: key_not_allowed", 500),
    ("retried: key_unavailable", 1000),
    ("retried: out_of_time", 5),
    ("retried: providers_unavailable", 1000),
    ("retried: state_unavailable", 1000),
    ("retried: switched_off", 1000),
    ("retried: worker_fault", 1000),
    ("switched off: country AU", 50),
    ("switched off: everything", 50),
    ("switched off: provider first", 30),
    ("switched off: provider second", 50),
    ("switched off: provider third", 20),
    ("switches: AnswerLost", 100),
    ("switches: ArrivesLate", 300),
    ("switches: MadeTwice", 300),
    ("switches: Slow", 100),
    ("switches: Throttled", 500),
    ("switches: TimesOut", 500),
    ("switches: all is on", 1000),
    ("switches: something is off", 1000),
    ("the same message once more", 1000),
    ("the worker panics", 1000),
    ("update: AnswerLost", 50),
    ("update: ArrivesLate", 200),
    ("update: MadeTwice", 200),
    ("update: Slow", 50),
    ("update: Throttled", 300),
    ("update: TimesOut", 300),
    ("update: held", 1000),
    ("update: lost", 200),
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
            Event::Repeated { .. } => self.count("the same message once more"),
            Event::Redriven { .. } => self.count("a redrive"),
            Event::SwitchedOff { switch } => self.count(format!("switched off: {switch}")),
            Event::Table(call) => self.add_call(call),
            Event::SaidDuplicate { .. } => self.count("a duplicate"),
            Event::SaidClaimLost { .. } => self.count("a lost claim"),
            Event::Arrived { .. }
            | Event::SwitchedOn { .. }
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

    fn add_call(&mut self, TableCall { asked, did, is_heard, trouble, .. }: &TableCall) {
        let call = asked.name();
        if let Some(trouble) = trouble {
            self.count(format!("{call}: {trouble:?}"));
        }
        let did = match did {
            None => return,
            Some(Did::Found(known)) => known.map_or("nothing is known".to_owned(), |known| format!("{known:?}")),
            Some(Did::Granted { unknowns: 0, .. }) => "granted".to_owned(),
            Some(Did::Granted { unknowns, .. }) => format!("granted after {unknowns} unknown"),
            Some(Did::Refused(Refusal::InFlight { .. })) => "in flight".to_owned(),
            Some(Did::Refused(refusal)) => format!("{refusal:?}"),
            Some(Did::Updated { was_held }) => (if *was_held { "held" } else { "lost" }).to_owned(),
            Some(Did::Ranked(standing)) => format!("{standing:?}"),
            Some(Did::Counted(counted)) => format!("{counted:?}"),
            Some(Did::Read(off)) => (if off.is_empty() { "all is on" } else { "something is off" }).to_owned(),
        };
        if *is_heard {
            self.count(format!("{call}: {did}"));
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
