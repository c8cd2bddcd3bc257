//! Lambda's event source mapping between the queue and the worker that runs as a function.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::MessageSystemAttributeName;
use local::lambda::{Invocation, Outcome};
use local::mapping::{delete_settled, lambda_event};
use serde::Deserialize;

use crate::workers::Seat;
use crate::world::World;

/// As deployed: the visibility timeout is longer than the function's.
const VISIBILITY_SECONDS: i32 = 30;
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(20);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// Feeds whichever worker runs there, for ever. A batch whose worker ends stays in the queue, as on AWS.
pub(crate) async fn feed(seat: Seat, world: Arc<World>) {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(world.aws.endpoint())
        .credentials_provider(Credentials::new("AROAFAULTSMAPPING", "mapping", None, None, "mapping"));
    let client = aws_sdk_sqs::Client::from_conf(config.build());
    let queue_url = world.queue_url();
    loop {
        let worker = seat.worker().await;
        let Some(function) = worker.function() else { return };
        let received = client
            .receive_message()
            .queue_url(&queue_url)
            .max_number_of_messages(10)
            .wait_time_seconds(1)
            .visibility_timeout(VISIBILITY_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await;
        let Ok(messages) = received.map(|answer| answer.messages.unwrap_or_default()) else {
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            continue;
        };
        if messages.is_empty() {
            continue;
        }
        let event = lambda_event(&messages).to_string();
        match function.invoke(event.as_bytes(), Invocation::within(FUNCTION_TIMEOUT)).await {
            Outcome::Answered(answer) => {
                // As on AWS, an answer that cannot be read leaves the whole batch in the queue.
                let Ok(answer) = serde_json::from_slice::<Answer>(&answer) else { continue };
                let failures = answer.batch_item_failures.iter();
                let stays = failures.map(|failure| failure.item_identifier.as_str()).collect();
                delete_settled(&client, &queue_url, &messages, &stays).await;
            }
            Outcome::Failed { .. } | Outcome::Exited { .. } | Outcome::TimedOut => {
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}
