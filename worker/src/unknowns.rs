//! How often a message may already have been sent, as far as this process knows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use shared::{MessageId, Timestamp};

/// What a process remembers at most. One message takes some hundred bytes.
const MOST_MESSAGES: usize = 10_000;

/// Counts outcomes that nobody knows, per message, until its code expires. It lives in the process: another one
/// does not know of them.
#[derive(Default)]
pub struct UnknownOutcomes {
    counts: Mutex<BTreeMap<MessageId, Count>>,
}

struct Count {
    outcomes: u32,
    expires_at: Timestamp,
}

impl UnknownOutcomes {
    /// Notes one more for a message whose code lives until `expires_at`; how many there are now.
    pub(crate) fn add(&self, id: &MessageId, expires_at: Timestamp, now: Timestamp) -> u32 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|_, count| count.expires_at > now);
        if counts.len() >= MOST_MESSAGES && !counts.contains_key(id) {
            let soonest = counts.iter().min_by_key(|(_, count)| count.expires_at).map(|(id, _)| id.clone());
            soonest.map(|id| counts.remove(&id));
        }
        let count = counts.entry(id.clone()).or_insert(Count { outcomes: 0, expires_at });
        count.outcomes += 1;
        count.outcomes
    }

    /// How many there are for a message.
    pub(crate) fn of(&self, id: &MessageId) -> u32 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(id).map_or(0, |count| count.outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("in range")
    }

    fn id(number: usize) -> MessageId {
        MessageId::from_bytes(&(number as u128).to_be_bytes())
    }

    #[test]
    fn outcomes_are_counted_per_message_until_its_code_expires() {
        let unknowns = UnknownOutcomes::default();
        assert_eq!(unknowns.add(&id(1), at(180), at(0)), 1);
        assert_eq!(unknowns.add(&id(2), at(180), at(1)), 1);
        assert_eq!([1, 3].map(|number| unknowns.of(&id(number))), [1, 0]);
        assert_eq!(unknowns.add(&id(1), at(180), at(2)), 2);
        assert_eq!(unknowns.add(&id(1), at(500), at(181)), 1);
    }

    #[test]
    fn a_flood_forgets_what_expires_soonest() {
        let unknowns = UnknownOutcomes::default();
        for number in 0..MOST_MESSAGES {
            unknowns.add(&id(number), at(1_000 + i64::try_from(number).expect("small")), at(0));
        }
        unknowns.add(&id(MOST_MESSAGES), at(9_000), at(0));
        assert_eq!(unknowns.add(&id(1), at(1_001), at(0)), 2);
        assert_eq!(unknowns.counts.lock().expect("not poisoned").len(), MOST_MESSAGES);
    }
}
