//! One batch of an SQS event source mapping, answered as a partial batch response
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>): the messages that are named
//! stay in the queue, all others are deleted.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::record::{Record, SqsEvent};
use crate::worker::{Settled, Worker};

/// Kept back from the invocation's time for postponing and dead-lettering.
const TIME_TO_SETTLE: Duration = Duration::from_secs(3);
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
    #[error(
        "the event is not that of an SQS event source mapping (line {line}, column {column}); \
         attach this function to the queue by a mapping and to nothing else"
    )]
    NotAnSqsEvent { line: usize, column: usize },
}

impl Worker {
    /// Works on all records of an SQS event at once, within `time_left`, each in a task of its own: a panic
    /// in one is that record's retry.
    ///
    /// # Errors
    /// When the event is no SQS event; the whole batch then stays in the queue.
    pub async fn handle_batch(self: &Arc<Self>, event: &[u8], time_left: Duration) -> Result<BatchAnswer, BatchError> {
        let event: SqsEvent = serde_json::from_slice(event)
            .map_err(|error| BatchError::NotAnSqsEvent { line: error.line(), column: error.column() })?;
        Ok(self.handle_records(event.records, time_left).await)
    }

    /// Works on received records at once, as [`Worker::handle_batch`] does.
    pub async fn handle_records(self: &Arc<Self>, records: Vec<Record>, time_left: Duration) -> BatchAnswer {
        let began = Instant::now();
        let deadline = began + time_left.saturating_sub(TIME_TO_SETTLE);
        let answer_by = began + time_left.saturating_sub(TIME_TO_ANSWER);
        let records: Vec<Arc<Record>> = records.into_iter().map(Arc::new).collect();
        let mut tasks = JoinSet::new();
        for record in &records {
            let (worker, record) = (Arc::clone(self), Arc::clone(record));
            tasks.spawn(async move { worker.settle_record(record, deadline).await });
        }
        // Until its task says otherwise, a message stays in the queue: an error path can never delete one.
        let mut stays: Vec<String> = records.iter().map(|record| record.message_id.clone()).collect();
        while let Ok(Some(joined)) = timeout_at(answer_by, tasks.join_next()).await {
            if let Ok((message_id, Settled::Done)) = joined {
                stays.retain(|id| *id != message_id);
            }
        }
        let failure = |item_identifier| BatchItemFailure { item_identifier };
        BatchAnswer { batch_item_failures: stays.into_iter().map(failure).collect() }
    }

    async fn settle_record(self: Arc<Self>, record: Arc<Record>, deadline: Instant) -> (String, Settled) {
        // A task of its own, for the panic; a set of one, since dropping it ends its task: nothing may act on a
        // message after the answer.
        let mut task = JoinSet::new();
        let (worker, received) = (Arc::clone(&self), Arc::clone(&record));
        task.spawn(async move { worker.process(&received, deadline).await });
        let settled = match task.join_next().await {
            Some(Ok(settled)) => settled,
            Some(Err(_)) | None => self.conclude_panicked(&record).await,
        };
        (record.message_id.clone(), settled)
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
