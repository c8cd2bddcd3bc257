//! What becomes of a message whose data key KMS does not unwrap, from the program's answer to the dead letter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local::lambda::Function;
use shared::TriggerSource;

use crate::mapping::Named;
use crate::world::{PHONE, World, accept, user_pool};

/// A code as sealed, in bytes.
fn sealed(world: &World) -> Vec<u8> {
    STANDARD.decode(world.pool.seal("739214").expect("KMS is well")).expect("base64")
}

/// Where the bytes behind `mark` and their length begin.
fn behind(bytes: &[u8], mark: &str) -> usize {
    let at = bytes.windows(mark.len()).position(|window| window == mark.as_bytes()).expect("it is in the header");
    at + mark.len() + 2
}

/// Sends a code that nobody can tell from a sound one without KMS, and expects the dead letter that KMS's word leads to.
async fn never_opens(world: &World, sealed: &[u8], word: &str) {
    let (producer, worker) = (world.producer().await, world.worker().await);
    let event = world.pool.event(TriggerSource::SignUp, PHONE, Some(&STANDARD.encode(sealed)));
    accept(&producer, &event).await;
    assert_eq!(world.round(&worker).await.names(), Named::None);
    let letter = world.dead_letter().await;
    assert_eq!((letter.reason(), letter.attribute("attempts")), ("undecryptable", "0"));
    assert_eq!(letter.attribute("detail"), format!("KMS cannot decrypt it: {word}"));
    assert_eq!((world.twilio.requests(), world.queued()), (0, 0));
}

/// Receives the message once, and expects it back with this reason.
async fn is_postponed(world: &World, worker: &Function, reason: &str) {
    let round = world.round(worker).await;
    assert_eq!((round.names(), world.queued(), world.dead_lettered()), (Named::All, 1, 0));
    assert!(worker.output().contains(&format!("\"Reason\":\"{reason}\",\"Retried\":1")), "{}", worker.output());
    world.pass_time(&round).await;
}

#[tokio::test]
async fn a_key_that_is_disabled_or_to_be_deleted_is_the_operators_to_repair() {
    let world = World::new().await;
    let (producer, key) = (world.producer().await, world.pool.key.as_str());
    accept(&producer, &world.sign_up("739214")).await;

    world.pool.kms.disable_key(key).expect("it exists");
    is_postponed(&world, &world.worker().await, "key_not_allowed").await;
    world.pool.kms.schedule_key_deletion(key, 7, sqs::Timestamp::default()).expect("it exists");
    is_postponed(&world, &world.worker().await, "key_not_allowed").await;
    assert_eq!(world.twilio.requests(), 0);
}

#[tokio::test]
async fn a_code_whose_encryption_context_was_changed_never_opens() {
    let world = World::new().await;
    let mut sealed = sealed(&world);
    let at = behind(&sealed, "aws-crypto-public-key") + 10;
    sealed[at] = if sealed[at] == b'A' { b'B' } else { b'A' };
    never_opens(&world, &sealed, "InvalidCiphertextException").await;
}

#[tokio::test]
async fn a_code_whose_data_key_was_changed_never_opens() {
    let world = World::new().await;
    let mut sealed = sealed(&world);
    let at = behind(&sealed, world.pool.key.as_str()) + 100;
    sealed[at] ^= 1;
    never_opens(&world, &sealed, "InvalidCiphertextException").await;
}

#[tokio::test]
async fn a_code_that_names_our_key_and_was_sealed_under_another_never_opens() {
    let world = World::new().await;
    let other = user_pool(&world.aws, world.pool.id.as_str());
    let mut sealed = STANDARD.decode(other.seal("739214").expect("KMS is well")).expect("base64");
    let (ours, theirs) = (world.pool.key.as_str(), other.key.as_str());
    let at = behind(&sealed, theirs) - 2 - theirs.len();
    sealed[at..at + ours.len()].copy_from_slice(ours.as_bytes());
    never_opens(&world, &sealed, "IncorrectKeyException").await;
}
