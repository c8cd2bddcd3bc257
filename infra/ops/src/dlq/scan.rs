//! One look at each message of a queue. What was looked at stays out of sight until the scan ends, since SQS would hand
//! it out again, and is given back then.

use std::sync::Arc;

use shared::Settings;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::holding::{Holding, VISIBILITY_SECONDS};
use super::letter::Letter;
use super::queue::{CallError, Queue};

/// Receives at a time, at most.
const RECEIVES_AT_ONCE: usize = 8;

/// A scan that is going on.
pub(crate) struct Scan {
    letters: mpsc::Receiver<Result<Vec<Letter>, CallError>>,
    pub(crate) holding: Arc<Holding>,
    receiving: JoinSet<()>,
    renewing: JoinHandle<()>,
}

impl Scan {
    /// Begins a scan; `at_most` is how many letters will do, where that is known. Must be called within a tokio runtime.
    pub(crate) fn of(queue: &Queue, settings: &Arc<Settings>, at_most: Option<u64>) -> Self {
        let holding = Arc::new(Holding::of(queue.clone()));
        // Few, so that a slow reader does not have messages taken out of sight long before it gets to them.
        let (found, letters) = mpsc::channel(receives_at_once(at_most));
        let mut receiving = JoinSet::new();
        for _ in 0..receives_at_once(at_most) {
            let (queue, holding, settings, found) = (queue.clone(), holding.clone(), settings.clone(), found.clone());
            receiving.spawn(async move { receive_all(&queue, &holding, &settings, &found).await });
        }
        let renewed = holding.clone();
        let renewing = tokio::spawn(async move { renewed.renew_for_ever().await });
        Self { letters, holding, receiving, renewing }
    }

    /// The next few letters; none at the end of the queue.
    ///
    /// # Errors
    /// When SQS could not be asked, or hands out no more.
    pub(crate) async fn next(&mut self) -> Option<Result<Vec<Letter>, CallError>> {
        self.letters.recv().await
    }

    /// Ends the scan, wherever it is, and gives everything back that was not forgotten; how many messages could not be,
    /// and come back by themselves within [`VISIBILITY_SECONDS`].
    pub(crate) async fn end(mut self) -> usize {
        // A receive that is broken off may have taken messages out of sight: each that is under way ends first.
        self.letters.close();
        while self.receiving.join_next().await.is_some() {}
        self.renewing.abort();
        self.holding.release_all().await
    }
}

/// Each look counts as a receive: no more are taken out of the queue than are wanted, but for those of one call.
fn receives_at_once(at_most: Option<u64>) -> usize {
    let calls = at_most.map_or(RECEIVES_AT_ONCE, |at_most| usize::try_from(at_most.div_ceil(10)).unwrap_or(usize::MAX));
    calls.clamp(1, RECEIVES_AT_ONCE)
}

/// Receives until the queue has no more, or nobody listens any longer.
async fn receive_all(
    queue: &Queue,
    holding: &Holding,
    settings: &Settings,
    found: &mpsc::Sender<Result<Vec<Letter>, CallError>>,
) {
    while !found.is_closed() {
        let received = match queue.receive(VISIBILITY_SECONDS).await {
            Ok(received) => received,
            Err(error) => {
                // Nobody listens any more if it cannot be told.
                let _ = found.send(Err(error)).await;
                return;
            }
        };
        if received.is_empty() {
            return;
        }
        let new = received.into_iter().filter(|message| holding.hold(&message.sqs_id, &message.receipt_handle));
        let letters = new.map(|message| Letter::read(message, settings)).collect();
        if found.send(Ok(letters)).await.is_err() {
            return;
        }
    }
}
