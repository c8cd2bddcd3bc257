//! The state table that several workers share, played by a double.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use shared::{Clock, MessageId, Timestamp};
use tokio::time::sleep;
use worker::{
    Claim, ClaimUpdate, Claimed, Counted, MemoryState, MessageState, Standing, State, StateError, Switch, Switchboard,
    SwitchedOff, Switches, UserCode, Window,
};

use crate::scene::paused_clock;

/// How long each call takes.
pub(crate) const CALL: Duration = Duration::from_millis(5);

#[derive(Default)]
pub(crate) struct Table {
    state: MemoryState,
    /// What goes wrong, by call.
    troubles: Mutex<BTreeMap<&'static str, Trouble>>,
    calls: Mutex<Vec<&'static str>>,
    clock: OnceLock<Clock>,
    seeds: AtomicU64,
}

#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    Refused,
    /// It takes effect, and the answer is lost.
    AnswerLost,
}

/// All that the worker calls.
pub(crate) const CALLS: [&str; 6] = ["look", "claim", "update", "newest", "count", "switches"];

impl Table {
    /// The clock of all workers that share the table.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.get_or_init(paused_clock).clone()
    }

    /// Another one for each worker.
    pub(crate) fn next_seed(&self) -> u64 {
        self.seeds.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn breaks<const N: usize>(&self, calls: [&'static str; N], trouble: Trouble) {
        self.troubles.lock().expect("not poisoned").extend(calls.map(|call| (call, trouble)));
    }

    pub(crate) fn heals(&self) {
        self.troubles.lock().expect("not poisoned").clear();
    }

    /// The calls since this was last asked, in the order of their names.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        let mut calls = std::mem::take(&mut *self.calls.lock().expect("not poisoned"));
        calls.sort_unstable();
        calls
    }

    async fn call<T>(
        &self,
        call: &'static str,
        answer: impl Future<Output = Result<T, StateError>>,
    ) -> Result<T, StateError> {
        self.calls.lock().expect("not poisoned").push(call);
        sleep(CALL).await;
        let trouble = self.troubles.lock().expect("not poisoned").get(call).copied();
        match trouble {
            None => answer.await,
            Some(Trouble::Refused) => Err(StateError::of_code("ThrottlingException")),
            Some(Trouble::AnswerLost) => answer.await.and(Err(StateError::of_code("timeout"))),
        }
    }
}

#[async_trait]
impl State for Table {
    async fn look(&self, id: &MessageId, now: Timestamp) -> Result<Option<MessageState>, StateError> {
        self.call("look", self.state.look(id, now)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StateError> {
        self.call("claim", self.state.claim(claim)).await
    }

    async fn update(&self, update: &ClaimUpdate) -> Result<bool, StateError> {
        self.call("update", self.state.update(update)).await
    }

    async fn newest(&self, code: &UserCode, now: Timestamp) -> Result<Standing, StateError> {
        self.call("newest", self.state.newest(code, now)).await
    }

    async fn count(&self, window: &Window, now: Timestamp) -> Result<Counted, StateError> {
        self.call("count", self.state.count(window, now)).await
    }
}

#[async_trait]
impl Switchboard for Table {
    async fn switches(&self) -> Result<Switches, StateError> {
        self.call("switches", self.state.switches()).await
    }

    async fn set(&self, switch: &Switch, off: Option<&SwitchedOff>) -> Result<(), StateError> {
        self.state.set(switch, off).await
    }
}
