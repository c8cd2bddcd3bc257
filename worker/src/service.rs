//! The worker as an ordinary service: it receives from the queue by itself, keeps receiving while it works, and when
//! it is told to stop it ends what it has begun.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use shared::QueueMessage;
use shared::telemetry::Fact;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::record::Record;
use crate::worker::Worker;

/// Records at work at once. Nearly all of them wait for KMS or a provider.
pub const MOST_IN_FLIGHT: usize = 100;
/// A record is settled within this, well before it becomes visible again ([`crate::VISIBILITY`]).
pub const TIME_FOR_A_RECORD: Duration = Duration::from_secs(20);
/// A service that is told to stop lets its last receive end by itself (7 seconds at most) and then has this long for
/// the records at work: all in all less than the 30 seconds that ECS and Kubernetes give a container.
pub const TIME_TO_DRAIN: Duration = Duration::from_secs(21);

/// SQS hands out at most so many at once.
const MOST_IN_A_RECEIVE: u32 = 10;
/// Pauses after receives that failed, one after the other; the last one is repeated.
const RECEIVE_PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];
/// Pauses between attempts to delete a message that is done with: left in the queue, it would be sent again.
const DELETE_PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(800), Duration::from_secs(2), Duration::from_secs(4)];

/// How a service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Records that the time was too short for. They are still in the queue.
    pub left: usize,
}

/// Works on the queue's messages until `stop` comes true, and then ends what it has begun,
/// within [`TIME_TO_DRAIN`] after its last receive.
pub async fn serve(worker: Arc<Worker>, stop: impl Future<Output = ()>) -> Drained {
    let mut stop = pin!(stop);
    let in_flight = Arc::new(Semaphore::new(MOST_IN_FLIGHT));
    let mut at_work = JoinSet::new();
    let mut pauses = RECEIVE_PAUSES.into_iter();
    loop {
        let room = tokio::select! {
            biased;
            () = &mut stop => break,
            room = room_for_a_receive(&in_flight) => room,
        };
        match worker.queue.receive(MOST_IN_A_RECEIVE).await {
            Ok(records) => {
                pauses = RECEIVE_PAUSES.into_iter();
                begin(&worker, records, room, &mut at_work);
            }
            Err(error) => {
                let pause = pauses.next().unwrap_or(RECEIVE_PAUSES[RECEIVE_PAUSES.len() - 1]);
                worker.telemetry.record(&Fact::ReceiveFailed { error: &error.to_string(), again_in: pause });
                tokio::select! {
                    biased;
                    () = &mut stop => break,
                    () = sleep(pause) => {}
                }
            }
        }
        // A task that panicked has said so itself; its message comes back.
        while at_work.try_join_next().is_some() {}
    }
    drain(&worker, at_work).await
}

/// Waits until a whole receive can be worked on: asking for less would cost as much.
async fn room_for_a_receive(in_flight: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    let room = Arc::clone(in_flight).acquire_many_owned(MOST_IN_A_RECEIVE).await;
    room.expect("nobody closes the semaphore")
}

/// Begins the work on received records, each in a task of its own that holds one place of `room`.
fn begin(worker: &Arc<Worker>, records: Vec<Record>, mut room: OwnedSemaphorePermit, at_work: &mut JoinSet<()>) {
    for record in records {
        let place = room.split(1);
        let worker = Arc::clone(worker);
        at_work.spawn(async move {
            process(&worker, record).await;
            drop(place);
        });
    }
}

async fn process(worker: &Arc<Worker>, record: Record) {
    let answer = worker.handle_records(vec![record.clone()], TIME_FOR_A_RECORD).await;
    if answer.batch_item_failures.is_empty() {
        delete(worker, &record).await;
    }
}

async fn delete(worker: &Worker, record: &Record) {
    let mut pauses = DELETE_PAUSES.into_iter();
    while let Err(error) = worker.queue.delete(&record.receipt_handle).await {
        let message = QueueMessage::parse(&record.body).ok();
        let id = message.as_ref().map_or(record.message_id.as_str(), |message| message.id.as_str());
        let (trace, error) = (record.trace(), &error.to_string());
        worker.telemetry.record(&Fact::QueueCallFailed { id, trace, call: "DeleteMessage", error });
        let Some(pause) = pauses.next() else { return };
        sleep(pause).await;
    }
}

async fn drain(worker: &Worker, mut at_work: JoinSet<()>) -> Drained {
    worker.telemetry.record(&Fact::Draining { in_flight: at_work.len() });
    let all = async { while at_work.join_next().await.is_some() {} };
    // Whatever is not settled by then comes back when its visibility timeout ends.
    let _ = timeout(TIME_TO_DRAIN, all).await;
    let left = at_work.len();
    worker.telemetry.record(&Fact::Drained { left });
    Drained { left }
}
