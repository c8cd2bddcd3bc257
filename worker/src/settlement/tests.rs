use super::*;
use crate::circuit_breaker::Sign;
use crate::retry::IN_INVOCATION_SCHEDULE;
use crate::state::LimitScope;

const README: &str = include_str!("../../../README.md");
const HOUR: i64 = 3_600;

fn sent() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("in range")
}

/// A sign-up whose code lives for `lifetime` seconds, at its first receive so many seconds after it was sent.
fn circumstances(age: i64, lifetime: i64) -> Circumstances {
    let after = |seconds| sent().checked_add(jiff::SignedDuration::from_secs(seconds)).expect("in range");
    Circumstances {
        now: after(age),
        sent_at: sent(),
        expires_at: Some(after(lifetime)),
        trigger_source: Some(TriggerSource::SignUp),
        receive_count: 1,
        unit: 1.0,
    }
}

fn verdict(ending: &Ending, circumstances: Circumstances) -> Verdict {
    settle(ending.clone(), circumstances, &RetrySettings::default())
}

fn accepted() -> Outcome {
    Outcome::Accepted { provider_message_id: ProviderMessageId::NOT_GIVEN }
}

fn key_error(kind: fn(String) -> KeyError) -> Ending {
    kind("Exception".to_owned()).into()
}

fn not_granted(refusal: Refusal) -> Ending {
    Ending::not_granted(refusal, sent())
}

fn window() -> Window {
    Window { scope: LimitScope::PerNumber, key: String::new(), limit: 1, ends_at: sent() }
}

fn unavailable() -> Ending {
    Ending::failed(RetryReason::StateUnavailable, "claim: timeout")
}

/// Every way in which a receive ends, with README's words for it.
fn endings() -> Vec<(&'static str, Ending)> {
    let unsuccessful = Ending::failed(RetryReason::ProvidersUnavailable, "first: http_503");
    let delivered =
        Ending::Delivered { provider: "first".to_owned(), provider_message_id: ProviderMessageId::NOT_GIVEN };
    vec![
        ("a provider took the SMS", delivered),
        ("no provider took it: each failed, is busy, or its circuit is open", unsuccessful),
        ("KMS is throttled, failing or out of reach", key_error(|code| KeyError::Unavailable { code })),
        (
            "KMS does not allow it: no right, key disabled or pending deletion",
            key_error(|code| KeyError::NotAllowed { code }),
        ),
        ("the code is not what was sealed, or not with a known key", key_error(|code| KeyError::Invalid { code })),
        ("the worker panicked, or the Encryption SDK failed", OpenFailure::Fault(String::new()).into()),
        ("the invocation's time was nearly over before the first attempt", Ending::out_of_time()),
        ("the code's life was over before the first attempt", Ending::expired_on_the_way()),
        ("an earlier receive has delivered it", Ending::AlreadySent),
        ("another worker may be sending it", not_granted(Refusal::InFlight { until: sent() })),
        ("a worker was killed while sending it, and `[state] abandoned` is `park`", not_granted(Refusal::Abandoned)),
        ("its user got a newer code for the same purpose", Ending::superseded()),
        ("a limit in `[limits]` is reached", Ending::rate_limited(&window())),
        ("the state table is out of reach, and `[state] unreachable` is `hold`", unavailable()),
        ("an operator has switched everything off", Ending::failed(RetryReason::SwitchedOff, "off")),
    ]
}

#[test]
fn readme_has_the_table_of_what_follows_an_attempt() {
    let mut table =
        "| an attempt ends | what follows in the same receive | for the circuit breaker |\n|---|---|---|\n".to_owned();
    for (words, outcome, unknowns) in [
        ("`accepted`: the provider took the SMS", accepted(), 0),
        ("`transient`: provably not sent (429, 503, no connection)", Outcome::Transient { retry_after: None }, 0),
        (
            "`provider_permanent`: this account cannot send it (credentials, balance, sender, country)",
            Outcome::ProviderPermanent,
            0,
        ),
        ("`unknown`: it may have been sent (timeout, reset, 500)", Outcome::Unknown, 1),
        ("`unknown` for the second time, in whatever receive", Outcome::Unknown, 2),
        ("`recipient_permanent`: the number cannot be reached", Outcome::RecipientPermanent, 0),
        ("`fraud_blocked`: a fraud defence refuses it", Outcome::FraudBlocked, 0),
    ] {
        let health = match Sign::of(&outcome) {
            Sign::Works => "a success",
            Sign::Fails { .. } => "a failure",
            Sign::Nothing => "nothing",
        };
        let follows = match after(outcome, unknowns) {
            Next::Delivered(_) => "delivered".to_owned(),
            Next::AgainThenOnward => {
                format!("up to {} more attempts there, then the next provider", IN_INVOCATION_SCHEDULE.len())
            }
            Next::Onward => "the next provider".to_owned(),
            Next::OneMore => "one attempt more, at the next provider if there is one".to_owned(),
            Next::Never(reason) => format!("dead letter `{reason}`"),
        };
        table += &format!("| {words} | {follows} | {health} |\n");
    }
    assert!(README.contains(&table), "README lacks this table:\n{table}");
}

