//! Batches and their answers.

use std::time::Duration;

use secrecy::{SecretBox, SecretString};
use serde_json::json;
use shared::{DeadLetterReason, SealedCode};
use tokio::time::Instant;
use worker::OpenFailure;

use crate::doubles::{code_in, opens};
use crate::messages::{batch, number, receipt, record, record_of_text, sign_in, sqs_id};
use crate::provider_double::{LATENCY, ScriptedProvider, accepts, panics, recipient_permanent, transient};
use crate::scene::{Scene, TIME_LEFT};
use crate::sealed::Seal;

#[tokio::test(start_paused = true)]
async fn the_answer_names_exactly_the_records_that_stay() {
    let provider = ScriptedProvider::named("first", [accepts()])
        .with_number(number(1), transient())
        .with_number(number(2), recipient_permanent());
    let scene = Scene::of([provider]);
    let records = [record(0, &sign_in(0)), record(1, &sign_in(1)), record(2, &sign_in(2)), record_of_text(3, "junk")];

    let answer = scene.handle(&batch(&records), TIME_LEFT).await;

    assert_eq!(answer, Ok(json!({ "batchItemFailures": [{ "itemIdentifier": sqs_id(1) }] })));
    assert_eq!(scene.facts.of("delivered").len(), 1);
    assert_eq!(scene.facts.of("dead_lettered").len(), 2);
    assert_eq!(scene.facts.of("retried").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delivered_message_is_reported_with_its_provider_and_country() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);

    assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [""; 0]);

    let id = Seal::nth(0).id();
    let expected = format!("Your sign-in code is {}. Do not share it.", code_in(&id));
    assert_eq!(scene.providers[0].texts(), [expected]);
    assert_eq!(scene.providers[0].requests()[0].to, number(0));
    assert_eq!(
        scene.facts.of("delivered"),
        [json!({
            "event": "delivered", "id": id, "trigger_source": "Authentication", "provider": "first",
            "provider_message_id": "SM0123", "country": "US",
            "time_to_provider_ms": 100.0, "code_lifetime_left_ms": 179_900.0,
        })]
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_of_no_queue_fails_the_whole_batch() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    let mut cut_short = batch(&[record(0, &sign_in(0))]);
    cut_short.pop();
    let mut without_receipt = record(0, &sign_in(0));
    without_receipt.as_object_mut().expect("an object").remove("receiptHandle");
    let of_sns = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "MessageId": "1" } }] });

    for event in [
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        json!({ "Records": null }).to_string().into_bytes(),
        of_sns.to_string().into_bytes(),
        sign_in(0)["event"].to_string().into_bytes(),
        batch(&[without_receipt]),
        cut_short,
    ] {
        let shown = String::from_utf8_lossy(&event).into_owned();
        let error = scene.handle(&event, TIME_LEFT).await.expect_err(&shown);
        let is_explained =
            error.starts_with("the event is not that of an SQS event source mapping; attach this function");
        assert!(is_explained || error.starts_with("the event is not JSON (line "), "{error}");
        assert!(!error.contains(&number(0)), "{error}");
    }
    assert_eq!(scene.requests(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_no_records_has_nothing_to_keep() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    assert_eq!(scene.handle(&batch(&[]), TIME_LEFT).await, Ok(json!({ "batchItemFailures": [] })));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_records_take_as_long_as_one() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    let records: Vec<_> = (0..100).map(|n| record(n, &sign_in(n))).collect();
    let began = Instant::now();

    assert_eq!(scene.receive(&records).await, [""; 0]);

    assert_eq!(began.elapsed(), LATENCY);
    let mut texts = scene.providers[0].texts();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 100, "each user gets the own code");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_that_records_retry_and_the_others_are_delivered() {
    let mut scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.change(|worker| worker.open = panics_on_the_second);
    let records: Vec<_> = (0..3).map(|n| record(n, &sign_in(n))).collect();

    assert_eq!(scene.receive(&records).await, [sqs_id(1)]);

    assert_eq!(scene.facts.of("delivered").len(), 2);
    let retried = scene.facts.of("retried");
    assert_eq!((&retried[0]["reason"], &retried[0]["id"]), (&json!("worker_fault"), &sign_in(1)["id"]));
    let postponed = scene.queue.postponed();
    assert_eq!(postponed.len(), 1);
    assert_eq!(postponed[0].0, receipt(1));
    assert!(postponed[0].1 <= Duration::from_secs(2), "{postponed:?}");
}

fn panics_on_the_second(code: &SealedCode, key: &SecretBox<[u8; 32]>) -> Result<SecretString, OpenFailure> {
    assert_ne!(json!(code.message_id().as_str()), sign_in(1)["id"], "as told");
    opens(code, key)
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_may_have_sent_and_costs_its_own_record_alone() {
    let provider = ScriptedProvider::named("first", [accepts()]).with_number(number(1), panics());
    let scene = Scene::of([provider]);
    let records: Vec<_> = (0..3).map(|n| record(n, &sign_in(n))).collect();

    assert_eq!(scene.receive(&records).await, [""; 0]);

    assert_eq!(scene.facts.of("delivered").len(), 2);
    let letters = scene.queue.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].reason, letters[0].attempts), (DeadLetterReason::OutcomeUnknown, 2));
    assert_eq!(letters[0].detail, "first: panic x2");
}

#[tokio::test(start_paused = true)]
async fn a_message_received_twice_in_one_batch_is_sent_once_and_stays_until_that_is_known() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    let twice = [record(0, &sign_in(0)), record(0, &sign_in(0)), record(1, &sign_in(1))];
    assert_eq!(scene.receive(&twice).await, [sqs_id(0)]);
    assert_eq!(scene.requests(), [2]);

    let scene = Scene::of([ScriptedProvider::named("first", [transient()])]);
    let stays = scene.receive(&twice).await;
    assert!(stays.contains(&sqs_id(0)) && stays.contains(&sqs_id(1)), "{stays:?}");
    assert_eq!(scene.queue.postponed().len(), 3, "each receipt is postponed");
}
