//! Across receives: how long a message waits, and what it ends as when waiting is over.

use std::time::Duration;

use serde_json::{Value, json};
use shared::DeadLetterReason;
use shared::TriggerSource;
use tokio::time::sleep;
use worker::{KeyError, VisibilitySchedule, visibility_schedule};

use crate::doubles::{KeyBehaviour, QueueBehaviour, faults_when_opening};
use crate::messages::{beginning, expiring, message, received, record, second, sent, sign_in, sqs_id};
use crate::provider_double::{ScriptedProvider, accepts, provider_permanent, transient, transient_for};
use crate::scene::Scene;

const HORIZON: i64 = 6 * 60 * 60;
/// What `[retry] time_to_type` is by default.
const TIME_TO_TYPE: i64 = 20;
const DAY: i64 = 24 * 60 * 60;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn of_sign_up() -> VisibilitySchedule {
    visibility_schedule(Some(TriggerSource::SignUp))
}

/// A worker whose only provider is out of order: one attempt of 100 ms, and a retry.
fn outage() -> Scene {
    Scene::of([ScriptedProvider::named("first", [provider_permanent()])])
}

/// A sign-up of which time to type is no concern today.
fn long_lived(n: u32) -> Value {
    expiring(second(DAY), message(n, "SignUp"))
}

