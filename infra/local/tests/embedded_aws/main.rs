//! The embedded AWS beyond what AWS has: its listener, its bounds, the faults that it can be told to have, and the
//! ways past the wire.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

mod faults;
mod past_the_wire;
mod secrets;
mod wire;

use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::receive_message::builders::ReceiveMessageFluentBuilder;
use aws_sdk_sqs::types::Message;
use local::aws::{EmbeddedAws, Settings};

/// Long enough for any machine, short enough to notice that something hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// An embedded AWS with clients for it.
struct Aws {
    embedded: EmbeddedAws,
    sqs: aws_sdk_sqs::Client,
    kms: aws_sdk_kms::Client,
    secrets: aws_sdk_secretsmanager::Client,
}

impl Aws {
    fn start() -> Self {
        Self::start_with(Settings::default())
    }

    fn start_with(settings: Settings) -> Self {
        let embedded = EmbeddedAws::start_with(([127, 0, 0, 1], 0).into(), settings).unwrap();
        let sqs = sqs_client(&embedded, "AKIDTEST");
        let kms = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(embedded.endpoint())
            .credentials_provider(credentials("AKIDTEST"))
            .retry_config(RetryConfig::disabled())
            .build();
        let secrets = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(embedded.endpoint())
            .credentials_provider(credentials("AKIDTEST"))
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            embedded,
            sqs,
            kms: aws_sdk_kms::Client::from_conf(kms),
            secrets: aws_sdk_secretsmanager::Client::from_conf(secrets),
        }
    }

    /// A queue `codes`; its URL.
    async fn queue(&self) -> String {
        self.sqs.create_queue().queue_name("codes").send().await.unwrap().queue_url.unwrap()
    }

    async fn send(&self, queue: &str, body: &str) {
        self.sqs.send_message().queue_url(queue).message_body(body).send().await.unwrap();
    }

    /// A receive with the sender's id, to be refined.
    fn receiving(&self, queue: &str) -> ReceiveMessageFluentBuilder {
        self.sqs.receive_message().queue_url(queue).message_system_attribute_names("SenderId".into())
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

fn sender_id(message: &Message) -> Option<&str> {
    message.attributes.as_ref()?.get(&"SenderId".into()).map(String::as_str)
}
