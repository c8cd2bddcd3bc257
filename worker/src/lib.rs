//! The consumer of the queue: it admits a message, decrypts its code, renders the text, delivers it along the
//! route and settles the record. The only place where a code is in clear, and only from decryption to the
//! provider's answer.
//!
//! The outside is reached through seams, each a small trait: [`KeyService`] unwraps data keys, [`Provider`]
//! sends an SMS, [`Queue`] postpones and dead-letters (and, where [`serve`] runs, receives and deletes), [`State`] is
//! what all workers know together, and the [`Switchboard`] what operators have switched off. Decryption itself is an
//! injected pure function ([`OpenCode`]). Time and randomness are arguments.

mod admission;
mod aws_error_name;
mod batch;
mod circuit_breaker;
mod claiming;
mod conclusion;
pub mod config;
mod delivery;
mod destination;
mod gate;
mod keys;
mod kill_switches;
mod ledger;
mod limits;
mod open;
mod phone_number_plan;
mod phone_region;
pub mod provider;
mod provider_secret;
mod queue;
mod record;
mod render;
mod retry;
mod route;
mod service;
mod settlement;
mod state;
mod test_numbers;
mod worker;

pub use batch::{BatchAnswer, BatchError, BatchItemFailure};
pub use claiming::LEASE_MARGIN;
pub use destination::{Destination, NumberRefusal, Way};
pub use gate::Providers;
pub use keys::{KeyError, KeyService, KmsKeys, WrappedDataKey, kms_config};
pub use kill_switches::{KillSwitches, SWITCHES_ARE_READ_EVERY};
pub use ledger::Ledger;
pub use limits::{Limits, Rate};
#[cfg(feature = "esdk")]
pub use open::open_with_esdk;
pub use open::{OpenCode, OpenFailure};
pub use phone_number_plan::{Line, PlannedNumber, warm_up as warm_up_phone_number_plans};
pub use phone_region::{Country, NoCountry};
pub use provider::Provider;
pub use provider_secret::{
    NotASecret, READ_AGAIN_AFTER_A_REFUSAL, READ_EVERY, Rotation, SecretError, SecretMembers, SecretStore,
    SecretsManager, secrets_manager_config,
};
pub use queue::{DeadLetter, Queue, QueueError, SqsQueue, VISIBILITY, sqs_config};
pub use record::Record;
pub use render::{RenderError, Texts, render};
pub use retry::{RetrySettings, VisibilitySchedule, max_receive_count, visibility_schedule};
pub use route::{Route, RouteRefusal};
pub use service::{Drained, MOST_IN_FLIGHT, TIME_FOR_A_RECORD, TIME_TO_DRAIN, serve};
pub use settlement::{RetryReason, Verdict};
pub use state::{
    Claim, ClaimUpdate, Claimed, Counted, DynamoDbState, KEPT_FOR, LeaseOwner, LimitScope, MemoryState, MessageState,
    OnAbandoned, Progress, Purpose, Refusal, Standing, State, StateError, StateSettings, Status, Switch, Switchboard,
    SwitchedOff, Switches, UserCode, WhenUnreachable, Window, dynamodb_config,
};
pub use test_numbers::TestNumbers;
pub use worker::Worker;
