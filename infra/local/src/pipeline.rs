//! Producer, queue, worker and provider, put together as on AWS but in one process.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sqs::types::QueueAttributeName;
use producer::{Invocation, MainQueue, Producer};
use serde_json::{Value, json};
use shared::telemetry::Telemetry;
use shared::{Clock, Environment, KeyArn, Settings, UserPoolId};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use worker::config::{Config, File};
use worker::{KmsKeys, RetrySettings, SqsQueue, UnknownOutcomes, Worker, max_receive_count, open_with_esdk};

use crate::aws::EmbeddedAws;
use crate::cognito::UserPool;
use crate::fake_twilio::{FakeTwilio, FakeTwilioSettings};
use crate::journey::{Ending, Journey, Observed, Observer, Stage};
use crate::mapping::feed;

/// The account of the fake Twilio.
pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000000";
/// Its password: nothing secret, it opens the fake only.
pub const AUTH_TOKEN: &str = "local-auth-token";

const POOL: &str = "eu-west-1_LOCAL0001";
const QUEUE: &str = "sealpost";
const DEAD_LETTER_QUEUE: &str = "sealpost-dead-letters";
/// The embedded SQS reports the access key id as the sender: the worker trusts the producer's alone.
const PRODUCER_ID: &str = "AROALOCALPRODUCER";
const WORKER_ID: &str = "AROALOCALWORKER";

/// A running pipeline.
pub struct Pipeline {
    pub pool: UserPool,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    aws: EmbeddedAws,
    twilio: FakeTwilio,
    producer: Producer,
    observed: UnboundedReceiver<Observed>,
    feeding: JoinHandle<()>,
    /// Ends when the worker is as warm as Lambda's init leaves it.
    warming: JoinHandle<()>,
}

impl Pipeline {
    /// Starts everything; the AWS endpoint listens on `port` of 127.0.0.1, 0 for any.
    ///
    /// # Errors
    /// When a port cannot be had.
    pub async fn start(port: u16) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let aws = EmbeddedAws::start(address)
            .with_context(|| format!("listening on {address}; choose another port with --port"))?;
        let twilio = FakeTwilio::start(FakeTwilioSettings {
            account_sid: ACCOUNT_SID.to_owned(),
            auth_token: AUTH_TOKEN.to_owned(),
        });
        let twilio = twilio.await.context("listening for the fake Twilio")?;
        let pool = user_pool(&aws)?;
        let producer_aws = aws_config_for(&aws, PRODUCER_ID);
        let worker_aws = aws_config_for(&aws, WORKER_ID);
        let (queue_url, dead_letter_queue_url) = create_queues(&aws_sdk_sqs::Client::new(&worker_aws)).await?;
        let (observer, observed) = Observer::new();
        let telemetry: Arc<dyn Telemetry> = Arc::new(observer);

        let sqs = aws_sdk_sqs::Client::from_conf(producer::sqs_config(&producer_aws));
        let producer = Producer {
            settings: Settings::default(),
            allowed_pools: Some([pool.id.clone()].into()),
            queue: MainQueue::new(sqs, queue_url.clone()),
            clock: Clock::system(),
            telemetry: Arc::clone(&telemetry),
        };
        let sqs = aws_sdk_sqs::Client::from_conf(worker::sqs_config(&worker_aws));
        let kms = aws_sdk_kms::Client::from_conf(worker::kms_config(&worker_aws));
        let (config, providers) = configuration(&pool, &twilio.base_url())?;
        let worker = Arc::new(Worker {
            config,
            keys: Arc::new(KmsKeys::new(kms)),
            open: open_with_esdk,
            providers,
            queue: Arc::new(SqsQueue::new(sqs, queue_url.clone(), dead_letter_queue_url.clone())),
            clock: Clock::system(),
            random: Mutex::new(fastrand::Rng::new()),
            unknowns: UnknownOutcomes::default(),
            telemetry,
        });
        let warming = tokio::task::spawn_blocking(worker::warm_up_phone_regions);
        let feeding = tokio::spawn(feed(worker, aws_sdk_sqs::Client::new(&worker_aws), queue_url.clone()));
        Ok(Self { pool, queue_url, dead_letter_queue_url, aws, twilio, producer, observed, feeding, warming })
    }

    /// Waits until the worker has done what Lambda's init would have given it time for.
    pub async fn warmed_up(&mut self) {
        // A warm-up that panicked leaves the first message to pay for it, and nothing else.
        let _ = (&mut self.warming).await;
    }

    /// The endpoint that any AWS tool can be pointed at.
    pub fn aws_endpoint(&self) -> String {
        self.aws.endpoint()
    }

    pub fn twilio_url(&self) -> String {
        self.twilio.base_url()
    }

    /// Invokes the trigger with one event and follows its message to the end, for at most `patience`.
    pub async fn send(&mut self, event: &Value, patience: Duration, mut show: impl FnMut(&Stage)) -> Journey {
        let began = Instant::now();
        let text = event.to_string();
        let source = event.get("triggerSource").and_then(Value::as_str).unwrap_or("(none)");
        let mut journey = Journey {
            trigger_source: source.rsplit('_').next().unwrap_or(source).to_owned(),
            producer: None,
            queue: None,
            decrypt: None,
            provider: None,
            total: Duration::ZERO,
            ending: Ending::Waiting,
        };
        let invocation = Invocation { request_id: format!("{:032x}", fastrand::u128(..)), trace: None };
        // The producer's own telemetry tells how it went.
        let _ = self.producer.accept(text.as_bytes(), &invocation).await;
        // The worker may be done before the producer has read SQS's answer: the producer's word comes first.
        let mut seen: VecDeque<_> = std::iter::from_fn(|| self.observed.try_recv().ok()).collect();
        seen.make_contiguous().sort_by_key(|observed| !observed.stage.is_the_producers());
        let mut own_id = None;
        let mut queued_at = None;
        loop {
            let left = patience.saturating_sub(began.elapsed());
            let observed = match seen.pop_front() {
                Some(observed) => observed,
                None => match tokio::time::timeout(left, self.observed.recv()).await {
                    Ok(Some(observed)) => observed,
                    Ok(None) | Err(_) => break,
                },
            };
            if own_id.is_some() && observed.id != own_id {
                continue;
            }
            show(&observed.stage);
            let since_queued =
                |took| queued_at.map(|at| observed.at.saturating_duration_since(at).saturating_sub(took));
            match observed.stage {
                Stage::Queued { id, took } => {
                    own_id = Some(id);
                    queued_at = Some(observed.at);
                    journey.producer = Some(took);
                }
                Stage::Decrypted { took } => {
                    journey.queue = since_queued(took);
                    journey.decrypt = Some(took);
                }
                Stage::Attempted { took, .. } => {
                    journey.queue = journey.queue.or_else(|| since_queued(took));
                    journey.provider = Some(took);
                }
                Stage::Postponed { .. } => {}
                Stage::Refused { message } => journey.ending = Ending::Refused { message },
                Stage::DeadLettered { reason, detail } => journey.ending = Ending::DeadLettered { reason, detail },
                Stage::Delivered => journey.ending = Ending::Arrived(self.twilio.next_message().await),
            }
            if !matches!(journey.ending, Ending::Waiting) {
                break;
            }
        }
        journey.total = began.elapsed();
        journey
    }

    /// The next SMS that arrives at the phone without having been followed.
    pub async fn next_message(&self) -> crate::fake_twilio::ReceivedSms {
        self.twilio.next_message().await
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.feeding.abort();
    }
}

