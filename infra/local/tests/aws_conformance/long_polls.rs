use std::time::Instant;

use aws_sdk_sqs::types::QueueAttributeName;
use local::aws::Settings;
use tokio::time::timeout;

use super::*;

/// Waits up to 20 seconds for a message; how long it took.
async fn poll(aws: &Aws, queue: &str) -> (Vec<Message>, Duration) {
    let started = Instant::now();
    let received = timeout(PATIENCE, aws.receiving(queue).wait_time_seconds(20).send()).await.expect("it hangs");
    (received.unwrap().messages.unwrap_or_default(), started.elapsed())
}

#[tokio::test]
async fn a_long_poll_ends_empty_when_its_time_is_over() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[(QueueAttributeName::ReceiveMessageWaitTimeSeconds, "1")]).await;
    let started = Instant::now();
    assert!(aws.receive(&url).await.is_empty());
    assert!(started.elapsed() >= Duration::from_secs(1));
    let started = Instant::now();
    assert!(aws.receiving(&url).wait_time_seconds(0).send().await.unwrap().messages.is_none());
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_send_wakes_a_long_poll_at_once() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    let ((messages, took), ()) = tokio::join!(poll(&aws, &url), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        aws.send(&url, "x").await;
    });
    assert_eq!(messages.len(), 1);
    assert!((Duration::from_millis(200)..Duration::from_secs(3)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn the_end_of_a_visibility_timeout_wakes_a_long_poll() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    aws.send(&url, "x").await;
    aws.receiving(&url).visibility_timeout(1).send().await.unwrap();
    let (messages, took) = poll(&aws, &url).await;
    assert_eq!(messages.len(), 1);
    assert!((Duration::from_millis(900)..Duration::from_secs(4)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_delayed_message_wakes_a_long_poll_when_its_delay_is_over() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    // Sent after the poll began, so that the poll has to learn of the delay.
    let ((messages, took), ()) = tokio::join!(poll(&aws, &url), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        aws.sqs.send_message().queue_url(&url).message_body("x").delay_seconds(1).send().await.unwrap();
    });
    assert_eq!(messages.len(), 1);
    assert!((Duration::from_millis(1050)..Duration::from_secs(4)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_visibility_timeout_ended_by_hand_wakes_a_long_poll() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    aws.send(&url, "x").await;
    let handle = aws.receive_one(&url).await.receipt_handle.unwrap();
    let ((messages, took), ()) = tokio::join!(poll(&aws, &url), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let change = aws.sqs.change_message_visibility().queue_url(&url).receipt_handle(&handle);
        change.visibility_timeout(0).send().await.unwrap();
    });
    assert_eq!(messages.len(), 1);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_move_wakes_a_long_poll_at_the_dead_letter_queue() {
    let aws = Aws::start();
    let (codes, dead) = aws.queue_with_dead_letters("1").await;
    aws.send(&codes, "x").await;
    aws.receiving(&codes).visibility_timeout(0).send().await.unwrap();
    let ((messages, took), ()) = tokio::join!(poll(&aws, &dead), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(aws.receive(&codes).await.is_empty());
    });
    assert_eq!(messages.len(), 1);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_cancelled_long_poll_does_not_swallow_the_next_message() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    let cancelled = timeout(Duration::from_millis(200), aws.receiving(&url).wait_time_seconds(20).send()).await;
    assert!(cancelled.is_err());
    // The server learns of it from the closed connection, perhaps a moment after the client's next request.
    tokio::time::sleep(Duration::from_millis(200)).await;
    aws.send(&url, "x").await;
    let message = aws.receive_one(&url).await;
    assert_eq!(system_attribute(&message, "ApproximateReceiveCount").as_deref(), Some("1"));
}

#[tokio::test]
async fn several_long_polls_share_the_messages_without_doubles() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    let poll_one = || aws.sqs.receive_message().queue_url(&url).wait_time_seconds(20).send();
    let polls = async { tokio::join!(poll_one(), poll_one(), poll_one()) };
    let ((first, second, third), ()) = tokio::join!(polls, async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for body in ["a", "b", "c"] {
            aws.send(&url, body).await;
        }
    });
    let answers = [first, second, third].map(|answer| answer.unwrap().messages.unwrap().remove(0).body.unwrap());
    let mut bodies = answers.to_vec();
    bodies.sort();
    assert_eq!(bodies, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_long_poll_at_a_queue_that_is_deleted_says_so() {
    let aws = Aws::start();
    let url = aws.queue("codes", &[]).await;
    let (answer, ()) = tokio::join!(timeout(PATIENCE, aws.receiving(&url).wait_time_seconds(20).send()), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        aws.sqs.delete_queue().queue_url(&url).send().await.unwrap();
    });
    assert_eq!(code(answer.expect("it hangs")), "AWS.SimpleQueueService.NonExistentQueue");
}

#[tokio::test]
async fn over_the_limit_in_flight_short_polls_fail_and_long_polls_wait() {
    let sqs_limits = sqs::Limits { in_flight_per_queue: 1, ..sqs::Limits::default() };
    let aws = Aws::start_with(Settings { sqs_limits, ..Settings::default() });
    let url = aws.queue("codes", &[]).await;
    aws.send(&url, "x").await;
    aws.send(&url, "y").await;
    let handle = aws.receive_one(&url).await.receipt_handle.unwrap();
    assert_eq!(code(aws.receiving(&url).send().await), "OverLimit");
    let ((messages, _), ()) = tokio::join!(poll(&aws, &url), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        aws.sqs.delete_message().queue_url(&url).receipt_handle(&handle).send().await.unwrap();
    });
    assert_eq!(messages[0].body.as_deref(), Some("y"));
}
