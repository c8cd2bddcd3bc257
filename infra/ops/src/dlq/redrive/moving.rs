//! Moves: send, verify, delete. Killed between any two of these, a message is at worst in both queues, and the worker
//! recognises the second one.

use shared::QueueMessageError;

use crate::dlq::letter::{Letter, Reason, Unreadable};
use crate::dlq::queue::{CallError, MOST_BYTES_IN_A_CALL, Outgoing, Queue, fit_into_a_call};
use crate::dlq::received::Attribute;

/// How often a deletion that SQS refuses is asked for.
const DELETION_ATTEMPTS: u32 = 3;

/// A letter on its way back into the main queue.
pub(crate) struct Move {
    /// The idempotency key.
    pub(crate) id: String,
    pub(crate) sqs_id: String,
    handle: String,
    outgoing: Outgoing,
}

/// What became of some moves.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// Ids, and SQS's, of what is in the main queue and no longer in the dead-letter queue.
    pub(crate) moved: Vec<(String, String)>,
    /// Ids of what is in both.
    pub(crate) undeleted: Vec<String>,
    /// Ids of what the main queue did not take, with SQS's code.
    pub(crate) refused: Vec<(String, String)>,
    /// A call that failed as a whole: nothing more should be tried.
    pub(crate) broken: Option<CallError>,
}

impl Move {
    /// The move of a letter that can be read.
    ///
    /// # Errors
    /// When it is larger than SQS takes: its attributes are not those that it had before.
    pub(crate) fn of(letter: Letter) -> Result<Self, Unreadable> {
        let (received, message) = (letter.received, letter.content?);
        let body = match letter.reason {
            Reason::ProducerFailed => message.to_json()?,
            Reason::Worker(_) | Reason::ReceiveLimit | Reason::Unknown => received.body,
        };
        let event = &message.event;
        let attributes = vec![
            ("trigger_source".to_owned(), Attribute::text(event.trigger_source().as_str())),
            ("user_pool_id".to_owned(), Attribute::text(event.user_pool().as_str())),
            ("redriven".to_owned(), Attribute::number(letter.redriven.saturating_add(1))),
        ];
        let outgoing = Outgoing { body, attributes, trace_header: received.trace_header };
        if outgoing.size() > MOST_BYTES_IN_A_CALL {
            return Err(QueueMessageError::TooLarge.into());
        }
        Ok(Self { id: message.id.to_string(), sqs_id: received.sqs_id, handle: received.receipt_handle, outgoing })
    }
}

/// Takes from the front as many moves as fit into one call; at least one, if there is any.
pub(crate) fn next_call(waiting: &mut Vec<Move>) -> Vec<Move> {
    let count = fit_into_a_call(waiting.iter().map(|one| &one.outgoing));
    waiting.drain(..count).collect()
}

/// Moves at most ten.
pub(crate) async fn move_all(from: Queue, to: Queue, moves: Vec<Move>) -> Moved {
    let mut result = Moved::default();
    let (ways, outgoing): (Vec<_>, Vec<_>) =
        moves.into_iter().map(|one| ((one.id, one.sqs_id, one.handle), one.outgoing)).unzip();
    let outcomes = match to.send(outgoing).await {
        Ok(outcomes) => outcomes,
        Err(error) => return Moved { broken: Some(error), ..result },
    };
    let mut sent = Vec::new();
    for ((id, sqs_id, handle), outcome) in ways.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => sent.push((id, sqs_id, handle)),
            Err(code) => result.refused.push((id, code)),
        }
    }
    for _ in 0..DELETION_ATTEMPTS {
        if sent.is_empty() {
            break;
        }
        let handles: Vec<_> = sent.iter().map(|(_, _, handle)| handle.clone()).collect();
        let outcomes = match from.delete(&handles).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                result.broken = Some(error);
                break;
            }
        };
        let mut outcomes = outcomes.into_iter();
        sent.retain(|(id, sqs_id, _)| {
            let is_deleted = outcomes.next().is_some_and(|outcome| outcome.is_ok());
            if is_deleted {
                result.moved.push((id.clone(), sqs_id.clone()));
            }
            !is_deleted
        });
    }
    result.undeleted = sent.into_iter().map(|(id, _, _)| id).collect();
    result
}
