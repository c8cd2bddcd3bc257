//! Whether a provider is worth asking: a circuit breaker without a clock or a random generator of its own.
//!
//! Closed, every attempt passes, and five failures in a row open it. Open, nothing passes until a pause is over; then
//! it is half-open, and one attempt passes as a probe. The probe's success closes it, its failure opens it for longer.
//! A message at its very last attempt passes always: refused, its code could never arrive.

use std::time::Duration;

use shared::Timestamp;

use crate::provider::Outcome;
use crate::retry::jittered;

/// Failures in a row that open the circuit: two messages that fail as often as they may in one receive.
const FAILURES_THAT_OPEN: u32 = 5;
/// How long the circuit stays open: first, and after each probe that failed; the last step repeats. Each pause is drawn
/// from the upper half of its step. Short against the three minutes that a sign-in code lives.
const OPEN_SCHEDULE: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(30),
];
/// A provider that asks for a longer pause (Retry-After) is asked again all the same.
const LONGEST_OPEN: Duration = Duration::from_secs(60);

/// What an attempt's end says about its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Works,
    Fails {
        /// The pause that the provider asked for.
        asked_for: Option<Duration>,
    },
    /// It is about the number or the message alone.
    Nothing,
}

impl Sign {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted { .. } => Self::Works,
            Outcome::Transient { retry_after } => Self::Fails { asked_for: *retry_after },
            Outcome::Unknown | Outcome::ProviderPermanent => Self::Fails { asked_for: None },
            Outcome::RecipientPermanent | Outcome::FraudBlocked => Self::Nothing,
        }
    }
}

/// The circuit to one provider, seen from this process.
#[derive(Debug)]
pub(crate) struct CircuitBreaker {
    state: State,
    /// Counts openings and closings: the end of an attempt that began before the last one says nothing new.
    period: u64,
}

#[derive(Debug)]
enum State {
    Closed {
        /// In a row.
        failures: u32,
    },
    Open {
        since: Timestamp,
        until: Timestamp,
        /// Index into the schedule.
        step: usize,
    },
    /// A probe is under way.
    HalfOpen { since: Timestamp, step: usize },
}

/// Whether an attempt may be made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Passes(Pass),
    Refused {
        opens_in: Duration,
    },
    /// Whether it is refused is known when the probe that is under way has ended.
    ProbeUnderWay,
}

/// An attempt that was let through. Its end is told by [`CircuitBreaker::report`] or [`CircuitBreaker::abandon`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    period: u64,
    pub(crate) is_probe: bool,
}

/// The circuit changed, and an operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Opened { open_for: Duration },
    Closed,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self { state: State::Closed { failures: 0 }, period: 0 }
    }
}

impl CircuitBreaker {
    /// Whether an attempt may be made now; `is_last` says that its message will never be tried again.
    pub(crate) fn admit(&mut self, now: Timestamp, is_last: bool) -> Admission {
        let pass = |is_probe| Admission::Passes(Pass { period: self.period, is_probe });
        match (self.opens_in(now), &self.state) {
            (None, State::Closed { .. }) => pass(false),
            (None, State::Open { since, step, .. }) => {
                self.state = State::HalfOpen { since: *since, step: *step };
                pass(true)
            }
            (Some(_), _) | (None, State::HalfOpen { .. }) if is_last => pass(false),
            (Some(opens_in), _) => Admission::Refused { opens_in },
            (None, State::HalfOpen { .. }) => Admission::ProbeUnderWay,
        }
    }

    /// How long it will refuse every attempt but a last one; none if the next one passes or waits for a probe.
    pub(crate) fn opens_in(&self, now: Timestamp) -> Option<Duration> {
        match self.state {
            State::Closed { .. } | State::HalfOpen { .. } => None,
            // A clock that was set back must not keep it open.
            State::Open { since, until, .. } if now >= until || now < since => None,
            State::Open { until, .. } => Duration::try_from(until.duration_since(now)).ok(),
        }
    }

