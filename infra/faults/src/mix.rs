//! The seeded mix: which provider does what to which request, in phases.

use fastrand::Rng;
use serde::Serialize;

use crate::behaviour::Behaviour;
use crate::providers::Provider;

/// Of the requests in a phase of partial faults.
const SHARE_OF_FAULTS: f64 = 0.35;
/// Every so many events of the first half there is one that no provider ever takes.
const DOOMED_EVERY: usize = 150;

/// A part of the run, by the events that have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Healthy,
    PartialFaults,
    /// The first provider of the default route does not answer at all; the others as in partial faults.
    FirstProviderSilent,
    /// The second one is unavailable; the others as in partial faults.
    SecondProviderUnavailable,
    /// All are unavailable.
    AllUnavailable,
    Healed,
}

/// What a seed decides.
pub(crate) struct Mix {
    seed: u64,
    /// What becomes of each event's first request, where that is a fault: dealt like cards, so that every fault occurs.
    dealt: Vec<Option<Behaviour>>,
}

impl Phase {
    /// The phase in which an event is sent.
    pub(crate) fn of(index: usize, count: usize) -> Self {
        match index * 100 / count.max(1) {
            0..8 => Self::Healthy,
            8..40 => Self::PartialFaults,
            40..50 => Self::FirstProviderSilent,
            50..58 => Self::SecondProviderUnavailable,
            58..64 => Self::AllUnavailable,
            64..88 => Self::PartialFaults,
            _ => Self::Healed,
        }
    }
}

impl Mix {
    pub(crate) fn new(seed: u64, events: usize) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x6d69_785f_6f66_5f66);
        let mut deck = Vec::new();
        let dealt = (0..events).map(|_| {
            (rng.f64() < SHARE_OF_FAULTS).then(|| {
                if deck.is_empty() {
                    deck.extend(Behaviour::FAULTS);
                    rng.shuffle(&mut deck);
                }
                deck.pop().unwrap_or(Behaviour::Accepts)
            })
        });
        Self { seed, dealt: dealt.collect() }
    }

    /// Whether no provider ever takes this event's message. Early ones only: their end must be known at the end.
    pub(crate) fn is_doomed(index: usize, events: usize) -> bool {
        index * 2 < events && index % DOOMED_EVERY == DOOMED_EVERY / 2
    }

    /// What `provider` does with an event's `nth` request, counted over all providers from 0, and a source of further
    /// randomness for it.
    pub(crate) fn behaviour(&self, event: usize, nth: usize, provider: Provider, phase: Phase) -> (Behaviour, Rng) {
        let mut rng = Rng::with_seed(self.seed ^ ((event as u64) << 20) ^ ((nth as u64) << 4) ^ provider as u64);
        let unavailable = [
            Behaviour::IsUnavailable,
            Behaviour::RateLimits,
            Behaviour::RateLimitsForSeconds,
            Behaviour::RateLimitsUntilDate,
        ];
        let doomed = [Behaviour::IsUnavailable, Behaviour::QueueIsFull, Behaviour::RefusesTheAccount];
        let behaviour = match (phase, provider) {
            _ if Self::is_doomed(event, self.dealt.len()) => doomed[rng.usize(..doomed.len())],
            (Phase::Healthy | Phase::Healed, _) => Behaviour::Accepts,
            (Phase::AllUnavailable, _) => unavailable[rng.usize(..unavailable.len())],
            (Phase::FirstProviderSilent, Provider::TwilioA) => Behaviour::IsSilent,
            (Phase::SecondProviderUnavailable, Provider::TwilioB) => Behaviour::IsUnavailable,
            (Phase::PartialFaults | Phase::FirstProviderSilent | Phase::SecondProviderUnavailable, _) => {
                self.partial_fault(event, nth, &mut rng)
            }
        };
        (behaviour, rng)
    }

    fn partial_fault(&self, event: usize, nth: usize, rng: &mut Rng) -> Behaviour {
        let is_fault = rng.f64() < SHARE_OF_FAULTS;
        let drawn = Behaviour::FAULTS[rng.usize(..Behaviour::FAULTS.len())];
        match (nth, self.dealt.get(event)) {
            (0, Some(dealt)) => dealt.unwrap_or(Behaviour::Accepts),
            _ if is_fault => drawn,
            _ => Behaviour::Accepts,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn drawn(seed: u64) -> Vec<Behaviour> {
        let mix = Mix::new(seed, 300);
        let first = |event| mix.behaviour(event, 0, Provider::TwilioA, Phase::PartialFaults).0;
        (0..300).map(first).collect()
    }

    #[test]
    fn every_fault_is_dealt_within_some_hundred_events_of_partial_faults() {
        for seed in 0..50 {
            let faults: BTreeSet<_> = drawn(seed)[..200].iter().copied().collect();
            assert!(Behaviour::FAULTS.iter().all(|fault| faults.contains(fault)), "{seed}");
        }
    }

    #[test]
    fn a_seed_decides_everything_and_another_seed_otherwise() {
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn an_outage_of_all_leaves_nobody_who_takes_anything() {
        let mix = Mix::new(7, 300);
        for provider in [Provider::TwilioA, Provider::TwilioB, Provider::Gateway] {
            for event in 0..300 {
                let (behaviour, _) = mix.behaviour(event, 0, provider, Phase::AllUnavailable);
                assert_eq!(behaviour.meaning(), crate::behaviour::Meaning::NotTaken);
            }
        }
    }
}
