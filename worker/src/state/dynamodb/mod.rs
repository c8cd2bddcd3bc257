//! The state in a DynamoDB table: what all workers know together.
//!
//! Partition key `pk` (string), TTL attribute `expires_at` (seconds since 1970). The kinds of row are told apart by what
//! `pk` begins with. Each change is one conditional write of one row, so that it is atomic; nothing is scanned, and there
//! are no transactions. DynamoDB deletes late, by days: a row past its `expires_at` counts as absent everywhere.

mod client;
mod messages;
mod newest;
mod row;
mod switches;
mod windows;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use shared::{MessageId, Timestamp};

use super::{
    Claim, ClaimUpdate, Claimed, Counted, MessageState, Standing, State, StateError, Switch, Switchboard, SwitchedOff,
    Switches, UserCode, Window,
};

pub use client::dynamodb_config;

/// [`State`] and [`Switchboard`] in a table.
pub struct DynamoDbState {
    client: Client,
    /// Its name or ARN.
    table: String,
}

impl DynamoDbState {
    /// The state in a table, given by name or ARN. The client's configuration is [`dynamodb_config`]'s.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}

#[async_trait]
impl State for DynamoDbState {
    async fn look(&self, id: &MessageId, now: Timestamp) -> Result<Option<MessageState>, StateError> {
        self.message(id, now).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StateError> {
        self.claim_message(claim).await
    }

    async fn update(&self, update: &ClaimUpdate) -> Result<bool, StateError> {
        self.update_message(update).await
    }

    async fn newest(&self, code: &UserCode, now: Timestamp) -> Result<Standing, StateError> {
        self.record_newest(code, now).await
    }

    async fn count(&self, window: &Window, _: Timestamp) -> Result<Counted, StateError> {
        self.count_in(window).await
    }
}

#[async_trait]
impl Switchboard for DynamoDbState {
    async fn switches(&self) -> Result<Switches, StateError> {
        self.all_switches().await
    }

    async fn set(&self, switch: &Switch, off: Option<&SwitchedOff>) -> Result<(), StateError> {
        self.set_switch(switch, off).await
    }
}
