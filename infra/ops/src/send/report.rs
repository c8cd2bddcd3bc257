//! What the command prints: each fact as it is known, or one JSON object at the end.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};
use shared::{PhoneNumber, TriggerSource};

use super::ending::Ending;
use super::logged_fact::{Happened, LoggedFact, clock};
use super::made_up::{MadeUp, Sealed};
use super::remedy;
use super::target::Target;

/// What is to be sent, and by what way.
pub(super) struct Plan<'p> {
    pub(super) target: &'p Target,
    pub(super) source: TriggerSource,
    pub(super) to: &'p PhoneNumber,
    pub(super) wait: Duration,
}

/// What is known of the message.
pub(super) struct Report<'r> {
    plan: Plan<'r>,
    made_up: &'r MadeUp,
    json: bool,
    out: &'r mut dyn Write,
    id: Option<String>,
    facts: Vec<LoggedFact>,
}

impl Plan<'_> {
    /// What would be done.
    pub(super) fn show(&self, json: bool, out: &mut dyn Write) -> io::Result<()> {
        let Self { target, source, to, wait } = self;
        if json {
            return writeln!(out, "{}", self.to_json());
        }
        let Target { pool, key, producer, worker_log_group, .. } = target;
        if *source == TriggerSource::AccountTakeOverNotification {
            writeln!(out, "would invoke {producer}, as user pool {pool} would, with {source} for {to}")?;
        } else {
            let code = if *source == TriggerSource::AdminCreateUser { "password" } else { "code" };
            writeln!(out, "would seal a made-up {code} for user pool {pool} with {key}, as Cognito does")?;
            writeln!(out, "would invoke {producer} with it: {source} for {to}")?;
        }
        writeln!(out, "would follow the message in log group {worker_log_group} for {wait:?} at most")?;
        writeln!(out, "a real SMS would go to that phone")?;
        writeln!(out, "nothing is done yet: say it again with --yes")
    }

    fn to_json(&self) -> Value {
        let Self { target, source, to, .. } = self;
        json!({
            "done": false,
            "user_pool": target.pool.as_str(),
            "key": target.key.as_str(),
            "producer": target.producer,
            "worker_log_group": target.worker_log_group,
            "trigger_source": source.as_str(),
            "to": to.to_string(),
        })
    }
}

impl<'r> Report<'r> {
    pub(super) fn begin(plan: Plan<'r>, made_up: &'r MadeUp, json: bool, out: &'r mut dyn Write) -> Self {
        Self { plan, made_up, json, out, id: None, facts: Vec::new() }
    }

    pub(super) fn sealed(&mut self, sealed: Option<&Sealed>) -> io::Result<()> {
        self.id = sealed.map(|sealed| sealed.code.message_id().to_string());
        match (self.json, sealed, self.made_up.code()) {
            (false, Some(sealed), Some(code)) => {
                let Target { pool, .. } = self.plan.target;
                let suite = sealed.code.message().suite;
                writeln!(self.out, "made up for {pool}: {code}, sealed as {} (suite {suite})", sealed.code)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn fact(&mut self, fact: &LoggedFact) -> io::Result<()> {
        self.id.get_or_insert_with(|| fact.id.clone());
        self.facts.push(fact.clone());
        if self.json {
            return Ok(());
        }
        writeln!(self.out, "{}  {:<10}{}", clock(fact.at), fact.program(), fact.told())?;
        self.out.flush()
    }

    pub(super) fn end(self, ending: &Ending) -> io::Result<()> {
        if self.json { writeln!(self.out, "{}", self.to_json(ending)) } else { self.tell(ending) }
    }

    fn tell(self, ending: &Ending) -> io::Result<()> {
        let (id, to) = (self.id.as_deref().unwrap_or("unknown"), self.plan.to);
        let out = self.out;
        match ending {
            Ending::Delivered => match self.made_up.code() {
                Some(code) => writeln!(out, "delivered: the phone {to} must show {code}"),
                None => writeln!(out, "delivered: the phone {to} must show a notice"),
            },
            Ending::DeadLettered { reason, .. } => {
                writeln!(out, "dead letter {reason}: {}", remedy::of_dead_letter(reason).unwrap_or("see the runbook"))?;
                let stack =
                    self.plan.target.stack.as_ref().map(|stack| format!(" --stack {stack}")).unwrap_or_default();
                let short: String = id.chars().take(12).collect();
                writeln!(out, "all that is known of it, by who may redrive: sealpost dlq{stack} show {short}")?;
                writeln!(out, "to clear it away: sealpost dlq{stack} drop --id {short} --yes")
            }
            Ending::NotAccepted(error) => {
                // The producer's own words are told already, unless Lambda kept its log back.
                let message = error.message.as_ref().filter(|_| self.facts.is_empty());
                let message = message.map(|message| format!(" ({message})")).unwrap_or_default();
                writeln!(out, "not accepted, {}{message}: {}", error.error_type, error.remedy())
            }
            Ending::NotYet { within, last } => {
                let stand = last.as_deref().map_or_else(nothing_yet, stand);
                writeln!(out, "not at its end within {within:?}: {stand}")?;
                look_later(id, out)
            }
            Ending::NotFollowed { cause } => {
                writeln!(out, "accepted, and what became of it was not seen: {cause}")?;
                look_later(id, out)
            }
        }
    }

    fn to_json(&self, ending: &Ending) -> Value {
        let (reason, detail, remedy) = match ending {
            Ending::DeadLettered { reason, detail } => (Some(reason), Some(detail), remedy::of_dead_letter(reason)),
            Ending::NotAccepted(error) => (Some(&error.error_type), error.message.as_ref(), Some(error.remedy())),
            Ending::NotFollowed { cause } => (None, Some(cause), None),
            Ending::Delivered | Ending::NotYet { .. } => (None, None, None),
        };
        let mut json = self.plan.to_json();
        json["done"] = json!(true);
        json["id"] = json!(self.id);
        json["made_up_code"] = json!(self.made_up.code());
        json["ending"] = json!(ending.name());
        json["reason"] = json!(reason);
        json["detail"] = json!(detail);
        json["remedy"] = json!(remedy);
        json["facts"] = self.facts.iter().map(|fact| Value::Object(fact.members.clone())).collect();
        json
    }
}

/// Where a message stands of which this was said last.
fn stand(last: &LoggedFact) -> String {
    match (&last.happened, last.comes_back_at()) {
        (Happened::Retried { reason, .. }, Some(at)) => {
            format!("it waits in the queue until {} and is tried again by itself ({reason})", clock(at))
        }
        _ => format!("the worker said last: {}", last.told()),
    }
}

fn nothing_yet() -> String {
    "the worker has said nothing of it. Is it running (RUNBOOK.md, WorkerFails), does it take from the producer's queue, and \
     is the log its own?"
        .to_owned()
}

/// README, "Metrics and logs".
fn look_later(id: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "look later, in CloudWatch Logs Insights with both log groups chosen:\n\
         \x20 fields @timestamp, event, outcome, provider, code, reason, detail, error\n\
         \x20 | filter id = \"{id}\"\n\
         \x20 | sort @timestamp"
    )
}
