//! The message's way to its end, as the worker tells of it.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::ending::Ending;
use super::logged_fact::{Happened, LoggedFact};
use crate::untyped::CallError;

/// How long, and how often, a log is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) at_most: Duration,
    pub(super) between: Duration,
}

/// CloudWatch Logs shows a line some seconds after it was written, and answers 5 requests a second in a small Region, to
/// everybody together (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>).
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

impl Patience {
    pub(super) fn of(at_most: Duration) -> Self {
        Self { at_most, between: BETWEEN_LOOKS }
    }
}

/// Asks `facts`, which gives all that is known so far, again and again, and hands each new one to `tell` in the order in
/// which they happened, until the message is at its end or patience is.
///
/// # Errors
/// When telling fails.
pub(super) async fn follow(
    patience: Patience,
    mut facts: impl AsyncFnMut() -> Result<Vec<LoggedFact>, CallError>,
    mut tell: impl FnMut(&LoggedFact) -> io::Result<()>,
) -> io::Result<Ending> {
    let deadline = Instant::now() + patience.at_most;
    let mut told: Vec<LoggedFact> = Vec::new();
    // What a log does not answer once it may answer the next time.
    while let Ok(known) = timeout_at(deadline, facts()).await {
        let mut news = match known {
            Ok(known) => known,
            Err(error) if error.is_passing() => Vec::new(),
            Err(refused) => return Ok(Ending::NotFollowed { cause: refused.to_string() }),
        };
        news.retain(|fact| !told.contains(fact));
        news.sort_by_key(|fact| fact.at);
        for fact in news {
            tell(&fact)?;
            told.push(fact);
        }
        if let Some(ending) = told.iter().find_map(ending) {
            return Ok(ending);
        }
        if timeout_at(deadline, sleep(patience.between)).await.is_err() {
            break;
        }
    }
    told.sort_by_key(|fact| fact.at);
    Ok(Ending::NotYet { within: patience.at_most, last: told.pop().map(Box::new) })
}

fn ending(fact: &LoggedFact) -> Option<Ending> {
    match &fact.happened {
        Happened::Delivered { .. } => Some(Ending::Delivered),
        Happened::DeadLettered { reason, detail, .. } => {
            Some(Ending::DeadLettered { reason: reason.clone(), detail: detail.clone() })
        }
        Happened::Accepted { .. }
        | Happened::Rejected { .. }
        | Happened::NotEnqueued { .. }
        | Happened::Decrypted { .. }
        | Happened::Attempted { .. }
        | Happened::NotAttempted { .. }
        | Happened::Retried { .. }
        | Happened::Duplicate {}
        | Happened::TriedBefore { .. }
        | Happened::ClaimLost {}
        | Happened::LimitReached { .. }
        | Happened::StateCallFailed { .. }
        | Happened::QueueCallFailed { .. }
        | Happened::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::*;

    const PATIENCE: Patience = Patience { at_most: Duration::from_secs(60), between: Duration::from_secs(1) };

    fn fact(second: u32, rest: &str) -> LoggedFact {
        let line = format!(r#"{{"time":"2026-11-26T14:32:{second:02}.000Z","id":"ab",{rest}}}"#);
        LoggedFact::read(&line).unwrap_or_else(|| panic!("{line}"))
    }

    fn attempted(second: u32) -> LoggedFact {
        fact(second, r#""event":"attempted","provider":"main","outcome":"transient","code":"20503","took_ms":1.5"#)
    }

    fn retried(second: u32) -> LoggedFact {
        fact(second, r#""event":"retried","reason":"providers_unavailable","after_ms":2000.0,"receive_count":1"#)
    }

    fn delivered(second: u32) -> LoggedFact {
        let rest = r#""provider":"main","provider_message_id":null,"country":"US","time_to_provider_ms":9.0"#;
        fact(second, &format!(r#""event":"delivered",{rest}"#))
    }

    fn dead_lettered(second: u32) -> LoggedFact {
        let rest = r#""event":"dead_lettered","reason":"recipient_rejected","detail":"main: 21614","receive_count":1"#;
        fact(second, rest)
    }

    fn not_answered() -> CallError {
        CallError::NotAnswered { operation: "FilterLogEvents", cause: "timeout".to_owned() }
    }

    /// What a log that answers this says of a message, and the seconds that it took to be told. The last answer goes on.
    async fn followed(
        answers: impl IntoIterator<Item = Result<Vec<LoggedFact>, CallError>>,
    ) -> (Ending, Vec<LoggedFact>, u64) {
        let answers = RefCell::new(answers.into_iter().collect::<VecDeque<_>>());
        let next = async || {
            let mut answers = answers.borrow_mut();
            if answers.len() > 1 {
                answers.pop_front().expect("one")
            } else {
                Ok(answers[0].as_ref().expect("facts").clone())
            }
        };
        let (began, mut told) = (Instant::now(), Vec::new());
        let tell = |fact: &LoggedFact| {
            told.push(fact.clone());
            Ok(())
        };
        let ending = follow(PATIENCE, next, tell).await.expect("it is told");
        (ending, told, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn each_fact_is_told_once_in_the_order_of_time_until_the_delivery() {
        let answers = [
            vec![],
            vec![retried(2), attempted(1)],
            vec![attempted(1), retried(2)],
            vec![attempted(1), retried(2), attempted(3), delivered(4)],
        ];
        let (ending, told, seconds) = followed(answers.map(Ok)).await;
        assert_eq!((ending, seconds), (Ending::Delivered, 3));
        assert_eq!(told, [attempted(1), retried(2), attempted(3), delivered(4)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_letter_is_an_end_with_its_reason() {
        let (ending, told, _) = followed([Ok(vec![dead_lettered(1)])]).await;
        let expected =
            Ending::DeadLettered { reason: "recipient_rejected".to_owned(), detail: "main: 21614".to_owned() };
        assert_eq!((ending, told.len()), (expected, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_is_still_retried_when_patience_ends_is_told_of_with_what_was_said_last() {
        let (ending, told, seconds) = followed([Ok(vec![retried(2), attempted(1)])]).await;
        assert_eq!(ending, Ending::NotYet { within: PATIENCE.at_most, last: Some(Box::new(retried(2))) });
        assert_eq!((told.len(), seconds), (2, 60));
        let (ending, ..) = followed([Ok(Vec::new())]).await;
        assert_eq!(ending, Ending::NotYet { within: PATIENCE.at_most, last: None });
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_does_not_answer_is_asked_again() {
        for passing in [
            not_answered,
            || CallError::refused("FilterLogEvents", 400, "ThrottlingException"),
            || CallError::refused("FilterLogEvents", 503, "ServiceUnavailableException"),
        ] {
            let (ending, ..) = followed([Err(passing()), Err(passing()), Ok(vec![delivered(1)])]).await;
            assert_eq!(ending, Ending::Delivered);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_refuses_is_followed_no_longer() {
        let refused = CallError::refused("FilterLogEvents", 400, "AccessDeniedException");
        let (ending, _, seconds) = followed([Err(refused), Ok(vec![delivered(1)])]).await;
        assert!(matches!(ending, Ending::NotFollowed { .. }) && seconds == 0, "{ending:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_hangs_is_waited_for_no_longer_than_patience_lasts() {
        let began = Instant::now();
        let hanging = async || std::future::pending().await;
        let ending = follow(PATIENCE, hanging, |_| Ok(())).await.expect("nothing is told");
        assert_eq!(
            (ending, began.elapsed()),
            (Ending::NotYet { within: PATIENCE.at_most, last: None }, PATIENCE.at_most)
        );
    }
}
