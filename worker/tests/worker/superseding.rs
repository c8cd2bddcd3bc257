//! Newest code wins, by user and purpose.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::{DeadLetterReason, rfc3339_millis};

use crate::doubles::{KeyBehaviour, never_opens};
use crate::messages::{expiring, message, received, record, second, sqs_id, without_code};
use crate::provider_double::{ScriptedProvider, accepts, transient, unknown};
use crate::scene::Scene;
use crate::table::Table;

const HOUR: i64 = 3_600;

/// The n-th code of the one user of these tests, accepted so many seconds after the beginning.
fn code(n: u32, source: &str, accepted: i64) -> Value {
    let mut message = expiring(second(HOUR), message(n, source));
    message["accepted_at"] = json!(rfc3339_millis(second(accepted)));
    message["event"]["request"]["userAttributes"]["sub"] = json!("the-user");
    message
}

async fn reasons(messages: &[Value]) -> Vec<Option<DeadLetterReason>> {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    let mut reasons = Vec::new();
    for (n, message) in (0..).zip(messages) {
        let before = scene.queue.letters().len();
        assert_eq!(scene.receive(&[record(n, message)]).await, [""; 0]);
        reasons.push(scene.queue.letters().get(before).map(|letter| letter.reason));
    }
    reasons
}

const SUPERSEDED: Option<DeadLetterReason> = Some(DeadLetterReason::Superseded);

#[tokio::test(start_paused = true)]
async fn an_older_code_for_the_same_purpose_is_not_sent_after_a_newer_one() {
    for (older, newer) in [
        ("SignUp", "ResendCode"),
        ("ResendCode", "SignUp"),
        ("ForgotPassword", "ForgotPassword"),
        ("UpdateUserAttribute", "VerifyUserAttribute"),
        ("AdminCreateUser", "AdminCreateUser"),
    ] {
        assert_eq!(reasons(&[code(0, newer, 1), code(1, older, 0)]).await, [None, SUPERSEDED], "{older}");
        assert_eq!(reasons(&[code(0, older, 0), code(1, newer, 1)]).await, [None, None], "{older}");
    }
}

#[tokio::test(start_paused = true)]
async fn codes_for_other_purposes_of_other_users_or_for_signing_in_are_all_sent() {
    for (newer, older) in [
        ("SignUp", "ForgotPassword"),
        ("ForgotPassword", "VerifyUserAttribute"),
        ("Authentication", "Authentication"),
        ("SomethingNew", "SomethingNew"),
    ] {
        assert_eq!(reasons(&[code(0, newer, 1), code(1, older, 0)]).await, [None, None], "{newer}");
    }
    let mut others = code(1, "SignUp", 0);
    others["event"]["request"]["userAttributes"]["sub"] = json!("another-user");
    assert_eq!(reasons(&[code(0, "SignUp", 1), others]).await, [None, None]);
    let nobodys = |n, at| {
        let mut message = code(n, "SignUp", at);
        message["event"]["request"]["userAttributes"].as_object_mut().expect("an object").remove("sub");
        message
    };
    assert_eq!(reasons(&[nobodys(0, 1), nobodys(1, 0)]).await, [None, None]);
}

#[tokio::test(start_paused = true)]
async fn of_two_codes_of_the_same_millisecond_both_are_sent() {
    assert_eq!(reasons(&[code(0, "SignUp", 0), code(1, "SignUp", 0), code(2, "SignUp", 0)]).await, [None; 3]);
}

#[tokio::test(start_paused = true)]
async fn an_invitation_without_a_password_cancels_no_password_and_is_cancelled_by_none() {
    let invitation = |n, at| without_code(code(n, "AdminCreateUser", at));
    assert_eq!(reasons(&[code(0, "AdminCreateUser", 1), invitation(1, 0)]).await, [None, None]);
    assert_eq!(reasons(&[invitation(0, 1), code(1, "AdminCreateUser", 0)]).await, [None, None]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_decrypted_cancels_nothing() {
    let table = Arc::default();
    let mut scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.share(&table);
    scene.change(|worker| worker.open = never_opens);
    scene.receive(&[record(0, &code(0, "SignUp", 1))]).await;
    scene.change(|worker| worker.open = crate::doubles::opens);
    scene.receive(&[record(1, &code(1, "SignUp", 0))]).await;
    assert_eq!(scene.requests(), [1]);
}

#[tokio::test(start_paused = true)]
async fn an_invented_time_of_acceptance_cancels_codes_for_minutes_and_not_for_ever() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.receive(&[record(0, &code(0, "SignUp", 100 * 365 * 24 * HOUR))]).await;
    tokio::time::sleep(Duration::from_secs(400)).await;
    scene.receive(&[record(1, &code(1, "SignUp", 400))]).await;
    assert_eq!(scene.requests(), [2]);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_the_newest_of_a_users_codes_is_sent_and_no_other() {
    let table: Arc<Table> = Arc::default();
    let outage = [transient(), transient(), transient(), transient(), transient(), accepts()];
    let mut scene = Scene::of([ScriptedProvider::named("first", outage)]);
    scene.share(&table);
    let codes: Vec<_> = (0..3).map(|n| record(n, &code(n, "ResendCode", i64::from(n)))).collect();
    // The circuit opens at the second of them: the third is recorded though it is not tried.
    for code in &codes {
        assert_eq!(scene.receive(std::slice::from_ref(code)).await.len(), 1);
    }
    assert_eq!(scene.facts.of("not_attempted").last().map(|fact| fact["cause"].clone()), Some(json!("circuit_open")));

    tokio::time::sleep(Duration::from_secs(60)).await;
    let again: Vec<_> = codes.into_iter().map(|code| received(2, code)).collect();
    for code in again {
        scene.receive(&[code]).await;
    }
    let reasons: Vec<_> = scene.queue.letters().iter().map(|letter| letter.reason).collect();
    assert_eq!(reasons, [DeadLetterReason::Superseded; 2]);
    assert_eq!(scene.facts.of("delivered").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_superseded_between_two_attempts_is_not_tried_again() {
    let table: Arc<Table> = Arc::default();
    let slow = unknown().after(Duration::from_secs(2));
    let mut first =
        Scene::of([ScriptedProvider::named("first", [slow]), ScriptedProvider::named("second", [accepts()])]);
    let mut second = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    first.share(&table);
    second.share(&table);
    let newer = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        second.receive(&[record(1, &code(1, "SignUp", 1))]).await
    };
    let older = [record(0, &code(0, "SignUp", 0))];
    let (stays, _) = tokio::join!(first.receive(&older), newer);
    assert_eq!(stays, [""; 0]);
    assert_eq!((first.requests(), second.requests()), (vec![1, 0], vec![1]));
    assert_eq!(first.queue.letters()[0].reason, DeadLetterReason::Superseded);
}

#[tokio::test(start_paused = true)]
async fn without_kms_nothing_is_recorded_and_the_code_waits() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()])]);
    scene.keys.become_like(KeyBehaviour::Fails(worker::KeyError::Unavailable { code: "ThrottlingException".into() }));
    assert_eq!(scene.receive(&[record(0, &code(0, "SignUp", 1))]).await, [sqs_id(0)]);
    scene.keys.become_like(KeyBehaviour::UnwrapsAfter(Duration::ZERO));
    assert_eq!(scene.receive(&[record(1, &code(1, "SignUp", 0))]).await, [""; 0]);
    assert_eq!(scene.requests(), [1]);
}
