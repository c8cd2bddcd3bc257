//! What a message of the dead-letter queue is, in whichever of its three shapes it came.

use shared::{DeadLetterReason, QueueMessage, QueueMessageError, Settings, Timestamp, TriggerSource};
use worker::{Country, PlannedNumber};

use super::failed_invocation::{FailedInvocation, FailedInvocationError};
use super::received::Received;
use crate::printable::printable;

/// A message of the dead-letter queue.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) received: Received,
    pub(crate) reason: Reason,
    /// What the worker, or Lambda, says besides.
    pub(crate) detail: Option<String>,
    /// Tried last.
    pub(crate) provider: Option<String>,
    pub(crate) attempts: Option<u32>,
    pub(crate) failed_at: Option<Timestamp>,
    /// How often it was redriven already.
    pub(crate) redriven: u32,
    pub(crate) content: Result<QueueMessage, Unreadable>,
}

/// Why a message lies in the dead-letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    /// The worker put it there.
    Worker(DeadLetterReason),
    /// SQS moved it there after `maxReceiveCount` receives.
    ReceiveLimit,
    /// Lambda put it there: the producer failed at each of its attempts.
    ProducerFailed,
    /// A reason that this version does not know.
    Unknown,
}

/// Why a letter cannot be sent, whatever one does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error(transparent)]
    Message(#[from] QueueMessageError),
    #[error(transparent)]
    FailedInvocation(#[from] FailedInvocationError),
}

impl Letter {
    /// Reads a message; `settings` are the producer's, of which its failed invocations need the lifetimes.
    pub(crate) fn read(received: Received, settings: &Settings) -> Self {
        if let Some(failed) = FailedInvocation::find(&received.body) {
            let (detail, failed_at) = (Some(printable(failed.condition())), failed.ended_at());
            let content = failed.into_message(settings).map_err(Unreadable::from);
            return Self { detail, failed_at, ..Self::new(received, Reason::ProducerFailed, content) };
        }
        let reason = match received.text("reason") {
            None => Reason::ReceiveLimit,
            Some(reason) => DeadLetterReason::parse(reason).map_or(Reason::Unknown, Reason::Worker),
        };
        let content = QueueMessage::parse(&received.body).map_err(Unreadable::from);
        Self::new(received, reason, content)
    }

    fn new(received: Received, reason: Reason, content: Result<QueueMessage, Unreadable>) -> Self {
        let number = |name| received.text(name).and_then(|text| text.parse().ok());
        Self {
            reason,
            detail: received.text("detail").map(printable),
            provider: received.text("provider").map(printable),
            attempts: number("attempts"),
            failed_at: received.text("failed_at").and_then(|text| text.parse().ok()),
            redriven: number("redriven").unwrap_or_default(),
            content,
            received,
        }
    }

    /// The idempotency key; SQS's own id where there is none.
    pub(crate) fn id(&self) -> &str {
        self.content.as_ref().map_or(&self.received.sqs_id, |message| message.id.as_str())
    }

    /// When the producer accepted it; of what cannot be read, when SQS took it.
    pub(crate) fn accepted_at(&self) -> Option<Timestamp> {
        self.content.as_ref().map_or(self.received.sent_at, |message| Some(message.accepted_at))
    }

    /// Whether its code can still be used; nothing where nobody knows.
    pub(crate) fn is_alive(&self, now: Timestamp) -> Option<bool> {
        self.content.as_ref().ok().map(|message| message.expires_at > now)
    }

    /// The country of its number, as the worker sees it.
    pub(crate) fn country(&self) -> Option<Country> {
        let number = self.content.as_ref().ok()?.event.phone_number();
        PlannedNumber::find(number).ok().map(|number| number.country)
    }

    pub(crate) fn trigger_source(&self) -> Option<TriggerSource> {
        self.content.as_ref().ok().map(|message| message.event.trigger_source())
    }
}

impl Reason {
    /// Every reason, as it is spelled.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let of_worker = DeadLetterReason::ALL.into_iter().map(Self::Worker);
        of_worker.chain([Self::ReceiveLimit, Self::ProducerFailed, Self::Unknown])
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::all().find(|reason| reason.as_str() == text)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Worker(reason) => reason.as_str(),
            Self::ReceiveLimit => "receive_limit",
            Self::ProducerFailed => "producer_failed",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::dlq::received::Attribute;
    use crate::printable::LONGEST;

    fn received(body: String, attributes: BTreeMap<String, Attribute>) -> Received {
        Received {
            sqs_id: "sqs-id".to_owned(),
            receipt_handle: "handle".to_owned(),
            body,
            attributes,
            sent_at: None,
            receive_count: 1,
            sender: None,
            trace_header: None,
        }
    }

    #[test]
    fn every_reason_is_read_as_it_is_spelled() {
        for reason in Reason::all() {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
    }

    #[test]
    fn attributes_of_odd_content_neither_command_the_terminal_nor_flood_it() {
        let attributes = ["detail", "provider", "attempts", "failed_at", "redriven", "reason"];
        let odd = attributes.map(|name| (name.to_owned(), Attribute::text(format!("\u{1b}[2J{}", "x".repeat(10_000)))));
        let letter = Letter::read(received("junk".to_owned(), odd.into()), &Settings::default());
        let detail = letter.detail.expect("a text");
        assert!(detail.starts_with("[2Jx") && detail.len() == LONGEST, "{detail}");
        assert_eq!((letter.reason, letter.redriven, letter.attempts), (Reason::Unknown, 0, None));
        assert_eq!(letter.content.expect_err("junk").to_string(), "the body is not JSON (line 1, column 1)");
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_panic(body in "\\PC*") {
            let _ = Letter::read(received(body, BTreeMap::new()), &Settings::default());
        }

        #[test]
        fn no_record_of_a_failed_invocation_does_either(timestamp in "\\PC*", payload in "[0-9\\[\\]{}\",:a-z]*") {
            let body = format!(
                "{{\"timestamp\":{timestamp:?},\"requestContext\":{{}},\"requestPayload\":{payload}}}"
            );
            let _ = Letter::read(received(body, BTreeMap::new()), &Settings::default());
        }
    }
}
