//! `[limits]`: so many messages to a number, a country and everybody, and what counts as one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::DeadLetterReason;
use tokio::time::sleep;
use worker::WhenUnreachable;

use crate::messages::{expiring, message, number, received, record, redriven, second, sqs_id, to};
use crate::provider_double::{Behaviour, ScriptedProvider, accepts, transient};
use crate::scene::Scene;
use crate::table::{Table, Trouble};

const HOUR: Duration = Duration::from_secs(3_600);

fn scene<const N: usize>(limits: &str, script: [Behaviour; N]) -> Scene {
    Scene::configured(&format!("[limits]\n{limits}"), [ScriptedProvider::named("first", script)])
}

/// The n-th message to the one number that these tests hammer.
fn to_the_same(n: u32) -> Value {
    to_number(&number(7), n)
}

fn to_number(number: &str, n: u32) -> Value {
    record(n, &to(number, expiring(second(7 * 24 * 3_600), message(n, "ForgotPassword"))))
}

/// The reasons of the dead letters so far.
fn refused(scene: &Scene) -> Vec<DeadLetterReason> {
    scene.queue.letters().iter().map(|letter| letter.reason).collect()
}

#[tokio::test(start_paused = true)]
async fn a_number_gets_so_many_messages_in_each_window_and_the_next_is_refused_with_a_metric() {
    let scene = scene("per_number = \"3/1h\"\n", [accepts()]);
    for n in 0..5 {
        scene.receive(&[to_the_same(n)]).await;
    }
    scene.receive(&[to_number(&number(8), 5)]).await;
    assert_eq!(scene.requests(), [4], "three, and one to another number");
    assert_eq!(refused(&scene), [DeadLetterReason::RateLimited; 2]);
    assert_eq!(scene.queue.letters()[0].detail, "per_number in [limits] is reached until 2026-11-23T13:00:00Z");
    let said = &scene.facts.of("limit_reached")[0];
    assert_eq!((&said["limit"], &said["country"]), (&json!("per_number"), &json!("US")));
    assert!(scene.facts.metrics().iter().any(|series| series.contains("LimitReached")));

    sleep(HOUR).await;
    scene.receive(&[to_the_same(6)]).await;
    assert_eq!(scene.requests(), [5]);
}

#[tokio::test(start_paused = true)]
async fn by_default_a_number_gets_twenty_an_hour_and_countries_get_any_number() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    for n in 0..21 {
        scene.receive(&[to_the_same(n)]).await;
    }
    for n in 21..60 {
        scene.receive(&[to_number(&number(n), n)]).await;
    }
    assert_eq!(scene.requests(), [20 + 39]);
    assert_eq!(refused(&scene), [DeadLetterReason::RateLimited]);
}

#[tokio::test(start_paused = true)]
async fn a_message_counts_once_however_often_it_is_tried() {
    let scene = scene("per_number = \"2/7d\"\n", [transient()]);
    for count in 1..30 {
        scene.receive(&[received(count, to_the_same(0))]).await;
        // Long enough for the circuit to let the next attempt pass.
        sleep(Duration::from_secs(31)).await;
    }
    assert_eq!(refused(&scene), []);
    scene.receive(&[to_the_same(1)]).await;
    assert_eq!(refused(&scene), []);
    sleep(Duration::from_secs(31)).await;
    scene.receive(&[to_the_same(2)]).await;
    assert_eq!(refused(&scene), [DeadLetterReason::RateLimited]);
}

#[tokio::test(start_paused = true)]
async fn of_many_messages_at_once_no_more_than_the_limit_are_sent() {
    let scene = scene("per_number = \"5/1h\"\n", [accepts()]);
    let records: Vec<_> = (0..20).map(to_the_same).collect();
    assert_eq!(scene.receive(&records).await, [""; 0]);
    assert_eq!((scene.requests(), refused(&scene).len()), (vec![5], 15));
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_hammered_uses_up_nobody_elses_limit() {
    let limits = "per_number = \"2/1h\"\nin_all = \"4/1h\"\n[limits.per_country]\nUS = \"3/1h\"\n";
    let scene = scene(limits, [accepts()]);
    for n in 0..10 {
        scene.receive(&[to_the_same(n)]).await;
    }
    for n in 10..13 {
        scene.receive(&[to_number(&number(n), n)]).await;
    }
    for n in 20..23 {
        scene.receive(&[to_number(&format!("+467017406{n}"), n)]).await;
    }
    let limits: Vec<_> = scene.facts.of("limit_reached").into_iter().map(|fact| fact["limit"].clone()).collect();
    assert_eq!(scene.requests(), [2 + 1 + 1]);
    assert_eq!(limits[..8], vec![json!("per_number"); 8]);
    assert_eq!(limits[8..], [json!("per_country"), json!("per_country"), json!("in_all"), json!("in_all")]);
}

#[tokio::test(start_paused = true)]
async fn what_a_limit_refused_counts_anew_when_it_is_redriven() {
    let scene = scene("per_number = \"1/1h\"\n", [accepts()]);
    scene.receive(&[to_the_same(0)]).await;
    scene.receive(&[to_the_same(1)]).await;
    scene.receive(&[redriven(1, to_the_same(1))]).await;
    assert_eq!((scene.requests(), refused(&scene)), (vec![1], vec![DeadLetterReason::RateLimited; 2]));

    sleep(HOUR).await;
    scene.receive(&[redriven(2, to_the_same(1))]).await;
    scene.receive(&[to_the_same(2)]).await;
    assert_eq!((scene.requests(), refused(&scene).len()), (vec![2], 3), "the redriven one used the window up");
}

#[tokio::test(start_paused = true)]
async fn switched_off_nothing_is_counted() {
    let table: Arc<Table> = Arc::default();
    let mut scene = scene("per_number = \"off\"\n", [accepts()]);
    scene.share(&table);
    for n in 0..40 {
        scene.receive(&[to_the_same(n)]).await;
    }
    assert_eq!(scene.requests(), [40]);
    assert!(!table.take_calls().contains(&"count"));
}

#[tokio::test(start_paused = true)]
async fn while_the_table_does_not_count_messages_are_counted_by_the_process_or_wait() {
    let table: Arc<Table> = Arc::default();
    table.breaks(["count"], Trouble::Refused);
    let mut allowing = scene("per_number = \"1/1h\"\n", [accepts()]);
    allowing.share(&table);
    for n in 0..2 {
        allowing.receive(&[to_the_same(n)]).await;
    }
    assert_eq!((allowing.requests(), refused(&allowing)), (vec![1], vec![DeadLetterReason::RateLimited]));

    let mut holding = scene("per_number = \"1/1h\"\n", [accepts()]);
    holding.share(&table);
    holding.change(|worker| worker.config.state.unreachable = WhenUnreachable::Hold);
    assert_eq!(holding.receive(&[to_the_same(2)]).await, [sqs_id(2)]);
    assert_eq!(holding.requests(), [0]);
    table.heals();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(holding.receive(&[received(2, to_the_same(2))]).await, [""; 0]);
    assert_eq!(holding.requests(), [1]);
}
