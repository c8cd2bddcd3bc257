//! Facts told twice: to whoever watches a run, and into a log.

use shared::telemetry::{Fact, Telemetry};

pub(crate) struct Both<A, B>(pub(crate) A, pub(crate) B);

impl<A: Telemetry, B: Telemetry> Telemetry for Both<A, B> {
    fn record(&self, fact: &Fact<'_>) {
        self.0.record(fact);
        self.1.record(fact);
    }
}