    /// Takes note of how an attempt ended. `unit` is uniform in 0..1.
    pub(crate) fn report(&mut self, pass: &Pass, sign: Sign, now: Timestamp, unit: f64) -> Option<Change> {
        if pass.period != self.period {
            return None;
        }
        match (&mut self.state, sign) {
            (State::Closed { failures }, Sign::Works) => {
                *failures = 0;
                None
            }
            (State::Closed { failures }, Sign::Fails { asked_for }) => {
                *failures += 1;
                (*failures >= FAILURES_THAT_OPEN).then(|| self.open(0, asked_for, now, unit))
            }
            (State::Open { .. } | State::HalfOpen { .. }, Sign::Works) => {
                *self = Self { state: State::Closed { failures: 0 }, period: self.period + 1 };
                Some(Change::Closed)
            }
            (State::HalfOpen { step, .. }, Sign::Fails { asked_for }) if pass.is_probe => {
                let step = *step + 1;
                Some(self.open(step, asked_for, now, unit))
            }
            (State::Open { .. } | State::HalfOpen { .. }, Sign::Fails { .. }) => None,
            (State::Closed { .. } | State::Open { .. } | State::HalfOpen { .. }, Sign::Nothing) => {
                self.abandon(pass);
                None
            }
        }
    }

    /// An attempt came to no end that says anything about the provider: if it was the probe, the next one is.
    pub(crate) fn abandon(&mut self, pass: &Pass) {
        if let State::HalfOpen { since, step } = self.state
            && pass.is_probe
            && pass.period == self.period
        {
            self.state = State::Open { since, until: since, step };
        }
    }

    fn open(&mut self, step: usize, asked_for: Option<Duration>, now: Timestamp, unit: f64) -> Change {
        let step = step.min(OPEN_SCHEDULE.len() - 1);
        let asked_for = asked_for.unwrap_or_default().min(LONGEST_OPEN);
        let open_for = jittered(OPEN_SCHEDULE[step], unit).max(asked_for);
        let until = now.checked_add(open_for).unwrap_or(Timestamp::MAX);
        *self = Self { state: State::Open { since: now, until, step }, period: self.period + 1 };
        Change::Opened { open_for }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::ProviderMessageId;

    const FAILS: Sign = Sign::Fails { asked_for: None };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("in range")
    }

    fn pass(circuit: &mut CircuitBreaker, millis: i64) -> Pass {
        match circuit.admit(at(millis), false) {
            Admission::Passes(pass) => pass,
            refused @ (Admission::Refused { .. } | Admission::ProbeUnderWay) => panic!("{refused:?}"),
        }
    }

    fn attempt(circuit: &mut CircuitBreaker, sign: Sign, millis: i64) -> Option<Change> {
        let pass = pass(circuit, millis);
        circuit.report(&pass, sign, at(millis), 1.0)
    }

    fn opened(seconds: u64) -> Option<Change> {
        Some(Change::Opened { open_for: Duration::from_secs(seconds) })
    }

    fn refused(millis: u64) -> Admission {
        Admission::Refused { opens_in: Duration::from_millis(millis) }
    }

    /// A circuit that opened at 0 for two seconds.
    fn open() -> CircuitBreaker {
        let mut circuit = CircuitBreaker::default();
        let changes: Vec<_> = (0..5).map(|_| attempt(&mut circuit, FAILS, 0)).collect();
        assert_eq!(changes, [None, None, None, None, opened(2)]);
        circuit
    }

    #[test]
    fn five_failures_in_a_row_open_it_for_two_seconds() {
        let mut circuit = open();
        assert_eq!(circuit.admit(at(0), false), refused(2_000));
        assert_eq!(circuit.admit(at(1_999), false), refused(1));
    }

    #[test]
    fn a_success_between_failures_begins_the_row_anew_and_what_is_about_the_number_does_not() {
        let mut circuit = CircuitBreaker::default();
        for sign in [FAILS, FAILS, FAILS, FAILS, Sign::Works, FAILS, FAILS, Sign::Nothing, FAILS, Sign::Nothing, FAILS]
        {
            assert_eq!(attempt(&mut circuit, sign, 0), None);
        }
        assert_eq!(attempt(&mut circuit, FAILS, 0), opened(2));
    }

    #[test]
    fn after_its_pause_one_probe_passes_and_its_success_closes_it() {
        let mut circuit = open();
        let probe = pass(&mut circuit, 2_000);
        assert!(probe.is_probe);
        assert_eq!(circuit.admit(at(2_000), false), Admission::ProbeUnderWay, "one at a time");
        assert_eq!(circuit.report(&probe, Sign::Works, at(2_100), 1.0), Some(Change::Closed));
        assert!(!pass(&mut circuit, 2_100).is_probe);
        assert_eq!(attempt(&mut circuit, FAILS, 2_100), None, "the row begins anew");
    }