fn user_pool(aws: &EmbeddedAws) -> anyhow::Result<UserPool> {
    let kms = Arc::clone(aws.kms().model());
    let now = u64::try_from(Clock::system().now().as_millisecond()).unwrap_or_default();
    let key = kms.create_key("codes of the local user pool", sqs::Timestamp::from_unix_millis(now))?;
    Ok(UserPool { id: UserPoolId::parse(POOL)?, key: KeyArn::parse(&key.arn)?, kms })
}

fn aws_config_for(aws: &EmbeddedAws, caller: &str) -> SdkConfig {
    let credentials = Credentials::new(caller, "local", None, None, "embedded");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(aws.endpoint())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

async fn create_queues(client: &aws_sdk_sqs::Client) -> anyhow::Result<(String, String)> {
    let dead_letters = client.create_queue().queue_name(DEAD_LETTER_QUEUE).send().await?;
    let dead_letter_url = dead_letters.queue_url.context("CreateQueue answers with the URL")?;
    let attributes = client.get_queue_attributes().queue_url(&dead_letter_url);
    let attributes = attributes.attribute_names(QueueAttributeName::QueueArn).send().await?;
    let arn = attributes.attributes().and_then(|all| all.get(&QueueAttributeName::QueueArn));
    let arn = arn.context("GetQueueAttributes answers with the ARN")?;
    let max_receive_count = max_receive_count(RetrySettings::default().horizon).to_string();
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count }).to_string();
    let main = client.create_queue().queue_name(QUEUE).attributes(QueueAttributeName::RedrivePolicy, redrive);
    let main = main.attributes(QueueAttributeName::VisibilityTimeout, "30").send().await?;
    Ok((main.queue_url.context("CreateQueue answers with the URL")?, dead_letter_url))
}

fn configuration(pool: &UserPool, twilio: &str) -> anyhow::Result<(Config, Vec<Arc<dyn worker::Provider>>)> {
    let toml = format!(
        "[[provider]]\nname = \"twilio-local\"\nkind = \"twilio\"\nbase_url = \"{twilio}\"\nfrom = \"+12065550199\"\n\
         account_sid = \"{ACCOUNT_SID}\"\nauth_token = \"${{env:TWILIO_AUTH_TOKEN}}\"\n[texts]\nbrand = \"Example\"\n"
    );
    let environment = Environment::from_lookup(|_| Some(AUTH_TOKEN.to_owned()));
    let File { settings, providers, route, retry, texts } = File::parse(&toml, &environment)?;
    let config = Config {
        settings,
        allowed_pools: Some([pool.id.clone()].into()),
        trusted_senders: Some([PRODUCER_ID.to_owned()].into()),
        key_arns: vec![pool.key.clone()],
        route,
        retry,
        texts,
    };
    let clock = Clock::system();
    let providers: Result<Vec<_>, _> = providers.into_iter().map(|settings| settings.into_provider(&clock)).collect();
    Ok((config, providers?))
}
