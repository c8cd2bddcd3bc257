//! Receiving from the queue, with what SQS allows itself: out of order, only some of what is there, and twice.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use sqs::{Delivery, Receive};
use worker::VISIBILITY;

use crate::draws::Draws;
use crate::life::Life;
use crate::plan::{CallTrouble, Millis, QueueCall};
use crate::trace::Event;
use crate::world::{MAIN, REDRIVEN, Receipt, World, moment_of_sqs, text_attribute};

/// Much shorter than the work on a message may take.
const SHORT_VISIBILITY: Duration = Duration::from_secs(3);

/// Deliveries that are made once more.
#[derive(Default)]
pub(crate) struct Copies(Vec<(Millis, Delivery)>);

impl Copies {
    /// No message twice in one receive.
    fn take_due(&mut self, now: Millis, mut there: BTreeSet<String>) -> Vec<Delivery> {
        let is_due =
            |(due, delivery): &mut (Millis, Delivery)| *due <= now && there.insert(delivery.message.id.clone());
        self.0.extract_if(.., is_due).map(|(_, delivery)| delivery).collect()
    }

    pub(crate) fn next(&self) -> Option<Millis> {
        self.0.iter().map(|(due, _)| *due).min()
    }
}

/// What a receive gave to whom it belongs.
pub(crate) struct Handed {
    pub(crate) message: u32,
    pub(crate) sqs_id: String,
    pub(crate) receipt_handle: String,
    /// As an event source mapping writes it.
    pub(crate) record: Value,
}

