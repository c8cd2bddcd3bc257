//! The state in the memory of one process: another one knows nothing of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shared::{MessageId, Timestamp};

use super::{
    Claim, ClaimUpdate, Claimed, Counted, MessageState, Standing, State, StateError, Status, Switch, Switchboard,
    SwitchedOff, Switches, UserCode, Window, decide, kept_until,
};

/// What is remembered of each kind at most, some tens of megabytes: what is forgotten first is what expires first.
const MOST: usize = 100_000;

/// What one process knows of messages.
#[derive(Default)]
pub(crate) struct Memory {
    messages: Expiring<MessageId, MessageState>,
    newest: Expiring<String, Timestamp>,
    counts: Expiring<String, u32>,
}

/// Values that are forgotten after a moment of their own.
struct Expiring<K, V>(BTreeMap<K, (V, Timestamp)>);

/// [`State`] and [`Switchboard`] of one process.
#[derive(Default)]
pub struct MemoryState {
    memory: Mutex<Memory>,
    switches: Mutex<Switches>,
}

impl Memory {
    pub(crate) fn look(&self, id: &MessageId, now: Timestamp) -> Option<MessageState> {
        self.messages.get(id, now).cloned()
    }

    pub(crate) fn claim(&mut self, claim: &Claim) -> Claimed {
        match decide(self.messages.get(&claim.id, claim.now), claim) {
            Ok(state) => {
                self.messages.put(claim.id.clone(), state.clone(), kept_until(claim.now));
                Claimed::Granted(state)
            }
            Err(refusal) => Claimed::Refused(refusal),
        }
    }

    pub(crate) fn update(&mut self, update: &ClaimUpdate) -> bool {
        let known = self.messages.get(&update.id, update.now);
        let is_held = known.is_some_and(|known| update.is_of_holder(known));
        if is_held || update.status == Status::Sent {
            let state = update.applied_to(known);
            self.messages.put(update.id.clone(), state, kept_until(update.now));
        }
        is_held
    }

    pub(crate) fn newest(&mut self, code: &UserCode, now: Timestamp) -> Standing {
        if self.newest.get(&code.key, now).is_some_and(|known| *known > code.accepted_at) {
            return Standing::Superseded;
        }
        self.newest.put(code.key.clone(), code.accepted_at, kept_until(now).max(code.expires_at));
        Standing::Newest
    }

    pub(crate) fn count(&mut self, window: &Window, now: Timestamp) -> Counted {
        let count = self.counts.get(&window.key, now).copied().unwrap_or_default();
        if count >= window.limit {
            return Counted::Full;
        }
        self.counts.put(window.key.clone(), count + 1, window.ends_at);
        Counted::Within
    }
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, V> Expiring<K, V> {
    fn get(&self, key: &K, now: Timestamp) -> Option<&V> {
        self.0.get(key).filter(|(_, expires_at)| now < *expires_at).map(|(value, _)| value)
    }

    fn put(&mut self, key: K, value: V, expires_at: Timestamp) {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.forget_the_first_half();
        }
        self.0.insert(key, (value, expires_at));
    }

    fn forget_the_first_half(&mut self) {
        let mut moments: Vec<Timestamp> = self.0.values().map(|(_, expires_at)| *expires_at).collect();
        let middle = moments.len() / 2;
        let (_, middle, _) = moments.select_nth_unstable(middle);
        let middle = *middle;
        self.0.retain(|_, (_, expires_at)| *expires_at > middle);
    }
}

impl MemoryState {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl State for MemoryState {
    async fn look(&self, id: &MessageId, now: Timestamp) -> Result<Option<MessageState>, StateError> {
        Ok(self.memory().look(id, now))
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StateError> {
        Ok(self.memory().claim(claim))
    }

    async fn update(&self, update: &ClaimUpdate) -> Result<bool, StateError> {
        Ok(self.memory().update(update))
    }

    async fn newest(&self, code: &UserCode, now: Timestamp) -> Result<Standing, StateError> {
        Ok(self.memory().newest(code, now))
    }

    async fn count(&self, window: &Window, now: Timestamp) -> Result<Counted, StateError> {
        Ok(self.memory().count(window, now))
    }
}

#[async_trait]
impl Switchboard for MemoryState {
    async fn switches(&self) -> Result<Switches, StateError> {
        Ok(self.switches.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn set(&self, switch: &Switch, off: Option<&SwitchedOff>) -> Result<(), StateError> {
        let switches = &mut self.switches.lock().unwrap_or_else(PoisonError::into_inner).0;
        match off {
            Some(off) => switches.insert(switch.clone(), off.clone()),
            None => switches.remove(switch),
        };
        Ok(())
    }
}