#[test]
fn readme_has_the_table_of_how_a_receive_is_settled() {
    let mut table = "| a receive ends | while a retry fits | when none fits any more |\n|---|---|---|\n".to_owned();
    let shown = |verdict| match verdict {
        Verdict::Delivered { .. } => "delivered".to_owned(),
        Verdict::Retry { reason, .. } => format!("postponed (`{}`)", reason.as_str()),
        Verdict::DeadLetter { reason, .. } => format!("dead letter `{reason}`"),
        Verdict::AlreadySent => "nothing left to do".to_owned(),
    };
    for (words, ending) in endings() {
        let (early, late) = (verdict(&ending, circumstances(0, HOUR)), verdict(&ending, circumstances(HOUR, HOUR)));
        table += &format!("| {words} | {} | {} |\n", shown(early), shown(late));
    }
    assert!(README.contains(&table), "README lacks this table:\n{table}");
}

#[test]
fn a_failure_is_retried_until_the_code_can_no_longer_be_typed_and_then_dead_lettered_with_its_reason() {
    for (reason, exhausted) in [
        (RetryReason::ProvidersUnavailable, DeadLetterReason::ProvidersExhausted),
        (RetryReason::KeyUnavailable, DeadLetterReason::KeyUnavailable),
        (RetryReason::KeyNotAllowed, DeadLetterReason::KeyUnavailable),
        (RetryReason::StateUnavailable, DeadLetterReason::StateUnavailable),
        (RetryReason::SwitchedOff, DeadLetterReason::ProvidersExhausted),
        (RetryReason::OutOfTime, DeadLetterReason::WorkerFault),
        (RetryReason::WorkerFault, DeadLetterReason::WorkerFault),
    ] {
        let ending = Ending::failed(reason, "why");
        for (age, after) in [(0, 2), (158, 2), (159, 1)] {
            let retried = Verdict::Retry { after: Duration::from_secs(after), reason };
            assert_eq!(verdict(&ending, circumstances(age, 180)), retried, "{age} s");
        }
        let given_up = Verdict::DeadLetter { reason: exhausted, detail: "why".to_owned() };
        for age in [160, 180, 1_000_000] {
            assert_eq!(verdict(&ending, circumstances(age, 180)), given_up, "{age} s");
        }
        let past_the_horizon = circumstances(6 * HOUR, 24 * HOUR);
        assert_eq!(verdict(&ending, past_the_horizon), given_up);
    }
}

#[test]
fn what_cannot_go_better_is_settled_the_same_at_any_age() {
    for (words, ending) in endings().into_iter().filter(|(_, ending)| !matches!(ending, Ending::Failed { .. })) {
        let early = verdict(&ending, circumstances(0, 180));
        assert!(!matches!(early, Verdict::Retry { .. }), "{words}");
        assert_eq!(verdict(&ending, circumstances(1_000, 180)), early, "{words}");
    }
}

#[test]
fn the_delay_is_that_of_the_trigger_source_and_the_receive_count_or_what_was_asked_for() {
    let delay = |source, receive_count, retry_after: Option<u64>| {
        let retry_after = retry_after.map(Duration::from_secs);
        let ending = Ending::Failed { reason: RetryReason::ProvidersUnavailable, detail: String::new(), retry_after };
        let circumstances = Circumstances { trigger_source: source, receive_count, ..circumstances(0, HOUR) };
        match verdict(&ending, circumstances) {
            Verdict::Retry { after, .. } => after.as_secs(),
            other @ (Verdict::Delivered { .. } | Verdict::DeadLetter { .. } | Verdict::AlreadySent) => {
                panic!("{other:?}")
            }
        }
    };
    let counts = [1, 2, 5, 9];
    assert_eq!(counts.map(|count| delay(Some(TriggerSource::Authentication), count, None)), [2, 3, 10, 40]);
    assert_eq!(counts.map(|count| delay(Some(TriggerSource::ForgotPassword), count, None)), [2, 5, 40, 600]);
    assert_eq!(counts.map(|count| delay(Some(TriggerSource::AdminCreateUser), count, None)), [5, 20, 300, 600]);
    assert_eq!(counts.map(|count| delay(None, count, None)), [2, 5, 40, 600]);
    assert_eq!(counts.map(|count| delay(None, count, Some(30))), [30, 30, 40, 600]);
}

#[test]
fn what_another_worker_may_be_sending_waits_for_its_lease_and_is_never_dead_lettered() {
    let until = sent().checked_add(jiff::SignedDuration::from_secs(25)).expect("in range");
    for (age, seconds) in [(0, 25), (30, 2), (170, 2), (1_000_000, 2)] {
        let circumstances = circumstances(age, 180);
        let ending = Ending::not_granted(Refusal::InFlight { until }, circumstances.now);
        let retried = Verdict::Retry { after: Duration::from_secs(seconds), reason: RetryReason::InFlight };
        assert_eq!(verdict(&ending, circumstances), retried, "{age} s");
    }
}

#[test]
fn a_dead_letter_that_the_queue_does_not_take_waits_like_any_other_at_any_age() {
    for (receive_count, seconds) in [(1, 2), (5, 40), (1_000, 600)] {
        let circumstances = Circumstances { receive_count, ..circumstances(1_000_000, 180) };
        assert_eq!(after_refused_dead_letter(circumstances), Duration::from_secs(seconds));
    }
}

#[test]
fn outcomes_nobody_knows_are_followed_by_one_attempt_more_and_then_by_none() {
    assert_eq!(after(Outcome::Unknown, 1), Next::OneMore);
    for unknowns in [2, 3, u32::MAX] {
        assert_eq!(after(Outcome::Unknown, unknowns), Next::Never(DeadLetterReason::OutcomeUnknown));
    }
}
