//! The worker as a service: it receives by itself, and ends what it has begun when it is told to stop.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use worker::{Drained, MOST_IN_FLIGHT, TIME_TO_DRAIN};

use crate::doubles::{KeyBehaviour, LONG_POLL, QueueBehaviour};
use crate::messages::{expiring, number, receipt, record, second, sign_in, to};
use crate::provider_double::{LATENCY, ScriptedProvider, accepts, hangs, transient};
use crate::scene::Scene;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The n-th sign-in as a record; its code lives for longer than any of these tests.
fn arrival(n: u32) -> Value {
    record(n, &expiring(second(3_600), sign_in(n)))
}

fn sorted(mut handles: Vec<String>) -> Vec<String> {
    handles.sort_unstable();
    handles
}

#[tokio::test(start_paused = true)]
async fn what_is_delivered_is_deleted_and_what_is_not_is_postponed() {
    let provider = ScriptedProvider::named("first", [accepts()]).with_number(number(1), transient());
    let scene = Scene::of([provider]);
    scene.queue.arrive([arrival(0), arrival(1), record(2, &json!("no message"))]);

    assert_eq!(scene.serve_for(seconds(3)).await, Drained { left: 0 });

    assert_eq!(sorted(scene.queue.deleted()), [receipt(0), receipt(2)], "a dead letter is done with too");
    assert_eq!(scene.queue.postponed().len(), 1);
    assert_eq!(scene.queue.postponed()[0].0, receipt(1));
    assert_eq!(scene.queue.letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn receiving_goes_on_while_a_provider_is_slow() {
    let provider = ScriptedProvider::named("first", [accepts()]).with_number(number(0), accepts().after(seconds(10)));
    let scene = Scene::of([provider]);
    scene.queue.arrive((0..25).map(arrival));

    scene.serve_for(seconds(1)).await;

    let began = scene.queue.receives()[0];
    assert!(scene.queue.receives().iter().take(4).all(|receive| *receive == began), "one straight after the other");
    assert_eq!(scene.queue.deleted().len(), 25);
    assert_eq!(scene.queue.deleted().last(), Some(&receipt(0)), "the slow one held nobody up");
}

#[tokio::test(start_paused = true)]
async fn the_records_in_flight_are_bounded() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts().after(seconds(5))])]);
    scene.queue.arrive((0..250).map(arrival));

    let began = Instant::now();
    scene.serve_for(seconds(12)).await;

    for (after, begun) in [(seconds(4), MOST_IN_FLIGHT), (seconds(9), 2 * MOST_IN_FLIGHT), (seconds(14), 250)] {
        let requests = scene.providers[0].requests();
        let so_far = requests.iter().filter(|request| request.at <= began + after).count();
        assert_eq!(so_far, begun, "after {after:?}");
    }
    assert_eq!(scene.queue.deleted().len(), 250);
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_does_not_starve_the_messages_that_go_elsewhere() {
    let slow = ScriptedProvider::named("slow", [accepts().after(seconds(15))]);
    let scene = Scene::configured(
        "[route]\ndefault = [\"slow\"]\n[route.country]\nAU = [\"quick\"]\n",
        [slow, ScriptedProvider::named("quick", [accepts()])],
    );
    scene.queue.arrive((0..300).map(arrival));
    scene.queue.arrive((300..320).map(|n| record(n, &to("+61491570156", expiring(second(3_600), sign_in(n))))));

    scene.serve_for(seconds(5)).await;

    let began = scene.queue.receives()[0];
    let quick = scene.providers[1].requests();
    assert_eq!(quick.len(), 20);
    assert!(quick.iter().all(|request| request.at < began + seconds(1)), "behind 300 others");
    assert_eq!(scene.providers[0].requests().len(), 75);
    assert_eq!(scene.queue.postponed().len(), 225);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_told_to_stop_ends_what_it_has_begun_and_begins_nothing_more() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts().after(seconds(7))])]);
    scene.queue.arrive((0..10).map(arrival));
    let began = Instant::now();

    let drained = scene.serve_for(seconds(1)).await;

    assert_eq!(drained, Drained { left: 0 });
    assert_eq!(scene.queue.deleted().len(), 10);
    assert_eq!(began.elapsed(), seconds(7));
    let last = scene.queue.receives().last().copied().expect("receives");
    assert_eq!(last, began, "no receive begins after the signal");
    assert_eq!(scene.facts.of("draining")[0]["in_flight"], 10);
    assert_eq!(scene.facts.of("drained")[0]["left"], 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_last_receive_brings_is_still_worked_on() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    let began = Instant::now();
    let late = async {
        tokio::time::sleep(seconds(7)).await;
        scene.queue.arrive([arrival(0)]);
    };
    let (drained, ()) = tokio::join!(scene.serve_for(seconds(11)), late);

    assert_eq!(drained, Drained { left: 0 });
    assert_eq!(scene.queue.deleted(), [receipt(0)]);
    let last_receive = 3 * LONG_POLL + LATENCY;
    assert!(began.elapsed() <= last_receive, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_never_held_up_for_longer_than_it_may() {
    let scene = Scene::of([ScriptedProvider::named("first", [hangs()])]);
    scene.queue.arrive([arrival(0)]);
    scene.queue.postponing_becomes(QueueBehaviour::Hangs);
    scene.queue.dead_lettering_becomes(QueueBehaviour::Hangs);
    scene.queue.deleting_becomes(QueueBehaviour::Hangs);
    scene.queue.arrive((1..5).map(arrival));
    scene.keys.become_like(KeyBehaviour::Hangs);
    let began = Instant::now();

    scene.serve_for(seconds(1)).await;

    assert!(began.elapsed() <= LONG_POLL + TIME_TO_DRAIN, "{:?}", began.elapsed());
    assert!(scene.queue.deleted().is_empty(), "what is not done with stays in the queue");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_never_ends_is_left_behind() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.queue.arrive([arrival(0)]);
    scene.queue.deleting_becomes(QueueBehaviour::Hangs);
    let began = Instant::now();

    assert_eq!(scene.serve_for(seconds(1)).await, Drained { left: 1 });

    assert_eq!(began.elapsed(), LONG_POLL + TIME_TO_DRAIN);
    assert_eq!(scene.facts.of("drained")[0]["left"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_fails_is_tried_again_and_then_reported() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.queue.arrive([arrival(0)]);
    scene.queue.deleting_becomes(QueueBehaviour::Refuses);

    scene.serve_for(seconds(9)).await;

    let failures = scene.facts.of("queue_call_failed");
    assert_eq!(failures.len(), 5, "the first attempt and four more");
    assert_eq!((&failures[0]["call"], &failures[0]["error"]), (&json!("DeleteMessage"), &json!("AccessDenied")));
    assert_eq!(scene.requests(), [1], "the SMS itself is not sent again");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_cannot_be_reached_is_asked_ever_less_often_and_worked_on_when_it_is_back() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.queue.receiving_becomes(QueueBehaviour::Refuses);
    scene.queue.arrive([arrival(0)]);
    let began = Instant::now();
    let back = async {
        tokio::time::sleep(seconds(30)).await;
        scene.queue.receiving_becomes(QueueBehaviour::Works);
    };
    tokio::join!(scene.serve_for(seconds(45)), back);

    let asked: Vec<_> = scene.queue.receives().iter().map(|at| at.duration_since(began).as_millis()).collect();
    assert_eq!(asked[..7], [0, 200, 1_200, 3_200, 8_200, 18_200, 28_200]);
    assert_eq!(scene.facts.of("receive_failed").len(), 7);
    assert_eq!(scene.facts.of("receive_failed")[0]["error"], "AccessDenied");
    assert_eq!(scene.queue.deleted(), [receipt(0)]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_a_pause_is_obeyed_at_once() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.queue.receiving_becomes(QueueBehaviour::Refuses);
    let began = Instant::now();
    assert_eq!(scene.serve_for(seconds(10)).await, Drained { left: 0 });
    assert_eq!(began.elapsed(), seconds(10));
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_neither_the_message_nor_the_service() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.keys.become_like(KeyBehaviour::Panics);
    scene.queue.arrive([arrival(0)]);
    let later = async {
        tokio::time::sleep(seconds(1)).await;
        scene.keys.become_like(KeyBehaviour::UnwrapsAfter(Duration::ZERO));
        scene.queue.arrive([arrival(1)]);
    };
    tokio::join!(scene.serve_for(seconds(11)), later);

    assert_eq!(scene.queue.deleted(), [receipt(1)]);
    assert_eq!(scene.facts.of("retried")[0]["reason"], "worker_fault");
}
