//! What the programs find around them: SQS and KMS over the wire, a user pool, the providers, and their configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use local::aws::EmbeddedAws;
use local::cognito::UserPool;
use local::create_state_table;
use serde_json::{Value, json};
use shared::{KeyArn, UserPoolId};
use sqs::Message;
use tempfile::TempDir;

use crate::behaviour::ATTEMPT_TIMEOUT;
use crate::ledger::Ledger;
use crate::providers::{ACCOUNT_SID, AUTH_TOKEN, Provider, Providers};

const QUEUE: &str = "sealpost";
const STATE_TABLE: &str = "sealpost-state";
pub(crate) const NUMBER_KEY: &str = "hush-key-under-which-numbers-are-hashed";
const DEAD_LETTER_QUEUE: &str = "sealpost-dead-letters";
/// The embedded SQS reports the access key id as the sender: the workers trust the producer's alone.
const PRODUCER_ID: &str = "AROAFAULTSPRODUCER";
const WORKER_ID: &str = "AROAFAULTSWORKER";
pub(crate) const SECRET_ACCESS_KEY: &str = "hush/secret+access+key+of+the+role";
/// The shortest that the configuration allows, so that the end of everything is soon seen.
const HORIZON: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) aws: EmbeddedAws,
    pub(crate) pool: UserPool,
    pub(crate) ledger: Arc<Ledger>,
    providers: Providers,
    /// The programs' configurations.
    folder: TempDir,
}

impl World {
    /// # Errors
    /// When a port or a temporary folder cannot be had.
    pub(crate) async fn start(ledger: Arc<Ledger>) -> anyhow::Result<Self> {
        let aws = EmbeddedAws::start(([127, 0, 0, 1], 0).into()).context("starting SQS and KMS")?;
        let kms = Arc::clone(aws.kms().model());
        let key = kms.create_key("codes of the user pool", sqs::Timestamp::default())?;
        let pool = UserPool { id: UserPoolId::parse("eu-west-1_FAULT0001")?, key: KeyArn::parse(&key.arn)?, kms };
        aws.sqs().with_account(|account, now| {
            account.create_queue(DEAD_LETTER_QUEUE, &BTreeMap::new(), now)?;
            let target = account.queue_arn(DEAD_LETTER_QUEUE);
            let most = worker::max_receive_count(HORIZON).to_string();
            let redrive = json!({ "deadLetterTargetArn": target, "maxReceiveCount": most }).to_string();
            account.create_queue(QUEUE, &[("RedrivePolicy".to_owned(), redrive)].into(), now)
        })?;
        create_state_table(&table_client(&aws), STATE_TABLE).await.context("creating the state table")?;
        let providers = Providers::start(&ledger).await?;
        let folder = tempfile::tempdir().context("making a temporary folder")?;
        std::fs::write(folder.path().join("roots.pem"), &providers.out_of_reach.roots)?;
        Ok(Self { aws, pool, ledger, providers, folder })
    }

    pub(crate) fn queue_url(&self) -> String {
        self.aws.sqs().queue_url(QUEUE)
    }

    /// The environment of the producer.
    ///
    /// # Errors
    /// When its configuration cannot be written.
    pub(crate) fn producer_environment(&self) -> anyhow::Result<Vec<(String, String)>> {
        let configuration = self.configuration("producer")?.display().to_string();
        let own = [("USER_POOL_IDS", self.pool.id.as_str()), ("SEALPOST_CONFIG", &configuration)];
        Ok(self.environment(PRODUCER_ID, &own))
    }

    /// The environment of the worker process of this name, which is also the sender of its SMS: so an SMS shows which
    /// process sent it.
    ///
    /// # Errors
    /// When its configuration cannot be written.
    pub(crate) fn worker_environment(&self, worker: &str) -> anyhow::Result<Vec<(String, String)>> {
        let configuration = self.configuration(worker)?.display().to_string();
        let roots = self.folder.path().join("roots.pem").display().to_string();
        let dead_letters = self.aws.sqs().queue_url(DEAD_LETTER_QUEUE);
        let own = [
            ("DEAD_LETTER_QUEUE_URL", dead_letters.as_str()),
            ("KMS_KEY_ARNS", self.pool.key.as_str()),
            ("USER_POOL_IDS", self.pool.id.as_str()),
            ("TRUSTED_SENDER_IDS", PRODUCER_ID),
            ("TWILIO_AUTH_TOKEN", AUTH_TOKEN),
            ("STATE_TABLE", STATE_TABLE),
            ("NUMBER_KEY", NUMBER_KEY),
            ("SEALPOST_CONFIG", &configuration),
            ("SSL_CERT_FILE", &roots),
        ];
        Ok(self.environment(WORKER_ID, &own))
    }

