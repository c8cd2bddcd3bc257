//! Calls to SQS that change something, with what may become of them.

use std::time::Duration;

use shared::DeadLetterReason;
use sqs::{MessageAttribute, NewMessage};
use tokio::time::sleep;
use worker::{DeadLetter, QueueError};

use crate::life::Life;
use crate::plan::{CallTrouble, QueueCall};
use crate::trace::{CallEnd, Event};
use crate::world::{DEAD, MAIN, REDRIVEN, Receipt, World};

/// The client gives up then, as the real one does.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What SQS made of a call that it carried out.
struct Done {
    took_effect: bool,
    is_well: bool,
}

impl World {
    pub(crate) async fn delete(&self, life: &Life, receipt_handle: &str) -> Result<(), QueueError> {
        let Receipt { number, message } = self.receipt(receipt_handle);
        let effect = || {
            let before = self.queued();
            let is_well = self.state().account.delete(MAIN, receipt_handle, self.sqs_now()).is_ok();
            Done { took_effect: self.queued() < before, is_well }
        };
        let event = |call| Event::Deleted { who: life.who, message, receipt: number, call };
        self.call(life, QueueCall::Delete, message, effect, event).await
    }

    pub(crate) async fn postpone(&self, life: &Life, receipt_handle: &str, after: Duration) -> Result<(), QueueError> {
        let Receipt { number, message } = self.receipt(receipt_handle);
        // The worker decided now, whenever SQS hears of it.
        let clock = life.clock();
        let seconds = i64::try_from(after.as_secs()).expect("bounded by the horizon");
        let effect = || {
            let is_well = self.state().account.change_visibility(MAIN, receipt_handle, seconds, self.sqs_now()).is_ok();
            self.changed.notify_waiters();
            Done { took_effect: is_well, is_well }
        };
        let event = |call| Event::Postponed { who: life.who, message, receipt: number, after, clock, call };
        self.call(life, QueueCall::Postpone, message, effect, event).await
    }

    pub(crate) async fn dead_letter(&self, life: &Life, letter: &DeadLetter<'_>) -> Result<(), QueueError> {
        let message = self.message_of_body(letter.body);
        let (reason, redriven, clock): (DeadLetterReason, _, _) = (letter.reason, letter.redriven, life.clock());
        let effect = || {
            let mut message = NewMessage::new(letter.body);
            message.attributes.insert("reason".to_owned(), MessageAttribute::string(reason.as_str()));
            if redriven > 0 {
                message.attributes.insert(REDRIVEN.to_owned(), MessageAttribute::string(redriven.to_string()));
            }
            let sent = self.state().account.send(DEAD, message, "worker", self.sqs_now());
            Done { took_effect: sent.is_ok(), is_well: sent.is_ok() }
        };
        let event = |call| Event::DeadLettered { who: life.who, message, reason, redriven, clock, call };
        self.call(life, QueueCall::DeadLetter, message, effect, event).await
    }

    async fn call(
        &self,
        life: &Life,
        call: QueueCall,
        message: u32,
        effect: impl FnOnce() -> Done,
        event: impl FnOnce(CallEnd) -> Event,
    ) -> Result<(), QueueError> {
        let kind = name(call);
        let nth = self.count(kind, message);
        let trouble = self.call_trouble(call, message, nth);
        let began = life.begin_call().await;
        let draws = self.draws.of(kind).nth(u64::from(message)).nth(u64::from(nth));
        let latency = Duration::from_millis(draws.between(1, 20));
        sleep(latency).await;
        let nothing = Done { took_effect: false, is_well: false };
        let (Done { took_effect, is_well }, then, is_heard) = match trouble {
            None => (effect(), latency, true),
            Some(CallTrouble::Slow) => {
                sleep(Duration::from_millis(600)).await;
                (effect(), Duration::from_millis(600), true)
            }
            Some(CallTrouble::Refused) => (nothing, Duration::ZERO, true),
            Some(CallTrouble::Hangs) => (nothing, PATIENCE, false),
            Some(CallTrouble::AnswerLost) => (effect(), PATIENCE, false),
            Some(CallTrouble::Forgotten) => (Done { took_effect: false, is_well: true }, latency, true),
        };
        let answered_well = is_well && is_heard;
        self.note(event(CallEnd { took_effect, answered_well, trouble }));
        life.took_effect(&began).await;
        sleep(then).await;
        if answered_well { Ok(()) } else { Err(QueueError { code: "ServiceUnavailable".to_owned() }) }
    }

    fn receipt(&self, receipt_handle: &str) -> Receipt {
        *self.state().receipts.get(receipt_handle).expect("the worker uses receipt handles that it was given")
    }
}

fn name(call: QueueCall) -> &'static str {
    match call {
        QueueCall::Receive => "receive",
        QueueCall::Delete => "delete",
        QueueCall::Postpone => "postpone",
        QueueCall::DeadLetter => "dead letter",
    }
}
