//! Live faults: the real `producer` and `worker`, in processes of their own, between an embedded AWS and providers that
//! do everything that providers do on a bad day, with `kill -9` of the workers at random points. A [`Report`] says what
//! became of each event, judged by what the world around the programs knows, not by what they say.

mod behaviour;
mod event;
mod findings;
mod ledger;
mod mapping;
mod mix;
mod out_of_reach;
mod programs;
mod providers;
mod report;
mod run;
mod secrets;
mod verdict;
mod workers;
mod world;

pub use behaviour::Behaviour;
pub use event::MOST_EVENTS;
pub use programs::Programs;
pub use providers::Provider;
pub use report::{Behaved, DeadLettered, Report};
pub use run::{Plan, run};
pub use workers::Kind;
