//! What must hold for every input, however hostile: one function for each thing that comes from outside. They drive
//! the production parsers through their public doors, panic when a promise is broken, and say whether the input was
//! accepted.
//!
//! `tests/corpus.rs` runs them over `corpus/` and over a bounded number of mutations of it; `targets/` hands them to
//! libFuzzer:
//!
//! ```sh
//! cargo install cargo-fuzz --locked
//! cargo +nightly fuzz run --fuzz-dir infra/fuzz/targets event infra/fuzz/corpus/event
//! ```

mod event;
mod header;
mod marker;
mod outside;
mod queue_message;
mod sqs_record;

pub use event::event;
pub use header::header;
pub use queue_message::queue_message;
pub use sqs_record::sqs_record;
