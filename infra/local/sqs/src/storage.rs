//! The messages of one queue and the indexes over them. Whatever the backlog, each step costs its logarithm.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::{Message, Timestamp};

/// A message with what happened to it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) message: Arc<Message>,
    pub(crate) receive_count: u32,
    pub(crate) first_received_at: Option<Timestamp>,
    /// The queue that it was moved from, when this is a dead letter.
    pub(crate) dead_letter_source: Option<Arc<str>>,
    pub(crate) place: Place,
}

/// Where a message is: in exactly one of three places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Receivable since a moment, which is its turn.
    Ready { since: Timestamp },
    /// Sent with a delay, receivable from a moment on.
    Delayed { until: Timestamp },
    /// Received, and receivable again from a moment on unless it is deleted.
    InFlight { until: Timestamp, received_at: Timestamp },
}

/// Sorted by moment; the key, which counts up through the whole account, breaks ties by age.
type Index = BTreeSet<(Timestamp, u64)>;

/// All messages of a queue. `place` and `remove` keep the indexes in step with the messages.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    messages: BTreeMap<u64, Stored>,
    ready: Index,
    delayed: Index,
    in_flight: Index,
    by_age: Index,
    bytes: usize,
}

impl Storage {
    pub(crate) fn get(&self, key: u64) -> Option<&Stored> {
        self.messages.get(&key)
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    pub(crate) fn delayed(&self) -> usize {
        self.delayed.len()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The messages from the oldest key to the newest.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stored> {
        self.messages.values()
    }

    /// The key of the message whose turn it is, if any is receivable.
    pub(crate) fn next_ready(&self) -> Option<u64> {
        self.ready.first().map(|&(_, key)| key)
    }

    /// The earliest moment after `now` at which a delayed or invisible message becomes receivable.
    pub(crate) fn next_event(&self, now: Timestamp) -> Option<Timestamp> {
        let after =
            |index: &Index| index.range((now, u64::MAX)..).map(|&(moment, _)| moment).find(|&moment| moment > now);
        [after(&self.delayed), after(&self.in_flight)].into_iter().flatten().min()
    }

    pub(crate) fn insert(&mut self, key: u64, stored: Stored) {
        self.bytes += stored.message.stored_bytes();
        self.by_age.insert((stored.message.sent_at, key));
        let (moment, place) = (stored.place.moment(), stored.place);
        self.index(place).insert((moment, key));
        self.messages.insert(key, stored);
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<Stored> {
        let stored = self.messages.remove(&key)?;
        self.bytes -= stored.message.stored_bytes();
        self.by_age.remove(&(stored.message.sent_at, key));
        self.index(stored.place).remove(&(stored.place.moment(), key));
        Some(stored)
    }

    /// Puts a message into another place.
    pub(crate) fn place(&mut self, key: u64, place: Place) {
        let Some(stored) = self.messages.get_mut(&key) else { return };
        let before = std::mem::replace(&mut stored.place, place);
        self.index(before).remove(&(before.moment(), key));
        self.index(place).insert((place.moment(), key));
    }

    /// Counts a receive, and takes the message out of the others' sight until `until`.
    pub(crate) fn receive(&mut self, key: u64, until: Timestamp, now: Timestamp) -> Option<&Stored> {
        self.place(key, Place::InFlight { until, received_at: now });
        let stored = self.messages.get_mut(&key)?;
        stored.receive_count = stored.receive_count.saturating_add(1);
        stored.first_received_at.get_or_insert(now);
        Some(stored)
    }

    /// Lets time pass: drops messages whose retention is over, and makes receivable what is due. Each message costs
    /// something only when its moment has come.
    pub(crate) fn advance(&mut self, now: Timestamp, retention: Duration) {
        while let Some(&(sent_at, key)) = self.by_age.first()
            && sent_at + retention <= now
        {
            self.remove(key);
        }
        while let Some(&(since, key)) = self.delayed.first()
            && since <= now
        {
            self.place(key, Place::Ready { since });
        }
        while let Some(&(since, key)) = self.in_flight.first()
            && since <= now
        {
            self.place(key, Place::Ready { since });
        }
    }

    fn index(&mut self, place: Place) -> &mut Index {
        match place {
            Place::Ready { .. } => &mut self.ready,
            Place::Delayed { .. } => &mut self.delayed,
            Place::InFlight { .. } => &mut self.in_flight,
        }
    }
}

impl Place {
    fn moment(self) -> Timestamp {
        match self {
            Self::Ready { since } => since,
            Self::Delayed { until } | Self::InFlight { until, .. } => until,
        }
    }
}

#[cfg(test)]
impl Storage {
    /// Panics unless every message is in exactly the index of its place, and nothing else is in any.
    pub(crate) fn assert_sound(&self) {
        let moments = |index: &Index| index.iter().map(|&(moment, key)| (key, moment)).collect::<Vec<_>>();
        let mut indexed: Vec<_> = [&self.ready, &self.delayed, &self.in_flight].into_iter().flat_map(moments).collect();
        indexed.sort_unstable();
        let placed: Vec<_> = self.messages.iter().map(|(&key, stored)| (key, stored.place.moment())).collect();
        assert_eq!(indexed, placed);
        for (&key, stored) in &self.messages {
            let index = match stored.place {
                Place::Ready { .. } => &self.ready,
                Place::Delayed { .. } => &self.delayed,
                Place::InFlight { .. } => &self.in_flight,
            };
            assert!(index.contains(&(stored.place.moment(), key)));
            assert!(self.by_age.contains(&(stored.message.sent_at, key)));
        }
        assert_eq!(self.by_age.len(), self.messages.len());
        assert_eq!(self.bytes, self.messages.values().map(|stored| stored.message.stored_bytes()).sum::<usize>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewMessage;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1000)
    }

    fn stored(sent: u64, place: Place) -> Stored {
        let message = Arc::new(NewMessage::new("x").into_message(String::new(), "", at(sent)));
        Stored { message, receive_count: 0, first_received_at: None, dead_letter_source: None, place }
    }

    #[test]
    fn a_message_whose_time_has_come_is_ready_and_takes_its_turn_from_then() {
        let mut storage = Storage::default();
        storage.insert(1, stored(0, Place::Delayed { until: at(9) }));
        storage.insert(2, stored(0, Place::InFlight { until: at(5), received_at: at(0) }));
        storage.insert(3, stored(6, Place::Ready { since: at(6) }));
        assert_eq!(storage.next_event(at(0)), Some(at(5)));
        storage.advance(at(9), Duration::from_secs(60));
        storage.assert_sound();
        assert_eq!((storage.ready(), storage.delayed(), storage.in_flight()), (3, 0, 0));
        let mut order = Vec::new();
        while let Some(key) = storage.next_ready() {
            storage.remove(key);
            order.push(key);
        }
        assert_eq!(order, [2, 3, 1]);
    }

    #[test]
    fn the_next_event_is_always_in_the_future() {
        let mut storage = Storage::default();
        storage.insert(1, stored(0, Place::Delayed { until: at(5) }));
        storage.insert(2, stored(0, Place::Delayed { until: at(7) }));
        assert_eq!(storage.next_event(at(5)), Some(at(7)));
        assert_eq!(storage.next_event(at(7)), None);
    }

    #[test]
    fn retention_ends_a_message_wherever_it_is() {
        let mut storage = Storage::default();
        storage.insert(1, stored(0, Place::InFlight { until: at(99), received_at: at(0) }));
        storage.insert(2, stored(1, Place::Ready { since: at(1) }));
        storage.advance(at(60), Duration::from_secs(60));
        assert_eq!(storage.len(), 1);
        storage.assert_sound();
        storage.advance(at(61), Duration::from_secs(60));
        assert_eq!((storage.len(), storage.bytes()), (0, 0));
    }
}
