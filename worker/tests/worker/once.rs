//! One code, one SMS: whatever hands a message out again, and however many workers there are.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::{Clock, DeadLetterReason};
use tokio::time::{sleep, timeout};
use worker::OnAbandoned;

use crate::doubles::QueueBehaviour;
use crate::messages::{LIFETIME, expiring, received, record, redriven, second, sign_in, sqs_id};
use crate::provider_double::{Behaviour, ScriptedProvider, accepts, hangs, transient, unknown};
use crate::scene::Scene;
use crate::table::{Table, Trouble};

const DAY: i64 = 24 * 60 * 60;
/// From a kill to the end of the killed worker's lease, and somewhat more.
const A_LEASE: Duration = Duration::from_secs(30);

/// A worker with one provider that shares the table.
fn worker<const N: usize>(table: &Arc<Table>, script: [Behaviour; N]) -> Scene {
    let mut scene = Scene::of([ScriptedProvider::named("first", script)]);
    scene.share(table);
    scene
}

fn long_lived(n: u32) -> Value {
    expiring(second(DAY), sign_in(n))
}

/// Hands the record to the worker and kills it while the provider is asked.
async fn killed_in_mid_send(scene: &Scene, record: &Value) {
    let killed = timeout(Duration::from_secs(1), scene.receive(std::slice::from_ref(record))).await;
    assert!(killed.is_err(), "it was at work");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_again_after_it_was_sent_is_done_with_and_not_even_decrypted() {
    let table = Arc::default();
    assert_eq!(worker(&table, [accepts()]).receive(&[record(0, &sign_in(0))]).await, [""; 0]);

    let other = worker(&table, [accepts()]);
    assert_eq!(other.receive(&[received(2, record(0, &sign_in(0)))]).await, [""; 0]);
    assert_eq!((other.requests(), other.keys.calls().len()), (vec![0], 0));
    assert_eq!(other.facts.of("duplicate").len(), 1);
    assert_eq!(other.queue.letters(), []);
}

#[tokio::test(start_paused = true)]
async fn the_same_code_in_two_queue_messages_is_sent_once() {
    // Lambda tries an asynchronous invocation again: the producer then enqueues the same code a second time.
    let table = Arc::default();
    let scene = worker(&table, [accepts()]);
    for n in [0, 1] {
        assert_eq!(scene.receive(&[record(n, &sign_in(0))]).await, [""; 0]);
    }
    assert_eq!(scene.requests(), [1]);
    assert_eq!(scene.facts.of("duplicate").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_found_expired_that_was_sent_before_is_no_dead_letter() {
    let table = Arc::default();
    worker(&table, [accepts()]).receive(&[record(0, &sign_in(0))]).await;

    sleep(LIFETIME).await;
    let other = worker(&table, [accepts()]);
    assert_eq!(other.receive(&[received(2, record(0, &sign_in(0)))]).await, [""; 0]);
    assert_eq!(other.queue.letters(), []);
    assert_eq!(other.facts.of("duplicate").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_one_worker_sends_a_message_the_others_wait_for_the_end_of_its_lease() {
    let table = Arc::default();
    let workers: Vec<_> = (0..12).map(|_| worker(&table, [accepts()])).collect();
    let message = [record(0, &long_lived(0))];
    let stays = futures_util::future::join_all(workers.iter().map(|worker| worker.receive(&message))).await;

    let requests: usize = workers.iter().map(|worker| worker.requests()[0]).sum();
    assert_eq!((requests, stays.iter().filter(|stays| stays.is_empty()).count()), (1, 1));
    for worker in workers.iter().filter(|worker| worker.requests() == [0]) {
        assert_eq!(worker.facts.of("retried")[0]["reason"], "in_flight");
        // 20 s of invocation and 5 s for clocks that differ.
        assert_eq!(worker.queue.delays(), [Duration::from_secs(25)]);
        assert_eq!(worker.queue.letters(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_given_back_is_the_next_workers_at_once() {
    let table = Arc::default();
    let first = worker(&table, [transient()]);
    assert_eq!(first.receive(&[record(0, &long_lived(0))]).await, [sqs_id(0)]);

    let second = worker(&table, [accepts()]);
    assert_eq!(second.receive(&[received(2, record(0, &long_lived(0)))]).await, [""; 0]);
    assert_eq!(second.facts.of("delivered").len(), 1);
    assert_eq!(second.facts.of("tried_before")[0]["attempts"], json!(first.requests()[0]));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_killed_in_mid_send_leaves_one_attempt_to_the_others() {
    let table = Arc::default();
    let again = received(2, record(0, &long_lived(0)));
    killed_in_mid_send(&worker(&table, [hangs()]), &record(0, &long_lived(0))).await;

    let early = worker(&table, [accepts()]);
    assert_eq!(early.receive(std::slice::from_ref(&again)).await, [sqs_id(0)]);
    assert_eq!(early.requests(), [0], "the killed worker may be alive");

    sleep(A_LEASE).await;
    killed_in_mid_send(&worker(&table, [hangs()]), &again).await;

    sleep(A_LEASE).await;
    let last = worker(&table, [accepts()]);
    assert_eq!(last.receive(&[again]).await, [""; 0]);
    assert_eq!(last.requests(), [0]);
    assert_eq!(last.queue.letters()[0].reason, DeadLetterReason::OutcomeUnknown);
}

#[tokio::test(start_paused = true)]
async fn with_park_what_was_abandoned_in_mid_send_is_left_to_an_operator() {
    let table = Arc::default();
    killed_in_mid_send(&worker(&table, [hangs()]), &record(0, &long_lived(0))).await;

    sleep(A_LEASE).await;
    let mut scene = worker(&table, [accepts()]);
    scene.change(|worker| worker.config.state.abandoned = OnAbandoned::Park);
    assert_eq!(scene.receive(&[received(2, record(0, &long_lived(0)))]).await, [""; 0]);
    assert_eq!(scene.requests(), [0]);
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::OutcomeUnknown);

    // Who redrives it has decided.
    assert_eq!(scene.receive(&[redriven(1, record(0, &long_lived(0)))]).await, [""; 0]);
    assert_eq!(scene.requests(), [1]);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_nobody_knows_is_known_to_all_workers_before_another_attempt_is_made() {
    let table = Arc::default();
    killed_in_mid_send(&worker(&table, [unknown(), hangs()]), &record(0, &long_lived(0))).await;

    sleep(A_LEASE).await;
    let other = worker(&table, [accepts()]);
    assert_eq!(other.receive(&[received(2, record(0, &long_lived(0)))]).await, [""; 0]);
    assert_eq!(other.requests(), [0]);
    assert_eq!(other.queue.letters()[0].reason, DeadLetterReason::OutcomeUnknown);
}

#[tokio::test(start_paused = true)]
async fn a_redrive_permits_what_was_not_sent_to_be_tried_anew_and_never_what_was() {
    let table = Arc::default();
    let scene = worker(&table, [unknown(), unknown(), accepts()]);
    scene.receive(&[record(0, &long_lived(0))]).await;
    assert_eq!(scene.queue.letters()[0].attempts, 2);

    // A copy that SQS hands out once more is no redrive.
    scene.receive(&[received(2, record(0, &long_lived(0)))]).await;
    assert_eq!(scene.requests(), [2]);

    for times in [1, 2, 3] {
        assert_eq!(scene.receive(&[redriven(times, record(0, &long_lived(0)))]).await, [""; 0]);
        assert_eq!(scene.requests(), [3], "redriven {times} times");
    }
    assert_eq!(scene.facts.of("delivered").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_failed_does_not_keep_the_message_from_being_tried() {
    let table = Arc::default();
    let scene = worker(&table, [unknown(), unknown()]);
    scene.queue.dead_lettering_becomes(QueueBehaviour::Refuses);
    assert_eq!(scene.receive(&[record(0, &long_lived(0))]).await, [sqs_id(0)]);

    scene.queue.dead_lettering_becomes(QueueBehaviour::Works);
    assert_eq!(scene.receive(&[received(2, record(0, &long_lived(0)))]).await, [""; 0]);
    assert_eq!(scene.requests(), [2]);
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::OutcomeUnknown);
}

#[tokio::test(start_paused = true)]
async fn a_sent_mark_that_fails_is_said_and_still_known_to_the_process() {
    let table: Arc<Table> = Arc::default();
    let scene = worker(&table, [accepts()]);
    table.breaks(["update"], Trouble::Refused);
    assert_eq!(scene.receive(&[record(0, &long_lived(0))]).await, [""; 0]);
    assert_eq!(scene.facts.of("delivered").len(), 1);
    let failed = &scene.facts.of("state_call_failed")[0];
    assert_eq!((&failed["call"], &failed["error"]), (&json!("update"), &json!("ThrottlingException")));

    table.heals();
    sleep(A_LEASE).await;
    for count in [1, 2] {
        assert_eq!(scene.receive(&[received(count, record(0, &long_lived(0)))]).await, [""; 0]);
    }
    assert_eq!(scene.requests(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lost_its_lease_says_so_and_what_it_sent_stays_sent() {
    let table: Arc<Table> = Arc::default();
    let slow = worker(&table, [accepts().after(Duration::from_secs(5))]);
    let mut quick = worker(&table, [accepts()]);
    // To its clock the slow one's lease has ended.
    let ahead = table.clock();
    let ahead = Clock::from_fn(move || ahead.now().checked_add(A_LEASE).expect("in range"));
    quick.change(|worker| worker.clock = ahead);
    let again = [received(2, record(0, &long_lived(0)))];
    let taken_over = async {
        sleep(Duration::from_secs(1)).await;
        quick.receive(&again).await
    };
    let message = [record(0, &long_lived(0))];
    let (slow_stays, quick_stays) = tokio::join!(slow.receive(&message), taken_over);

    assert_eq!((slow_stays.len(), quick_stays.len()), (0, 0));
    assert_eq!((slow.facts.of("claim_lost").len(), quick.facts.of("claim_lost").len()), (1, 0));
    let third = worker(&table, [accepts()]);
    third.receive(&[record(0, &long_lived(0))]).await;
    assert_eq!(third.requests(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_good_message_takes_three_calls_one_more_for_each_limit_and_is_claimed_after_it_was_decrypted() {
    let table: Arc<Table> = Arc::default();
    let scene = worker(&table, [accepts()]);
    scene.receive(&[record(0, &crate::messages::message(0, "SignUp"))]).await;
    assert_eq!(table.take_calls(), ["claim", "count", "newest", "switches", "update"]);

    scene.keys.become_like(crate::doubles::KeyBehaviour::Hangs);
    scene.receive(&[record(1, &sign_in(1))]).await;
    assert_eq!(table.take_calls(), [""; 0], "what is not decrypted is not claimed");
}
