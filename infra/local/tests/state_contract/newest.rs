//! Which code is a user's newest.

use std::time::Duration;

use shared::Timestamp;
use tokio::task::JoinSet;
use worker::{Standing, UserCode};

use crate::check::Check;
use crate::subject::{Subject, after_its_end, now, some_key};

pub(crate) const CHECKS: &[Check] = checks! {
    an_older_code_is_superseded_whichever_comes_first,
    of_two_that_were_accepted_at_once_each_is_the_newest,
    a_code_supersedes_nothing_of_another_user_or_purpose,
    a_code_that_has_expired_supersedes_nothing,
    a_code_that_lives_longer_is_known_for_longer,
    of_many_that_come_at_once_the_newest_wins,
};

fn code(key: &str, accepted_at: Timestamp) -> UserCode {
    UserCode { key: key.to_owned(), accepted_at, expires_at: accepted_at + Duration::from_mins(3) }
}

async fn standing(subject: &Subject, code: &UserCode) -> Standing {
    subject.worker().newest(code, now()).await.unwrap()
}

async fn an_older_code_is_superseded_whichever_comes_first(subject: &Subject) {
    let (key, now) = (some_key(), now());
    let [oldest, middle, newest] = [2, 1, 0].map(|ago| code(&key, now - Duration::from_millis(ago)));
    assert_eq!(standing(subject, &middle).await, Standing::Newest);
    assert_eq!(standing(subject, &oldest).await, Standing::Superseded);
    assert_eq!(standing(subject, &middle).await, Standing::Newest, "it is asked for again before each attempt");
    assert_eq!(standing(subject, &newest).await, Standing::Newest);
    assert_eq!(standing(subject, &middle).await, Standing::Superseded);
    assert_eq!(standing(subject, &newest).await, Standing::Newest);
}

async fn of_two_that_were_accepted_at_once_each_is_the_newest(subject: &Subject) {
    let (key, now) = (some_key(), now());
    for _ in 0..3 {
        assert_eq!(standing(subject, &code(&key, now)).await, Standing::Newest);
    }
}

async fn a_code_supersedes_nothing_of_another_user_or_purpose(subject: &Subject) {
    let now = now();
    assert_eq!(standing(subject, &code(&some_key(), now)).await, Standing::Newest);
    assert_eq!(standing(subject, &code(&some_key(), now - Duration::from_mins(1))).await, Standing::Newest);
}

async fn a_code_that_has_expired_supersedes_nothing(subject: &Subject) {
    let (key, now) = (some_key(), now());
    let worker = subject.worker();
    assert_eq!(worker.newest(&code(&key, now), now).await, Ok(Standing::Newest));
    let older = code(&key, now - Duration::from_secs(1));
    let late = after_its_end(now);
    assert_eq!(worker.newest(&older, late - Duration::from_secs(2)).await, Ok(Standing::Superseded));
    assert_eq!(worker.newest(&older, late).await, Ok(Standing::Newest));
}

async fn a_code_that_lives_longer_is_known_for_longer(subject: &Subject) {
    let (key, now) = (some_key(), now());
    let worker = subject.worker();
    let expires_at = now + Duration::from_hours(30 * 24);
    assert_eq!(worker.newest(&UserCode { expires_at, ..code(&key, now) }, now).await, Ok(Standing::Newest));
    let older = UserCode { expires_at, ..code(&key, now - Duration::from_secs(1)) };
    assert_eq!(worker.newest(&older, after_its_end(now)).await, Ok(Standing::Superseded));
    assert_eq!(worker.newest(&older, expires_at + Duration::from_secs(1)).await, Ok(Standing::Newest));
}

async fn of_many_that_come_at_once_the_newest_wins(subject: &Subject) {
    let (key, now) = (some_key(), now());
    let mut all = JoinSet::new();
    for ago in [3, 1, 4, 0, 5, 2] {
        let (worker, code) = (subject.worker(), code(&key, now - Duration::from_millis(ago)));
        all.spawn(async move { (ago, worker.newest(&code, now).await.unwrap()) });
    }
    let standings = all.join_all().await;
    assert!(standings.contains(&(0, Standing::Newest)));
    for ago in 1..=5 {
        let code = code(&key, now - Duration::from_millis(ago));
        assert_eq!(standing(subject, &code).await, Standing::Superseded);
    }
}
