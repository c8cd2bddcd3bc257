//! Twelve workers and one message, each with a client and connections of its own.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use worker::{Claim, Claimed, MessageState, Refusal, State as _, Status};

use crate::check::Check;
use crate::subject::{Subject, claim, fresh, now, some_message, update};

pub(crate) const CHECKS: &[Check] = checks! {
    of_twelve_workers_one_gets_the_message,
};

const WORKERS: usize = 12;
const MESSAGES: usize = 50;

/// Each message three times: new, given back, and left by a holder that was killed.
async fn of_twelve_workers_one_gets_the_message(subject: &Subject) {
    let workers: Vec<_> = (0..WORKERS).map(|_| Arc::new(subject.table().state())).collect();
    for _ in 0..MESSAGES {
        let id = some_message();
        let (first, state) = race(&workers, || claim(&id, now())).await;
        assert_eq!(state, fresh(&first));

        let worker = subject.worker();
        assert_eq!(worker.update(&update(&first, Status::Retry, 2, 1)).await, Ok(true));
        let (second, state) = race(&workers, || claim(&id, now())).await;
        assert_eq!((state.attempts, state.unknowns, state.counted_at), (2, 1, Some(first.owner)));

        let (_, state) = race(&workers, || claim(&id, second.lease_until)).await;
        assert_eq!((state.attempts, state.unknowns), (3, 2));
    }
}

/// The only claim that is granted of those that all workers make at once, and the state that it found.
async fn race(workers: &[Arc<worker::DynamoDbState>], claim: impl Fn() -> Claim) -> (Claim, MessageState) {
    let start = Arc::new(Barrier::new(workers.len()));
    let mut all = JoinSet::new();
    for worker in workers {
        let (worker, claim, start) = (Arc::clone(worker), claim(), Arc::clone(&start));
        all.spawn(async move {
            start.wait().await;
            let claimed = worker.claim(&claim).await.unwrap();
            (claim, claimed)
        });
    }
    let (mut granted, mut refused) = (Vec::new(), Vec::new());
    for (claim, claimed) in all.join_all().await {
        match claimed {
            Claimed::Granted(state) => granted.push((claim, state)),
            Claimed::Refused(refusal) => refused.push(refusal),
        }
    }
    let [granted] = granted.try_into().expect("one is granted");
    assert_eq!(refused, vec![Refusal::InFlight { until: granted.1.lease_until }; workers.len() - 1]);
    granted
}
