//! The stand-ins that every subject finds around it, all in this one process: SQS and KMS, a provider, and a user pool
//! whose codes are sealed as Cognito seals them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use local::aws::{DynamoDbFault, EmbeddedAws, KmsFault, Settings, SqsFault};
use local::cognito::UserPool;
use local::create_state_table;
use local::fake_twilio::{FakeTwilio, FakeTwilioSettings, Script};
use local::{ACCOUNT_SID, AUTH_TOKEN};
use serde_json::{Value, json};
use shared::{KeyArn, TriggerSource, UserPoolId};
use tempfile::TempDir;

use crate::subject::Subject;
use crate::tls::{Authority, Terminator};

pub(crate) const QUEUE: &str = "sealpost";
pub(crate) const DEAD_LETTER_QUEUE: &str = "sealpost-dead-letters";
/// The embedded SQS reports the access key id as the sender: the worker trusts the producer's alone.
pub(crate) const PRODUCER_ID: &str = "AROABENCHPRODUCER";
pub(crate) const CONSUMER_ID: &str = "AROABENCHCONSUMER";
const STATE_TABLE: &str = "sealpost-state";
const NUMBER_KEY: &str = "a key under which numbers are hashed";
const KEY_ALIAS: &str = "alias/codes";
/// A backlog of 100,000 messages of 2 KB, with the model's bookkeeping.
const MOST_QUEUED_BYTES: usize = 1 << 30;

/// How a subject reaches what is around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    Http,
    Tls,
}

pub(crate) struct World {
    pub(crate) aws: EmbeddedAws,
    pub(crate) pool: UserPool,
    twilio: FakeTwilio,
    tls: Option<Tls>,
    /// The name of the worker's, if it has one.
    state_table: Option<&'static str>,
    /// The worker's configuration and the certificates.
    folder: TempDir,
}

/// How long AWS's services wait before they answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away {
    pub(crate) sqs: Duration,
    pub(crate) kms: Duration,
    pub(crate) state_table: Duration,
}

struct Tls {
    authority: Authority,
    aws: Terminator,
    twilio: Terminator,
}

impl Transport {
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Http => "plain HTTP",
            Self::Tls => "TLS",
        }
    }
}

impl World {
    /// # Errors
    /// When a port or a temporary folder cannot be had.
    pub(crate) async fn start(transport: Transport) -> anyhow::Result<Self> {
        Self::begin(transport, None).await
    }

    /// As in production: behind TLS, and the worker has a state table.
    ///
    /// # Errors
    /// When a port or a temporary folder cannot be had.
    pub(crate) async fn as_deployed() -> anyhow::Result<Self> {
        Self::begin(Transport::Tls, Some(STATE_TABLE)).await
    }

    async fn begin(transport: Transport, state_table: Option<&'static str>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("making a temporary folder")?;
        let sqs_limits = sqs::Limits { bytes_per_queue: MOST_QUEUED_BYTES, ..sqs::Limits::default() };
        let settings = Settings { sqs_limits, ..Settings::default() };
        let aws = EmbeddedAws::start_with(([127, 0, 0, 1], 0).into(), settings).context("starting SQS and KMS")?;
        let account = FakeTwilioSettings { account_sid: ACCOUNT_SID.to_owned(), auth_token: AUTH_TOKEN.to_owned() };
        let twilio = FakeTwilio::start(account).await.context("starting the fake provider")?;
        let tls = match transport {
            Transport::Http => None,
            Transport::Tls => {
                let authority = Authority::new(folder.path())?;
                let aws = authority.in_front_of(address(&aws.endpoint())?).await?;
                let twilio = authority.in_front_of(address(&twilio.base_url())?).await?;
                Some(Tls { authority, aws, twilio })
            }
        };
        let pool = user_pool(&aws)?;
        for queue in [QUEUE, DEAD_LETTER_QUEUE] {
            aws.sqs().with_account(|account, now| account.create_queue(queue, &[].into(), now))?;
        }
        if let Some(table) = state_table {
            create_state_table(&table_client(&aws), table).await.context("creating the state table")?;
        }
        let world = Self { aws, pool, twilio, tls, state_table, folder };
        let number_key = state_table.map_or("", |_table| "number_key = \"${env:NUMBER_KEY}\"\n");
        let toml = format!(
            "[[provider]]\nname = \"twilio-bench\"\nkind = \"twilio\"\nbase_url = \"{}\"\nfrom = \"+12065550199\"\n\
             account_sid = \"{ACCOUNT_SID}\"\nauth_token = \"${{env:TWILIO_AUTH_TOKEN}}\"\n[texts]\nbrand = \"Example\"\n\
             [limits]\nper_number = \"1000000/7d\"\n{number_key}",
            world.provider_url()
        );
        std::fs::write(world.configuration(), toml).context("writing the worker's configuration")?;
        Ok(world)
    }

