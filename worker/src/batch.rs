//! One batch of an SQS event source mapping, answered as a partial batch response
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>): the messages that are named
//! stay in the queue, all others are deleted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::conclusion::Settled;
use crate::record::Record;
use crate::worker::Worker;

/// Kept back from the invocation's time for postponing and dead-lettering.
pub(crate) const TIME_TO_SETTLE: Duration = Duration::from_secs(3);
/// Kept back for the answer itself.
const TIME_TO_ANSWER: Duration = Duration::from_millis(300);

/// Which messages of the batch stay in the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A message that stays in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The message's SQS id.
    pub item_identifier: String,
}

/// Why a whole batch fails: all of it stays in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("the event is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error(
        "the event is not that of an SQS event source mapping; \
         attach this function to the queue by a mapping and to nothing else"
    )]
    NotAnSqsEvent,
}

impl Worker {
    /// Works on all records of an SQS event at once, within `time_left`, each in a task of its own: a panic
    /// in one is that record's retry.
    ///
    /// # Errors
    /// When the event is no SQS event; the whole batch then stays in the queue.
    pub async fn handle_batch(self: &Arc<Self>, event: &[u8], time_left: Duration) -> Result<BatchAnswer, BatchError> {
        let mut event: Value = serde_json::from_slice(event)
            .map_err(|error| BatchError::NotJson { line: error.line(), column: error.column() })?;
        let records = event.get_mut("Records").map(Value::take);
        let Some(Value::Array(records)) = records else { return Err(BatchError::NotAnSqsEvent) };
        let records: Option<Vec<_>> = records.into_iter().map(Record::from_value).collect();
        Ok(self.handle_records(records.ok_or(BatchError::NotAnSqsEvent)?, time_left).await)
    }

    /// Works on received records at once, as [`Worker::handle_batch`] does.
    pub async fn handle_records(self: &Arc<Self>, records: Vec<Record>, time_left: Duration) -> BatchAnswer {
        let began = Instant::now();
        let deadline = began + time_left.saturating_sub(TIME_TO_SETTLE);
        let answer_by = began + time_left.saturating_sub(TIME_TO_ANSWER);
        let records: Vec<Arc<Record>> = records.into_iter().map(Arc::new).collect();
        // Dropping the set aborts what is left in it: nothing goes on after the answer.
        let mut tasks = JoinSet::new();
        let mut at_work = HashMap::new();
        for (index, record) in records.iter().enumerate() {
            let (worker, record) = (Arc::clone(self), Arc::clone(record));
            let task = tasks.spawn(async move { (index, worker.process(&record, deadline).await) });
            at_work.insert(task.id(), index);
        }
        // Until its task says otherwise, a message stays in the queue: an error path can never delete one.
        let mut settled = vec![Settled::StaysInQueue; records.len()];
        while let Ok(Some(joined)) = timeout_at(answer_by, tasks.join_next_with_id()).await {
            match joined {
                Ok((_, (index, outcome))) => settled[index] = outcome,
                Err(panic) => {
                    // A panic while settling a panic is left at that.
                    let Some(index) = at_work.remove(&panic.id()) else { continue };
                    let (worker, record) = (Arc::clone(self), Arc::clone(&records[index]));
                    tasks.spawn(async move { (index, worker.conclude_panicked(&record).await) });
                }
            }
        }
        let stays = records.iter().zip(settled).filter(|(_, settled)| *settled == Settled::StaysInQueue);
        let failure = |record: &Arc<Record>| BatchItemFailure { item_identifier: record.message_id.clone() };
        BatchAnswer { batch_item_failures: stays.map(|(record, _)| failure(record)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_written_as_lambda_reads_it() {
        let failure = |id: &str| BatchItemFailure { item_identifier: id.to_owned() };
        let answer = BatchAnswer { batch_item_failures: vec![failure("a"), failure("b")] };
        assert_eq!(
            serde_json::to_string(&answer).expect("serialises"),
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}"#
        );
        let nothing = serde_json::to_string(&BatchAnswer::default()).expect("serialises");
        assert_eq!(nothing, r#"{"batchItemFailures":[]}"#, "never an empty object");
    }
}
