//! When a waiting receive answers, and what it answers.

use std::time::Instant;

use aws_sdk_sqs::types::{Message, QueueAttributeName};
use tokio::time::timeout;

use crate::check::Check;
use crate::world::*;

/// Long enough for any machine, short enough to tell a wake-up from a poll that ran out.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) const CHECKS: &[Check] = checks![
    a_long_poll_ends_empty_when_its_time_is_over,
    a_send_wakes_a_long_poll_at_once,
    the_end_of_a_visibility_timeout_wakes_a_long_poll,
    a_delayed_message_wakes_a_long_poll_when_its_delay_is_over,
    a_visibility_timeout_ended_by_hand_wakes_a_long_poll,
    a_move_wakes_a_long_poll_at_the_dead_letter_queue,
    a_cancelled_long_poll_does_not_swallow_the_next_message,
    several_long_polls_share_the_messages_without_doubles,
];

/// Waits up to 20 seconds for a message; how long it took.
async fn poll(world: &World, queue: &str) -> (Vec<Message>, Duration) {
    let started = Instant::now();
    let received = timeout(PATIENCE, world.receiving(queue).wait_time_seconds(20).send()).await.expect("it hangs");
    (received.unwrap().messages.unwrap_or_default(), started.elapsed())
}

async fn a_long_poll_ends_empty_when_its_time_is_over(world: &World) {
    let url = world.queue("codes", &[(QueueAttributeName::ReceiveMessageWaitTimeSeconds, "1")]).await;
    let started = Instant::now();
    assert!(world.receive(&url).await.is_empty());
    assert!(started.elapsed() >= Duration::from_secs(1));
    let started = Instant::now();
    assert!(world.receiving(&url).wait_time_seconds(0).send().await.unwrap().messages.is_none());
    assert!(started.elapsed() < Duration::from_secs(1));
}

async fn a_send_wakes_a_long_poll_at_once(world: &World) {
    let url = world.queue("codes", &[]).await;
    let ((messages, took), ()) = tokio::join!(poll(world, &url), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.send(&url, "x").await;
    });
    assert_eq!(messages.len(), 1);
    assert!((Duration::from_millis(200)..Duration::from_secs(3)).contains(&took), "{took:?}");
}

async fn the_end_of_a_visibility_timeout_wakes_a_long_poll(world: &World) {
    let url = world.queue("codes", &[]).await;
    world.send(&url, "x").await;
    world.receiving(&url).visibility_timeout(1).send().await.unwrap();
    let (messages, took) = poll(world, &url).await;
    assert_eq!(messages.len(), 1);
    assert!((Duration::from_millis(900)..Duration::from_secs(4)).contains(&took), "{took:?}");
}

async fn a_delayed_message_wakes_a_long_poll_when_its_delay_is_over(world: &World) {
    let url = world.queue("codes", &[]).await;
    // Sent after the poll began, so that the poll has to learn of the delay.
    let ((messages, took), ()) = tokio::join!(poll(world, &url), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.sqs.send_message().queue_url(&url).message_body("x").delay_seconds(1).send().await.unwrap();
    });
    assert_eq!(messages.len(), 1);
    assert!((Duration::from_millis(1050)..Duration::from_secs(4)).contains(&took), "{took:?}");
}

async fn a_visibility_timeout_ended_by_hand_wakes_a_long_poll(world: &World) {
    let url = world.queue("codes", &[]).await;
    world.send(&url, "x").await;
    let handle = world.receive_one(&url).await.receipt_handle.unwrap();
    let ((messages, took), ()) = tokio::join!(poll(world, &url), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let change = world.sqs.change_message_visibility().queue_url(&url).receipt_handle(&handle);
        change.visibility_timeout(0).send().await.unwrap();
    });
    assert_eq!(messages.len(), 1);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

async fn a_move_wakes_a_long_poll_at_the_dead_letter_queue(world: &World) {
    let (codes, dead) = world.queue_with_dead_letters("1").await;
    world.send(&codes, "x").await;
    world.receiving(&codes).visibility_timeout(0).send().await.unwrap();
    let ((messages, took), ()) = tokio::join!(poll(world, &dead), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(world.receive(&codes).await.is_empty());
    });
    assert_eq!(messages.len(), 1);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

async fn a_cancelled_long_poll_does_not_swallow_the_next_message(world: &World) {
    let url = world.queue("codes", &[]).await;
    let cancelled = timeout(Duration::from_millis(200), world.receiving(&url).wait_time_seconds(20).send()).await;
    assert!(cancelled.is_err());
    // The server learns of it from the closed connection, perhaps a moment after the client's next request.
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.send(&url, "x").await;
    // Time enough for a poll that nobody waits for any more to take it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let message = world.receive_one(&url).await;
    assert_eq!(system_attribute(&message, "ApproximateReceiveCount").as_deref(), Some("1"));
}

async fn several_long_polls_share_the_messages_without_doubles(world: &World) {
    let url = world.queue("codes", &[]).await;
    let poll_one = || world.sqs.receive_message().queue_url(&url).wait_time_seconds(20).send();
    let polls = async { tokio::join!(poll_one(), poll_one(), poll_one()) };
    let ((first, second, third), ()) = tokio::join!(polls, async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for body in ["a", "b", "c"] {
            world.send(&url, body).await;
        }
    });
    let answers = [first, second, third].map(|answer| answer.unwrap().messages.unwrap().remove(0).body.unwrap());
    let mut bodies = answers.to_vec();
    bodies.sort();
    assert_eq!(bodies, ["a", "b", "c"]);
}