impl World {
    /// Waits for messages and takes some of them out of sight. Empty only if there are none before `until`. In place of
    /// a poll every few seconds that finds nothing there is one that lasts: nothing happens in between.
    pub(crate) async fn receive(&self, life: &Life, most: u32, until: Millis) -> Result<Vec<Handed>, CallTrouble> {
        let process = life.who.process;
        let nth = self.count("receive", process);
        let trouble = self.call_trouble(QueueCall::Receive, process, nth);
        let draws = self.draws.of("receive").nth(u64::from(process)).nth(u64::from(nth));
        if matches!(trouble, Some(CallTrouble::Refused)) {
            self.sleep_until(self.now() + 20).await;
            return self.receive_failed(life, CallTrouble::Refused);
        }
        if matches!(trouble, Some(CallTrouble::Hangs)) {
            self.sleep_until(self.now() + 7_000).await;
            return self.receive_failed(life, CallTrouble::Hangs);
        }
        let is_short = self.visibility_is_short(process, nth);
        let visibility = if is_short { SHORT_VISIBILITY } else { VISIBILITY };
        let most = if draws.of("few").happens(20) { 2 } else { 10 }.min(most);
        loop {
            let deliveries = self.take(most, visibility, draws.of("order"));
            if !deliveries.is_empty() {
                if trouble == Some(CallTrouble::AnswerLost) {
                    for (delivery, _) in &deliveries {
                        let message = self.name_receipt(delivery).message;
                        self.note(Event::HandedToNobody { who: life.who, message, trouble: CallTrouble::AnswerLost });
                    }
                    self.sleep_until(self.now() + 2_000).await;
                    return self.receive_failed(life, CallTrouble::AnswerLost);
                }
                let late = if trouble == Some(CallTrouble::Slow) { 1_900 } else { 0 };
                self.sleep_until(self.now() + 5 + draws.of("latency").between(0, 20) + late).await;
                return Ok(deliveries
                    .into_iter()
                    .map(|(delivery, is_copy)| self.hand(life, &delivery, is_copy))
                    .collect());
            }
            let now = self.now();
            if now >= until {
                return Ok(Vec::new());
            }
            let foreseen = self.next_receivable().map_or(until, |at| at.min(until));
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = self.sleep_until(foreseen.max(now + 1)) => {}
            }
        }
    }

    fn receive_failed<T>(&self, life: &Life, trouble: CallTrouble) -> Result<T, CallTrouble> {
        self.note(Event::ReceiveFailed { who: life.who, trouble });
        Err(trouble)
    }

    fn next_receivable(&self) -> Option<Millis> {
        let (now, sqs_now) = (self.now(), self.sqs_now());
        let state = self.state();
        let visible =
            state.account.next_event(MAIN, sqs_now).map(|at| now + (at.unix_millis() - sqs_now.unix_millis()));
        visible.into_iter().chain(state.copies.next()).min()
    }

    /// What is receivable now, the copies last, turned by `turn`.
    fn take(&self, most: u32, visibility: Duration, turn: Draws) -> Vec<(Delivery, bool)> {
        let (now, sqs_now) = (self.now(), self.sqs_now());
        let visibility_timeout = Some(i64::try_from(visibility.as_secs()).expect("short"));
        let request = Receive { max_messages: i64::from(most), visibility_timeout };
        let received = self.state().account.receive(MAIN, request, sqs_now).expect("a sound receive");
        for moved in received.dead_lettered.into_iter().flat_map(|moved| moved.message_ids) {
            let message = self.number_of(&moved).expect("it was sent");
            self.note(Event::MovedBySqs { message });
        }
        let mut deliveries: Vec<_> = received.deliveries.into_iter().map(|delivery| (delivery, false)).collect();
        for (delivery, _) in &deliveries {
            let message = self.number_of(&delivery.message.id).expect("it was sent");
            if self.is_delivered_twice(message, delivery.receive_count) {
                let draws = self.draws.of("copy").nth(u64::from(message)).nth(u64::from(delivery.receive_count));
                self.state().copies.0.push((now + draws.between(1, 20_000), delivery.clone()));
            }
        }
        let there: BTreeSet<_> = deliveries.iter().map(|(delivery, _)| delivery.message.id.clone()).collect();
        let copies = self.state().copies.take_due(now, there);
        deliveries.extend(copies.into_iter().map(|delivery| (delivery, true)));
        deliveries.truncate(10);
        if !deliveries.is_empty() {
            let turn = turn.index(deliveries.len());
            deliveries.rotate_left(turn);
        }
        deliveries
    }

    fn name_receipt(&self, delivery: &Delivery) -> Receipt {
        let message = self.number_of(&delivery.message.id).expect("it was sent");
        let mut state = self.state();
        let number = u32::try_from(state.receipts.len()).expect("few");
        *state.receipts.entry(delivery.receipt_handle.clone()).or_insert(Receipt { number, message })
    }

    fn hand(&self, life: &Life, delivery: &Delivery, is_copy: bool) -> Handed {
        let Receipt { number, message } = self.name_receipt(delivery);
        let (who, receive_count, clock) = (life.who, delivery.receive_count, life.clock());
        let sent_at = moment_of_sqs(delivery.message.sent_at);
        let count = text_attribute(&delivery.message, REDRIVEN);
        let redriven = count.map_or(0, |count| count.parse().expect("a number"));
        self.note(Event::Handed { who, message, receipt: number, receive_count, redriven, is_copy, sent_at, clock });
        let sqs_id = delivery.message.id.clone();
        let redriven = count.map(|count| json!({ "stringValue": count, "dataType": "Number" }));
        let record = json!({
            "messageId": sqs_id,
            "receiptHandle": delivery.receipt_handle,
            "body": delivery.message.body,
            "attributes": {
                "ApproximateReceiveCount": receive_count.to_string(),
                "SentTimestamp": delivery.message.sent_at.unix_millis().to_string(),
                "SenderId": delivery.message.sender_id,
                "ApproximateFirstReceiveTimestamp": delivery.first_received_at.unix_millis().to_string(),
            },
            "messageAttributes": redriven.map_or_else(|| json!({}), |redriven| json!({ REDRIVEN: redriven })),
            "eventSource": "aws:sqs",
        });
        Handed { message, sqs_id, receipt_handle: delivery.receipt_handle.clone(), record }
    }
}
