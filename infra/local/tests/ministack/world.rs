//! An account of MiniStack with queues, a key and a user pool, and the phones beyond the provider.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use local::cognito;
use local::fake_twilio::{FakeTwilio, FakeTwilioSettings, ReceivedSms};
use serde_json::{Value, json};
use shared::{KeyArn, TriggerSource, UserPoolId};
use witnesses::MiniStack;

use crate::functions::Lambda;

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const AUTH_TOKEN: &str = "hush-auth-token-of-the-account";
/// Longer than any message takes.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

pub(crate) struct World {
    pub(crate) stack: &'static MiniStack,
    pub(crate) account: String,
    pub(crate) lambda: Lambda,
    pub(crate) sqs: aws_sdk_sqs::Client,
    kms: aws_sdk_kms::Client,
    pub(crate) pool: UserPoolId,
    pub(crate) key: KeyArn,
    pub(crate) queue_url: String,
    pub(crate) dead_letter_queue_url: String,
    /// Everywhere but in France.
    pub(crate) phones: FakeTwilio,
    pub(crate) french_phones: FakeTwilio,
    pub(crate) timing: Timing,
}

/// In seconds. The visibility timeout is longer than the function's, as AWS demands.
pub(crate) struct Timing {
    pub(crate) function_timeout: u64,
    visibility_timeout: u64,
    max_receive_count: u64,
}

/// Short, so that a test does not wait long for what a dead worker held; long enough to catch a worker at the provider.
const TIMING: Timing = Timing { function_timeout: 10, visibility_timeout: 12, max_receive_count: 3 };

impl World {
    pub(crate) async fn on(stack: &'static MiniStack) -> Self {
        static ACCOUNT: AtomicU64 = AtomicU64::new(100_000_000_000);
        let account = ACCOUNT.fetch_add(1, Ordering::Relaxed).to_string();
        let credentials = Credentials::new(&account, "secret", None, None, "test");
        let sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(stack.endpoint())
            .credentials_provider(credentials.clone());
        let sqs = aws_sdk_sqs::Client::from_conf(sqs.build());
        let kms = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(stack.endpoint())
            .credentials_provider(credentials);
        let kms = aws_sdk_kms::Client::from_conf(kms.build());
        let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
        let dead_letter_queue_url = create_queue(&sqs, "sealpost-dead-letters", HashMap::new()).await;
        let redrive = json!({
            "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{account}:sealpost-dead-letters"),
            "maxReceiveCount": TIMING.max_receive_count,
        });
        let attributes = HashMap::from([
            (QueueAttributeName::RedrivePolicy, redrive.to_string()),
            (QueueAttributeName::VisibilityTimeout, TIMING.visibility_timeout.to_string()),
        ]);
        Self {
            queue_url: create_queue(&sqs, "sealpost", attributes).await,
            dead_letter_queue_url,
            lambda: Lambda::new(stack.endpoint(), account.clone()),
            stack,
            account,
            sqs,
            kms,
            pool: UserPoolId::parse("eu-west-1_TEST00001").unwrap(),
            key: KeyArn::parse(&key).unwrap(),
            phones: phones().await,
            french_phones: phones().await,
            timing: TIMING,
        }
    }

    pub(crate) fn queue_arn(&self) -> String {
        format!("arn:aws:sqs:{REGION}:{}:sealpost", self.account)
    }

    /// A sign-up event to this number, its code sealed as Cognito does.
    pub(crate) async fn sign_up(&self, phone_number: &str, code: &str) -> Value {
        let sealed = cognito::seal_with_kms(&self.kms, &self.pool, &self.key, code).await.unwrap();
        cognito::event(&self.pool, TriggerSource::SignUp, phone_number, Some(&sealed))
    }

    /// The next SMS outside France.
    pub(crate) async fn phone(&self) -> ReceivedSms {
        tokio::time::timeout(PATIENCE, self.phones.next_message()).await.expect("an SMS")
    }

    /// The next SMS in France.
    pub(crate) async fn french_phone(&self) -> ReceivedSms {
        tokio::time::timeout(PATIENCE, self.french_phones.next_message()).await.expect("an SMS")
    }

    /// Waits until the queue holds nothing any more, neither receivable nor invisible nor delayed.
    pub(crate) async fn is_drained(&self) {
        self.eventually("the queue is empty", async || self.messages(&self.queue_url).await == 0).await;
    }

    pub(crate) async fn eventually(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let wait = async {
            while !is_so().await {
                tokio::time::sleep(POLL).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "in vain: {what}. MiniStack says: {}", end_of(&self.stack.output()));
    }

    /// How many messages a queue holds.
    pub(crate) async fn messages(&self, queue_url: &str) -> usize {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.sqs.get_queue_attributes().queue_url(queue_url).set_attribute_names(Some(names.to_vec()));
        let attributes = request.send().await.unwrap().attributes.unwrap();
        names.iter().map(|name| attributes[name].parse::<usize>().unwrap()).sum()
    }

    /// The messages in the dead-letter queue, once there is one.
    pub(crate) async fn dead_letters(&self) -> Vec<Message> {
        let there_are = async || self.messages(&self.dead_letter_queue_url).await > 0;
        self.eventually("there is a dead letter", there_are).await;
        let request = self.sqs.receive_message().queue_url(&self.dead_letter_queue_url).max_number_of_messages(10);
        request.message_attribute_names("All").send().await.unwrap().messages.unwrap()
    }

    /// Expects that nothing which MiniStack printed, the functions' logs included, holds any of these. They are so long
    /// that no id holds one by chance.
    pub(crate) fn shows_nothing_of(&self, secrets: &[&str]) {
        let output = self.stack.output();
        // The last digits of a number are enough to find it in any notation.
        for secret in secrets.iter().chain([&AUTH_TOKEN, &"65550100", &"39980001"]) {
            let place = output.find(secret).map(|place| end_of(&output[..place]));
            assert_eq!(place, None, "{secret} was printed after this");
        }
    }
}

fn end_of(output: &str) -> &str {
    &output[output.floor_char_boundary(output.len().saturating_sub(4096))..]
}

/// An attribute of a dead letter; empty when it is not there.
pub(crate) fn attribute<'m>(letter: &'m Message, name: &str) -> &'m str {
    letter.message_attributes.as_ref().and_then(|all| all.get(name)?.string_value.as_deref()).unwrap_or_default()
}

async fn phones() -> FakeTwilio {
    let settings = FakeTwilioSettings { account_sid: ACCOUNT_SID.to_owned(), auth_token: AUTH_TOKEN.to_owned() };
    FakeTwilio::start(settings).await.unwrap()
}

async fn create_queue(
    sqs: &aws_sdk_sqs::Client,
    name: &str,
    attributes: HashMap<QueueAttributeName, String>,
) -> String {
    sqs.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await.unwrap().queue_url.unwrap()
}
