//! The worker's real code in a simulated world.
//!
//! `Worker::handle_batch` and `serve` run, through the public interface of the crate, under tokio's paused time on a
//! runtime with one thread. The world around them is played: SQS by the pure model in `infra/local/sqs`, delivering at
//! least once, late, twice and out of order; KMS and providers that fail in every class, hang, answer too late, or send
//! and lose the answer; a state table that all processes share, whose calls are refused, made twice, lose their answers,
//! arrive late, or all fail for a while; processes of both kinds with clocks of their own that crash, at any moment and
//! just before or after any call to the outside, and start again; users who ask for one code after the other, a producer
//! that is invoked twice, and operators who redrive dead letters and switch things off.
//!
//! One seed is one history. A [`plan`] is drawn from it, as data; carried out ([`history`]), it leaves a [`trace`], by
//! which alone the [`invariants`] judge. A plan that violates one is shortened ([`shrinking`]) and told with the trace
//! and the command that repeats it.
//!
//! ```sh
//! cargo test -p worker --no-default-features --test simulation          # 2,000 seeds
//! SIMULATION_SEEDS=100000 cargo test -p worker --no-default-features --test simulation
//! SIMULATION_SEED=4711 cargo test -p worker --no-default-features --test simulation -- --nocapture # one, told whole
//! cargo test -p worker --test simulation                                # 50 more, with the Encryption SDK
//! ```

mod arrivals;
mod bodies;
mod calls;
mod codes;
mod coverage;
mod drawing;
mod draws;
#[cfg(feature = "esdk")]
#[path = "../../esdk/tests/fixtures/mod.rs"]
mod fixtures;
mod history;
mod invariants;
mod life;
mod outside;
mod panics;
mod plan;
mod processes;
mod providers;
mod receives;
#[path = "../worker/sealed.rs"]
mod sealed;
mod seeds;
mod shrinking;
mod table;
mod table_call;
mod trace;
mod world;

use codes::Codes;
use history::History;
use plan::Plan;
use seeds::{tell, try_seeds};

const SEEDS: u64 = 2_000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

#[test]
fn no_history_violates_an_invariant_and_together_they_reach_everything() {
    let codes = Codes::by_hand();
    if let Some(seed) = number("SIMULATION_SEED") {
        return tell(seed, &codes);
    }
    let count = number("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let shown = try_seeds(count, &codes);
    shown.assert_sound(&codes);
    if count >= SEEDS {
        shown.coverage.assert_reaches_everything();
    }
}

#[test]
fn a_seed_repeats_exactly() {
    let codes = Codes::by_hand();
    for seed in 0..50 {
        let [first, second] = [(), ()].map(|()| History::of(&Plan::draw(seed, &codes), &codes).trace);
        for (first, second) in first.iter().zip(&second) {
            assert_eq!(first, second, "seed {seed}");
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

#[cfg(feature = "esdk")]
#[test]
fn no_history_of_codes_that_are_really_sealed_violates_an_invariant() {
    let codes = Codes::of_corpus();
    if let Some(seed) = number("SIMULATION_SEED") {
        return tell(seed, &codes);
    }
    let shown = try_seeds(50, &codes);
    shown.assert_sound(&codes);
    shown.coverage.assert_reaches("an SMS", 300);
    shown.coverage.assert_reaches("dead: undecryptable", 10);
}
