//! The circuit breaker before each provider, and the places at it, as the records at work share them.

use std::time::Duration;

use serde_json::Value;
use shared::DeadLetterReason;
use tokio::time::{Instant, sleep};

use crate::messages::{expiring, number, record, second, sign_in, sqs_id};
use crate::provider_double::{
    Behaviour, LATENCY, ScriptedProvider, accepts, fraud_blocked, hangs, panics, provider_permanent,
    recipient_permanent, transient, transient_for, unknown,
};
use crate::scene::Scene;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Sign-ins whose codes live for longer than any of these tests.
fn sign_ins(numbers: std::ops::Range<u32>) -> Vec<Value> {
    numbers.map(|n| record(n, &expiring(second(3_600), sign_in(n)))).collect()
}

/// A first provider that behaves so and a second one that is well.
fn two(first: Behaviour) -> Scene {
    Scene::of([ScriptedProvider::named("first", [first]), ScriptedProvider::named("second", [accepts()])])
}

fn states(scene: &Scene) -> Vec<String> {
    let changes = scene.facts.of("circuit_changed");
    changes.iter().map(|fact| fact["state"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_five_times_in_a_row_is_left_alone() {
    for failure in [transient(), provider_permanent(), unknown()] {
        let scene = two(failure);
        for n in 0..20 {
            assert_eq!(scene.receive(&sign_ins(n..n + 1)).await, [""; 0]);
            if states(&scene).contains(&"half_open".to_owned()) {
                break;
            }
        }
        let requests = scene.providers[0].requests();
        let opened_at = requests[4].at;
        assert!(requests.iter().skip(5).all(|request| request.at >= opened_at + seconds(1)), "asked while open");
        assert!(states(&scene).starts_with(&["open".to_owned()]));
        let skipped = &scene.facts.of("not_attempted")[0];
        assert_eq!((&skipped["provider"], &skipped["cause"]), (&"first".into(), &"circuit_open".into()));
        assert_eq!(scene.queue.letters(), [], "the second one takes them all");
    }
}

#[tokio::test(start_paused = true)]
async fn records_of_one_batch_share_what_they_learn() {
    let scene = two(transient());
    assert_eq!(scene.receive(&sign_ins(0..50)).await, [""; 0]);
    let again = scene.providers[0].requests().len();
    assert_eq!(again, 50, "all begin at once, and none asks a second time");
    assert_eq!(scene.receive(&sign_ins(50..100)).await, [""; 0]);
    assert_eq!(scene.providers[0].requests().len(), again, "the next batch does not ask at all");
}

#[tokio::test(start_paused = true)]
async fn one_message_tries_whether_a_provider_is_well_again_and_then_all_go_there() {
    let first =
        ScriptedProvider::named("first", [transient(), transient(), transient(), transient(), transient(), accepts()]);
    let scene = Scene::of([first, ScriptedProvider::named("second", [accepts()])]);
    scene.receive(&sign_ins(0..5)).await;
    assert_eq!(scene.requests(), [5, 5]);
    sleep(seconds(2)).await;

    scene.receive(&sign_ins(5..15)).await;
    assert_eq!(scene.requests(), [6, 14], "one goes to the first, nine to the second");
    assert_eq!(states(&scene), ["open", "half_open", "closed"]);

    scene.receive(&sign_ins(15..25)).await;
    assert_eq!(scene.requests(), [16, 14]);
}

#[tokio::test(start_paused = true)]
async fn where_no_other_provider_follows_messages_wait_for_the_end_of_a_probe() {
    for (probe, latency, stay, requests) in
        [(accepts(), LATENCY, 0, 5 + 10), (transient(), LATENCY, 10, 5 + 1), (accepts(), seconds(3), 9, 5 + 1)]
    {
        let failing =
            ScriptedProvider::named("only", [transient(), transient(), transient(), transient(), transient()]);
        let scene = Scene::of([failing.then(probe.after(latency))]);
        scene.receive(&sign_ins(0..5)).await;
        sleep(seconds(2)).await;

        let began = Instant::now();
        assert_eq!(scene.receive(&sign_ins(5..15)).await.len(), stay);
        assert_eq!(scene.requests(), [requests]);
        assert!(began.elapsed() <= latency + LATENCY, "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_keeps_the_circuit_open_for_longer() {
    let scene = two(transient());
    scene.receive(&sign_ins(0..5)).await;
    sleep(seconds(2)).await;
    scene.receive(&sign_ins(5..10)).await;
    assert_eq!(scene.requests()[0], 6, "not even the probe is repeated at once");
    sleep(seconds(2)).await;
    scene.receive(&sign_ins(10..15)).await;
    assert_eq!(scene.requests()[0], 6);
    assert_eq!(states(&scene), ["open", "half_open", "open"]);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_cut_off_leaves_its_turn_to_another() {
    for (cut_off, states_then) in [(panics(), vec!["open", "half_open", "open"]), (hangs(), vec!["open", "half_open"])]
    {
        let first = ScriptedProvider::named("first", [transient()]).with_number(number(5), cut_off);
        let scene = Scene::of([first, ScriptedProvider::named("second", [accepts()])]);
        scene.receive(&sign_ins(0..5)).await;
        sleep(seconds(2)).await;
        let began = scene.facts.of("attempted").len();
        scene.receive_within(seconds(6), &sign_ins(5..6)).await;
        assert_eq!(states(&scene)[..2], states_then[..2]);
        assert!(scene.facts.of("attempted").len() > began);
        sleep(seconds(10)).await;
        scene.receive(&sign_ins(6..7)).await;
        assert_eq!(states(&scene).iter().filter(|state| *state == "half_open").count(), 2, "{:?}", states(&scene));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_about_the_number_does_not_open_a_circuit() {
    for behaviour in [recipient_permanent(), fraud_blocked()] {
        let scene = two(behaviour);
        scene.receive(&sign_ins(0..30)).await;
        assert_eq!(scene.requests(), [30, 0]);
        assert_eq!(states(&scene), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn where_every_circuit_is_open_a_message_waits_until_the_first_may_close() {
    let scene = Scene::of([ScriptedProvider::named("only", [transient_for(seconds(30))])]);
    scene.receive(&sign_ins(0..5)).await;
    assert_eq!(scene.requests(), [5]);
    sleep(seconds(10)).await;

    assert_eq!(scene.receive(&sign_ins(5..6)).await, [sqs_id(5)]);

    assert_eq!(scene.requests(), [5]);
    assert_eq!(scene.keys.calls().len(), 5, "its code is not even decrypted");
    assert_eq!(scene.queue.delays().last(), Some(&seconds(20)), "as long as the provider had asked for");
    let retried = scene.facts.of("retried");
    assert_eq!(retried.last().expect("a retry")["reason"], "providers_unavailable");
}

#[tokio::test(start_paused = true)]
async fn a_message_at_its_last_receive_is_tried_although_the_circuit_is_open() {
    let only = ScriptedProvider::named("only", [transient_for(seconds(60))]).with_number(number(5), accepts());
    let scene = Scene::of([only.with_number(number(6), transient())]);
    scene.receive(&sign_ins(0..5)).await;
    let (in_time, too_early) = (expiring(second(20), sign_in(5)), expiring(second(40), sign_in(7)));
    let failing = expiring(second(20), sign_in(6));

    let stays = scene.receive(&[record(6, &failing), record(7, &too_early), record(5, &in_time)]).await;

    assert_eq!(stays, [sqs_id(7)], "there is time for another receive");
    assert_eq!(scene.requests(), [5 + 3 + 1]);
    let letters = scene.queue.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].reason, letters[0].attempts), (DeadLetterReason::ProvidersExhausted, 3));
    assert_eq!(letters[0].detail, "only: http_503 x3");
    assert_eq!(scene.facts.of("delivered").len(), 1);
    assert_eq!(states(&scene), ["open", "closed"], "its success closes it for all");
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_leaves_places_for_records_that_go_elsewhere() {
    let slow = || ScriptedProvider::named("first", [accepts().after(seconds(6))]);
    let scene = Scene::of([slow(), ScriptedProvider::named("second", [accepts()])]);
    assert_eq!(scene.receive(&sign_ins(0..100)).await, [""; 0]);
    assert_eq!(scene.requests(), [75, 25]);
    assert_eq!(scene.facts.of("not_attempted")[0]["cause"], "busy");
    assert_eq!(states(&scene), [""; 0]);

    let scene = Scene::of([slow()]);
    assert_eq!(scene.receive(&sign_ins(0..100)).await, [""; 0]);
    assert_eq!(scene.requests(), [100], "where there is no other, it may have everything");
}
