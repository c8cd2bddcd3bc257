//! A small world for one test: queues, keys, a phone, and the two programs as Lambda functions among them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use local::aws::EmbeddedAws;
use local::cognito::UserPool;
use local::fake_twilio::{FakeTwilio, FakeTwilioSettings, ReceivedSms, Script};
use local::lambda::{Function, FunctionSettings, Invocation, Outcome};
use serde_json::{Value, json};
use shared::{Clock, CognitoEvent, KeyArn, QueueMessage, TriggerSource, UserPoolId};

use crate::binaries::binaries;

/// Longer than anything takes; it only keeps a broken test from hanging.
pub(crate) const LONG: Duration = Duration::from_secs(30);
/// The worker's time for one batch, as deployed.
pub(crate) const FUNCTION_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) const PHONE: &str = "+12065550100";
pub(crate) const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const AUTH_TOKEN: &str = "hush-auth-token-of-the-account";
pub(crate) const SECRET_ACCESS_KEY: &str = "hush/secret+access+key+of+the+role";
/// The embedded SQS reports the access key id as the sender.
pub(crate) const PRODUCER_ID: &str = "AROATESTPRODUCER";
const WORKER_ID: &str = "AROATESTWORKER";
pub(crate) const QUEUE: &str = "sealpost";
const DEAD_LETTER_QUEUE: &str = "sealpost-dead-letters";

/// More receives than any test makes.
const NO_REDRIVE: u32 = 1_000;

pub(crate) struct World {
    pub(crate) aws: EmbeddedAws,
    pub(crate) pool: UserPool,
    pub(crate) twilio: FakeTwilio,
    pub(crate) queue_url: String,
    pub(crate) dead_letter_queue_url: String,
    /// With the rights of an operator.
    pub(crate) sqs: aws_sdk_sqs::Client,
    configuration: PathBuf,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_max_receive_count(NO_REDRIVE).await
    }

    pub(crate) async fn with_max_receive_count(max_receive_count: u32) -> Self {
        // The build first: it must not use up the time of a started world.
        binaries();
        let aws = EmbeddedAws::start(([127, 0, 0, 1], 0).into()).expect("a free port");
        let settings = FakeTwilioSettings { account_sid: ACCOUNT_SID.to_owned(), auth_token: AUTH_TOKEN.to_owned() };
        let twilio = FakeTwilio::start(settings).await.expect("a free port");
        let pool = user_pool(&aws, "eu-west-1_TEST00001");
        let sqs = client(&aws, "AROATESTOPERATOR");
        let dead_letter_queue_url = create_queue(&sqs, DEAD_LETTER_QUEUE, None).await;
        let target = format!("arn:aws:sqs:eu-west-1:123456789012:{DEAD_LETTER_QUEUE}");
        let redrive = json!({ "deadLetterTargetArn": target, "maxReceiveCount": max_receive_count }).to_string();
        let queue_url = create_queue(&sqs, QUEUE, Some(redrive)).await;
        let configuration = write_configuration(&format!(
            "[[provider]]\nname = \"twilio-test\"\nkind = \"twilio\"\nbase_url = \"{}\"\nfrom = \"+12065550199\"\n\
             account_sid = \"{ACCOUNT_SID}\"\nauth_token = \"${{env:TWILIO_AUTH_TOKEN}}\"\n[texts]\nbrand = \"Example\"\n\
             [limits]\nper_number = \"off\"\n",
            twilio.base_url()
        ));
        Self { aws, pool, twilio, queue_url, dead_letter_queue_url, sqs, configuration }
    }

    pub(crate) async fn producer(&self) -> Function {
        self.producer_with(&[]).await
    }

    /// The producer with these variables changed; an empty value takes one away.
    pub(crate) async fn producer_with(&self, changes: &[(&str, &str)]) -> Function {
        let own = [("USER_POOL_IDS", self.pool.id.as_str())];
        start("producer", &binaries().producer, self.environment(PRODUCER_ID, &[&own, changes])).await
    }

    pub(crate) async fn worker(&self) -> Function {
        self.worker_with(&[]).await
    }

    /// The worker with these variables changed; an empty value takes one away.
    pub(crate) async fn worker_with(&self, changes: &[(&str, &str)]) -> Function {
        start("worker", &binaries().worker, self.worker_environment(changes)).await
    }

    pub(crate) fn worker_environment(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = [
            ("DEAD_LETTER_QUEUE_URL", self.dead_letter_queue_url.as_str()),
            ("KMS_KEY_ARNS", self.pool.key.as_str()),
            ("USER_POOL_IDS", self.pool.id.as_str()),
            ("TRUSTED_SENDER_IDS", PRODUCER_ID),
            ("TWILIO_AUTH_TOKEN", AUTH_TOKEN),
        ];
        self.environment(WORKER_ID, &[&own, changes])
    }

    fn environment(&self, caller: &str, layers: &[&[(&str, &str)]]) -> Vec<(String, String)> {
        let configuration = self.configuration.to_str().expect("the target directory's path is UTF-8");
        let endpoint = self.aws.endpoint();
        let base = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", caller),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_ENDPOINT_URL", &endpoint),
            ("QUEUE_URL", &self.queue_url),
            ("SEALPOST_CONFIG", configuration),
        ];
        let mut environment: Vec<(String, String)> = Vec::new();
        for (name, value) in base.iter().chain(layers.iter().copied().flatten()) {
            environment.retain(|(known, _)| known != name);
            if !value.is_empty() {
                environment.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        environment
    }

    /// A sign-up event to [`PHONE`] with this code.
    pub(crate) fn sign_up(&self, code: &str) -> Value {
        self.pool.event(TriggerSource::SignUp, PHONE, Some(&self.pool.seal(code).expect("KMS is well")))
    }

    /// The same for the n-th of several users, none of whose codes supersedes another's.
    pub(crate) fn sign_up_of(&self, n: usize, code: &str) -> Value {
        let mut event = self.sign_up(code);
        event["request"]["userAttributes"]["sub"] = json!(format!("user-{n}"));
        event
    }

    /// The body that the producer would write for an event accepted now.
    pub(crate) fn body(&self, event: Value) -> Value {
        let event = CognitoEvent::from_value(event).expect("a sound event");
        let id = event.code().expect("an event with a code").message_id().clone();
        let message = QueueMessage::new(event, id, Clock::system().now(), Duration::from_secs(180));
        serde_json::from_str(&message.to_json().expect("small")).expect("JSON")
    }

    /// Puts a body into the queue, past the producer but under its name.
    pub(crate) async fn forge(&self, body: &str) {
        self.forge_as(PRODUCER_ID, body).await;
    }

    pub(crate) async fn forge_as(&self, sender: &str, body: &str) {
        let request = client(&self.aws, sender).send_message().queue_url(&self.queue_url).message_body(body);
        request.send().await.expect("SQS is well");
    }

    /// The next SMS on the phone.
    pub(crate) async fn phone(&self) -> ReceivedSms {
        tokio::time::timeout(LONG, self.twilio.next_message()).await.expect("an SMS")
    }

    /// Lets the provider answer the next request with one of Twilio's errors, whose message quotes `echo`.
    pub(crate) fn provider_refuses(&self, status: u16, code: u32, echo: &str) {
        let body = json!({ "code": code, "message": echo, "more_info": "https://example.com", "status": status });
        self.twilio.script(Script::Answer { status, headers: Vec::new(), body: body.to_string() });
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What stays behind in the target directory does no harm.
        let _ = std::fs::remove_file(&self.configuration);
    }
}

