//! The seam to what all workers know together: which messages are claimed or sent, which code is a user's newest, how
//! many messages a number got, and what is switched off. Everything that depends on what was known before is decided
//! by pure functions here, so that every implementation decides alike.

mod claim;
mod dynamodb;
mod memory;
mod newest;
mod settings;
mod switches;
mod window;

use async_trait::async_trait;
use shared::{MessageId, Timestamp};

use crate::aws_error_name::aws_error_name;

pub(crate) use claim::decide;
pub use claim::{Claim, ClaimUpdate, Claimed, LeaseOwner, MessageState, OnAbandoned, Progress, Refusal, Status};
pub use dynamodb::{DynamoDbState, dynamodb_config};
pub(crate) use memory::Memory;
pub use memory::MemoryState;
pub use newest::{Purpose, Standing, UserCode};
pub use settings::{StateSettings, WhenUnreachable};
pub use switches::{Switch, SwitchedOff, Switches};
pub use window::{Counted, LimitScope, Window};

/// How long what is known of a message is kept, sent or not: longer than a dead-letter queue keeps messages (14 days
/// at most), so that no redrive comes too late to be recognised.
pub const KEPT_FOR: std::time::Duration = std::time::Duration::from_secs(15 * 24 * 60 * 60);

/// What the worker asks of the state. Each call is atomic, and making it again after an answer was lost does no harm;
/// only [`State::count`] may then count twice.
#[async_trait]
pub trait State: Send + Sync {
    /// What is known of a message; nothing where none was ever claimed.
    async fn look(&self, id: &MessageId, now: Timestamp) -> Result<Option<MessageState>, StateError>;

    /// Takes a message for one receive, as `decide` says.
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StateError>;

    /// Writes down how far the holder of a claim came; whether it still held it. [`Status::Sent`] is written whoever
    /// holds the claim now, and nothing ever takes it back.
    async fn update(&self, update: &ClaimUpdate) -> Result<bool, StateError>;

    /// Records a code as its user's newest for its purpose, unless a newer one is known.
    async fn newest(&self, code: &UserCode, now: Timestamp) -> Result<Standing, StateError>;

    /// Counts a message in a window, unless that is full.
    async fn count(&self, window: &Window, now: Timestamp) -> Result<Counted, StateError>;
}

/// What operators have switched off, without a deployment.
#[async_trait]
pub trait Switchboard: Send + Sync {
    async fn switches(&self) -> Result<Switches, StateError>;

    /// Switches something off, or on again with none.
    async fn set(&self, switch: &Switch, off: Option<&SwitchedOff>) -> Result<(), StateError>;
}

/// A call that the state did not answer; the text is DynamoDB's error code or what happened on the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct StateError {
    code: String,
}

impl StateError {
    /// What is not shaped like an error code may be anything, and is not shown.
    pub fn of_code(code: &str) -> Self {
        Self { code: aws_error_name(code).to_owned() }
    }
}

fn kept_until(now: Timestamp) -> Timestamp {
    now.checked_add(KEPT_FOR).unwrap_or(Timestamp::MAX)
}
