//! What the programs say about their work. Only a [`Fact`] can be said, and no fact can hold a code, a text,
//! a whole number, a credential or a provider's response: that is how nothing secret is ever printed.
//! Libraries are given no logger at all.

mod fact;
mod json_lines;
mod metric;
mod namespace;

use std::sync::Arc;

pub use fact::{Fact, Level};
pub use json_lines::JsonLines;
pub use metric::{Dimension, Metric, OTHER_COUNTRIES, Unit};
pub use namespace::{MetricsNamespace, MetricsNamespaceError};

/// Takes facts as they happen.
pub trait Telemetry: Send + Sync {
    fn record(&self, fact: &Fact<'_>);
}

/// Makes panics of this process a [`Fact`]: the default hook would print their text, which may quote anything.
pub fn record_panics(telemetry: Arc<dyn Telemetry>) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        telemetry.record(&Fact::Panicked { place: &place });
    }));
}
