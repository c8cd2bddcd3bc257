//! Random histories against the promises of the model.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::{Account, Delivery, Limits, NewMessage, Receive, Timestamp};

/// One step of a history, on the source queue or on the dead-letter queue.
#[derive(Clone, Debug)]
enum Step {
    Wait {
        millis: u64,
    },
    Send {
        queue: usize,
        delay: i64,
    },
    Receive {
        queue: usize,
        max_messages: i64,
        visibility_timeout: Option<i64>,
    },
    /// The deliveries are remembered; `pick` chooses one of them, old handles included.
    Delete {
        pick: usize,
    },
    Change {
        pick: usize,
        seconds: i64,
    },
    Purge {
        queue: usize,
    },
}

const QUEUES: [&str; 2] = ["source", "dlq"];

/// Retention in seconds: one that ends within most histories, one that outlasts all of them.
const SHORT: &str = "300";
const LONG: &str = "1209600";

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40_000_u64).prop_map(|millis| Step::Wait { millis }),
        4 => (0..2_usize, prop_oneof![3 => Just(0), 1 => -1..20_i64])
            .prop_map(|(queue, delay)| Step::Send { queue, delay }),
        6 => (0..2_usize, 0..12_i64, proptest::option::of(-1..60_i64)).prop_map(
            |(queue, max_messages, visibility_timeout)| Step::Receive { queue, max_messages, visibility_timeout }
        ),
        3 => any::<usize>().prop_map(|pick| Step::Delete { pick }),
        3 => (any::<usize>(), -1..100_i64).prop_map(|(pick, seconds)| Step::Change { pick, seconds }),
        1 => (0..20_usize).prop_map(|queue| Step::Purge { queue }),
    ]
}

/// A model driven by steps, with what it was seen to do.
struct History {
    account: Account,
    now: Timestamp,
    deliveries: Vec<(&'static str, Delivery)>,
    trace: Vec<String>,
}

impl History {
    fn new(seed: u64, retention: &str) -> Self {
        let limits = Limits { messages_per_queue: 12, in_flight_per_queue: 5, ..Limits::default() };
        let mut account = Account::new("r", "1", seed, limits);
        let now = Timestamp::from_unix_millis(1_000_000);
        account.create_queue("dlq", &BTreeMap::new(), now).unwrap();
        let attributes = [
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"arn:aws:sqs:r:1:dlq","maxReceiveCount":3}"#),
            ("MessageRetentionPeriod", retention),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        account.create_queue("source", &attributes, now).unwrap();
        Self { account, now, deliveries: Vec::new(), trace: Vec::new() }
    }

    fn take(&mut self, step: &Step) {
        let now = self.now;
        let seen = match *step {
            Step::Wait { millis } => {
                self.now = now + std::time::Duration::from_millis(millis);
                String::new()
            }
            Step::Send { queue, delay } => {
                let message = NewMessage { delay_seconds: Some(delay), ..NewMessage::new("x") };
                format!("{:?}", self.account.send(QUEUES[queue], message, "me", now))
            }
            Step::Receive { queue, max_messages, visibility_timeout } => {
                let received = self.account.receive(QUEUES[queue], Receive { max_messages, visibility_timeout }, now);
                if let Ok(received) = &received {
                    self.deliveries
                        .extend(received.deliveries.iter().map(|delivery| (QUEUES[queue], delivery.clone())));
                }
                format!("{received:?}")
            }
            Step::Delete { pick } => match self.picked(pick) {
                Some((queue, delivery)) => format!("{:?}", self.account.delete(queue, &delivery.receipt_handle, now)),
                None => String::new(),
            },
            Step::Change { pick, seconds } => match self.picked(pick) {
                Some((queue, delivery)) => {
                    format!("{:?}", self.account.change_visibility(queue, &delivery.receipt_handle, seconds, now))
                }
                None => String::new(),
            },
            // Most draws of the queue purge nothing, so that histories can grow.
            Step::Purge { queue } => match QUEUES.get(queue) {
                Some(queue) => format!("{:?}", self.account.purge(queue, now)),
                None => String::new(),
            },
        };
        self.trace.push(seen);
    }

