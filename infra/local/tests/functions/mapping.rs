//! The event source mapping between queue and worker, one round at a time, and what can be seen at either queue.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use local::lambda::{Function, Invocation, Outcome};
use local::mapping::lambda_event;
use serde_json::Value;

use crate::world::{FUNCTION_TIMEOUT, QUEUE, World};

/// Longer than any delay that a test waits for.
const LONGEST_POLL_SECONDS: i32 = 20;

/// One batch on its way through the worker.
pub(crate) struct Round {
    pub(crate) messages: Vec<Message>,
    pub(crate) outcome: Outcome,
    /// The ids of the messages that stay in the queue: those that the answer names, or all if there was no answer.
    pub(crate) stay: Vec<String>,
}

/// A message in the dead-letter queue.
#[derive(Debug)]
pub(crate) struct DeadLetter {
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) trace: Option<String>,
}

impl DeadLetter {
    /// An attribute; empty when it is not there.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub(crate) fn reason(&self) -> &str {
        self.attribute("reason")
    }
}

impl Round {
    /// Whether the worker answered and named all messages, or named none of them.
    pub(crate) fn names(&self) -> Named {
        match &self.outcome {
            Outcome::Answered(_) if self.stay.is_empty() => Named::None,
            Outcome::Answered(_) if self.stay.len() == self.messages.len() => Named::All,
            Outcome::Answered(_) => Named::Some,
            Outcome::Failed { .. } | Outcome::Exited { .. } | Outcome::TimedOut => Named::NoAnswer,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    None,
    Some,
    All,
    NoAnswer,
}

impl World {
    /// Waits for messages, gives them to the worker and deletes those that its answer does not name.
    pub(crate) async fn round(&self, worker: &Function) -> Round {
        self.round_within(worker, FUNCTION_TIMEOUT).await
    }

    pub(crate) async fn round_within(&self, worker: &Function, timeout: Duration) -> Round {
        let messages = self.receive(&self.queue_url).await;
        let event = lambda_event(&messages).to_string();
        let outcome = worker.invoke(event.as_bytes(), Invocation::within(timeout)).await;
        let ids = messages.iter().map(|message| message.message_id().expect("SQS gives ids").to_owned());
        let stay = match &outcome {
            Outcome::Answered(answer) => named(answer),
            Outcome::Failed { .. } | Outcome::Exited { .. } | Outcome::TimedOut => ids.clone().collect(),
        };
        let ids: Vec<_> = ids.collect();
        // One name that is not of the batch, and Lambda would keep all of it.
        assert!(stay.iter().all(|id| ids.contains(id)), "{stay:?} {ids:?}");
        for message in
            messages.iter().filter(|message| !message.message_id().is_some_and(|id| stay.contains(&id.to_owned())))
        {
            let request = self.sqs.delete_message().queue_url(&self.queue_url);
            request.set_receipt_handle(message.receipt_handle.clone()).send().await.expect("SQS is well");
        }
        Round { messages, outcome, stay }
    }

    /// Receives what there is; waits for it if there is nothing.
    pub(crate) async fn receive(&self, queue_url: &str) -> Vec<Message> {
        let request = self
            .sqs
            .receive_message()
            .queue_url(queue_url)
            .max_number_of_messages(10)
            .wait_time_seconds(LONGEST_POLL_SECONDS)
            .visibility_timeout(30)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let messages = request.send().await.expect("SQS is well").messages.unwrap_or_default();
        assert!(!messages.is_empty(), "nothing came to {queue_url}");
        messages
    }

    /// Makes the messages of a round receivable at once, as if their delays were over.
    pub(crate) async fn pass_time(&self, round: &Round) {
        for message in &round.messages {
            let request = self.sqs.change_message_visibility().queue_url(&self.queue_url).visibility_timeout(0);
            request.set_receipt_handle(message.receipt_handle.clone()).send().await.expect("SQS is well");
        }
    }

    /// The one message in the dead-letter queue.
    pub(crate) async fn dead_letter(&self) -> DeadLetter {
        let mut letters = self.dead_letters().await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        letters.remove(0)
    }

    pub(crate) async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.receive(&self.dead_letter_queue_url).await.into_iter().map(DeadLetter::from).collect()
    }

    /// How many messages the queue holds, receivable or not.
    pub(crate) fn queued(&self) -> usize {
        self.aws.sqs().with_account(|account, _| account.messages(QUEUE).expect("it exists").count())
    }

    pub(crate) fn dead_lettered(&self) -> usize {
        let name = self.dead_letter_queue_url.rsplit('/').next().expect("split gives one part at least").to_owned();
        self.aws.sqs().with_account(|account, _| account.messages(&name).expect("it exists").count())
    }

    /// How long until the next invisible message of the queue comes back; none if there is no such message.
    pub(crate) fn invisible_for(&self) -> Option<Duration> {
        self.aws.sqs().with_account(|account, now| {
            let event = account.next_event(QUEUE, now)?;
            Some(Duration::from_millis(event.unix_millis().saturating_sub(now.unix_millis())))
        })
    }
}

/// The ids in an answer of the worker.
fn named(answer: &[u8]) -> Vec<String> {
    let answer: Value = serde_json::from_slice(answer).expect("the worker answers in JSON");
    let failures = answer["batchItemFailures"].as_array().expect("a partial batch response").iter();
    failures.map(|failure| failure["itemIdentifier"].as_str().expect("an id").to_owned()).collect()
}

impl From<Message> for DeadLetter {
    fn from(message: Message) -> Self {
        let trace = message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::AwsTraceHeader)).cloned();
        let attributes = message.message_attributes.into_iter().flatten();
        let attributes =
            attributes.map(|(name, value)| (name, value.string_value.expect("all of ours are strings"))).collect();
        Self { body: message.body.unwrap_or_default(), attributes, trace }
    }
}
