//! The embedded AWS, driven by the clients that the pipeline uses: the behaviours in which stand-ins for AWS are known
//! to go wrong, and those that the pipeline relies on.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

mod kms;
mod long_polls;
mod sqs_messages;
mod sqs_queues;
mod wire;

use std::time::Duration;

use aws_sdk_sqs::{
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::receive_message::builders::ReceiveMessageFluentBuilder,
    types::{Message, QueueAttributeName},
};
use local::aws::{EmbeddedAws, Settings};

/// An embedded AWS with clients for it.
struct Aws {
    embedded: EmbeddedAws,
    sqs: aws_sdk_sqs::Client,
    kms: aws_sdk_kms::Client,
}

impl Aws {
    fn start() -> Self {
        Self::start_with(Settings::default())
    }

    fn start_with(settings: Settings) -> Self {
        let embedded = EmbeddedAws::start_with("127.0.0.1:0".parse().unwrap(), settings).unwrap();
        let sqs = sqs_client(&embedded, "AKIDTEST");
        let kms = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(embedded.endpoint())
            .credentials_provider(credentials("AKIDTEST"))
            .retry_config(RetryConfig::disabled())
            .build();
        Self { embedded, sqs, kms: aws_sdk_kms::Client::from_conf(kms) }
    }

    /// A queue with these attributes; its URL.
    async fn queue(&self, name: &str, attributes: &[(QueueAttributeName, &str)]) -> String {
        let attributes = attributes.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
        let created = self.sqs.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await.unwrap();
        created.queue_url.unwrap()
    }

    /// A queue `codes` whose messages go to a queue `dlq` after so many receives, as JSON text; both URLs.
    async fn queue_with_dead_letters(&self, max_receive_count: &str) -> (String, String) {
        let dead = self.queue("dlq", &[]).await;
        let target = "arn:aws:sqs:eu-west-1:123456789012:dlq";
        let policy = format!(r#"{{"deadLetterTargetArn":"{target}","maxReceiveCount":{max_receive_count}}}"#);
        (self.queue("codes", &[(QueueAttributeName::RedrivePolicy, &policy)]).await, dead)
    }

    async fn send(&self, queue: &str, body: &str) -> String {
        let sent = self.sqs.send_message().queue_url(queue).message_body(body).send().await.unwrap();
        sent.message_id.unwrap()
    }

    /// A receive of up to ten messages with all their attributes, to be refined.
    fn receiving(&self, queue: &str) -> ReceiveMessageFluentBuilder {
        self.sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(10)
            .message_system_attribute_names("All".into())
            .message_attribute_names("All")
    }

    async fn receive(&self, queue: &str) -> Vec<Message> {
        self.receiving(queue).send().await.unwrap().messages.unwrap_or_default()
    }

    async fn receive_one(&self, queue: &str) -> Message {
        let mut messages = self.receive(queue).await;
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }

    /// The counts of receivable, invisible and delayed messages.
    async fn counts(&self, queue: &str) -> [String; 3] {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.sqs.get_queue_attributes().queue_url(queue).set_attribute_names(Some(names.to_vec()));
        let attributes = request.send().await.unwrap().attributes.unwrap();
        names.map(|name| attributes[&name].clone())
    }
}

fn sqs_client(embedded: &EmbeddedAws, access_key_id: &str) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(embedded.endpoint())
        .credentials_provider(credentials(access_key_id))
        .retry_config(RetryConfig::disabled());
    aws_sdk_sqs::Client::from_conf(config.build())
}

fn credentials(access_key_id: &str) -> Credentials {
    Credentials::new(access_key_id, "secret", None, None, "test")
}

/// The code of a refusal, as the pipeline reads it.
fn code<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(
    result: Result<T, SdkError<E, R>>,
) -> String {
    result.unwrap_err().code().unwrap_or("no code").to_owned()
}

fn system_attribute(message: &Message, name: &str) -> Option<String> {
    message.attributes.as_ref()?.get(&name.into()).cloned()
}

/// Long enough for any machine, short enough to notice that something hangs.
const PATIENCE: Duration = Duration::from_secs(10);
