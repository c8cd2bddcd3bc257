//! The worker's own code, from the event of an SQS batch to its answer. The outside is played by doubles, time
//! is tokio's paused clock: a minute of waiting takes no time, and a duration is exact.

mod answers;
mod circuits;
mod connecting;
mod deadlines;
mod destinations;
mod doubles;
mod failover;
mod keys;
mod kill_switches;
mod kms;
mod limits;
mod messages;
mod nothing_lost;
mod once;
mod provider_double;
mod refusals;
mod retrying;
mod rotating;
mod routes;
mod scene;
mod sealed;
mod secrecy;
mod service;
mod sqs_queue;
mod superseding;
mod table;
#[cfg(feature = "esdk")]
mod tampering;
mod telemetry;
mod test_numbers;
mod time_series;
mod unreachable;
mod wire;
