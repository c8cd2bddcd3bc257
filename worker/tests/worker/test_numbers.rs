//! `[[test_number]]`: messages that go the whole way except to a provider.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::DeadLetterReason;
use tokio::time::sleep;

use crate::messages::{beginning, expiring, record, second, sign_in, to};
use crate::provider_double::{ScriptedProvider, accepts};
use crate::scene::Scene;
use crate::table::Table;

/// Of the range that the British regulator keeps for fiction.
const FICTION: &str = "+447700900123";
/// The tests begin on 2026-11-23.
const UNTIL_TODAY: &str = "[[test_number]]\nnumber = \"+447700900123\"\nuntil = \"2026-11-23\"\n";

fn scene(sections: &str) -> Scene {
    Scene::configured(&format!("{UNTIL_TODAY}{sections}"), [ScriptedProvider::named("first", [accepts()])])
}

fn test_message(n: u32) -> Value {
    record(n, &to(FICTION, expiring(second(7 * 24 * 60 * 60), sign_in(n))))
}

#[tokio::test(start_paused = true)]
async fn a_message_to_a_test_number_is_decrypted_and_delivered_but_not_sent() {
    let scene = scene("");
    assert_eq!(scene.receive(&[test_message(0)]).await, [""; 0]);
    assert_eq!((scene.keys.calls().len(), scene.requests()), (1, vec![0]));
    let delivered = &scene.facts.of("delivered")[0];
    assert_eq!((&delivered["provider"], &delivered["country"]), (&json!("test-number"), &json!("001")));
    assert!(!scene.facts.shown().contains("7700900123"), "the number is not said");
}

#[tokio::test(start_paused = true)]
async fn it_is_claimed_and_marked_as_sent_like_any_other() {
    let table = Arc::<Table>::default();
    for _worker in 0..2 {
        let mut scene = scene("");
        scene.share(&table);
        assert_eq!(scene.receive(&[test_message(0)]).await, [""; 0]);
    }
    let calls = table.take_calls();
    assert!(calls.contains(&"update") && !calls.contains(&"count"), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn neither_route_nor_limits_apply_to_it() {
    let scene = scene(
        "[route]\ndefault = []\nallow_fixed_lines = false\n[route.country]\n001 = []\n\
         [limits]\nper_number = \"1/1h\"\nin_all = \"1/1h\"\n[limits.per_country]\ndefault = \"1/1h\"\n",
    );
    assert_eq!(scene.receive(&[test_message(0), test_message(1)]).await, [""; 0]);
    assert_eq!(scene.facts.of("delivered").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_sent_to_anybody_is_refused_there_too() {
    let scene = scene("");
    scene.receive(&[record(0, &to(FICTION, expiring(beginning(), sign_in(0))))]).await;
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn after_its_last_day_in_utc_it_is_a_number_like_any_other() {
    let scene = scene("");
    // From noon to the last second.
    sleep(Duration::from_secs(12 * 60 * 60 - 1)).await;
    scene.receive(&[test_message(0)]).await;
    assert_eq!((scene.facts.of("delivered").len(), scene.queue.letters().len()), (1, 0));

    sleep(Duration::from_secs(1)).await;
    scene.receive(&[test_message(1)]).await;
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::CountryNotAllowed);
}
