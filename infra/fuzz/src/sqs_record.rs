use std::time::Duration;

use serde_json::{Value, from_slice};
use shared::QueueMessage;
use worker::Record;

use crate::marker;
use crate::outside::{Outside, worker};

/// A record of an SQS event, as Lambda's event source mapping hands it to the worker: the text between the brackets
/// of `{"Records":[…]}`, so that it may also be several records or none.
///
/// - A batch that is not one fails as a whole.
/// - Otherwise each record ends exactly once: sent, dead-lettered with its body as it was, or left in the queue.
/// - No record makes the worker panic.
/// - Nothing of a record is said but the ids of the message and of the pool.
pub fn sqs_record(input: &[u8]) -> bool {
    let planted = event_of(&marker::planted_into(input));
    let said = handle(&planted).said();
    if !records_of(&planted).iter().any(has_the_marker_in_an_id) {
        marker::must_not_be_in(&said);
    }
    let event = event_of(input);
    let handled = handle(&event);
    let records = records_of(&event);
    match &handled.stays {
        Some(stays) => each_ends_once(&records, stays, &handled.outside),
        None => assert_eq!(handled.outside.endings(), 0, "something was done with a batch that was refused"),
    }
    for record in &records {
        is_read_within_its_bounds(record);
    }
    handled.stays.is_some() && !records.is_empty()
}

/// What became of a batch.
struct Handled {
    /// The ids that the answer names; none when the batch failed as a whole.
    stays: Option<Vec<String>>,
    outside: std::sync::Arc<Outside>,
    error: String,
}

impl Handled {
    fn said(&self) -> String {
        self.outside.said() + &self.error
    }
}

fn event_of(records: &[u8]) -> Vec<u8> {
    [b"{\"Records\":[", records, b"]}"].concat()
}

fn handle(event: &[u8]) -> Handled {
    let (worker, outside) = worker();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without input and output asks nothing of the system");
    match runtime.block_on(worker.handle_batch(event, Duration::from_secs(20))) {
        Ok(answer) => {
            let stays = answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
            Handled { stays: Some(stays), outside, error: String::new() }
        }
        Err(error) => Handled { stays: None, outside, error: format!("{error} {error:?}") },
    }
}

/// The records of an event, read as the worker reads them; none when it refuses the event.
fn records_of(event: &[u8]) -> Vec<Record> {
    let Ok(mut event) = from_slice::<Value>(event) else { return Vec::new() };
    let Some(Value::Array(records)) = event.get_mut("Records").map(Value::take) else { return Vec::new() };
    records.into_iter().map(Record::from_value).collect::<Option<_>>().unwrap_or_default()
}

fn each_ends_once(records: &[Record], stays: &[String], outside: &Outside) {
    assert_eq!(outside.endings() + stays.len(), records.len(), "a record ended twice or not at all");
    for id in stays {
        assert!(records.iter().any(|record| record.message_id == *id), "the answer names a message of nobody");
    }
    for body in outside.dead_lettered_bodies() {
        assert!(records.iter().any(|record| record.body == body), "a dead letter's body was changed");
    }
    assert_eq!(outside.faults(), 0, "the worker panicked on a record");
}

fn is_read_within_its_bounds(record: &Record) {
    assert!(record.receive_count() >= 1);
    assert!(record.sender().is_none_or(|sender| !sender.contains(':')));
    let _ = (record.sent_at(), record.trace_header());
}

fn has_the_marker_in_an_id(record: &Record) -> bool {
    let message = QueueMessage::parse(&record.body);
    marker::is_in(&record.message_id) || message.is_ok_and(|message| marker::is_in(message.event.user_pool().as_str()))
}
