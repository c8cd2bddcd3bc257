//! Messages that were received and are held out of everybody's sight while they are looked at: no longer than that.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use super::queue::{MOST_IN_A_CALL, Queue};

/// A message stays out of sight for so long at a time; if the tool is killed, until that has passed.
pub(crate) const VISIBILITY_SECONDS: u32 = 120;
/// What has less left than this is held anew.
const RENEWED_BEFORE_ITS_END: Duration = Duration::from_secs(60);
const RENEWALS_EVERY: Duration = Duration::from_secs(10);
/// Calls at a time.
const CALLS_AT_ONCE: usize = 16;

/// Messages that are held.
pub(crate) struct Holding {
    queue: Queue,
    /// By SQS's id.
    held: Mutex<HashMap<String, Held>>,
}

struct Held {
    handle: String,
    until: Instant,
}

impl Holding {
    pub(crate) fn of(queue: Queue) -> Self {
        Self { queue, held: Mutex::default() }
    }

    /// Holds a message that was just received; whether it is not held already, in which case it came a second time.
    pub(crate) fn hold(&self, sqs_id: &str, handle: &str) -> bool {
        let held = Held { handle: handle.to_owned(), until: after(VISIBILITY_SECONDS) };
        self.held().insert(sqs_id.to_owned(), held).is_none()
    }

    /// Forgets a message: it was deleted.
    pub(crate) fn forget(&self, sqs_id: &str) {
        self.held().remove(sqs_id);
    }

    /// Keeps what is held out of sight, until this is dropped.
    pub(crate) async fn renew_for_ever(&self) {
        loop {
            tokio::time::sleep(RENEWALS_EVERY).await;
            let due = self.due(Instant::now());
            self.change_all(&due, VISIBILITY_SECONDS).await;
        }
    }

    /// What has to be held anew.
    fn due(&self, now: Instant) -> Vec<(String, String)> {
        self.held().iter().filter(|(_, held)| held.until < now + RENEWED_BEFORE_ITS_END).map(entry).collect()
    }

    /// Gives everything back that is still held; how many could not be, and come back by themselves within
    /// [`VISIBILITY_SECONDS`].
    pub(crate) async fn release_all(&self) -> usize {
        let all: Vec<_> = self.held().drain().map(|(id, held)| (id, held.handle)).collect();
        self.change_all(&all, 0).await
    }

    /// What cannot be changed was deleted meanwhile, or is somebody else's by now.
    async fn change_all(&self, entries: &[(String, String)], seconds: u32) -> usize {
        let change = |batch: &[(String, String)]| {
            let (ids, handles): (Vec<_>, Vec<_>) = batch.iter().cloned().unzip();
            async move {
                let outcomes = self.queue.change_visibility(&handles, seconds).await;
                let outcomes = outcomes.unwrap_or_else(|error| vec![Err(error.to_string()); handles.len()]);
                let mut held = self.held();
                for (id, _) in ids.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
                    if let Some(held) = held.get_mut(id) {
                        held.until = after(seconds);
                    }
                }
                outcomes.iter().filter(|outcome| outcome.is_err()).count()
            }
        };
        let calls = stream::iter(entries.chunks(MOST_IN_A_CALL).map(change)).buffer_unordered(CALLS_AT_ONCE);
        calls.fold(0, |sum, failed| async move { sum + failed }).await
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry((id, held): (&String, &Held)) -> (String, String) {
    (id.clone(), held.handle.clone())
}

fn after(seconds: u32) -> Instant {
    Instant::now() + Duration::from_secs(seconds.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlq::queue::sqs_client;

    #[tokio::test]
    async fn what_is_held_is_held_anew_a_minute_before_its_end_and_nothing_earlier() {
        let config = aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
        let queue =
            Queue::find(&sqs_client(&config), "http://127.0.0.1:9/queue").await.expect("a URL is not asked for");
        let holding = Holding::of(queue);
        let now = Instant::now();
        assert!(holding.hold("a", "handle"));
        assert!(!holding.hold("a", "its second handle"), "it came a second time");
        assert_eq!(holding.due(now + Duration::from_secs(55)), []);
        let due = holding.due(now + Duration::from_secs(61));
        assert_eq!(due, [("a".to_owned(), "its second handle".to_owned())]);
        holding.forget("a");
        assert_eq!(holding.due(now + Duration::from_secs(61)), []);
    }
}
