//! While the state table cannot be reached: `[state] unreachable`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shared::DeadLetterReason;
use tokio::time::sleep;
use worker::WhenUnreachable;

use crate::messages::{expiring, message, received, record, second, sign_in, sqs_id};
use crate::provider_double::{ScriptedProvider, accepts, unknown};
use crate::scene::Scene;
use crate::table::{CALLS, Table, Trouble};

fn scene(unreachable: WhenUnreachable, table: &Arc<Table>, provider: ScriptedProvider) -> Scene {
    let mut scene = Scene::of([provider]);
    scene.share(table);
    scene.change(|worker| worker.config.state.unreachable = unreachable);
    scene
}

fn accepting() -> ScriptedProvider {
    ScriptedProvider::named("first", [accepts()])
}

fn sign_up(n: u32) -> Value {
    expiring(second(86_400), message(n, "SignUp"))
}

#[tokio::test(start_paused = true)]
async fn by_default_messages_are_sent_and_each_failed_call_is_said() {
    for trouble in [Trouble::Refused, Trouble::AnswerLost] {
        let table: Arc<Table> = Arc::default();
        table.breaks(CALLS, trouble);
        let scene = scene(WhenUnreachable::default(), &table, accepting());
        assert_eq!(scene.receive(&[record(0, &sign_up(0))]).await, [""; 0]);
        assert_eq!(scene.requests(), [1]);
        let failed = scene.facts.of("state_call_failed");
        let mut failed: Vec<_> = failed.iter().filter_map(|fact| fact["call"].as_str()).collect();
        failed.sort_unstable();
        assert_eq!(failed, ["claim", "count", "newest", "switches", "update"]);
        assert!(scene.facts.metrics().iter().any(|series| series.contains("StateCallFailed")));
    }
}

#[tokio::test(start_paused = true)]
async fn what_this_process_has_sent_it_does_not_send_again_though_the_table_never_heard_of_it() {
    let table: Arc<Table> = Arc::default();
    table.breaks(CALLS, Trouble::Refused);
    let scene = scene(WhenUnreachable::default(), &table, accepting());
    scene.receive(&[record(0, &sign_up(0))]).await;
    scene.receive(&[record(0, &sign_up(0))]).await;
    table.heals();
    scene.receive(&[received(3, record(0, &sign_up(0)))]).await;
    assert_eq!(scene.requests(), [1]);
    assert_eq!(scene.facts.of("duplicate").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_comes_back_in_time_hears_of_what_was_sent_without_it() {
    let table: Arc<Table> = Arc::default();
    table.breaks(["claim"], Trouble::Refused);
    scene(WhenUnreachable::default(), &table, accepting()).receive(&[record(0, &sign_up(0))]).await;
    table.heals();
    let other = scene(WhenUnreachable::default(), &table, accepting());
    other.receive(&[received(2, record(0, &sign_up(0)))]).await;
    assert_eq!(other.requests(), [0]);
}

#[tokio::test(start_paused = true)]
async fn outcomes_nobody_knows_are_counted_without_the_table() {
    let table: Arc<Table> = Arc::default();
    table.breaks(CALLS, Trouble::Refused);
    let scene = scene(WhenUnreachable::default(), &table, ScriptedProvider::named("first", [unknown()]));
    scene.receive(&[record(0, &sign_up(0))]).await;
    assert_eq!(scene.requests(), [2]);
    assert_eq!(scene.queue.letters()[0].reason, DeadLetterReason::OutcomeUnknown);
}

#[tokio::test(start_paused = true)]
async fn with_hold_messages_wait_whichever_call_fails_before_the_first_attempt() {
    for call in ["switches", "claim", "newest"] {
        for trouble in [Trouble::Refused, Trouble::AnswerLost] {
            let table: Arc<Table> = Arc::default();
            table.breaks([call], trouble);
            let scene = scene(WhenUnreachable::Hold, &table, accepting());
            assert_eq!(scene.receive(&[record(0, &sign_up(0))]).await, [sqs_id(0)], "{call}");
            assert_eq!(scene.requests(), [0], "{call}");
            assert_eq!(scene.facts.of("retried")[0]["reason"], "state_unavailable");

            table.heals();
            sleep(Duration::from_secs(5)).await;
            assert_eq!(scene.receive(&[received(2, record(0, &sign_up(0)))]).await, [""; 0], "{call}");
            assert_eq!(scene.requests(), [1], "{call}: not held up by a claim of which the answer was lost");
            assert_eq!(scene.facts.of("tried_before").len(), 0, "{call}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_hold_a_redelivered_message_waits_until_it_can_be_looked_up() {
    let table: Arc<Table> = Arc::default();
    table.breaks(["look"], Trouble::Refused);
    let scene = scene(WhenUnreachable::Hold, &table, accepting());
    assert_eq!(scene.receive(&[received(2, record(0, &sign_up(0)))]).await, [sqs_id(0)]);
    assert_eq!((scene.requests(), scene.keys.calls().len()), (vec![0], 0));
}

#[tokio::test(start_paused = true)]
async fn with_hold_a_further_attempt_waits_until_the_first_ones_outcome_is_written_down() {
    let table: Arc<Table> = Arc::default();
    table.breaks(["update"], Trouble::Refused);
    let scene = scene(WhenUnreachable::Hold, &table, ScriptedProvider::named("first", [unknown()]));
    assert_eq!(scene.receive(&[record(0, &sign_up(0))]).await, [sqs_id(0)]);
    assert_eq!(scene.requests(), [1]);
}

#[tokio::test(start_paused = true)]
async fn with_hold_a_message_whose_time_is_over_is_dead_lettered_with_the_reason() {
    let table: Arc<Table> = Arc::default();
    table.breaks(["claim"], Trouble::Refused);
    let scene = scene(WhenUnreachable::Hold, &table, accepting());
    let message = expiring(second(20), sign_in(0));
    assert_eq!(scene.receive(&[record(0, &message)]).await, [""; 0]);
    let letters = scene.queue.letters();
    assert_eq!(letters[0].reason, DeadLetterReason::StateUnavailable);
    assert_eq!(letters[0].detail, "claim: ThrottlingException");
}
