//! KMS and decryption.

use std::time::Duration;

use shared::{DeadLetterReason, KeyArn};
use worker::{KeyError, OpenCode, WrappedDataKey};

use crate::doubles::{KeyBehaviour, faults_when_opening, never_opens, opens_to_nothing};
use crate::messages::{message, record, sign_in, sqs_id, without_code};
use crate::provider_double::{ScriptedProvider, accepts};
use crate::scene::Scene;
use crate::sealed::{KEY, POOL, Seal};

fn scene() -> Scene {
    Scene::of([ScriptedProvider::named("first", [accepts()])])
}

#[tokio::test(start_paused = true)]
async fn kms_is_asked_once_with_the_key_and_the_whole_encryption_context() {
    let scene = scene();
    scene.receive(&[record(0, &sign_in(0))]).await;

    let public_key = Seal::nth(0).id();
    let context = [("aws-crypto-public-key", public_key.as_str()), ("userpool-id", POOL)];
    let expected = WrappedDataKey {
        key: KeyArn::parse(KEY).expect("a key ARN"),
        ciphertext: vec![0xED; 184],
        context: context.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    };
    assert_eq!(scene.keys.calls(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn messages_without_a_code_need_no_key() {
    for (source, text) in [
        ("AccountTakeOverNotification", "Unusual sign-in to your account. If this was not you, change your password."),
        ("AdminCreateUser", "Your account is ready. Sign in with this phone number."),
    ] {
        let scene = scene();
        scene.keys.become_like(KeyBehaviour::Panics);
        assert_eq!(scene.receive(&[record(0, &without_code(message(0, source)))]).await, [""; 0]);
        assert_eq!(scene.providers[0].texts(), [text]);
        assert_eq!(scene.keys.calls(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_kms_does_not_unwrap_now_is_a_retry() {
    for (error, reason) in [
        (KeyError::Unavailable { code: "ThrottlingException".to_owned() }, "key_unavailable"),
        (KeyError::NotAllowed { code: "AccessDeniedException".to_owned() }, "key_not_allowed"),
    ] {
        let scene = scene();
        scene.keys.become_like(KeyBehaviour::Fails(error));
        assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [sqs_id(0)]);
        assert_eq!(scene.facts.of("retried")[0]["reason"], reason);
        assert_eq!(scene.requests(), [0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_that_never_opens_is_dead_lettered() {
    let scene = scene();
    scene.keys.become_like(KeyBehaviour::Fails(KeyError::Invalid { code: "InvalidCiphertextException".to_owned() }));
    assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [""; 0]);
    let letters = scene.queue.letters();
    assert_eq!(letters[0].reason, DeadLetterReason::Undecryptable);
    assert_eq!(letters[0].detail, "KMS cannot decrypt it: InvalidCiphertextException");
    assert_eq!((letters[0].attempts, letters[0].provider.as_deref()), (0, None));

    let cases: [(OpenCode, DeadLetterReason); 2] =
        [(never_opens, DeadLetterReason::Undecryptable), (opens_to_nothing, DeadLetterReason::RenderFailed)];
    for (open, reason) in cases {
        let mut scene = self::scene();
        scene.change(|worker| worker.open = open);
        assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [""; 0]);
        assert_eq!(scene.queue.letters()[0].reason, reason);
        assert_eq!(scene.requests(), [0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_decryption_itself_is_a_retry() {
    let mut scene = scene();
    scene.change(|worker| worker.open = faults_when_opening);
    assert_eq!(scene.receive(&[record(0, &sign_in(0))]).await, [sqs_id(0)]);
    assert_eq!(scene.facts.of("retried")[0]["reason"], "worker_fault");
}

#[tokio::test(start_paused = true)]
async fn decrypting_is_said_with_the_key_and_the_time_it_took() {
    let scene = scene();
    scene.keys.become_like(KeyBehaviour::UnwrapsAfter(Duration::from_millis(50)));
    scene.receive(&[record(0, &sign_in(0))]).await;
    let facts = scene.facts.of("decrypted");
    assert_eq!(facts.len(), 1);
    assert_eq!((&facts[0]["key"], &facts[0]["took_ms"]), (&KEY.into(), &50.0.into()));
}