#[tokio::test(start_paused = true)]
async fn delays_follow_the_schedule_by_receive_count_with_jitter() {
    for count in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 1_000] {
        let scene = outage();
        let records: Vec<_> = (0..100).map(|n| received(count, record(n, &long_lived(n)))).collect();
        assert_eq!(scene.receive(&records).await.len(), 100);

        let step = of_sign_up()[(count as usize - 1).min(of_sign_up().len() - 1)];
        let delays = scene.queue.delays();
        assert_eq!(delays.len(), 100);
        for delay in &delays {
            assert!((step / 2..=step).contains(delay), "{delay:?} at receive {count}, whose step is {step:?}");
        }
        let middle = step * 3 / 4;
        let short = delays.iter().filter(|delay| **delay < middle).count();
        assert!((20..=80).contains(&short), "{short} of 100 delays are in the lower half at receive {count}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_said_with_its_reason_and_delay() {
    let scene = outage();
    scene.receive(&[received(4, record(0, &long_lived(0)))]).await;
    let facts = scene.facts.of("retried");
    assert_eq!(facts.len(), 1);
    assert_eq!((&facts[0]["reason"], &facts[0]["receive_count"]), (&json!("providers_unavailable"), &json!(4)));
    assert_eq!(facts[0]["after_ms"], json!(scene.queue.delays()[0].as_secs_f64() * 1e3));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_patience_gets_it() {
    let scene = Scene::of([ScriptedProvider::named("first", [transient_for(seconds(45))])]);
    scene.receive(&[record(0, &long_lived(0))]).await;
    assert_eq!(scene.queue.delays(), [seconds(45)]);
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_for_the_provider_that_recovers_first() {
    let patient = || ScriptedProvider::named("patient", [transient_for(seconds(45))]);
    for (other, expected) in [
        (ScriptedProvider::named("other", [transient()]), 1..=2),
        (ScriptedProvider::named("other", [transient_for(seconds(30))]), 30..=30),
        (ScriptedProvider::named("other", [provider_permanent()]), 45..=45),
    ] {
        let scene = Scene::of([patient(), other]);
        scene.receive(&[record(0, &long_lived(0))]).await;
        let delay = scene.queue.delays()[0].as_secs();
        assert!(expected.contains(&delay), "{delay} s instead of {expected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_is_placed_at_the_end_and_none_after_it() {
    for (message, sent_at) in [
        // The horizon counts from SQS's timestamp, which a redrive renews.
        (long_lived(0), 91 - HORIZON),
        // The expiry counts from the body, less the time to type.
        (expiring(second(91 + TIME_TO_TYPE), message(0, "SignUp")), 0),
    ] {
        let scene = outage();
        let record = sent(second(sent_at), received(9, record(0, &message)));

        assert_eq!(scene.receive(std::slice::from_ref(&record)).await, [sqs_id(0)]);
        assert_eq!(scene.queue.delays(), [seconds(90)], "90.9 seconds are left");

        sleep(seconds(90)).await;
        assert_eq!(scene.receive(&[received(10, record)]).await, [""; 0]);
        assert_eq!(scene.queue.delays().len(), 1);
        let letters = scene.queue.letters();
        assert_eq!(letters[0].reason, DeadLetterReason::ProvidersExhausted);
        assert_eq!(letters[0].detail, "first: 20003");
        assert_eq!((letters[0].provider.as_deref(), letters[0].attempts), (Some("first"), 2));
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_end_the_last_retrys_reason_decides() {
    let horizon_passed = || sent(second(-HORIZON), record(0, &long_lived(0)));

    let scene = outage();
    scene.keys.become_like(KeyBehaviour::Fails(KeyError::NotAllowed { code: "AccessDeniedException".to_owned() }));
    assert_eq!(scene.receive(&[horizon_passed()]).await, [""; 0]);
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::KeyUnavailable);
    assert_eq!(scene.queue.letters()[0].detail, "KMS does not allow it: AccessDeniedException");

    let mut scene = outage();
    scene.change(|worker| worker.open = faults_when_opening);
    assert_eq!(scene.receive(&[horizon_passed()]).await, [""; 0]);
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::WorkerFault);

    let scene = outage();
    scene.keys.become_like(KeyBehaviour::Panics);
    assert_eq!(scene.receive(&[horizon_passed()]).await, [""; 0]);
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::WorkerFault);
    assert_eq!(scene.queue.letters()[0].detail, "the worker panicked on it");
}

#[tokio::test(start_paused = true)]
async fn a_message_past_the_horizon_is_still_tried_once() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    assert_eq!(scene.receive(&[sent(second(-2 * HORIZON), record(0, &long_lived(0)))]).await, [""; 0]);
    assert_eq!(scene.facts.of("delivered").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_until_the_code_can_no_longer_be_typed() {
    let scene = outage();
    let mut receives = 0;
    while scene.queue.letters().is_empty() {
        receives += 1;
        assert!(receives < 100, "it must end");
        scene.receive(&[received(receives, record(0, &sign_in(0)))]).await;
        if let Some(delay) = scene.queue.delays().get(receives as usize - 1) {
            sleep(*delay).await;
        }
    }
    let last_attempt = scene.providers[0].requests().last().expect("attempts").valid_for;
    let last_useful = seconds(TIME_TO_TYPE as u64);
    assert!((last_useful..last_useful + seconds(2)).contains(&last_attempt), "{last_attempt:?} before the expiry");
    assert!((7..=13).contains(&receives), "{receives} receives");
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::ProvidersExhausted);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_provider_recovers_is_delivered_at_its_next_receive() {
    let scene = Scene::of([ScriptedProvider::named("first", [provider_permanent(), accepts()])]);
    assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [sqs_id(0)]);
    sleep(scene.queue.delays()[0]).await;
    assert_eq!(scene.receive(&[received(2, record(0, &sign_in(0)))]).await, [""; 0]);
    assert_eq!(scene.facts.of("delivered").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_attributes_a_message_is_retried_until_its_code_can_no_longer_be_typed() {
    let mut bare = record(0, &sign_in(0));
    bare.as_object_mut().expect("an object").remove("attributes");
    for attributes in [None, Some(json!({})), Some(json!({ "SentTimestamp": "soon", "ApproximateReceiveCount": "" }))] {
        let scene = outage();
        let mut record = bare.clone();
        if let Some(attributes) = attributes {
            record["attributes"] = attributes;
        }
        assert_eq!(scene.receive(std::slice::from_ref(&record)).await, [sqs_id(0)]);
        assert!(scene.queue.delays()[0] <= of_sign_up()[0]);

        sleep(seconds(160)).await;
        assert_eq!(scene.receive(&[record]).await, [""; 0]);
        assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::ProvidersExhausted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_postponed_stays_all_the_same_and_that_is_said() {
    let scene = outage();
    scene.queue.postponing_becomes(QueueBehaviour::Refuses);

    assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [sqs_id(0)]);

    let facts = scene.facts.of("queue_call_failed");
    assert_eq!(facts.len(), 1);
    assert_eq!((&facts[0]["call"], &facts[0]["error"]), (&json!("ChangeMessageVisibility"), &json!("AccessDenied")));
    assert_eq!(scene.queue.letters(), []);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_sent_is_a_retry_at_any_age() {
    let expired = expiring(beginning(), sign_in(0));
    let (shortest, longest) = (of_sign_up()[0], of_sign_up()[8]);
    for (record, reason, step) in [
        (record(0, &sign_in(0)), DeadLetterReason::ProvidersExhausted, shortest),
        (record(0, &expired), DeadLetterReason::Expired, shortest),
        (sent(second(-20 * DAY), received(900, record(0, &expired))), DeadLetterReason::Expired, longest),
    ] {
        let scene = outage();
        scene.queue.dead_lettering_becomes(QueueBehaviour::Refuses);
        sleep(seconds(170)).await;
        assert_eq!(scene.receive(std::slice::from_ref(&record)).await, [sqs_id(0)]);

        let delays = scene.queue.delays();
        assert_eq!(delays.len(), 1);
        assert!((step / 2..=step).contains(&delays[0]), "it waits like any other: {delays:?}");
        assert!(scene.facts.of("dead_lettered").is_empty());
        let facts = scene.facts.of("queue_call_failed");
        assert_eq!((&facts[0]["call"], &facts[0]["error"]), (&json!("SendMessage"), &json!("AccessDenied")));
        assert_eq!(scene.facts.of("retried")[0]["reason"], "dead_letter_queue_unavailable");

        scene.queue.dead_lettering_becomes(QueueBehaviour::Works);
        assert_eq!(scene.receive(&[record]).await, [""; 0]);
        assert_eq!(scene.queue.letters()[0].reason, reason, "its true reason, once it goes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_stays_when_neither_queue_takes_a_call() {
    let scene = outage();
    scene.queue.dead_lettering_becomes(QueueBehaviour::Refuses);
    scene.queue.postponing_becomes(QueueBehaviour::Refuses);
    sleep(seconds(170)).await;
    assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [sqs_id(0)]);
    assert_eq!(scene.facts.of("queue_call_failed").len(), 2);
}
