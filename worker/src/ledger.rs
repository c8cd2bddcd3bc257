//! The state, and what happens while it cannot be reached (`[state] unreachable`): messages wait, or they are protected
//! by what this process remembers by itself. Either way it is said.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::telemetry::{Fact, Telemetry};
use shared::{MessageId, Timestamp, TraceId};

use crate::state::{
    Claim, ClaimUpdate, Claimed, Counted, Memory, MessageState, Refusal, Standing, State, StateError, Status, UserCode,
    WhenUnreachable, Window,
};

/// What the workers know of messages.
pub struct Ledger {
    /// What all of them know; none where no table is configured.
    table: Option<Arc<dyn State>>,
    /// What this process knows: everything without a table, else what the table could not be told.
    memory: Mutex<Memory>,
}

/// The state was asked in vain, and messages are to wait for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {error}")]
pub(crate) struct Unreachable {
    call: &'static str,
    error: StateError,
}

/// The ledger on behalf of one message.
#[derive(Clone, Copy)]
pub(crate) struct Page<'w> {
    pub(crate) ledger: &'w Ledger,
    pub(crate) id: &'w MessageId,
    pub(crate) trace: Option<TraceId<'w>>,
    pub(crate) when_unreachable: WhenUnreachable,
    pub(crate) telemetry: &'w dyn Telemetry,
}

/// Where something was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    Table,
    ThisProcess,
}

impl Ledger {
    /// With a table, or in the memory of this process alone.
    pub fn new(table: Option<Arc<dyn State>>) -> Self {
        Self { table, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page<'_> {
    pub(crate) async fn look(&self, now: Timestamp) -> Result<Option<MessageState>, Unreachable> {
        // What this process has sent was sent, whether the table has heard of it or not.
        if let Some(own) = self.ledger.memory().look(self.id, now).filter(|own| own.status == Status::Sent) {
            return Ok(Some(own));
        }
        let asked = self.table().map(|table| table.look(self.id, now));
        let (known, _) = self.answer("look", asked, |memory| memory.look(self.id, now)).await?;
        Ok(known)
    }

    pub(crate) async fn claim(&self, claim: &Claim) -> Result<(Claimed, Home), Unreachable> {
        let own = self.ledger.memory().look(self.id, claim.now);
        if own.is_some_and(|own| own.status == Status::Sent) {
            return Ok((Claimed::Refused(Refusal::AlreadySent), Home::ThisProcess));
        }
        let asked = self.table().map(|table| table.claim(claim));
        self.answer("claim", asked, |memory| memory.claim(claim)).await
    }

    /// Writes down how far the holder of a claim came; whether it still held it, as far as this can be known.
    pub(crate) async fn update(&self, update: &ClaimUpdate, home: Home) -> Result<bool, Unreachable> {
        let is_sent = update.status == Status::Sent;
        match (home, self.table()) {
            (Home::Table, Some(table)) => match table.update(update).await {
                Ok(is_held) => Ok(is_held),
                Err(error) => {
                    if is_sent {
                        self.ledger.memory().update(update);
                    }
                    self.failed("update", error).map(|()| true)
                }
            },
            (Home::ThisProcess, Some(table)) if update.status != Status::InFlight => {
                let is_held = self.ledger.memory().update(update);
                // The table may have taken the claim, and only the answer was lost; or it can be reached again.
                let progress = update.progress.filter(|_| is_sent);
                let told = table.update(&ClaimUpdate { progress, ..update.clone() }).await;
                told.map_or_else(|error| self.failed("update", error), |_| Ok(()))?;
                Ok(is_held)
            }
            (Home::Table | Home::ThisProcess, _) => Ok(self.ledger.memory().update(update)),
        }
    }

    pub(crate) async fn newest(&self, code: &UserCode, now: Timestamp) -> Result<Standing, Unreachable> {
        let asked = self.table().map(|table| table.newest(code, now));
        let (standing, _) = self.answer("newest", asked, |memory| memory.newest(code, now)).await?;
        Ok(standing)
    }

    pub(crate) async fn count(&self, window: &Window, now: Timestamp) -> Result<Counted, Unreachable> {
        let asked = self.table().map(|table| table.count(window, now));
        let (counted, _) = self.answer("count", asked, |memory| memory.count(window, now)).await?;
        Ok(counted)
    }

    /// The table's answer, or where there is none what this process knows.
    async fn answer<T>(
        &self,
        call: &'static str,
        asked: Option<impl Future<Output = Result<T, StateError>>>,
        own: impl FnOnce(&mut Memory) -> T,
    ) -> Result<(T, Home), Unreachable> {
        if let Some(asked) = asked {
            match asked.await {
                Ok(answer) => return Ok((answer, Home::Table)),
                Err(error) => self.failed(call, error)?,
            }
        }
        Ok((own(&mut self.ledger.memory()), Home::ThisProcess))
    }

    /// Says that a call failed. An error where messages are to wait for the table.
    fn failed(&self, call: &'static str, error: StateError) -> Result<(), Unreachable> {
        let (id, trace) = (Some(self.id), self.trace);
        self.telemetry.record(&Fact::StateCallFailed { id, trace, call, error: &error.to_string() });
        match self.when_unreachable {
            WhenUnreachable::Allow => Ok(()),
            WhenUnreachable::Hold => Err(Unreachable { call, error }),
        }
    }

    fn table(&self) -> Option<&Arc<dyn State>> {
        self.ledger.table.as_ref()
    }
}
