//! The end of the invocation and the end of the code's life.

use std::time::Duration;

use serde_json::Value;
use shared::DeadLetterReason;
use tokio::time::{Instant, sleep};

use crate::doubles::{KeyBehaviour, QueueBehaviour};
use crate::messages::{LIFETIME, expiring, message, number, record, second, sign_in, sqs_id};
use crate::provider_double::{
    LATENCY, ScriptedProvider, accepts, hangs, recipient_permanent, times_out, transient, transient_for,
};
use crate::scene::Scene;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn one_sign_in() -> [Value; 1] {
    [record(0, &sign_in(0))]
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_deadline_is_near_is_not_begun() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);

    assert_eq!(scene.receive_within(seconds(3), &one_sign_in()).await, [sqs_id(0)]);

    assert!(scene.keys.calls().is_empty());
    assert_eq!(scene.requests(), [0]);
    assert_eq!(scene.facts.of("retried")[0]["reason"], "out_of_time");
    assert_eq!(scene.queue.postponed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_begun_that_would_be_cut_off() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);

    assert_eq!(scene.receive_within(Duration::from_millis(3_900), &one_sign_in()).await, [sqs_id(0)]);

    assert_eq!(scene.requests(), [0]);
    assert_eq!(scene.facts.of("retried")[0]["reason"], "out_of_time");
}

#[tokio::test(start_paused = true)]
async fn without_any_time_everything_stays() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    let records = [record(0, &sign_in(0)), record(1, &sign_in(1))];

    assert_eq!(scene.receive_within(Duration::ZERO, &records).await, [sqs_id(0), sqs_id(1)]);

    sleep(seconds(60)).await;
    assert_eq!(scene.requests(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_kms_ends_by_the_deadline_and_the_record_stays() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.keys.become_like(KeyBehaviour::Hangs);
    let began = Instant::now();

    assert_eq!(scene.receive_within(seconds(20), &one_sign_in()).await, [sqs_id(0)]);

    assert_eq!(began.elapsed(), seconds(17), "three seconds are left for settling");
    assert_eq!(scene.facts.of("retried")[0]["reason"], "key_unavailable");
    assert_eq!(scene.queue.postponed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_knows_its_limit_ends_by_the_deadline_and_the_record_stays() {
    let scene = Scene::of([ScriptedProvider::named("first", [times_out()])]);
    let began = Instant::now();

    assert_eq!(scene.receive_within(seconds(20), &one_sign_in()).await, [sqs_id(0)]);

    assert_eq!(began.elapsed(), seconds(17));
    assert_eq!(scene.providers[0].requests()[0].timeout, seconds(17));
    assert_eq!(scene.facts.of("retried")[0]["reason"], "providers_unavailable");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_returns_costs_its_own_record_alone() {
    let provider = ScriptedProvider::named("first", [accepts()]).with_number(number(1), hangs());
    let scene = Scene::of([provider]);
    let records: Vec<_> = (0..3).map(|n| record(n, &sign_in(n))).collect();
    let began = Instant::now();

    assert_eq!(scene.receive_within(seconds(20), &records).await, [sqs_id(1)]);

    assert!(began.elapsed() < seconds(20), "{:?}", began.elapsed());
    assert_eq!(scene.facts.of("delivered").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_never_answers_costs_no_message() {
    let provider = ScriptedProvider::named("first", [transient()]).with_number(number(1), recipient_permanent());
    let scene = Scene::of([provider]);
    scene.queue.postponing_becomes(QueueBehaviour::Hangs);
    scene.queue.dead_lettering_becomes(QueueBehaviour::Hangs);
    let records = [record(0, &sign_in(0)), record(1, &sign_in(1))];
    let began = Instant::now();

    assert_eq!(scene.receive_within(seconds(20), &records).await, [sqs_id(0), sqs_id(1)]);

    assert!(began.elapsed() < seconds(20), "{:?}", began.elapsed());
}

/// Lambda freezes the process after the answer and thaws it for another batch: what went on then would act on a
/// message that somebody else has received meanwhile.
#[tokio::test(start_paused = true)]
async fn nothing_goes_on_after_the_answer() {
    let late = recipient_permanent().after(seconds(30));
    let scene = Scene::of([ScriptedProvider::named("first", [late])]);
    assert_eq!(scene.receive_within(seconds(20), &one_sign_in()).await, [sqs_id(0)]);
    let (said, postponed) = (scene.facts.shown(), scene.queue.postponed());

    sleep(seconds(120)).await;

    assert_eq!(scene.queue.letters(), []);
    assert_eq!(scene.queue.postponed(), postponed);
    assert_eq!(scene.facts.shown(), said);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_begun_once_the_code_has_expired_during_the_wait_for_kms() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.keys.become_like(KeyBehaviour::UnwrapsAfter(seconds(5)));

    let stays = scene.receive(&[record(0, &expiring(second(5), sign_in(0)))]).await;

    assert_eq!(scene.requests(), [0]);
    assert_eq!(stays, [""; 0]);
    assert_eq!(scene.queue.letters().len(), 1, "it ends in the dead-letter queue");
    assert_eq!(scene.queue.letters()[0].attempts, 0);
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_begun_once_the_code_has_expired_at_the_provider_before() {
    let first = ScriptedProvider::named("first", [transient_for(seconds(60)).after(seconds(5))]);
    let scene = Scene::of([first, ScriptedProvider::named("second", [accepts()])]);

    let stays = scene.receive(&[record(0, &expiring(second(5), sign_in(0)))]).await;

    assert_eq!(scene.requests(), [1, 0]);
    assert_eq!(stays, [""; 0]);
    let letters = scene.queue.letters();
    assert_eq!(letters[0].reason, DeadLetterReason::ProvidersExhausted);
    assert_eq!((letters[0].attempts, letters[0].provider.as_deref()), (1, Some("first")));
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_told_how_long_the_code_will_still_live() {
    let first = ScriptedProvider::named("first", [transient_for(seconds(60))]);
    let scene = Scene::of([first, ScriptedProvider::named("second", [accepts()])]);
    scene.keys.become_like(KeyBehaviour::UnwrapsAfter(Duration::from_millis(50)));
    sleep(seconds(30)).await;

    assert_eq!(scene.receive(&one_sign_in()).await, [""; 0]);

    let left = LIFETIME - seconds(30) - Duration::from_millis(50);
    assert_eq!(scene.providers[0].requests()[0].valid_for, left);
    assert_eq!(scene.providers[1].requests()[0].valid_for, left - LATENCY);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_up_to_its_last_moment_and_not_at_it() {
    for (age, is_sent) in [(179_999, true), (180_000, false), (180_001, false)] {
        let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
        sleep(Duration::from_millis(age)).await;
        assert_eq!(scene.receive(&[record(0, &message(0, "SignUp"))]).await, [""; 0]);
        assert_eq!(scene.requests(), [usize::from(is_sent)], "{age} ms");
        let reasons: Vec<_> = scene.queue.letters().into_iter().map(|letter| letter.reason).collect();
        assert_eq!(reasons.contains(&DeadLetterReason::Expired), !is_sent, "{age} ms");
    }
}
