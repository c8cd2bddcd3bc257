//! An outage of the provider, lived through: every event at its beginning, and all of them followed to their ends.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde_json::Value;
use shared::TriggerSource;
use shared::settings::{DurationError, parse_duration};
use tokio::time::{sleep, sleep_until};
use worker::visibility_schedule;

use crate::display::Display;
use crate::journey::{Journey, News, Stage};
use crate::journeys::Telling;
use crate::pipeline::{PROVIDER, Pipeline};

/// How long an outage lasts that a person asks to see: 1 second to 10 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutageLength(pub(crate) Duration);

impl FromStr for OutageLength {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        parse_duration(text, Duration::from_secs(1)..=Duration::from_secs(600)).map(Self)
    }
}

/// The pause between two events, shorter where all pauses together would take more than a tenth of the outage. Sent at
/// once, they would have the worker slow the producer down, since here both share one process.
const BETWEEN_EVENTS: Duration = Duration::from_millis(100);

/// An outage that is over.
pub(crate) struct Outage {
    pub(crate) length: Duration,
    /// Of every event, in the events' order.
    pub(crate) journeys: Vec<Journey>,
    /// That the provider got while it lasted.
    pub(crate) requests: usize,
    /// That it would have got, had its circuit breaker let them through.
    pub(crate) attempts_not_made: usize,
    pub(crate) ended_at: Instant,
}

/// Lets the provider refuse everything for so long, sends all events at the beginning without waiting for what becomes
/// of them, and shows what happens until each has ended.
pub(crate) async fn live_through(
    OutageLength(length): OutageLength,
    events: &[Value],
    pipeline: &mut Pipeline,
    display: &mut Display<'_>,
) -> anyhow::Result<Outage> {
    pipeline.tell(Telling::EachStep);
    let (ids, invocations): (Vec<_>, Vec<_>) = events.iter().map(|event| pipeline.invocation(event)).unzip();
    let requests_before = pipeline.twilio().requests();
    pipeline.twilio().set_outage(true);
    display.outage_begins(Instant::now(), PROVIDER, length)?;

    let mut ends = pin!(sleep(length));
    let gives_up = tokio::time::Instant::now() + patience(length);
    let count = u32::try_from(invocations.len()).unwrap_or(u32::MAX).max(1);
    let pause = BETWEEN_EVENTS.min(length / 10 / count);
    let mut invoking = pin!(async {
        for invocation in invocations {
            invocation.await;
            sleep(pause).await;
        }
    });
    let mut all_invoked = false;
    let (mut over, mut attempts_not_made) = (None, 0);
    let mut waited_for: HashSet<_> = ids.iter().cloned().collect();
    let mut ended = HashMap::new();
    while over.is_none() || !waited_for.is_empty() {
        tokio::select! {
            biased;
            () = &mut ends, if over.is_none() => {
                let (twilio, ended_at) = (pipeline.twilio(), Instant::now());
                twilio.set_outage(false);
                over = Some((ended_at, twilio.requests() - requests_before));
                display.outage_ends(ended_at, PROVIDER)?;
            }
            () = sleep_until(gives_up) => break,
            () = &mut invoking, if !all_invoked => all_invoked = true,
            news = pipeline.next_news() => match news {
                News::Circuit(change) => display.circuit(&change)?,
                News::Journey(journey) => {
                    display.journey(&journey)?;
                    if over.is_none() {
                        let not_made = journey.stages.iter().filter(|stage| matches!(stage, Stage::NotAttempted { .. }));
                        attempts_not_made += not_made.count();
                    }
                    let invocation = journey.invocation.as_ref().filter(|_| !journey.ending.is_waiting());
                    if let Some(invocation) = invocation.and_then(|invocation| waited_for.take(invocation)) {
                        ended.insert(invocation, *journey);
                    }
                }
            }
        }
    }
    let mut journeys = Vec::new();
    for id in &ids {
        journeys.push(match ended.remove(id) {
            Some(journey) => journey,
            None => {
                let journey = pipeline.journey_so_far(id);
                display.still_waiting(&journey)?;
                journey
            }
        });
    }
    pipeline.tell(Telling::EachVerdict);
    let (ended_at, requests) = over.expect("nobody gives up before the end of the outage");
    Ok(Outage { length, journeys, requests, attempts_not_made, ended_at })
}

/// How long the events of an outage are followed: until it ends, and then for as long as the slowest retry schedule can
/// let a message wait.
fn patience(outage: Duration) -> Duration {
    /// For the work itself.
    const MARGIN: Duration = Duration::from_secs(15);
    let waits = TriggerSource::ALL.map(|source| {
        let schedule = visibility_schedule(Some(source));
        let step = |index: usize| schedule[index.min(schedule.len() - 1)];
        let (mut elapsed, mut last) = (step(0) / 2, 0);
        while elapsed <= outage {
            last += 1;
            elapsed += step(last) / 2;
        }
        // The last step that can begin within the outage; and two more, for a message that finds the circuit still open
        // then, and another message trying the provider.
        step(last) + step(last + 1) + step(last + 2)
    });
    outage + waits.into_iter().max().unwrap_or_default() + MARGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_lasts_from_a_second_to_ten_minutes() {
        for (text, seconds) in [("1s", 1), ("10s", 10), ("2m", 120), ("10m", 600)] {
            assert_eq!(text.parse(), Ok(OutageLength(Duration::from_secs(seconds))));
        }
        for text in ["0s", "11m"] {
            let refusal = text.parse::<OutageLength>().expect_err("refused").to_string();
            assert_eq!(refusal, "must lie between 1s and 600s");
        }
        assert!(
            "10".parse::<OutageLength>().expect_err("refused").to_string().starts_with("must be a duration such as")
        );
    }

    #[test]
    fn patience_covers_three_steps_of_an_invitations_schedule() {
        for (outage, steps) in [(1, 5 + 20 + 60), (10, 20 + 60 + 120), (600, 600 + 600 + 600)] {
            assert_eq!(patience(Duration::from_secs(outage)), Duration::from_secs(outage + steps + 15), "{outage} s");
        }
    }
}