/// Invokes the producer as Cognito does and expects success.
pub(crate) async fn accept(producer: &Function, event: &Value) {
    accept_as(producer, event, Invocation::within(LONG)).await;
}

/// Invokes the producer with this trace header and expects success.
pub(crate) async fn accept_traced(producer: &Function, event: &Value, trace: &str) {
    accept_as(producer, event, Invocation { trace: Some(trace.to_owned()), ..Invocation::within(LONG) }).await;
}

async fn accept_as(producer: &Function, event: &Value, invocation: Invocation) {
    let outcome = producer.invoke(event.to_string().as_bytes(), invocation).await;
    assert!(matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
}

/// A pool of its own with a key of its own.
pub(crate) fn user_pool(aws: &EmbeddedAws, id: &str) -> UserPool {
    let kms = Arc::clone(aws.kms().model());
    let key = kms.create_key("", sqs::Timestamp::default()).expect("room for a key");
    UserPool { id: UserPoolId::parse(id).expect("a pool id"), key: KeyArn::parse(&key.arn).expect("an ARN"), kms }
}

/// A configuration file of its own; its path.
pub(crate) fn write_configuration(text: &str) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("functions-{}-{number}.toml", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("the target directory can be written to");
    path
}

async fn start(name: &str, binary: &Path, environment: Vec<(String, String)>) -> Function {
    let settings = FunctionSettings { name: name.to_owned(), binary: binary.to_owned(), environment, memory_mib: 256 };
    Function::start(settings).await.expect("it was just built")
}

fn client(aws: &EmbeddedAws, access_key_id: &str) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(aws.endpoint())
        .credentials_provider(Credentials::new(access_key_id, SECRET_ACCESS_KEY, None, None, "test"));
    aws_sdk_sqs::Client::from_conf(config.build())
}

async fn create_queue(sqs: &aws_sdk_sqs::Client, name: &str, redrive: Option<String>) -> String {
    let mut request = sqs.create_queue().queue_name(name);
    if let Some(redrive) = redrive {
        request = request.attributes(QueueAttributeName::RedrivePolicy, redrive);
    }
    request.send().await.expect("SQS is well").queue_url.expect("CreateQueue answers with the URL")
}
