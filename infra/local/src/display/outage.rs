//! What a person sees of an outage: its beginning and end, the circuit breaker, and how it all ended.

use std::io;
use std::time::{Duration, Instant};

use super::{BOLD, Display, SOURCE_WIDTH, arrived, in_green, in_red, line, millis, outcome, source};
use crate::journey::{Circuit, CircuitChange};
use crate::outage::Outage;

impl Display<'_> {
    /// From here to the summary every line says when it happened.
    pub(crate) fn outage_begins(&mut self, at: Instant, provider: &str, length: Duration) -> io::Result<()> {
        self.zero = Some(at);
        self.row(at, provider, &line("outage", "", &in_red(&format!("refuses everything with 503 for {length:?}"))))
    }

    pub(crate) fn outage_ends(&mut self, at: Instant, provider: &str) -> io::Result<()> {
        self.row(at, provider, &line("outage", "", &in_green("is over: takes everything again")))
    }

    pub(crate) fn circuit(&mut self, change: &CircuitChange) -> io::Result<()> {
        let what = match change.circuit {
            Circuit::Open { open_for } => in_red(&format!("open: not asked for {open_for:.1?}")),
            Circuit::HalfOpen => "half-open: one message tries whether it is well again".to_owned(),
            Circuit::Closed => in_green("closed: it is well again"),
        };
        self.row(change.at, &change.provider, &line("circuit", "", &what))
    }

    /// What each event cost, and what the outage was to Cognito and to the provider.
    pub(crate) fn outage_summary(&mut self, outage: &Outage, provider: &str) -> io::Result<()> {
        self.zero = None;
        let heads = ["received", "attempts", "after event", "after outage"];
        write!(self.out, "\n{BOLD}{:<SOURCE_WIDTH$}", "trigger source")?;
        for head in heads {
            write!(self.out, "{head:>14}")?;
        }
        writeln!(self.out, "   outcome{BOLD:#}")?;
        for journey in &outage.journeys {
            let has_arrived = journey.ending.has_arrived();
            let after_event = has_arrived.then(|| seconds(journey.total));
            let after_outage = has_arrived.then(|| journey.latest.saturating_duration_since(outage.ended_at));
            write!(self.out, "{:<SOURCE_WIDTH$}{:>14}{:>14}", source(journey), journey.receives, journey.attempts)?;
            for time in [after_event, after_outage.map(seconds)] {
                write!(self.out, "{:>14}", time.unwrap_or_else(|| "-".to_owned()))?;
            }
            writeln!(self.out, "   {}", outcome(&journey.ending))?;
        }
        self.totals(outage, provider)
    }

    fn totals(&mut self, outage: &Outage, provider: &str) -> io::Result<()> {
        let Outage { length, journeys, requests, attempts_not_made, ended_at } = outage;
        let mut latencies: Vec<_> = journeys.iter().filter_map(|journey| journey.producer).collect();
        latencies.sort_unstable();
        if let (Some(median), Some(slowest)) = (latencies.get(latencies.len() / 2), latencies.last()) {
            let (median, slowest) = (millis(*median), millis(*slowest));
            writeln!(self.out, "producer: {median} (median), {slowest} at most: it never waits for a provider")?;
        }
        writeln!(
            self.out,
            "{provider}: {requests} requests during the outage of {length:?}; its circuit breaker kept \
             {attempts_not_made} more from it"
        )?;
        let those = journeys.iter().filter(|journey| journey.ending.has_arrived());
        let last = those.map(|journey| journey.latest.saturating_duration_since(*ended_at)).max();
        let last = last.map(|last| format!(", the last one {} after the outage", seconds(last))).unwrap_or_default();
        writeln!(self.out, "{}{last}", arrived(journeys))
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::{Ending, Journey};

    #[test]
    fn an_event_that_did_not_arrive_has_no_time_of_arrival_and_is_not_counted() {
        let began = Instant::now();
        let waiting = Journey { receives: 3, attempts: 1, ..Journey::of_invocation("i", began) };
        let (length, journeys, ended_at) = (Duration::from_secs(2), vec![waiting], began);
        let outage = Outage { length, journeys, requests: 9, attempts_not_made: 2, ended_at };
        let mut out = Vec::new();
        let mut display = Display::new(&mut out);
        display.outage_summary(&outage, "twilio-local").expect("memory can be written to");
        let shown = String::from_utf8(out).expect("UTF-8");
        let times = format!("{:>14}{:>14}{:>14}{:>14}   ", 3, 1, "-", "-");
        assert!(shown.contains(&times), "{shown}");
        assert!(shown.contains("0 of 1 arrived") && !shown.contains("the last one"), "{shown}");
    }

    #[test]
    fn what_a_newer_code_took_the_place_of_is_not_missed() {
        let began = Instant::now();
        let ending = Ending::DeadLettered { reason: "superseded".to_owned(), detail: String::new() };
        let journeys = vec![Journey { ending, ..Journey::of_invocation("i", began) }];
        let (length, ended_at) = (Duration::from_secs(2), began);
        let mut out = Vec::new();
        let outage = Outage { length, journeys, requests: 9, attempts_not_made: 2, ended_at };
        Display::new(&mut out).outage_summary(&outage, "twilio-local").expect("memory can be written to");
        let shown = String::from_utf8(out).expect("UTF-8");
        assert!(shown.contains("0 of 1 arrived, 1 superseded by a newer code"), "{shown}");
    }
}