    fn environment(&self, caller: &str, own: &[(&str, &str)]) -> Vec<(String, String)> {
        let (endpoint, queue_url) = (self.aws.endpoint(), self.queue_url());
        let base = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", caller),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_ENDPOINT_URL", &endpoint),
            ("QUEUE_URL", &queue_url),
        ];
        base.iter().chain(own).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn configuration(&self, sender: &str) -> anyhow::Result<PathBuf> {
        let blocks: String = Provider::ALL.map(|provider| self.block(provider, sender)).concat();
        let toml = format!(
            "{blocks}[route]\ndefault = [\"twilio-a\", \"twilio-b\", \"gateway\"]\n[route.country]\n\
             FR = [\"unresolvable\", \"refusing\", \"twilio-b\", \"gateway\"]\n\
             IE = [\"untrusted\", \"plain\", \"gateway\", \"twilio-a\"]\n\
             [lifetime]\nauthentication = \"1m\"\n[retry]\nhorizon = \"{}s\"\ntime_to_type = \"20s\"\n\
             [texts]\nbrand = \"Example\"\n[limits]\nnumber_key = \"${{env:NUMBER_KEY}}\"\n",
            HORIZON.as_secs()
        );
        let path = self.folder.path().join(format!("{sender}.toml"));
        std::fs::write(&path, toml).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    fn block(&self, provider: Provider, sender: &str) -> String {
        let (name, base_url) = (provider.name(), self.providers.base_url(provider));
        let timeout = ATTEMPT_TIMEOUT.as_secs();
        let common = format!(
            "[[provider]]\nname = \"{name}\"\nbase_url = \"{base_url}\"\nconnect_timeout = \"1s\"\n\
             timeout = \"{timeout}s\"\n"
        );
        match provider {
            // Twilio's API, described as if Sealpost did not know it.
            Provider::Gateway => format!(
                "{common}kind = \"http\"\npath = \"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json\"\n\
                 basic_auth = {{ user = \"{ACCOUNT_SID}\", password = \"${{env:TWILIO_AUTH_TOKEN}}\" }}\n\
                 form = {{ To = \"{{{{to}}}}\", From = \"{sender}\", Body = \"{{{{text}}}}\", \
                 ValidityPeriod = \"{{{{valid_for_seconds}}}}\" }}\nmax_validity = \"10h\"\n\
                 message_id = \"/sid\"\nerror_code = \"/code\"\nrules = [\n\
                 {{ pointer = \"/status\", one_of = [\"queued\", \"accepted\"], class = \"accepted\" }},\n\
                 {{ pointer = \"/status\", equals = \"failed\", class = \"provider_permanent\" }},\n\
                 {{ error_code = [20429, 20503, 21611], class = \"transient\" }},\n\
                 {{ error_code = [21211, 21610, 21614, 30005, 30006], class = \"recipient_permanent\" }},\n\
                 {{ error_code = 30450, class = \"fraud_blocked\" }},\n\
                 {{ error_code = 63038, class = \"provider_permanent\" }},\n]\n"
            ),
            Provider::TwilioA
            | Provider::TwilioB
            | Provider::Unresolvable
            | Provider::Refusing
            | Provider::Untrusted
            | Provider::Plain => format!(
                "{common}kind = \"twilio\"\nfrom = \"{sender}\"\naccount_sid = \"{ACCOUNT_SID}\"\n\
                 auth_token = \"${{env:TWILIO_AUTH_TOKEN}}\"\n"
            ),
        }
    }

    /// The events whose messages are in the queue, in whosever hands.
    pub(crate) fn queued(&self) -> BTreeSet<usize> {
        self.messages(QUEUE).iter().filter_map(|message| self.event_of(message)).collect()
    }

    pub(crate) fn is_queue_empty(&self) -> bool {
        self.messages(QUEUE).is_empty()
    }

    pub(crate) fn dead_letters(&self) -> Vec<Arc<Message>> {
        self.messages(DEAD_LETTER_QUEUE)
    }

    /// The event that a message carries.
    pub(crate) fn event_of(&self, message: &Message) -> Option<usize> {
        let body: Value = serde_json::from_str(&message.body).ok()?;
        let number = body.pointer("/event/request/userAttributes/phone_number")?.as_str()?;
        self.ledger.event_of(number)
    }

    fn messages(&self, queue: &str) -> Vec<Arc<Message>> {
        self.aws.sqs().with_account(|account, _| {
            account.messages(queue).map(|messages| messages.cloned().collect()).unwrap_or_default()
        })
    }
}

/// As the run itself reaches the table.
fn table_client(aws: &EmbeddedAws) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(aws.endpoint())
        .credentials_provider(Credentials::new("AROAFAULTSOWNER", "owner", None, None, "owner"));
    aws_sdk_dynamodb::Client::from_conf(config.build())
}
