//! What comes into the queue, and what operators do.

use std::sync::Arc;

use sqs::{AttributeValue, Delivery, MessageAttribute, NewMessage, Receive};
use worker::{MemoryState, Switchboard as _, SwitchedOff};

use crate::bodies::moment;
use crate::plan::{Millis, Redrive, Repeat, Shutdown};
use crate::trace::Event;
use crate::world::{DEAD, MAIN, REDRIVEN, World, text_attribute};

/// Something that comes to pass at a moment.
#[derive(Clone, Copy)]
enum Arrival {
    Message(u32),
    Repeat(u32),
    Redrive,
}

impl World {
    /// Puts all messages into the queue, each at its time, and does what is done with them besides.
    pub(crate) async fn produce(&self) {
        let messages = self.letters.values().map(|letter| &letter.planned);
        let messages = messages.map(|planned| (planned.arrives, Arrival::Message(planned.number)));
        let repeats = self.plan.repeats.iter().filter_map(|Repeat { message, after }| {
            // It may have been taken out of the plan.
            let letter = self.letters.get(message)?;
            Some((letter.planned.arrives + after, Arrival::Repeat(*message)))
        });
        let redrives = self.plan.redrives.iter().map(|Redrive { at }| (*at, Arrival::Redrive));
        let mut arrivals: Vec<(Millis, Arrival)> = messages.chain(repeats).chain(redrives).collect();
        arrivals.sort_by_key(|(at, _)| *at);
        for (at, arrival) in arrivals {
            self.sleep_until(at).await;
            match arrival {
                Arrival::Message(message) => {
                    let delay = self.letters[&message].planned.delay_seconds;
                    self.send(message, Some(i64::from(delay)), None);
                    self.note(Event::Arrived { message, sent_at: moment(self.now()) });
                }
                Arrival::Repeat(message) => {
                    self.send(message, None, None);
                    self.note(Event::Repeated { message });
                }
                Arrival::Redrive => self.redrive(),
            }
            self.changed.notify_waiters();
        }
    }

    fn send(&self, message: u32, delay_seconds: Option<i64>, redriven: Option<u32>) {
        let letter = &self.letters[&message];
        let mut sent = NewMessage { delay_seconds, ..NewMessage::new(letter.body.clone()) };
        if let Some(redriven) = redriven {
            let value = AttributeValue::Text(redriven.to_string());
            let attribute = MessageAttribute { data_type: "Number".to_owned(), value };
            sent.attributes.insert(REDRIVEN.to_owned(), attribute);
        }
        let now = self.sqs_now();
        let mut state = self.state();
        let sent = state.account.send(MAIN, sent, letter.sender, now).expect("a sound message");
        state.numbers.insert(sent.id.clone(), message);
    }

    /// The operators' tool moves all dead letters, each counted once more.
    fn redrive(&self) {
        loop {
            let now = self.sqs_now();
            let request = Receive { max_messages: 10, visibility_timeout: None };
            let letters = self.state().account.receive(DEAD, request, now).expect("a sound receive").deliveries;
            if letters.is_empty() {
                return;
            }
            for Delivery { message: letter, receipt_handle, .. } in letters {
                let count = text_attribute(&letter, REDRIVEN);
                let redriven = count.map_or(0, |count| count.parse().expect("a number")) + 1;
                let message = self.message_of_body(&letter.body);
                self.send(message, None, Some(redriven));
                self.state().account.delete(DEAD, &receipt_handle, now).expect("just received");
                let reason = text_attribute(&letter, "reason").unwrap_or_default().to_owned();
                self.note(Event::Redriven { message, reason, redriven });
            }
        }
    }

    /// Switches something off and on again.
    pub(crate) async fn shut_down(self: Arc<Self>, table: Arc<MemoryState>, Shutdown { of, from, until }: Shutdown) {
        self.sleep_until(from).await;
        let off = SwitchedOff { since: Some(moment(self.now())), by: None, because: None };
        table.set(&of, Some(&off)).await.expect("the memory never fails");
        self.note(Event::SwitchedOff { switch: of.to_string() });
        self.sleep_until(until.min(self.plan.heals_at)).await;
        table.set(&of, None).await.expect("the memory never fails");
        self.note(Event::SwitchedOn { switch: of.to_string() });
    }
}
