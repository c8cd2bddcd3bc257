//! What is never sent: each kind with its reason, before a key is used or a provider asked.

use serde_json::{Value, json};
use shared::DeadLetterReason;

use crate::messages::{beginning, message, number, record, record_of_text, second, sent, sign_in, to, without_code};
use crate::provider_double::{ScriptedProvider, accepts};
use crate::scene::Scene;
use crate::sealed::Seal;

fn scene() -> Scene {
    Scene::of([ScriptedProvider::named("first", [accepts()])])
}

/// Hands a record over and expects nothing but its dead letter; what comes back is the letter's detail.
async fn refused(scene: &Scene, record: Value, reason: DeadLetterReason) -> String {
    assert_eq!(scene.receive(std::slice::from_ref(&record)).await, [""; 0], "{reason}");
    assert_eq!(scene.keys.calls(), [], "{reason}");
    assert_eq!(scene.requests(), [0], "{reason}");
    assert_eq!(scene.queue.postponed(), [], "{reason}");
    let letters = scene.queue.letters();
    let [letter] = letters.as_slice() else { panic!("one dead letter: {letters:?}") };
    assert_eq!(letter.reason, reason, "{}", letter.detail);
    assert_eq!(Some(letter.body.as_str()), record["body"].as_str(), "the body is as it was received");
    assert_eq!((letter.provider.as_deref(), letter.attempts), (None, 0));
    assert_eq!(letter.failed_at, beginning());
    let facts = scene.facts.of("dead_lettered");
    assert_eq!(facts.len(), 1);
    assert_eq!((&facts[0]["reason"], &facts[0]["detail"]), (&json!(reason), &json!(letter.detail)));
    letter.detail.clone()
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut changed = sign_in(0);
    change(&mut changed);
    changed
}