    fn picked(&self, pick: usize) -> Option<(&'static str, Delivery)> {
        let count = self.deliveries.len();
        (count > 0).then(|| self.deliveries[pick % count].clone())
    }

    /// Where each stored message is, and how often it was received.
    fn stored(&self) -> Vec<(String, String, u32)> {
        let row = |(queue, stored): (&str, &crate::storage::Stored)| {
            (stored.message.id.clone(), queue.to_owned(), stored.receive_count)
        };
        self.account.stored().map(row).collect()
    }
}

proptest! {
    #[test]
    fn messages_are_neither_lost_nor_doubled_and_only_move_towards_the_dead_letter_queue(
        steps in proptest::collection::vec(step(), 1..120)
    ) {
        let mut history = History::new(5, SHORT);
        for step in &steps {
            let before = history.stored();
            history.take(step);
            history.account.assert_sound();
            let after = history.stored();
            let ids: BTreeSet<_> = after.iter().map(|(id, ..)| id).collect();
            prop_assert_eq!(ids.len(), after.len(), "a message is stored twice");
            let now_at: BTreeMap<_, _> = after.iter().map(|(id, queue, count)| (id, (queue, count))).collect();
            for (id, queue, count) in &before {
                match now_at.get(id) {
                    Some((new_queue, new_count)) => {
                        prop_assert!(*new_count >= count, "the receive count shrank");
                        prop_assert!(*new_queue == queue || (queue == "source" && *new_queue == "dlq"));
                    }
                    None => match step {
                        Step::Delete { .. } | Step::Purge { .. } => {}
                        Step::Wait { .. } | Step::Send { .. } | Step::Receive { .. } | Step::Change { .. } => {
                            let old = history.now >= Timestamp::from_unix_millis(1_000_000 + 300_000);
                            prop_assert!(old, "a message vanished before its retention was over");
                        }
                    },
                }
            }
            let added = after.len() as i64 - before.len() as i64;
            prop_assert!(added <= i64::from(matches!(step, Step::Send { .. })), "a message came from nowhere");
        }
    }

    #[test]
    fn one_delete_takes_at_most_the_message_it_names(steps in proptest::collection::vec(step(), 1..80), pick: usize) {
        let mut history = History::new(5, SHORT);
        steps.iter().for_each(|step| history.take(step));
        // Lets what is due expire first, so that the delete is all that happens.
        for queue in QUEUES {
            history.account.counts(queue, history.now).unwrap();
        }
        let before = history.stored();
        if let Some((_, delivery)) = history.picked(pick) {
            history.take(&Step::Delete { pick });
            let gone: Vec<_> = before.into_iter().filter(|row| !history.stored().contains(row)).collect();
            prop_assert!(gone.len() <= 1);
            prop_assert!(gone.iter().all(|(id, ..)| *id == delivery.message.id));
        }
    }

    #[test]
    fn the_next_event_is_exactly_when_something_becomes_receivable(steps in proptest::collection::vec(step(), 1..80)) {
        let mut history = History::new(5, LONG);
        steps.iter().for_each(|step| history.take(step));
        for queue in QUEUES {
            let counts = history.account.counts(queue, history.now).unwrap();
            let Some(event) = history.account.next_event(queue, history.now) else {
                prop_assert_eq!(counts.in_flight + counts.delayed, 0);
                continue;
            };
            prop_assert!(event > history.now);
            let just_before = Timestamp::from_unix_millis(event.unix_millis() - 1);
            let early = history.account.counts(queue, just_before).unwrap();
            prop_assert_eq!(early, counts);
            let due = history.account.counts(queue, event).unwrap();
            prop_assert!(due.ready > counts.ready);
            history.now = event;
        }
    }

    #[test]
    fn the_same_seed_and_steps_give_the_same_trace(steps in proptest::collection::vec(step(), 1..80), seed: u64) {
        let [mut first, mut second] = [History::new(seed, SHORT), History::new(seed, SHORT)];
        for step in &steps {
            first.take(step);
            second.take(step);
        }
        prop_assert_eq!(first.trace, second.trace);
    }
}
