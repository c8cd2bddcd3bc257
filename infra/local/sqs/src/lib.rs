//! A pure model of Amazon SQS standard queues.
//!
//! No clock, no I/O, no randomness: every call takes the time as an argument, and ids come from a seed and a counter.
//! The same calls in the same order with the same seed therefore give the same answers, byte for byte. Two things drive
//! it: the wire adapter of the local run (`local::aws`), with the real clock, and the deterministic simulation, with a
//! simulated one.
//!
//! ```
//! use std::{collections::BTreeMap, time::Duration};
//! use sqs::{Account, Limits, NewMessage, Receive, Timestamp};
//!
//! let mut account = Account::new("eu-west-1", "123456789012", 7, Limits::default());
//! let noon = Timestamp::from_unix_millis(1_764_000_000_000);
//! account.create_queue("codes", &BTreeMap::new(), noon)?;
//! account.send("codes", NewMessage::new("hello"), "AIDAEXAMPLE", noon)?;
//! let received = account.receive("codes", Receive::default(), noon)?;
//! assert_eq!(received.deliveries[0].receive_count, 1);
//! // Nobody deletes it, so it comes back when the visibility timeout of 30 seconds ends.
//! assert_eq!(account.next_event("codes", noon), Some(noon + Duration::from_secs(30)));
//! # Ok::<(), sqs::Error>(())
//! ```
//!
//! # What differs from AWS
//! - Order is that in which messages became receivable, and a receive takes all it may. AWS promises neither.
//! - Nothing is ever delivered twice by accident, and changes take effect at once.
//! - The counts are exact; on AWS they are approximate.
//! - `MessageGroupId` is kept and returned, but groups do not influence the order (no fair-queue scheduling).
//! - Policies and encryption settings are stored, not enforced. No FIFO queues, tags or move tasks.
//! - A deleted queue's name can be used again at once (AWS: after 60 seconds).
//! - Memory is bounded by [`Limits`]; AWS has no such bound.

mod account;
mod attributes;
mod batch;
mod error;
mod ids;
mod limits;
mod message;
mod queue;
mod storage;
mod time;

#[cfg(test)]
mod properties;

pub use account::Account;
pub use batch::{Entry, EntryResult};
pub use error::Error;
pub use limits::Limits;
pub use message::{AttributeValue, Message, MessageAttribute, NewMessage, TRACE_HEADER};
pub use queue::{Counts, DeadLettered, Delivery, Receive, Received};
pub use time::Timestamp;
