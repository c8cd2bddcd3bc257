//! Calls that are made one by one and leave in batches: SQS takes up to ten of a kind in one request.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::QueueError;

/// SQS's limit
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html>).
const MOST_IN_BATCH: usize = 10;

/// What became of each member of a batch, in its order.
pub(super) type Outcomes = Vec<Result<(), QueueError>>;

/// Gathers single requests into batches. A batch leaves when it is full, or when no other is under way: a lone
/// request never waits, and under load the batches fill up by themselves.
pub(super) struct Gathered<T> {
    requests: mpsc::UnboundedSender<Request<T>>,
    gathering: JoinHandle<()>,
}

struct Request<T> {
    item: T,
    answer: oneshot::Sender<Result<(), QueueError>>,
}

impl<T: Send + 'static> Gathered<T> {
    /// `call` makes the request for a whole batch.
    pub(super) fn new<C, F>(call: C) -> Self
    where
        C: Fn(Vec<T>) -> F + Send + Sync + 'static,
        F: Future<Output = Outcomes> + Send + 'static,
    {
        // It never holds more than one request of each record at work: every caller waits for its answer.
        let (requests, received) = mpsc::unbounded_channel();
        Self { requests, gathering: tokio::spawn(gather(received, Arc::new(call))) }
    }

    /// Makes a request with whatever else is asked at the same time.
    ///
    /// # Errors
    /// What SQS says of this member of the batch, or of the whole.
    pub(super) async fn request(&self, item: T) -> Result<(), QueueError> {
        let (answer, answered) = oneshot::channel();
        let gone = || QueueError { code: "unanswered".to_owned() };
        self.requests.send(Request { item, answer }).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl<T> Drop for Gathered<T> {
    fn drop(&mut self) {
        self.gathering.abort();
    }
}

async fn gather<T, C, F>(mut requests: mpsc::UnboundedReceiver<Request<T>>, call: Arc<C>)
where
    T: Send + 'static,
    C: Fn(Vec<T>) -> F + Send + Sync + 'static,
    F: Future<Output = Outcomes> + Send + 'static,
{
    let mut calls = JoinSet::new();
    let mut batch = Vec::with_capacity(MOST_IN_BATCH);
    loop {
        // A full batch has left: there is always room.
        let room = MOST_IN_BATCH - batch.len();
        tokio::select! {
            // Whatever is waiting joins the batch before it leaves.
            biased;
            received = requests.recv_many(&mut batch, room) => if received == 0 { return },
            Some(_) = calls.join_next() => {}
        }
        // Records that settle in the same turn of the runtime are asked for in one request.
        tokio::task::yield_now().await;
        while batch.len() < MOST_IN_BATCH
            && let Ok(request) = requests.try_recv()
        {
            batch.push(request);
        }
        while calls.try_join_next().is_some() {}
        if batch.len() == MOST_IN_BATCH || (!batch.is_empty() && calls.is_empty()) {
            calls.spawn(make(std::mem::take(&mut batch), Arc::clone(&call)));
        }
    }
}

async fn make<T, C, F>(batch: Vec<Request<T>>, call: Arc<C>)
where
    C: Fn(Vec<T>) -> F,
    F: Future<Output = Outcomes>,
{
    let (items, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|request| (request.item, request.answer)).unzip();
    for (answer, outcome) in answers.into_iter().zip(call(items).await) {
        // Whoever asked may have run out of time.
        let _ = answer.send(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::sync::Mutex;
    use std::time::Duration;
    use tokio::time::sleep;

    /// Requests that take a second, refuse odd numbers, and are noted by size.
    fn slow() -> (Gathered<u32>, Arc<Mutex<Vec<usize>>>) {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&sizes);
        let gathered = Gathered::new(move |items: Vec<u32>| {
            noted.lock().expect("not poisoned").push(items.len());
            async move {
                sleep(Duration::from_secs(1)).await;
                let refused = || Err(QueueError { code: "Odd".to_owned() });
                items.into_iter().map(|item| if item % 2 == 0 { Ok(()) } else { refused() }).collect()
            }
        });
        (gathered, sizes)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_at_once_leaves_in_batches_of_ten_and_each_gets_its_own_answer() {
        let (gathered, sizes) = slow();
        let began = tokio::time::Instant::now();
        let answers = join_all((0..25).map(|item| gathered.request(item))).await;
        for (item, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.is_ok(), item % 2 == 0, "{item}");
        }
        assert_eq!(*sizes.lock().expect("not poisoned"), [10, 10, 5]);
        assert_eq!(began.elapsed(), Duration::from_secs(2), "the full ones at once, the rest when they are back");
    }

    #[tokio::test(start_paused = true)]
    async fn what_joins_a_waiting_batch_never_makes_it_larger_than_sqs_takes() {
        let (gathered, sizes) = slow();
        let later = async {
            sleep(Duration::from_millis(500)).await;
            join_all((0..9).map(|item| gathered.request(item))).await
        };
        tokio::join!(join_all((0..15).map(|item| gathered.request(item))), later);
        assert_eq!(*sizes.lock().expect("not poisoned"), [10, 10, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_request_does_not_wait_for_company() {
        let (gathered, sizes) = slow();
        let began = tokio::time::Instant::now();
        gathered.request(2).await.expect("even");
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        assert_eq!(*sizes.lock().expect("not poisoned"), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_gives_up_does_not_disturb_the_others() {
        let (gathered, sizes) = slow();
        let patient = gathered.request(2);
        let hasty = tokio::time::timeout(Duration::from_millis(10), gathered.request(4));
        let (patient, hasty) = tokio::join!(patient, hasty);
        assert!(hasty.is_err());
        patient.expect("even");
        gathered.request(6).await.expect("still served");
        assert_eq!(*sizes.lock().expect("not poisoned"), [2, 1]);
    }
}
