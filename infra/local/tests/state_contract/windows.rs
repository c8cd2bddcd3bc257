//! How many messages a number, a country or everybody got.

use std::time::Duration;

use tokio::task::JoinSet;
use worker::{Counted, LimitScope, Window};

use crate::check::Check;
use crate::subject::{Subject, now, some_key};

pub(crate) const CHECKS: &[Check] = checks! {
    a_window_takes_as_many_as_its_limit,
    each_window_counts_for_itself,
    a_limit_that_is_changed_holds_at_once,
    of_many_that_come_at_once_no_more_than_the_limit_are_within,
};

fn window(limit: u32) -> Window {
    let ends_at = now() + Duration::from_hours(1);
    Window { scope: LimitScope::PerNumber, key: some_key(), limit, ends_at }
}

async fn count(subject: &Subject, window: &Window) -> Counted {
    subject.worker().count(window, now()).await.unwrap()
}

async fn a_window_takes_as_many_as_its_limit(subject: &Subject) {
    for limit in [1, 3] {
        let window = window(limit);
        for _ in 0..limit {
            assert_eq!(count(subject, &window).await, Counted::Within);
        }
        for _ in 0..3 {
            assert_eq!(count(subject, &window).await, Counted::Full);
        }
    }
}

async fn each_window_counts_for_itself(subject: &Subject) {
    let full = window(1);
    count(subject, &full).await;
    assert_eq!(count(subject, &full).await, Counted::Full);
    // The next hour's, another number's.
    assert_eq!(count(subject, &window(1)).await, Counted::Within);
}

async fn a_limit_that_is_changed_holds_at_once(subject: &Subject) {
    let two = window(2);
    count(subject, &two).await;
    count(subject, &two).await;
    assert_eq!(count(subject, &Window { limit: 1, ..two.clone() }).await, Counted::Full);
    assert_eq!(count(subject, &Window { limit: 3, ..two.clone() }).await, Counted::Within);
    assert_eq!(count(subject, &two).await, Counted::Full);
}

async fn of_many_that_come_at_once_no_more_than_the_limit_are_within(subject: &Subject) {
    let window = window(10);
    let mut all = JoinSet::new();
    for _ in 0..30 {
        let (worker, window) = (subject.worker(), window.clone());
        all.spawn(async move { worker.count(&window, now()).await.unwrap() });
    }
    let counted = all.join_all().await;
    assert_eq!(counted.iter().filter(|counted| **counted == Counted::Within).count(), 10);
}
