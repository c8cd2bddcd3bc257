//! One message along its route: what each class of outcome leads to.

use std::time::Duration;

use shared::DeadLetterReason;

use crate::doubles::QueueBehaviour;
use crate::messages::{received, record, sign_in, sqs_id};
use crate::provider_double::{
    LATENCY, ScriptedProvider, accepts, fraud_blocked, provider_permanent, recipient_permanent, transient,
    transient_for, unknown,
};
use crate::scene::Scene;

/// Hands one sign-in to a worker with these providers.
async fn one_sign_in<const N: usize>(providers: [ScriptedProvider; N]) -> (Scene, Vec<String>) {
    let scene = Scene::of(providers);
    let stays = scene.receive(&[record(0, &sign_in(0))]).await;
    (scene, stays)
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_again_at_once_and_then_at_the_next_provider() {
    let first = ScriptedProvider::named("first", [transient()]);
    let second = ScriptedProvider::named("second", [transient(), transient(), accepts()]);
    let third = ScriptedProvider::named("third", [accepts()]);
    let (scene, stays) = one_sign_in([first, second, third]).await;

    assert_eq!(stays, [""; 0]);
    assert_eq!(scene.requests(), [3, 3, 0]);
    let at: Vec<_> = scene.providers[0].requests().into_iter().map(|request| request.at).collect();
    for (pause, step) in [(at[1] - at[0] - LATENCY, 150), (at[2] - at[1] - LATENCY, 500)] {
        let step = Duration::from_millis(step);
        assert!((step / 2..=step).contains(&pause), "{pause:?} of {step:?}");
    }
    assert_eq!(scene.facts.of("delivered")[0]["provider"], "second");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_more_patience_than_an_invocation_has_is_left_for_the_next() {
    for (pause, attempts) in [(1, 3), (2, 2), (3, 1)] {
        let first = ScriptedProvider::named("first", [transient_for(Duration::from_secs(pause))]);
        let (scene, stays) = one_sign_in([first, ScriptedProvider::named("second", [accepts()])]).await;
        assert_eq!(stays, [""; 0]);
        assert_eq!(scene.requests(), [attempts, 1], "{pause} s");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_can_never_do_is_given_to_the_next_at_once() {
    let first = ScriptedProvider::named("first", [provider_permanent()]);
    let (scene, stays) = one_sign_in([first, ScriptedProvider::named("second", [accepts()])]).await;

    assert_eq!(stays, [""; 0]);
    assert_eq!(scene.requests(), [1, 1]);
    let at = |index: usize| scene.providers[index].requests()[0].at;
    assert_eq!(at(1) - at(0), LATENCY, "without a pause");
}

#[tokio::test(start_paused = true)]
async fn what_no_provider_can_or_may_do_is_dead_lettered_without_asking_another() {
    for (behaviour, reason, detail) in [
        (recipient_permanent(), DeadLetterReason::RecipientRejected, "first: 21211"),
        (fraud_blocked(), DeadLetterReason::FraudBlocked, "first: 30450"),
    ] {
        let first = ScriptedProvider::named("first", [behaviour]);
        let (scene, stays) = one_sign_in([first, ScriptedProvider::named("second", [accepts()])]).await;

        assert_eq!(stays, [""; 0]);
        assert_eq!(scene.requests(), [1, 0], "{reason}");
        let letters = scene.queue.letters();
        assert_eq!(letters.len(), 1);
        assert_eq!((letters[0].reason, letters[0].detail.as_str()), (reason, detail));
        assert_eq!((letters[0].provider.as_deref(), letters[0].attempts), (Some("first"), 1));
        assert_eq!(letters[0].body, sign_in(0).to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_followed_by_one_attempt_at_the_next_provider() {
    let first = ScriptedProvider::named("first", [unknown()]);
    let second = ScriptedProvider::named("second", [accepts()]);
    let (scene, stays) = one_sign_in([first, second]).await;

    assert_eq!(stays, [""; 0]);
    assert_eq!(scene.requests(), [1, 1]);
    assert_eq!(scene.facts.of("delivered")[0]["provider"], "second");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_of_the_only_provider_is_followed_by_one_more_attempt_there() {
    let (scene, stays) = one_sign_in([ScriptedProvider::named("first", [unknown(), accepts()])]).await;

    assert_eq!(stays, [""; 0]);
    assert_eq!(scene.requests(), [2]);
    assert_eq!(scene.facts.of("delivered").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_unknown_outcome_ends_it() {
    let providers = ["first", "second", "third"].map(|name| ScriptedProvider::named(name, [unknown()]));
    let (scene, stays) = one_sign_in(providers).await;
    assert_eq!(stays, [""; 0]);
    assert_eq!(scene.requests(), [1, 1, 0]);
    let letters = scene.queue.letters();
    assert_eq!(letters[0].reason, DeadLetterReason::OutcomeUnknown);
    assert_eq!(letters[0].detail, "first: connection_lost; second: connection_lost");
    assert_eq!((letters[0].provider.as_deref(), letters[0].attempts), (Some("second"), 2));

    let (scene, stays) = one_sign_in([ScriptedProvider::named("only", [unknown()])]).await;
    assert_eq!(stays, [""; 0]);
    assert_eq!(scene.requests(), [2]);
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::OutcomeUnknown);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_of_an_earlier_receive_still_counts() {
    let first = ScriptedProvider::named("first", [unknown()]);
    let second = ScriptedProvider::named("second", [transient()]);
    let scene = Scene::of([first, second]);
    let records = [record(0, &sign_in(0))];

    assert_eq!(scene.receive(&records).await, [sqs_id(0)]);
    assert_eq!(scene.receive(&records).await, [""; 0]);

    assert_eq!(scene.requests(), [2, 3], "the second receive ends at the second unknown outcome");
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::OutcomeUnknown);
}

#[tokio::test(start_paused = true)]
async fn after_two_unknown_outcomes_nobody_is_asked_though_the_dead_letter_failed() {
    let scene = Scene::of(["first", "second"].map(|name| ScriptedProvider::named(name, [unknown()])));
    scene.queue.dead_lettering_becomes(QueueBehaviour::Refuses);
    assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [sqs_id(0)]);
    scene.queue.dead_lettering_becomes(QueueBehaviour::Works);
    assert_eq!(scene.receive(&[received(2, record(0, &sign_in(0)))]).await, [""; 0]);

    assert_eq!(scene.requests(), [1, 1], "a third SMS could be the third on the phone");
    assert_eq!(scene.keys.calls().len(), 1, "nor is the code decrypted again");
    let letters = scene.queue.letters();
    assert_eq!(letters[0].reason, DeadLetterReason::OutcomeUnknown);
    assert_eq!(letters[0].detail, "two earlier attempts may each have been sent");
}

#[tokio::test(start_paused = true)]
async fn attempts_that_provably_sent_nothing_do_not_count_as_unknown_ones() {
    let first = ScriptedProvider::named("first", [transient()]);
    let second = ScriptedProvider::named("second", [unknown()]);
    let third = ScriptedProvider::named("third", [provider_permanent()]);
    let fourth = ScriptedProvider::named("fourth", [transient(), unknown()]);
    let (scene, stays) = one_sign_in([first, second, third, fourth]).await;

    assert_eq!(stays, [""; 0]);
    assert_eq!(scene.requests(), [3, 1, 1, 2]);
    let letters = scene.queue.letters();
    assert_eq!(letters[0].reason, DeadLetterReason::OutcomeUnknown);
    assert_eq!((letters[0].provider.as_deref(), letters[0].attempts), (Some("fourth"), 7));
}

#[tokio::test(start_paused = true)]
async fn one_unknown_outcome_and_nothing_but_transient_ones_is_a_retry() {
    let first = ScriptedProvider::named("first", [unknown()]);
    let (scene, stays) = one_sign_in([first, ScriptedProvider::named("second", [transient()])]).await;
    assert_eq!(stays, [sqs_id(0)]);
    assert_eq!(scene.requests(), [1, 3]);

    let (scene, stays) = one_sign_in([ScriptedProvider::named("only", [unknown(), transient()])]).await;
    assert_eq!(stays, [sqs_id(0)]);
    assert_eq!(scene.requests(), [4]);
    assert_eq!(scene.facts.of("retried")[0]["reason"], "providers_unavailable");
    assert_eq!(scene.queue.letters(), []);
}

#[tokio::test(start_paused = true)]
async fn a_route_whose_providers_all_refuse_is_a_retry_since_an_operator_may_repair_it() {
    let providers = ["first", "second"].map(|name| ScriptedProvider::named(name, [provider_permanent()]));
    let (scene, stays) = one_sign_in(providers).await;

    assert_eq!(stays, [sqs_id(0)]);
    assert_eq!(scene.requests(), [1, 1]);
    assert_eq!(scene.queue.letters(), []);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_said_with_its_class_and_code() {
    let first = ScriptedProvider::named("first", [provider_permanent()]);
    let (scene, _) = one_sign_in([first, ScriptedProvider::named("second", [accepts()])]).await;

    let attempts: Vec<_> = scene.facts.of("attempted").into_iter().map(|fact| fact.to_string()).collect();
    assert_eq!(attempts.len(), 2);
    for (attempt, expected) in attempts.iter().zip([
        ["\"provider\":\"first\"", "\"outcome\":\"provider_permanent\"", "\"code\":\"20003\"", "\"took_ms\":100.0"],
        ["\"provider\":\"second\"", "\"outcome\":\"accepted\"", "\"code\":null", "\"took_ms\":100.0"],
    ]) {
        for member in expected {
            assert!(attempt.contains(member), "{member}: {attempt}");
        }
    }
}
