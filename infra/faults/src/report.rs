//! What became of the events of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::behaviour::Behaviour;
use crate::providers::Provider;
use crate::verdict::Cause;

/// The whole outcome of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub seed: u64,
    pub seconds: f64,
    pub sent: usize,
    /// Events that the producer put into the queue.
    pub accepted: usize,
    /// The others, by the error type.
    pub refused: BTreeMap<String, usize>,
    pub delivered_once: usize,
    pub delivered_twice: usize,
    pub delivered_more_often: usize,
    /// Of each SMS that was not an event's first.
    pub causes: BTreeMap<String, usize>,
    /// SMS that were not an event's first, and that nothing explains.
    pub without_cause: usize,
    /// Events by the reason of their dead letter.
    pub dead_lettered: BTreeMap<String, DeadLettered>,
    /// Dead letters whose reason is not true, and why.
    pub untrue_letters: Vec<String>,
    pub still_queued: usize,
    pub lost: usize,
    /// Kinds of secrets found in what the programs said.
    pub secrets: BTreeMap<String, usize>,
    /// SMS with another event's code.
    pub foreign_texts: usize,
    /// Workers killed, by how they ran.
    pub killed: BTreeMap<String, usize>,
    /// Workers that ended by themselves.
    pub ended_by_themselves: Vec<String>,
    /// Requests by what the providers did with them.
    pub behaviours: Vec<Behaved>,
    /// Attempts at each provider out of reach, as the workers report them.
    pub out_of_reach: BTreeMap<String, usize>,
}

/// Events that have a dead letter of one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeadLettered {
    pub events: usize,
    /// Those among them of which an SMS arrived all the same.
    pub arrived: usize,
}

/// How often the providers did this.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Behaved {
    pub behaviour: Behaviour,
    pub times: usize,
}

impl DeadLettered {
    fn and(self, other: Self) -> Self {
        Self { events: self.events + other.events, arrived: self.arrived + other.arrived }
    }

    fn in_words(self, what: &str) -> String {
        match self.arrived {
            0 => what.to_owned(),
            arrived => format!("{what} ({} of them arrived as well)", thousands(arrived)),
        }
    }
}

impl Report {
    /// Whether everything is as it must be.
    pub fn is_sound(&self) -> bool {
        self.lost == 0
            && self.secrets.is_empty()
            && self.without_cause == 0
            && self.still_queued == 0
            && self.untrue_letters.is_empty()
            && self.foreign_texts == 0
            && self.ended_by_themselves.is_empty()
            && self.refused.is_empty()
    }

    /// The faults that did not occur.
    pub fn missing(&self) -> Vec<String> {
        let occurred = |behaviour| self.behaviours.iter().any(|it| it.behaviour == behaviour && it.times > 0);
        let behaviours = Behaviour::FAULTS.into_iter().filter(|it| !occurred(*it)).map(|it| it.in_words().to_owned());
        let reached = |provider: &Provider| self.out_of_reach.get(provider.name()).is_none_or(|times| *times == 0);
        let providers = Provider::OUT_OF_REACH.into_iter().filter(reached).map(|it| it.name().to_owned());
        behaviours.chain(providers).collect()
    }
}

pub(crate) fn in_words(cause: Cause) -> String {
    match cause {
        Cause::Unclear(behaviour) => behaviour.in_words().to_owned(),
        Cause::Killed => "kill -9 after the SMS, before the sent mark".to_owned(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duration = Duration::from_secs_f64(self.seconds);
        let (minutes, seconds) = (duration.as_secs() / 60, duration.as_secs() % 60);
        writeln!(f, "{} events, seed {}, {minutes} min {seconds} s", thousands(self.sent), self.seed)?;
        line(f, 0, "accepted", self.accepted)?;
        lines(f, "refused by the producer: ", &self.refused)?;
        line(f, 0, "delivered once", self.delivered_once)?;
        line(f, 0, "delivered twice", self.delivered_twice)?;
        line(f, 0, "delivered more often", self.delivered_more_often)?;
        lines(f, "after ", &self.causes)?;
        line(f, 2, "without a cause", self.without_cause)?;
        let all = self.dead_lettered.values().copied().reduce(DeadLettered::and).unwrap_or_default();
        line(f, 0, &all.in_words("dead-lettered"), all.events)?;
        for (reason, letters) in &self.dead_lettered {
            line(f, 2, &letters.in_words(reason), letters.events)?;
        }
        line(f, 2, "with a reason that is not true", self.untrue_letters.len())?;
        line(f, 0, "still queued", self.still_queued)?;
        line(f, 0, "lost", self.lost)?;
        line(f, 0, "secrets found in what the programs said", self.secrets.values().sum())?;
        lines(f, "", &self.secrets)?;
        line(f, 0, "SMS with another event's code", self.foreign_texts)?;
        line(f, 0, "workers killed", self.killed.values().sum())?;
        lines(f, "", &self.killed)?;
        line(f, 0, "workers that ended by themselves", self.ended_by_themselves.len())?;
        writeln!(f, "what the providers did")?;
        for Behaved { behaviour, times } in &self.behaviours {
            line(f, 2, behaviour.in_words(), *times)?;
        }
        lines(f, "attempts at the provider that is ", &self.out_of_reach)?;
        for untrue in self.untrue_letters.iter().take(20) {
            writeln!(f, "not true: {untrue}")?;
        }
        for ended in &self.ended_by_themselves {
            writeln!(f, "ended by itself: {ended}")?;
        }
        Ok(())
    }
}

fn lines(f: &mut fmt::Formatter<'_>, before: &str, all: &BTreeMap<String, usize>) -> fmt::Result {
    all.iter().try_for_each(|(what, times)| line(f, 2, &format!("{before}{what}"), *times))
}

fn line(f: &mut fmt::Formatter<'_>, indent: usize, what: &str, times: usize) -> fmt::Result {
    let what = format!("{}{what}", " ".repeat(indent));
    writeln!(f, "{what:<64}{:>8}", thousands(times))
}

/// 12,345
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 10_000, 1_234_567].map(thousands), ["0", "999", "1,000", "10,000", "1,234,567"]);
    }
}
