//! Producer, queue, worker and provider, put together as on AWS but in one process.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use shared::telemetry::{JsonLines, MetricsNamespace};
use shared::{Clock, Environment, UserPoolId};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use worker::config::{Config, File};
use worker::{
    DynamoDbState, KillSwitches, KmsKeys, Ledger, Providers, RetrySettings, SqsQueue, Worker, max_receive_count,
    open_with_esdk,
};

use crate::aws::{EmbeddedAws, InvocationContext, LambdaFunction as _};
use crate::both::Both;
use crate::cognito::UserPool;
use crate::fake_twilio::{FakeTwilio, FakeTwilioSettings};
use crate::journey::{Heard, Journey, News, Observer};
use crate::journeys::{Journeys, Telling};
use crate::mapping::feed;
use crate::producer_function::ProducerFunction;
use crate::state_table::create_state_table;

/// The account of the fake Twilio.
pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000000";
/// Its password: nothing secret, it opens the fake only.
pub const AUTH_TOKEN: &str = "local-auth-token";

/// The fake Twilio's name in the route and on the screen.
pub(crate) const PROVIDER: &str = "twilio-local";
const POOL: &str = "eu-west-1_LOCAL0001";
/// What the worker logs, as if it were a function.
pub(crate) const WORKER_LOG_GROUP: &str = "/aws/lambda/worker";
const QUEUE: &str = "sealpost";
pub(crate) const DEAD_LETTER_QUEUE: &str = "sealpost-dead-letters";
pub(crate) const STATE_TABLE: &str = "sealpost-state";
/// The embedded SQS reports the access key id as the sender: the worker trusts the producer's and the operator's.
pub(crate) const PRODUCER_ID: &str = "AROALOCALPRODUCER";
pub(crate) const WORKER_ID: &str = "AROALOCALWORKER";
/// Who redrives dead letters: a redrive puts them into the main queue in the operator's name.
pub(crate) const OPERATOR_ID: &str = "AROALOCALOPERATOR";
const STRANGER_ID: &str = "AROALOCALSTRANGER";

/// A running pipeline.
pub struct Pipeline {
    pub pool: UserPool,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    twilio: Arc<FakeTwilio>,
    aws: EmbeddedAws,
    producer: Arc<ProducerFunction>,
    heard: UnboundedReceiver<Heard>,
    journeys: Journeys,
    /// Heard, and not yet told.
    news: VecDeque<News>,
    background: [JoinHandle<()>; 2],
    /// Ends when the worker is as warm as Lambda's init leaves it.
    warming: JoinHandle<()>,
}

impl Pipeline {
    /// Starts everything; the AWS endpoint listens on `port` of 127.0.0.1, 0 for any.
    ///
    /// # Errors
    /// When a port cannot be had.
    pub async fn start(port: u16) -> anyhow::Result<Self> {
        Self::start_with(port, RetrySettings::default()).await
    }

    /// Starts everything with retries other than usual.
    ///
    /// # Errors
    /// When a port cannot be had.
    pub async fn start_with(port: u16, retry: RetrySettings) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let aws = EmbeddedAws::start(address)
            .with_context(|| format!("listening on {address}; choose another port with --port"))?;
        let twilio = FakeTwilio::start(FakeTwilioSettings {
            account_sid: ACCOUNT_SID.to_owned(),
            auth_token: AUTH_TOKEN.to_owned(),
        });
        let twilio = Arc::new(twilio.await.context("listening for the fake Twilio")?);
        let pool = UserPool::with_new_key(UserPoolId::parse(POOL)?, Arc::clone(aws.kms().model()))?;
        let producer_aws = aws_config_for(&aws, PRODUCER_ID);
        let worker_aws = aws_config_for(&aws, WORKER_ID);
        let (queue_url, dead_letter_queue_url) = create_queues(&aws_sdk_sqs::Client::new(&worker_aws), &retry).await?;
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(worker::dynamodb_config(&worker_aws));
        create_state_table(&dynamodb, STATE_TABLE).await?;
        let table = Arc::new(DynamoDbState::new(dynamodb, STATE_TABLE.to_owned()));
        let (hears, heard) = unbounded_channel();

        let producer = Arc::new(ProducerFunction {
            pool: pool.id.clone(),
            sqs: aws_sdk_sqs::Client::from_conf(producer::sqs_config(&producer_aws)),
            queue_url: queue_url.clone(),
            heard: hears.clone(),
        });
        aws.lambda().set_function("producer", producer.clone());
        let sqs = aws_sdk_sqs::Client::from_conf(worker::sqs_config(&worker_aws));
        let kms = aws_sdk_kms::Client::from_conf(worker::kms_config(&worker_aws));
        let (config, providers) = configuration(&pool, &twilio.base_url(), retry)?;
        let worker_log =
            JsonLines::new(aws.logs().writer(WORKER_LOG_GROUP), Clock::system(), MetricsNamespace::default());
        let worker = Arc::new(Worker {
            config,
            keys: Arc::new(KmsKeys::new(kms)),
            open: open_with_esdk,
            providers: Providers::new(providers),
            queue: Arc::new(SqsQueue::new(sqs, queue_url.clone(), dead_letter_queue_url.clone())),
            clock: Clock::system(),
            random: Mutex::new(fastrand::Rng::new()),
            ledger: Ledger::new(Some(table.clone())),
            kill_switches: KillSwitches::new(Some(table)),
            telemetry: Arc::new(Both(Observer { heard: hears.clone(), invocation: None }, worker_log)),
        });
        let warming = tokio::task::spawn_blocking(worker::warm_up_phone_number_plans);
        let feeding = tokio::spawn(feed(worker, aws_sdk_sqs::Client::new(&worker_aws), queue_url.clone()));
        let ringing = tokio::spawn(ring(Arc::clone(&twilio), hears));
        Ok(Self {
            pool,
            queue_url,
            dead_letter_queue_url,
            twilio,
            aws,
            producer,
            heard,
            journeys: Journeys::default(),
            news: VecDeque::new(),
            background: [feeding, ringing],
            warming,
        })
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

