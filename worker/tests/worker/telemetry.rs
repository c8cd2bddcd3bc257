//! What the worker's facts say for those who search the log, and what CloudWatch makes of them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use worker::KeyError;

use crate::doubles::{KeyBehaviour, QueueBehaviour};
use crate::messages::{TRACE, expiring, message, record, record_of_text, second, sign_in, sqs_id, to, traced};
use crate::provider_double::{
    Behaviour, ScriptedProvider, accepts, provider_permanent, recipient_permanent, transient,
};
use crate::scene::Scene;
use crate::sealed::Seal;

fn scene(behaviour: Behaviour) -> Scene {
    Scene::of([ScriptedProvider::named("first", [behaviour])])
}

/// The kinds of facts said, each of which must name the message and the trace.
fn kinds_about(scene: &Scene, id: &str) -> BTreeSet<String> {
    let facts = scene.facts.all().into_iter().filter(|fact| fact["event"] != "circuit_changed");
    let kinds = facts.map(|fact| {
        assert_eq!((&fact["id"], &fact["trace"]), (&json!(id), &json!(TRACE)), "{fact}");
        fact["event"].as_str().expect("a text").to_owned()
    });
    kinds.collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[tokio::test(start_paused = true)]
async fn one_id_and_one_trace_lead_through_every_fact_about_a_message() {
    let id = Seal::nth(0).id();
    let traced = traced(record(0, &expiring(second(86_400), sign_in(0))));

    let scene = scene(accepts());
    scene.receive(std::slice::from_ref(&traced)).await;
    assert_eq!(kinds_about(&scene, &id), names(["decrypted", "attempted", "delivered"]));

    let scene = self::scene(transient());
    scene.queue.postponing_becomes(QueueBehaviour::Refuses);
    for _ in 0..3 {
        scene.receive(std::slice::from_ref(&traced)).await;
    }
    let retried = names(["decrypted", "tried_before", "attempted", "not_attempted", "retried", "queue_call_failed"]);
    assert_eq!(kinds_about(&scene, &id), retried);

    let scene = self::scene(recipient_permanent());
    scene.receive(std::slice::from_ref(&traced)).await;
    assert_eq!(kinds_about(&scene, &id), names(["decrypted", "attempted", "dead_lettered"]));

    let scene = self::scene(accepts());
    scene.queue.deleting_becomes(QueueBehaviour::Refuses);
    scene.queue.arrive([traced]);
    scene.serve_for(Duration::from_secs(1)).await;
    let failed = scene.facts.of("queue_call_failed");
    assert_eq!((&failed[0]["call"], &failed[0]["id"]), (&json!("DeleteMessage"), &json!(id)));
    assert_eq!(failed[0]["trace"], TRACE);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_read_goes_by_sqss_id() {
    let scene = scene(accepts());
    scene.receive(&[traced(record_of_text(0, "junk"))]).await;
    assert_eq!(kinds_about(&scene, &sqs_id(0)), names(["dead_lettered"]));
}

#[tokio::test(start_paused = true)]
async fn a_trace_header_of_another_shape_is_not_said() {
    let scene = scene(accepts());
    let mut record = record(0, &sign_in(0));
    record["attributes"]["AWSTraceHeader"] = json!("Root=+12065550100");
    scene.receive(&[record]).await;
    for fact in scene.facts.all() {
        assert_eq!(fact.get("trace"), None);
    }
    assert!(!scene.facts.shown().contains("2065550100"));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_adds_its_numbers_once_each() {
    for (number, country) in [("+33639980001", "FR"), ("+61491570156", "other")] {
        let provider = ScriptedProvider::named("first", [accepts()]);
        let scene = Scene::configured("[route.country]\nFR = [\"first\"]\n", [provider]);
        scene.receive(&[record(0, &to(number, sign_in(0)))]).await;
        assert_eq!(
            scene.facts.metrics(),
            [
                "ProviderLatency{Provider=first}".to_owned(),
                "Delivered{}".to_owned(),
                "Delivered{TriggerSource=Authentication}".to_owned(),
                "Delivered{Provider=first}".to_owned(),
                format!("Delivered{{Country={country}}}"),
                "TimeToProvider{TriggerSource=Authentication}".to_owned(),
                "CodeLifetimeLeft{TriggerSource=Authentication}".to_owned(),
            ]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_needs_an_operator_has_a_metric_of_its_own() {
    let count = |scene: &Scene, metric: &str| scene.facts.metrics().iter().filter(|said| *said == metric).count();

    let scene = scene(provider_permanent());
    scene.receive(&[record(0, &sign_in(0))]).await;
    assert_eq!(count(&scene, "AttemptFailed{Outcome=provider_permanent}"), 1);
    assert_eq!(count(&scene, "AttemptFailed{Provider=first,Outcome=provider_permanent}"), 1);
    assert_eq!(count(&scene, "Retried{Reason=providers_unavailable}"), 1);

    let scene = self::scene(accepts());
    scene.keys.become_like(KeyBehaviour::Fails(KeyError::NotAllowed { code: "DisabledException".to_owned() }));
    scene.receive(&[record(0, &sign_in(0))]).await;
    assert_eq!(scene.facts.metrics(), ["Retried{Reason=key_not_allowed}"]);

    let scene = self::scene(transient());
    scene.receive(&[record(0, &sign_in(0)), record(1, &sign_in(1))]).await;
    assert_eq!([count(&scene, "CircuitOpened{}"), count(&scene, "CircuitOpened{Provider=first}")], [1, 1]);

    let scene = self::scene(accepts());
    scene.queue.dead_lettering_becomes(QueueBehaviour::Refuses);
    scene.queue.postponing_becomes(QueueBehaviour::Refuses);
    scene.receive(&[record_of_text(0, "junk")]).await;
    assert_eq!(
        scene.facts.metrics(),
        [
            "QueueCallFailed{}",
            "QueueCallFailed{Call=SendMessage}",
            "QueueCallFailed{}",
            "QueueCallFailed{Call=ChangeMessageVisibility}",
            "Retried{Reason=dead_letter_queue_unavailable}",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_code_is_counted_by_its_source() {
    let scene = scene(accepts());
    scene.receive(&[record(0, &expiring(second(0), message(0, "ForgotPassword")))]).await;
    assert_eq!(
        scene.facts.metrics(),
        ["DeadLettered{}", "DeadLettered{Reason=expired}", "Expired{TriggerSource=ForgotPassword}"]
    );
}