    #[test]
    fn each_probe_that_fails_opens_it_for_longer_up_to_half_a_minute() {
        let mut circuit = open();
        let mut now = 2_000;
        for seconds in [5, 10, 20, 30, 30] {
            assert_eq!(attempt(&mut circuit, FAILS, now), opened(seconds));
            now += i64::try_from(seconds).expect("small") * 1_000;
            assert_eq!(circuit.admit(at(now - 1), false), refused(1));
        }
        assert_eq!(attempt(&mut circuit, Sign::Works, now), Some(Change::Closed));
        for _ in 0..4 {
            assert_eq!(attempt(&mut circuit, FAILS, now), None);
        }
        assert_eq!(attempt(&mut circuit, FAILS, now), opened(2), "from the beginning of the schedule");
    }

    #[test]
    fn the_pause_is_drawn_from_the_upper_half_of_its_step() {
        for (unit, millis) in [(0.0, 1_000), (0.5, 1_500), (1.0, 2_000)] {
            let mut circuit = CircuitBreaker::default();
            for _ in 0..4 {
                attempt(&mut circuit, FAILS, 0);
            }
            let last = pass(&mut circuit, 0);
            let open_for = Duration::from_millis(millis);
            assert_eq!(circuit.report(&last, FAILS, at(0), unit), Some(Change::Opened { open_for }));
        }
    }

    #[test]
    fn a_pause_that_the_provider_asks_for_is_kept_up_to_a_minute() {
        for (asked, kept) in [(1, 2), (17, 17), (3_600, 60)] {
            let mut circuit = CircuitBreaker::default();
            let sign = Sign::Fails { asked_for: Some(Duration::from_secs(asked)) };
            let changes: Vec<_> = (0..5).map(|_| attempt(&mut circuit, sign, 0)).collect();
            assert_eq!(changes[4], opened(kept), "{asked} s");
        }
    }

    #[test]
    fn a_probe_that_comes_to_no_end_or_is_about_the_number_leaves_its_turn_to_the_next() {
        let mut circuit = open();
        let probe = pass(&mut circuit, 2_000);
        circuit.abandon(&probe);
        let probe = pass(&mut circuit, 2_000);
        assert!(probe.is_probe);
        assert_eq!(circuit.report(&probe, Sign::Nothing, at(2_000), 1.0), None);
        assert!(pass(&mut circuit, 2_000).is_probe);
    }

    #[test]
    fn a_message_at_its_last_attempt_passes_an_open_circuit_and_closes_it_if_it_succeeds() {
        let mut circuit = open();
        let Admission::Passes(failing) = circuit.admit(at(500), true) else { panic!("it passes") };
        let Admission::Passes(succeeding) = circuit.admit(at(500), true) else { panic!("it passes") };
        assert!(!failing.is_probe);
        assert_eq!(circuit.report(&failing, FAILS, at(600), 1.0), None, "it opens no longer for that");
        assert_eq!(circuit.admit(at(600), false), refused(1_400));
        assert_eq!(circuit.report(&succeeding, Sign::Works, at(700), 1.0), Some(Change::Closed));
    }

    #[test]
    fn an_attempt_that_began_before_the_last_change_says_nothing_new() {
        let mut circuit = CircuitBreaker::default();
        let early: Vec<_> = (0..12).map(|_| pass(&mut circuit, 0)).collect();
        let changes = early.iter().take(11).filter_map(|pass| circuit.report(pass, FAILS, at(100), 1.0)).count();
        assert_eq!(changes, 1, "ten at once open it once");
        assert_eq!(circuit.report(&early[11], Sign::Works, at(200), 1.0), None);
        assert_eq!(circuit.admit(at(200), false), refused(1_900));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let mut circuit = open();
        assert!(pass(&mut circuit, -1).is_probe);
    }

    #[test]
    fn only_outcomes_that_are_the_providers_own_count() {
        let provider_message_id = ProviderMessageId::NOT_GIVEN;
        let asked_for = Some(Duration::from_secs(7));
        for (outcome, sign) in [
            (Outcome::Accepted { provider_message_id }, Sign::Works),
            (Outcome::Transient { retry_after: asked_for }, Sign::Fails { asked_for }),
            (Outcome::Unknown, FAILS),
            (Outcome::ProviderPermanent, FAILS),
            (Outcome::RecipientPermanent, Sign::Nothing),
            (Outcome::FraudBlocked, Sign::Nothing),
        ] {
            assert_eq!(Sign::of(&outcome), sign, "{outcome:?}");
        }
    }
}
