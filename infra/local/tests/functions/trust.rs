//! What the worker refuses to send, and what it does while KMS is in the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use esdk::SealOptions;
use local::aws::KmsFault;
use serde_json::{Value, json};
use shared::TriggerSource;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::mapping::Named;
use crate::world::{PHONE, World, accept, user_pool};

/// A KMS that nobody may ask for anything. A connection that is opened beforehand is no question.
struct UntouchedKms {
    endpoint: String,
    was_asked: Arc<AtomicBool>,
    serving: JoinHandle<()>,
}

impl UntouchedKms {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let was_asked = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&was_asked);
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 5];
                let is_question = stream.read_exact(&mut head).await.is_ok() && &head != b"GET /";
                asked.fetch_or(is_question, Ordering::SeqCst);
            }
        });
        Self { endpoint, was_asked, serving }
    }

    fn was_asked(&self) -> bool {
        self.was_asked.load(Ordering::SeqCst)
    }
}

impl Drop for UntouchedKms {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Forges a message and expects it in the dead-letter queue with this reason, without a call to KMS or a provider.
async fn is_refused_unseen(change: impl FnOnce(&World, &mut Value), reason: &str) {
    let world = World::new().await;
    let mut body = world.body(world.sign_up("739214"));
    change(&world, &mut body);
    let body = body.to_string();
    world.forge(&body).await;
    let kms = UntouchedKms::new().await;
    let worker = world.worker_with(&[("AWS_ENDPOINT_URL_KMS", &kms.endpoint)]).await;
    assert_eq!(world.round(&worker).await.names(), Named::None);
    let letter = world.dead_letter().await;
    assert_eq!((letter.reason(), &letter.body), (reason, &body));
    assert_eq!(letter.attributes.get("attempts").map(String::as_str), Some("0"));
    assert!(!kms.was_asked(), "KMS was called");
    assert_eq!((world.twilio.requests(), world.queued()), (0, 0));
}

#[tokio::test]
async fn an_expired_message_is_not_sent() {
    is_refused_unseen(|_, body| body["expires_at"] = json!("2026-11-23T12:00:00.000Z"), "expired").await;
}

#[tokio::test]
async fn a_message_for_another_pool_is_not_sent() {
    is_refused_unseen(|_, body| body["event"]["userPoolId"] = json!("eu-west-1_OTHER0001"), "wrong_user_pool").await;
}

#[tokio::test]
async fn a_code_that_was_sealed_for_another_pool_is_not_opened() {
    let foreign_code = |world: &World, body: &mut Value| {
        let other = user_pool(&world.aws, "eu-west-1_OTHER0001");
        let mut event = other.event(TriggerSource::SignUp, PHONE, Some(&other.seal("739214").expect("KMS is well")));
        event["userPoolId"] = json!(world.pool.id.as_str());
        *body = world.body(event);
    };
    is_refused_unseen(foreign_code, "wrong_user_pool").await;
}

#[tokio::test]
async fn a_code_under_a_key_that_is_not_ours_is_not_opened() {
    let foreign_key = |world: &World, body: &mut Value| {
        let other_key = user_pool(&world.aws, world.pool.id.as_str());
        let sealed = other_key.seal("739214").expect("KMS is well");
        *body = world.body(world.pool.event(TriggerSource::SignUp, PHONE, Some(&sealed)));
    };
    is_refused_unseen(foreign_key, "undecryptable").await;
}

#[tokio::test]
async fn a_code_of_another_suite_is_not_opened() {
    let committed = |world: &World, body: &mut Value| {
        let options = SealOptions { committed_suite: true, without_pool: false };
        let sealed = world.pool.seal_with("739214", options).expect("KMS is well");
        *body = world.body(world.pool.event(TriggerSource::SignUp, PHONE, Some(&sealed)));
    };
    is_refused_unseen(committed, "undecryptable").await;
}

#[tokio::test]
async fn a_number_of_no_country_is_not_sent_to() {
    let change = |_: &World, body: &mut Value| {
        body["event"]["request"]["userAttributes"]["phone_number"] = json!("+10000000000");
    };
    is_refused_unseen(change, "country_not_allowed").await;
}

#[tokio::test]
async fn a_message_from_an_untrusted_sender_is_not_even_read() {
    let world = World::new().await;
    let kms = UntouchedKms::new().await;
    let worker = world.worker_with(&[("AWS_ENDPOINT_URL_KMS", &kms.endpoint)]).await;
    world.forge_as("AROASTRANGER", &world.body(world.sign_up("739214")).to_string()).await;
    assert_eq!(world.round(&worker).await.names(), Named::None);
    assert_eq!(world.dead_letter().await.reason(), "untrusted_sender");
    assert!(!kms.was_asked(), "KMS was called");
    assert_eq!((world.twilio.requests(), world.queued()), (0, 0));
}

#[tokio::test]
async fn a_code_that_was_tampered_with_is_not_sent() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    let sealed = STANDARD.decode(world.pool.seal("739214").expect("KMS is well")).expect("base64");
    let signature_bytes = (90..=110).find(|length| {
        let at = sealed.len() - length - 2;
        sealed[at..at + 2] == u16::try_from(*length).expect("small").to_be_bytes()
    });
    let footer = sealed.len() - signature_bytes.expect("a signed message") - 2;
    let places = [("signature", sealed.len() - 1), ("tag", footer - 1), ("encrypted code", footer - 17)];
    for (part, place) in places {
        let mut tampered = sealed.clone();
        tampered[place] ^= 1;
        let event = world.pool.event(TriggerSource::SignUp, PHONE, Some(&STANDARD.encode(tampered)));
        // Without a key the producer cannot see it.
        accept(&producer, &event).await;
        assert_eq!(world.round(&worker).await.names(), Named::None, "{part}");
        let letter = world.dead_letter().await;
        assert_eq!(letter.reason(), "undecryptable", "{part}");
        assert!(!letter.attribute("detail").contains("739214"), "{part}");
    }
    assert_eq!((world.twilio.requests(), world.queued()), (0, 0));
}

