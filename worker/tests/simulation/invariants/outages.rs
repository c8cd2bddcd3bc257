//! What a provider that is down has to bear.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::reasons::end_of_retries;
use crate::history::History;
use crate::plan::{Fault, Millis, Trouble};
use crate::trace::{AttemptEnd, Entry, Event, Who};

/// Failures that open a circuit.
const FAILURES_THAT_OPEN: usize = 5;
/// The shortest pauses between probes; the last one repeats.
const SHORTEST_PAUSES: [Millis; 5] = [1_000, 2_500, 5_000, 10_000, 15_000];

/// Each process finds out that a provider is down, and then only probes it. Messages at their last receive are not
/// counted: they pass an open circuit.
pub(crate) fn attempts_are_bounded_during_an_outage(history: &History) -> Result<(), String> {
    let lives: BTreeSet<Who> = history.trace.iter().filter_map(|entry| entry.event.who()).collect();
    for fault in &history.plan.faults {
        let Trouble::Provider(provider, trouble) = fault.trouble else { continue };
        if fault.percent < 100 || !trouble.always_fails() {
            continue;
        }
        for who in &lives {
            let borne = Outage::borne(history, fault, provider, *who);
            let bound = borne.bound(fault.until.min(history.plan.heals_at) - fault.from);
            if borne.attempts > bound {
                let Outage { attempts, .. } = borne;
                return Err(format!(
                    "{who:?} made {attempts} attempts at provider {provider} while it was down, {bound} were due"
                ));
            }
        }
    }
    Ok(())
}

/// What one provider bore from one life in one outage.
#[derive(Default)]
struct Outage {
    attempts: usize,
    /// The most attempts at once.
    at_once: usize,
    /// Ends that let the count of failures begin anew: of attempts that began before, and of panics.
    new_beginnings: usize,
}

impl Outage {
    fn borne(history: &History, fault: &Fault, provider: usize, who: Who) -> Self {
        let (mut borne, mut open) = (Self::default(), BTreeSet::new());
        let of_life = |entry: &&Entry| entry.at < fault.until && entry.event.who() == Some(who);
        let mut sent_at = BTreeMap::new();
        for entry in history.trace.iter().filter(of_life) {
            let is_during = entry.at >= fault.from;
            if let Event::Handed { message, sent_at: at, .. } = &entry.event {
                sent_at.insert(*message, *at);
            } else if let Event::AttemptBegun { message, provider: of, attempt, clock, .. } = &entry.event
                && *of == provider
            {
                open.insert(*attempt);
                let left = end_of_retries(history, *message, sent_at[message]).duration_since(*clock);
                borne.attempts += usize::from(is_during && left >= SignedDuration::from_secs(2));
            } else if let Event::AttemptEnded { provider: of, attempt, end, .. } = &entry.event
                && *of == provider
            {
                open.remove(attempt);
                borne.new_beginnings += usize::from(is_during && *end == AttemptEnd::Accepted);
            } else if let Event::WorkerPanicked { .. } = &entry.event {
                borne.new_beginnings += usize::from(is_during);
            }
            borne.at_once = borne.at_once.max(if is_during { open.len() } else { 0 });
        }
        borne
    }

    /// The attempts that find out, those that were under way when it was found out, and one at a time from then on.
    fn bound(&self, mut length: Millis) -> usize {
        let mut probes = 0;
        loop {
            let pause = SHORTEST_PAUSES[probes.min(SHORTEST_PAUSES.len() - 1)];
            probes += 1;
            match length.checked_sub(pause) {
                Some(left) => length = left,
                None => break,
            }
        }
        let to_find_out = FAILURES_THAT_OPEN - 1 + self.at_once;
        to_find_out * (1 + self.new_beginnings) + probes
    }
}