fn with_seal(seal: &Seal) -> Value {
    with(|message| {
        message["id"] = json!(seal.id());
        message["event"]["request"]["code"] = json!(seal.to_base64());
    })
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_no_message_are_malformed() {
    for (body, expected) in [
        ("", "the body is not JSON (line 1, column 0)"),
        ("junk", "the body is not JSON (line 1, column 1)"),
        ("{\"type\":\"sms.v1\"}", "id of the body is missing or malformed"),
        ("[]", "the body's type is not known to this version (known: sms.v1)"),
    ] {
        let detail = refused(&scene(), record_of_text(0, body), DeadLetterReason::Malformed).await;
        assert_eq!(detail, expected);
    }
}

/// What would use up that code's one SMS.
fn with_id_of_a_code(mut message: Value) -> Value {
    message["id"] = json!(Seal::nth(1).id());
    message
}

#[tokio::test(start_paused = true)]
async fn messages_that_contradict_themselves_or_come_from_the_future_are_malformed() {
    for (message, expected) in [
        (with(|message| message["type"] = json!("sms.v2")), "type is not known"),
        (
            with(|message| message["id"] = json!(Seal::nth(1).id())),
            "the body's id is not that of its sealed code, or of a message without one",
        ),
        (with_id_of_a_code(without_code(message(0, "AdminCreateUser"))), "or of a message without one"),
        (with(|message| message["accepted_at"] = json!("yesterday")), "accepted_at of the body"),
        (with(|message| message["expires_at"] = Value::Null), "expires_at of the body"),
        (with(|message| message["event"] = json!("x")), "is not an object"),
        (with(|message| message["event"]["triggerSource"] = json!("PreSignUp_SignUp")), "not one of CustomSMSSender"),
        (with(|message| message["event"]["request"]["code"] = json!("MTIzNDU2")), "not an AWS Encryption SDK message"),
        (without_code(sign_in(0)), "must carry a code"),
    ] {
        let detail = refused(&scene(), record(0, &message), DeadLetterReason::Malformed).await;
        assert!(detail.contains(expected), "{detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_that_cannot_be_reached_are_told_apart() {
    let missing = with(|message| message["event"]["request"]["userAttributes"]["phone_number"] = Value::Null);
    refused(&scene(), record(0, &missing), DeadLetterReason::NoPhoneNumber).await;
    for number in ["0206 555", "+1206", "+9990000000", "+441234567890123"] {
        let detail = refused(&scene(), record(0, &to(number, sign_in(0))), DeadLetterReason::InvalidPhoneNumber).await;
        assert!(!detail.contains(number), "{detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_that_take_no_sms_or_cost_a_premium_are_invalid() {
    for (number, expected) in [
        ("+19002345678", "it is a premium-rate number: its owner earns from what is sent there"),
        ("+979123456789", "it is a premium-rate number: its owner earns from what is sent there"),
        ("+491801234567", "it is a shared-cost number: it takes calls only, at the caller's cost"),
        ("+448001234567", "it is a toll-free number: it takes calls only"),
        ("+447012345678", "it is a personal number: it forwards calls only, at the caller's cost"),
        ("+447640123456", "it is a pager"),
        ("+445512345678", "it is a company's access number: it takes calls only"),
    ] {
        let detail = refused(&scene(), record(0, &to(number, sign_in(0))), DeadLetterReason::InvalidPhoneNumber).await;
        assert_eq!(detail, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_line_is_refused_only_where_the_configuration_says_so() {
    let london = record(0, &to("+442079460958", sign_in(0)));
    let allowing = scene();
    assert_eq!(allowing.receive(std::slice::from_ref(&london)).await, [""; 0]);
    assert_eq!(allowing.requests(), [1]);

    let first = ScriptedProvider::named("first", [accepts()]);
    let refusing = Scene::configured("[route]\nallow_fixed_lines = false\n", [first]);
    let detail = refused(&refusing, london, DeadLetterReason::InvalidPhoneNumber).await;
    assert_eq!(detail, "it is a fixed line, and allow_fixed_lines in [route] is false");
    // Where nobody can tell a fixed line from a mobile, it passes.
    refusing.receive(&[record(1, &sign_in(1))]).await;
    assert_eq!(refusing.requests(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_not_allowed_or_not_the_codes_own_is_the_wrong_one() {
    let foreign = with(|message| message["event"]["userPoolId"] = json!("eu-west-1_OTHER"));
    let detail = refused(&scene(), record(0, &foreign), DeadLetterReason::WrongUserPool).await;
    assert_eq!(detail, "user pool eu-west-1_OTHER is not in USER_POOL_IDS");

    for pool in [Some("eu-west-1_OTHER"), None] {
        let message = with_seal(&Seal { pool, ..Seal::nth(0) });
        refused(&scene(), record(0, &message), DeadLetterReason::WrongUserPool).await;
    }

    let mut open_to_all = scene();
    open_to_all.change(|worker| worker.config.allowed_pools = None);
    refused(&open_to_all, record(0, &foreign), DeadLetterReason::WrongUserPool).await;
}

#[tokio::test(start_paused = true)]
async fn codes_of_another_suite_or_key_are_undecryptable() {
    let unsigned = with_seal(&Seal { suite: 0x0214, ..Seal::nth(0) });
    let detail = refused(&scene(), record(0, &unsigned), DeadLetterReason::Undecryptable).await;
    assert!(detail.contains("suite 0x0214"), "{detail}");

    let key = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000";
    let foreign = with_seal(&Seal { key, ..Seal::nth(0) });
    let detail = refused(&scene(), record(0, &foreign), DeadLetterReason::Undecryptable).await;
    assert_eq!(detail, "no data key of the code was wrapped by a key of KMS_KEY_ARNS");
}

#[tokio::test(start_paused = true)]
async fn only_trusted_senders_are_heard_once_they_are_named() {
    let trusting = |senders: &[&str]| {
        let mut scene = scene();
        let senders = senders.iter().map(|sender| (*sender).to_owned()).collect();
        scene.change(|worker| worker.config.trusted_senders = Some(senders));
        scene
    };
    let mut anonymous = record(0, &sign_in(0));
    anonymous["attributes"] = json!({});
    for (record, senders) in [
        (record(0, &sign_in(0)), &["AROASOMEBODYELSE"][..]),
        (record(0, &sign_in(0)), &["AROAEXAMPLE"]),
        (record(0, &sign_in(0)), &[]),
        (anonymous, &["AROAEXAMPLEPRODUCER", ""]),
        (record_of_text(0, "junk"), &["AROASOMEBODYELSE"]),
    ] {
        refused(&trusting(senders), record, DeadLetterReason::UntrustedSender).await;
    }
    let scene = trusting(&["AROASOMEBODYELSE", "AROAEXAMPLEPRODUCER"]);
    scene.receive(&[record(0, &sign_in(0))]).await;
    assert_eq!(scene.facts.of("delivered").len(), 1, "the part before the colon is what is named");
}

#[tokio::test(start_paused = true)]
async fn an_expired_message_is_dead_lettered_whatever_sqs_says_about_its_age() {
    let mut expired = message(0, "Authentication");
    expired["accepted_at"] = json!("2026-11-23T11:57:00.000Z");
    expired["expires_at"] = json!("2026-11-23T12:00:00.000Z");
    let detail = refused(&scene(), sent(second(0), record(0, &expired)), DeadLetterReason::Expired).await;
    assert_eq!(detail, "expired at 2026-11-23T12:00:00.000Z");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_keeps_the_body_to_the_byte_and_the_trace() {
    let scene = scene();
    let body = format!(" {{\"type\" : \"sms.v9\", \"to\": \"{}\", \"x\": \"\\u00e9é\"}}\n", number(0));
    let mut record = record_of_text(0, &body);
    record["attributes"]["AWSTraceHeader"] = json!("Root=1-65250495-30b227ef4ea882e709192510");
    refused(&scene, record, DeadLetterReason::Malformed).await;
    assert_eq!(scene.queue.letters()[0].trace_header.as_deref(), Some("Root=1-65250495-30b227ef4ea882e709192510"));
}