#[tokio::test]
async fn a_message_waits_in_the_queue_until_kms_is_well_again() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    accept(&producer, &world.sign_up("739214")).await;
    for fault in [KmsFault::Throttled, KmsFault::InternalError, KmsFault::AccessDenied] {
        world.aws.kms().set_fault(Some(fault));
        let round = world.round(&worker).await;
        assert_eq!((round.names(), world.queued(), world.dead_lettered()), (Named::All, 1, 0), "{fault:?}");
        let invisible = world.invisible_for().expect("the message is invisible");
        assert!(invisible.as_secs() <= 10, "{fault:?}: {invisible:?}");
        world.pass_time(&round).await;
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let unreachable = format!("http://{}", nobody.local_addr().expect("bound"));
    drop(nobody);
    let cut_off = world.worker_with(&[("AWS_ENDPOINT_URL_KMS", &unreachable)]).await;
    let round = world.round(&cut_off).await;
    assert_eq!((round.names(), world.queued(), world.twilio.requests()), (Named::All, 1, 0));
    cut_off.kill().await;
    assert!(cut_off.output().contains("key_unavailable"), "{}", cut_off.output());
    world.pass_time(&round).await;

    world.aws.kms().set_fault(None);
    assert_eq!(world.round(&worker).await.names(), Named::None);
    assert!(world.phone().await.body.contains("739214"));
    assert_eq!((world.queued(), world.dead_lettered()), (0, 0));
}

#[tokio::test]
async fn a_code_whose_key_is_disabled_waits_for_the_operator() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    accept(&producer, &world.sign_up("739214")).await;
    world.pool.kms.disable_key(world.pool.key.as_str()).expect("it exists");
    let round = world.round(&worker).await;
    assert_eq!((round.names(), world.queued()), (Named::All, 1));
    world.pass_time(&round).await;
    world.pool.kms.enable_key(world.pool.key.as_str()).expect("it exists");
    assert_eq!(world.round(&worker).await.names(), Named::None);
    assert!(world.phone().await.body.contains("739214"));
}
