//! The AWS that a check is held against, with the pipeline's own clients for it.

pub(crate) use std::time::Duration;

use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use aws_sdk_sqs::error::ProvideErrorMetadata;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::receive_message::builders::ReceiveMessageFluentBuilder;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use local::aws::EmbeddedAws;
use witnesses::MiniStack;

pub(crate) const REGION: &str = "eu-west-1";

/// An account of AWS in which there is nothing yet.
pub(crate) struct World {
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) account: String,
    endpoint: String,
    _embedded: Option<EmbeddedAws>,
}

impl World {
    pub(crate) fn embedded() -> Self {
        let embedded = EmbeddedAws::start(([127, 0, 0, 1], 0).into()).unwrap();
        let world = Self::at(embedded.endpoint(), "123456789012", "AKIDTEST");
        Self { _embedded: Some(embedded), ..world }
    }

    pub(crate) fn ministack(stack: &MiniStack) -> Self {
        static ACCOUNT: AtomicU64 = AtomicU64::new(100_000_000_000);
        let account = ACCOUNT.fetch_add(1, Ordering::Relaxed).to_string();
        Self::at(stack.endpoint(), &account, &account)
    }

    fn at(endpoint: String, account: &str, access_key_id: &str) -> Self {
        let credentials = Credentials::new(access_key_id, "secret", None, None, "test");
        let sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .credentials_provider(credentials.clone())
            .retry_config(RetryConfig::disabled());
        let kms = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .credentials_provider(credentials.clone())
            .retry_config(RetryConfig::disabled());
        let secrets = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .credentials_provider(credentials)
            .retry_config(RetryConfig::disabled());
        Self {
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            kms: aws_sdk_kms::Client::from_conf(kms.build()),
            secrets: aws_sdk_secretsmanager::Client::from_conf(secrets.build()),
            account: account.to_owned(),
            endpoint,
            _embedded: None,
        }
    }

    pub(crate) fn queue_url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.endpoint, self.account)
    }

    /// The ARN of a queue.
    pub(crate) fn queue_arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{REGION}:{}:{name}", self.account)
    }

    /// A queue with these attributes; its URL.
    pub(crate) async fn queue(&self, name: &str, attributes: &[(QueueAttributeName, &str)]) -> String {
        let attributes = attributes.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
        let created = self.sqs.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await.unwrap();
        created.queue_url.unwrap()
    }

    /// A queue `codes` whose messages go to a queue `dlq` after so many receives, as JSON text; both URLs.
    pub(crate) async fn queue_with_dead_letters(&self, max_receive_count: &str) -> (String, String) {
        let dead = self.queue("dlq", &[]).await;
        let target = self.queue_arn("dlq");
        let policy = format!(r#"{{"deadLetterTargetArn":"{target}","maxReceiveCount":{max_receive_count}}}"#);
        (self.queue("codes", &[(QueueAttributeName::RedrivePolicy, &policy)]).await, dead)
    }

    pub(crate) async fn send(&self, queue: &str, body: &str) -> String {
        let sent = self.sqs.send_message().queue_url(queue).message_body(body).send().await.unwrap();
        sent.message_id.unwrap()
    }

    /// A receive of up to ten messages with all their attributes, to be refined.
    pub(crate) fn receiving(&self, queue: &str) -> ReceiveMessageFluentBuilder {
        self.sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(10)
            .message_system_attribute_names("All".into())
            .message_attribute_names("All")
    }

    pub(crate) async fn receive(&self, queue: &str) -> Vec<Message> {
        self.receiving(queue).send().await.unwrap().messages.unwrap_or_default()
    }

    pub(crate) async fn receive_one(&self, queue: &str) -> Message {
        let mut messages = self.receive(queue).await;
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }

    /// The counts of receivable, invisible and delayed messages.
    pub(crate) async fn counts(&self, queue: &str) -> [String; 3] {
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

/// The code of a refusal, as the pipeline reads it; "taken" if there was none.
pub(crate) fn code<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    match result {
        Ok(_) => "taken".to_owned(),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

pub(crate) fn system_attribute(message: &Message, name: &str) -> Option<String> {
    message.attributes.as_ref()?.get(&name.into()).cloned()
}
