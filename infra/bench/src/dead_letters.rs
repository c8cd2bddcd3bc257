//! Dead letters as the worker leaves them after an outage, many at once.

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local::cognito::UserPool;
use serde_json::json;
use shared::{DeadLetterReason, TriggerSource};
use sqs::{MessageAttribute, NewMessage};

use crate::payload::body;
use crate::world::{CONSUMER_ID, DEAD_LETTER_QUEUE, World};

/// Where a sealed code has its message id: behind version, type and suite
/// (<https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html>).
const MESSAGE_ID: std::ops::Range<usize> = 4..20;

/// Bodies of so many letters, each of a user of its own. They have one sealed code under as many message ids: what
/// nobody opens need not be openable.
///
/// # Errors
/// When the code cannot be sealed.
pub(crate) fn bodies(pool: &UserPool, count: usize) -> anyhow::Result<Vec<String>> {
    let mut code = STANDARD.decode(pool.seal("123456")?).context("sealed codes are base64")?;
    let body_of = |number: usize| {
        let id = code.get_mut(MESSAGE_ID).context("a sealed code has a message id")?;
        id.copy_from_slice(format!("{number:016}").as_bytes());
        let mut event = pool.event(TriggerSource::SignUp, "+12065550100", Some(&STANDARD.encode(&code)));
        event["request"]["userAttributes"]["sub"] = json!(format!("54cf7eb7-0b96-4304-8d6b-{number:012}"));
        body(&event)
    };
    (0..count).map(body_of).collect()
}

/// Puts letters with these bodies into the dead-letter queue, straight into the model.
///
/// # Errors
/// When the queue does not take them.
pub(crate) fn put(bodies: &[String], world: &World) -> anyhow::Result<()> {
    let attributes = [
        ("reason", DeadLetterReason::ProvidersExhausted.as_str()),
        ("detail", "twilio-bench: http_503"),
        ("provider", "twilio-bench"),
        ("attempts", "3"),
        ("failed_at", "2026-11-27T03:00:00.000Z"),
    ];
    let attributes = || attributes.map(|(name, value)| (name.to_owned(), MessageAttribute::string(value))).into();
    world.aws.sqs().with_account(|account, now| {
        bodies.iter().try_for_each(|body| {
            let message = NewMessage { attributes: attributes(), ..NewMessage::new(body) };
            account.send(DEAD_LETTER_QUEUE, message, CONSUMER_ID, now).map(drop)
        })
    })?;
    Ok(())
}

/// How many letters the dead-letter queue has, in whatever state.
///
/// # Errors
/// When there is no such queue.
pub(crate) fn count(world: &World) -> anyhow::Result<usize> {
    let counts = world.aws.sqs().with_account(|account, now| account.counts(DEAD_LETTER_QUEUE, now))?;
    Ok(counts.ready + counts.in_flight + counts.delayed)
}

/// # Errors
/// When one of these bodies is not in this queue, or something else is.
pub(crate) fn check(bodies: &[String], queue: &str, world: &World) -> anyhow::Result<()> {
    let mut arrived = world.aws.sqs().with_account(|account, _| {
        account.messages(queue).map(|messages| messages.map(|message| message.body.clone()).collect::<Vec<_>>())
    })?;
    ensure!(arrived.len() == bodies.len(), "{} of {} messages are in {queue}", arrived.len(), bodies.len());
    let mut expected: Vec<_> = bodies.iter().collect();
    expected.sort_unstable();
    arrived.sort_unstable();
    ensure!(arrived.iter().eq(expected), "{queue} has as many messages as it should, but others");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{QUEUE, Transport};

    #[tokio::test]
    async fn each_letter_is_a_queue_message_of_usual_size_with_an_id_of_its_own() {
        let world = World::start(Transport::Http).await.expect("free ports");
        let bodies = bodies(&world.pool, 3).expect("sealed");
        for body in &bodies {
            let message = shared::QueueMessage::parse(body).expect("sound");
            assert!((1_000..2_500).contains(&body.len()), "{} of {} bytes", message.id, body.len());
        }
        put(&bodies, &world).expect("room");
        assert_eq!(count(&world).expect("the queue exists"), bodies.len());
        check(&bodies, DEAD_LETTER_QUEUE, &world).expect("all are there");
        assert!(check(&bodies, QUEUE, &world).is_err(), "none was moved");
        assert!(check(&[&bodies[1..], &bodies[1..2]].concat(), DEAD_LETTER_QUEUE, &world).is_err(), "others are there");
    }
}
