//! The state in the memory of one process: another one knows nothing of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shared::{MessageId, Timestamp};

use super::{
    Claim, ClaimUpdate, Claimed, Counted, KEPT_FOR, MessageState, Standing, State, StateError, Status, Switch,
    Switchboard, SwitchedOff, Switches, UserCode, Window, decide,
};

/// What is remembered of each kind at most, some tens of megabytes: what is forgotten first is what expires first.
const MOST: usize = 100_000;

#[derive(Default)]
pub struct MemoryState {
    kept: Mutex<Kept>,
    switches: Mutex<Switches>,
}

#[derive(Default)]
struct Kept {
    messages: Expiring<MessageId, MessageState>,
    newest: Expiring<String, Timestamp>,
    counts: Expiring<String, u32>,
}

/// Values that are forgotten after a moment of their own.
struct Expiring<K, V>(BTreeMap<K, (V, Timestamp)>);

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
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kept_until(now: Timestamp) -> Timestamp {
    now.checked_add(KEPT_FOR).unwrap_or(Timestamp::MAX)
}

#[async_trait]
impl State for MemoryState {
    async fn look(&self, id: &MessageId, now: Timestamp) -> Result<Option<MessageState>, StateError> {
        Ok(self.kept().messages.get(id, now).cloned())
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StateError> {
        let messages = &mut self.kept().messages;
        Ok(match decide(messages.get(&claim.id, claim.now), claim) {
            Ok(state) => {
                messages.put(claim.id.clone(), state.clone(), kept_until(claim.now));
                Claimed::Granted(state)
            }
            Err(refusal) => Claimed::Refused(refusal),
        })
    }

    async fn update(&self, update: &ClaimUpdate) -> Result<bool, StateError> {
        let messages = &mut self.kept().messages;
        let known = messages.get(&update.id, update.now);
        let is_held = known.is_some_and(|known| update.is_of_holder(known));
        if is_held || update.status == Status::Sent {
            let state = update.applied_to(known);
            messages.put(update.id.clone(), state, kept_until(update.now));
        }
        Ok(is_held)
    }

    async fn newest(&self, code: &UserCode, now: Timestamp) -> Result<Standing, StateError> {
        let newest = &mut self.kept().newest;
        if newest.get(&code.key, now).is_some_and(|known| *known > code.accepted_at) {
            return Ok(Standing::Superseded);
        }
        newest.put(code.key.clone(), code.accepted_at, kept_until(now).max(code.expires_at));
        Ok(Standing::Newest)
    }

    async fn count(&self, window: &Window, now: Timestamp) -> Result<Counted, StateError> {
        let counts = &mut self.kept().counts;
        let count = counts.get(&window.key, now).copied().unwrap_or_default();
        if count >= window.limit {
            return Ok(Counted::Full);
        }
        counts.put(window.key.clone(), count + 1, window.ends_at);
        Ok(Counted::Within)
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
