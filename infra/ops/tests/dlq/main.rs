//! `sealpost dlq` as an operator runs it, on queues over the wire.

mod dropping;
mod kills;
mod leaks;
mod looking;
mod mixed;
mod pipeline;
mod redriving;
mod trust;
mod world;
