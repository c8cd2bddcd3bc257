//! The embedded AWS as a whole: one endpoint, several services.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use super::{
    dynamodb_service::DynamoDbService, kms::Kms, kms_service::KmsService, lambda_service::LambdaService,
    listener::Listener, logs_service::LogsService, secrets::SecretsManager, secrets_service::SecretsService,
    service::Service, sqs_service::SqsService,
};

/// Services by the prefix of `X-Amz-Target`, as in `AmazonSQS.SendMessage`.
pub(super) type Services = BTreeMap<String, Arc<dyn Service>>;

/// What can be chosen. The default suits the local run.
pub struct Settings {
    /// In ARNs.
    pub region: String,
    /// In ARNs and queue URLs; twelve digits.
    pub account_id: String,
    /// Message ids, receipt handles, version ids and the suffixes of secrets follow from it. By default from the clock,
    /// so that runs differ.
    pub seed: u64,
    /// How much SQS may hold.
    pub sqs_limits: sqs::Limits,
    /// More services, by target prefix: `AmazonSSM`. One whose prefix is that of a service here takes its place.
    pub services: BTreeMap<String, Arc<dyn Service>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "eu-west-1".to_owned(),
            account_id: "123456789012".to_owned(),
            seed: super::service::now().unix_millis(),
            sqs_limits: sqs::Limits::default(),
            services: BTreeMap::new(),
        }
    }
}

/// SQS, KMS, DynamoDB, Secrets Manager, Lambda's Invoke and the logs on one loopback endpoint, until it is dropped. Open
/// connections then get a second to finish.
pub struct EmbeddedAws {
    listener: Listener,
    sqs: Arc<SqsService>,
    kms: Arc<KmsService>,
    dynamodb: Arc<DynamoDbService>,
    secrets: Arc<SecretsService>,
    lambda: Arc<LambdaService>,
    logs: Arc<LogsService>,
}

impl EmbeddedAws {
    /// Starts with the default settings. Needs a Tokio runtime; port 0 takes a free one.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        Self::start_with(address, Settings::default())
    }

    /// Starts. Refuses an address that other machines can reach: nothing here checks who calls.
    pub fn start_with(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let bound = Listener::bind(address)?;
        let Settings { region, account_id, seed, sqs_limits, mut services } = settings;
        let account = sqs::Account::new(&region, &account_id, seed, sqs_limits);
        let queue_urls = format!("{}/{account_id}/", endpoint(bound.address()));
        let sqs = Arc::new(SqsService::new(account, queue_urls));
        let kms = Arc::new(KmsService::new(Arc::new(Kms::new(&region, &account_id))));
        let mut serve = |prefix: &str, service: Arc<dyn Service>| {
            services.entry(prefix.to_owned()).or_insert(service);
        };
        serve("AmazonSQS", Arc::clone(&sqs) as Arc<dyn Service>);
        serve("TrentService", Arc::clone(&kms) as Arc<dyn Service>);
        let dynamodb = Arc::new(DynamoDbService::new().map_err(io::Error::other)?);
        serve("DynamoDB_20120810", Arc::clone(&dynamodb) as Arc<dyn Service>);
        let secrets = Arc::new(SecretsService::new(SecretsManager::new(&region, &account_id, seed)));
        serve("secretsmanager", Arc::clone(&secrets) as Arc<dyn Service>);
        let logs = Arc::new(LogsService::default());
        serve("Logs_20140328", Arc::clone(&logs) as Arc<dyn Service>);
        let lambda = Arc::new(LambdaService::new(&region, &account_id, Arc::clone(&logs)));
        Ok(Self { listener: bound.serve(services, Arc::clone(&lambda)), sqs, kms, dynamodb, secrets, lambda, logs })
    }

    /// The endpoint for clients: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        endpoint(self.listener.address())
    }

    /// SQS, to look into and to break.
    pub fn sqs(&self) -> &Arc<SqsService> {
        &self.sqs
    }

    /// KMS, to use in process and to break.
    pub fn kms(&self) -> &Arc<KmsService> {
        &self.kms
    }

    /// DynamoDB, to break.
    pub fn dynamodb(&self) -> &Arc<DynamoDbService> {
        &self.dynamodb
    }

    /// Secrets Manager, to look into and to break.
    pub fn secrets(&self) -> &Arc<SecretsService> {
        &self.secrets
    }

    /// Lambda, to give it functions.
    pub fn lambda(&self) -> &Arc<LambdaService> {
        &self.lambda
    }

    /// CloudWatch Logs, to write into.
    pub fn logs(&self) -> &Arc<LogsService> {
        &self.logs
    }
}

fn endpoint(address: SocketAddr) -> String {
    format!("http://{address}")
}