    /// What the SMS go to.
    pub(crate) fn twilio(&self) -> &FakeTwilio {
        &self.twilio
    }

    /// Invokes the trigger with one event; the invocation's request id. What becomes of it is told by
    /// [`Pipeline::next_journey`].
    pub async fn invoke(&self, event: &Value) -> String {
        let (request_id, invocation) = self.invocation(event);
        invocation.await;
        request_id
    }

    /// An invocation of the trigger, which begins when it is first polled, and its request id.
    pub(crate) fn invocation(&self, event: &Value) -> (String, impl Future<Output = ()> + Send + use<>) {
        let (producer, payload, context) =
            (Arc::clone(&self.producer), event.to_string(), InvocationContext::new(None));
        let request_id = context.request_id.clone();
        let invocation = async move {
            // The journey tells how it went.
            let _ = producer.invoke(payload.as_bytes(), &context).await;
        };
        (request_id, invocation)
    }

    /// Puts a message into the main queue whose sender the worker does not trust.
    pub(crate) async fn send_as_stranger(&self) -> anyhow::Result<()> {
        let client = aws_sdk_sqs::Client::new(&aws_config_for(&self.aws, STRANGER_ID));
        let request = client.send_message().queue_url(&self.queue_url).message_body("not from the producer");
        request.send().await.context("sending a stranger's message")?;
        Ok(())
    }

    /// Says when a journey is news from now on.
    pub(crate) fn tell(&mut self, telling: Telling) {
        self.journeys.tell(telling);
    }

    /// Waits until there is news of a message, whoever sent it: it has ended, or was postponed.
    pub async fn next_journey(&mut self) -> Journey {
        loop {
            if let News::Journey(journey) = self.next_news().await {
                return *journey;
            }
        }
    }

    /// Waits until there is news of a message or of the provider.
    pub(crate) async fn next_news(&mut self) -> News {
        loop {
            if let Some(news) = self.news.pop_front() {
                return news;
            }
            let heard = self.heard.recv().await.expect("the producer, which lives as long as this, holds a sender");
            if let Heard::CircuitChanged(change) = &heard {
                self.news.push_back(News::Circuit(change.clone()));
            }
            self.news.extend(self.journeys.hear(heard).into_iter().map(Box::new).map(News::Journey));
        }
    }

    /// How far the message of an invocation has come that has not ended.
    pub fn journey_so_far(&mut self, invocation: &str) -> Journey {
        self.journeys.so_far(invocation).unwrap_or_else(|| Journey::of_invocation(invocation, Instant::now()))
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        for task in &self.background {
            task.abort();
        }
    }
}

/// Tells of each SMS that arrives at the phone.
async fn ring(twilio: Arc<FakeTwilio>, hears: UnboundedSender<Heard>) {
    // Nobody listens any more once the run is over.
    while hears.send(Heard::Phone(twilio.next_message().await)).is_ok() {}
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

async fn create_queues(client: &aws_sdk_sqs::Client, retry: &RetrySettings) -> anyhow::Result<(String, String)> {
    let dead_letters = client.create_queue().queue_name(DEAD_LETTER_QUEUE).send().await?;
    let dead_letter_url = dead_letters.queue_url.context("CreateQueue answers with the URL")?;
    let attributes = client.get_queue_attributes().queue_url(&dead_letter_url);
    let attributes = attributes.attribute_names(QueueAttributeName::QueueArn).send().await?;
    let arn = attributes.attributes().and_then(|all| all.get(&QueueAttributeName::QueueArn));
    let arn = arn.context("GetQueueAttributes answers with the ARN")?;
    let max_receive_count = max_receive_count(retry.horizon).to_string();
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count }).to_string();
    let main = client.create_queue().queue_name(QUEUE).attributes(QueueAttributeName::RedrivePolicy, redrive);
    let main = main.attributes(QueueAttributeName::VisibilityTimeout, "30").send().await?;
    Ok((main.queue_url.context("CreateQueue answers with the URL")?, dead_letter_url))
}

fn configuration(
    pool: &UserPool,
    twilio: &str,
    retry: RetrySettings,
) -> anyhow::Result<(Config, Vec<Arc<dyn worker::Provider>>)> {
    // Without the limit, since who tries things out uses one number again and again.
    let toml = format!(
        "[[provider]]\nname = \"{PROVIDER}\"\nkind = \"twilio\"\nbase_url = \"{twilio}\"\nfrom = \"+12065550199\"\n\
         account_sid = \"{ACCOUNT_SID}\"\nauth_token = \"${{env:TWILIO_AUTH_TOKEN}}\"\n[texts]\nbrand = \"Example\"\n\
         [limits]\nper_number = \"off\"\n[route.country]\nKP = []\n"
    );
    let environment = Environment::from_lookup(|_| Some(AUTH_TOKEN.to_owned()));
    let (config, providers) = File::parse(&toml, &environment)?.into_config(vec![pool.key.clone()]);
    let trusted_senders = Some([PRODUCER_ID, OPERATOR_ID].map(str::to_owned).into());
    // The retries of a file last a minute at least, which is longer than a person likes to wait for dead letters.
    let config = Config { allowed_pools: Some([pool.id.clone()].into()), trusted_senders, retry, ..config };
    let clock = Clock::system();
    let providers: Result<Vec<_>, _> = providers.into_iter().map(|settings| settings.into_provider(&clock)).collect();
    Ok((config, providers?))
}
