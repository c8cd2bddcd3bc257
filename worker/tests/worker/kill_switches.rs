//! What operators switch off without a deployment.

use std::sync::Arc;

use serde_json::json;
use shared::DeadLetterReason;
use tokio::time::sleep;
use worker::{SWITCHES_ARE_READ_EVERY, Switch, Switchboard, SwitchedOff};

use crate::messages::{beginning, expiring, received, record, second, sign_in, sqs_id};
use crate::provider_double::{ScriptedProvider, accepts};
use crate::scene::Scene;
use crate::table::{Table, Trouble};

fn scene(table: &Arc<Table>) -> Scene {
    let providers = ["first", "second"].map(|name| ScriptedProvider::named(name, [accepts()]));
    let mut scene = Scene::of(providers);
    scene.share(table);
    scene
}

async fn switch(table: &Table, switch: &str, is_off: bool) {
    let off = SwitchedOff { since: Some(beginning()), by: None, because: None };
    let switch = Switch::parse(switch).expect("a switch");
    table.set(&switch, is_off.then_some(&off)).await.expect("set");
}

#[tokio::test(start_paused = true)]
async fn a_switch_holds_within_seconds_and_is_said_once() {
    let table: Arc<Table> = Arc::default();
    let scene = scene(&table);
    scene.receive(&[record(0, &sign_in(0))]).await;
    switch(&table, "provider first", true).await;
    scene.receive(&[record(1, &sign_in(1))]).await;
    assert_eq!(scene.requests(), [2, 0], "the reading still counts");

    sleep(SWITCHES_ARE_READ_EVERY).await;
    scene.receive(&[record(2, &sign_in(2)), record(3, &sign_in(3))]).await;
    assert_eq!(scene.requests(), [2, 2]);
    assert_eq!(scene.facts.of("not_attempted")[0]["cause"], "switched_off");

    switch(&table, "provider first", false).await;
    sleep(SWITCHES_ARE_READ_EVERY).await;
    scene.receive(&[record(4, &sign_in(4))]).await;
    assert_eq!(scene.requests(), [3, 2]);
    let said: Vec<_> =
        scene.facts.of("switched").into_iter().map(|f| (f["switch"].clone(), f["is_off"].clone())).collect();
    assert_eq!(said, [(json!("provider first"), json!(true)), (json!("provider first"), json!(false))]);
}

#[tokio::test(start_paused = true)]
async fn with_everything_off_messages_wait_and_nothing_is_decrypted() {
    let table: Arc<Table> = Arc::default();
    switch(&table, "everything", true).await;
    let scene = scene(&table);
    assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [sqs_id(0)]);
    assert_eq!((scene.requests(), scene.keys.calls().len()), (vec![0, 0], 0));
    assert_eq!(scene.facts.of("retried")[0]["reason"], "switched_off");
}

#[tokio::test(start_paused = true)]
async fn with_everything_off_what_was_sent_before_is_done_with_all_the_same() {
    let table: Arc<Table> = Arc::default();
    scene(&table).receive(&[record(0, &sign_in(0))]).await;
    switch(&table, "everything", true).await;
    let other = scene(&table);
    assert_eq!(other.receive(&[received(2, record(0, &sign_in(0)))]).await, [""; 0]);
    assert_eq!((other.requests(), other.facts.of("duplicate").len()), (vec![0, 0], 1));
}

#[tokio::test(start_paused = true)]
async fn with_every_provider_of_the_route_off_messages_wait() {
    let table: Arc<Table> = Arc::default();
    switch(&table, "provider first", true).await;
    switch(&table, "provider second", true).await;
    let scene = scene(&table);
    assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [sqs_id(0)]);
    assert_eq!(scene.facts.of("retried")[0]["reason"], "providers_unavailable");
    // Not even a last receive passes, as it passes an open circuit.
    assert_eq!(scene.receive(&[record(1, &expiring(second(20), sign_in(1)))]).await, [""; 0]);
    assert_eq!(scene.requests(), [0, 0]);
    let letters = scene.queue.letters();
    assert_eq!(letters[0].reason, DeadLetterReason::ProvidersExhausted);
    assert_eq!(letters[0].detail, "first: switched_off; second: switched_off");
}

#[tokio::test(start_paused = true)]
async fn a_country_that_is_off_is_refused_and_the_others_are_served() {
    let table: Arc<Table> = Arc::default();
    switch(&table, "country US", true).await;
    let scene = scene(&table);
    let swedish = crate::messages::to("+46701740605", sign_in(1));
    assert_eq!(scene.receive(&[record(0, &sign_in(0)), record(1, &swedish)]).await, [""; 0]);
    assert_eq!(scene.requests(), [1, 0]);
    let letters = scene.queue.letters();
    assert_eq!(
        (letters[0].reason, letters[0].detail.as_str()),
        (DeadLetterReason::CountryNotAllowed, "US is switched off")
    );
}

#[tokio::test(start_paused = true)]
async fn while_the_table_is_out_of_reach_what_was_off_stays_off() {
    let table: Arc<Table> = Arc::default();
    switch(&table, "provider first", true).await;
    let scene = scene(&table);
    scene.receive(&[record(0, &sign_in(0))]).await;

    table.breaks(["switches"], Trouble::Refused);
    sleep(SWITCHES_ARE_READ_EVERY).await;
    scene.receive(&[record(1, &sign_in(1)), record(2, &sign_in(2))]).await;
    assert_eq!(scene.requests(), [0, 3]);
    let failed = scene.facts.of("state_call_failed");
    assert_eq!((failed.len(), &failed[0]["call"]), (1, &json!("switches")), "asked once for both");
}