    /// Everything that a subject is told.
    pub(crate) fn environment(&self, subject: Subject) -> Vec<(String, String)> {
        let queue_url = self.aws.sqs().queue_url(QUEUE);
        let dead_letter_queue_url = self.aws.sqs().queue_url(DEAD_LETTER_QUEUE);
        let alias = self.pool.key.as_str().rsplit_once(":key/").map_or("", |(account, _)| account);
        let alias = format!("{alias}:{KEY_ALIAS}");
        let (configuration, provider) = (self.configuration().display().to_string(), self.provider_url());
        let of_subject = match subject {
            Subject::Sample => vec![
                ("KEY_ARN", self.pool.key.as_str()),
                ("KEY_ALIAS", &alias),
                ("TWILIO_BASE_URL", &provider),
                ("TWILIO_ACCOUNT_SID", ACCOUNT_SID),
                ("TWILIO_AUTH_TOKEN", AUTH_TOKEN),
                // Else its SDK warns at each start of how old this Node.js is.
                ("NODE_NO_WARNINGS", "1"),
            ],
            Subject::Producer => vec![("QUEUE_URL", queue_url.as_str()), ("USER_POOL_IDS", self.pool.id.as_str())],
            Subject::Worker => vec![
                ("QUEUE_URL", queue_url.as_str()),
                ("DEAD_LETTER_QUEUE_URL", &dead_letter_queue_url),
                ("KMS_KEY_ARNS", self.pool.key.as_str()),
                ("USER_POOL_IDS", self.pool.id.as_str()),
                ("TRUSTED_SENDER_IDS", PRODUCER_ID),
                ("SEALPOST_CONFIG", &configuration),
                ("TWILIO_AUTH_TOKEN", AUTH_TOKEN),
            ],
        };
        let endpoint = self.tls.as_ref().map_or_else(|| self.aws.endpoint(), |tls| tls.aws.url());
        let caller = if subject == Subject::Producer { PRODUCER_ID } else { CONSUMER_ID };
        let of_aws = of_aws(caller, &endpoint);
        let of_table = self.state_table.filter(|_table| subject == Subject::Worker);
        let of_table = of_table.into_iter().flat_map(|table| [("STATE_TABLE", table), ("NUMBER_KEY", NUMBER_KEY)]);
        let of_tls = self.tls.iter().flat_map(|Tls { authority, .. }| match subject {
            // Node.js brings its own roots along.
            Subject::Sample => vec![("NODE_EXTRA_CA_CERTS", authority.certificate.to_str().unwrap_or_default())],
            Subject::Producer | Subject::Worker => vec![
                ("SSL_CERT_FILE", authority.bundle.to_str().unwrap_or_default()),
                ("SSL_CERT_DIR", authority.folder),
            ],
        });
        let all = of_aws.into_iter().chain(of_subject).chain(of_table).chain(of_tls);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Everything that somebody is told who moves dead letters.
    pub(crate) fn operators_environment(&self) -> Vec<(String, String)> {
        let endpoint = self.aws.endpoint();
        let (from, to) = (self.aws.sqs().queue_url(DEAD_LETTER_QUEUE), self.aws.sqs().queue_url(QUEUE));
        let trusted = [PRODUCER_ID, CONSUMER_ID].join(",");
        let of_queues = [("DEAD_LETTER_QUEUE_URL", &*from), ("QUEUE_URL", &*to), ("TRUSTED_SENDER_IDS", &*trusted)];
        let all = of_aws("AROABENCHOPERATOR", &endpoint).into_iter().chain(of_queues);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Events of as many users as there are events, each with a code of its own.
    ///
    /// # Errors
    /// When a code cannot be sealed.
    pub(crate) fn events(&self, count: usize) -> anyhow::Result<Vec<Value>> {
        let event = |number| {
            let sealed = self.pool.seal(&format!("{:06}", number % 1_000_000))?;
            let mut event = self.pool.event(TriggerSource::Authentication, "+12065550100", Some(&sealed));
            event["request"]["userAttributes"]["sub"] = json!(format!("54cf7eb7-0b96-4304-8d6b-{number:012}"));
            Ok(event)
        };
        (0..count).map(event).collect()
    }

    /// How many messages have come through a subject so far: into the queue, or to the provider.
    pub(crate) fn arrived(&self, through: Subject) -> usize {
        match through {
            Subject::Sample | Subject::Worker => self.twilio.messages(),
            Subject::Producer => {
                let counts = self.aws.sqs().with_account(|account, now| account.counts(QUEUE, now));
                counts.map_or(0, |counts| counts.ready + counts.in_flight)
            }
        }
    }

    /// Moves KMS so far away from now on.
    pub(crate) fn put_kms_away(&self, delay: Duration) {
        self.aws.kms().set_fault(Some(KmsFault::Latency(delay)));
    }

    /// Moves AWS's services so far away from now on, or back again.
    pub(crate) fn put_aws_away(&self, away: Option<Away>) {
        self.aws.sqs().set_fault(away.map(|away| SqsFault::Latency(away.sqs)));
        self.aws.kms().set_fault(away.map(|away| KmsFault::Latency(away.kms)));
        self.aws.dynamodb().set_fault(away.map(|away| DynamoDbFault::Latency(away.state_table)));
    }

    /// Lets the provider do this with each of the next requests.
    pub(crate) fn provider_will(&self, requests: usize, script: impl Fn() -> Script) {
        (0..requests).for_each(|_| self.twilio.script(script()));
    }

    fn provider_url(&self) -> String {
        self.tls.as_ref().map_or_else(|| self.twilio.base_url(), |tls| tls.twilio.url())
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("sealpost.toml")
    }
}

/// Where AWS is, and as whom it is asked.
fn of_aws<'e>(caller: &'e str, endpoint: &'e str) -> [(&'static str, &'e str); 4] {
    [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", caller),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_ENDPOINT_URL", endpoint),
    ]
}

fn table_client(aws: &EmbeddedAws) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(aws.endpoint())
        .credentials_provider(Credentials::new(CONSUMER_ID, "bench", None, None, "bench"));
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

fn user_pool(aws: &EmbeddedAws) -> anyhow::Result<UserPool> {
    let kms = Arc::clone(aws.kms().model());
    let key = kms.create_key("codes of the measured user pool", sqs::Timestamp::default())?;
    kms.create_alias(KEY_ALIAS, &key.arn)?;
    Ok(UserPool { id: UserPoolId::parse("eu-west-1_BENCH0001")?, key: KeyArn::parse(&key.arn)?, kms })
}

fn address(url: &str) -> anyhow::Result<std::net::SocketAddr> {
    url.strip_prefix("http://").and_then(|address| address.parse().ok()).context("the stand-ins' URLs are addresses")
}
