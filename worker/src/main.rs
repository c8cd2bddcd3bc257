//! The worker as a Lambda function, or as a service of its own.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use shared::telemetry::{Fact, JsonLines, Telemetry, record_panics};
use shared::{Clock, Environment, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use worker::config::{File, ProviderSettings, Start, provider_secret_arn};
use worker::provider::HttpClientError;
use worker::{
    DynamoDbState, KillSwitches, KmsKeys, Ledger, Provider, Providers, Rotation, SecretMembers, SecretStore,
    SecretsManager, SqsQueue, State, Switchboard, Worker, dynamodb_config, kms_config, open_with_esdk,
    secrets_manager_config, serve, sqs_config, warm_up_phone_number_plans,
};

const HOW_TO_RUN: &str = "\
worker consumes Sealpost's queue. It takes no arguments; the environment and the configuration file say everything
(README, \"Configuration\").
On Lambda (AWS_LAMBDA_RUNTIME_API is set there) it is the `bootstrap` of a provided.al2023 function, attached to the
queue by an event source mapping with ReportBatchItemFailures. Anywhere else it receives from QUEUE_URL by itself until
SIGTERM, and then ends what it has begun.
To see the whole pipeline on this machine: cargo run -- local";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        eprintln!("{HOW_TO_RUN}");
        return ExitCode::from(2);
    }
    // Panics are told from here on. What is wrong with the namespace is said with whatever else hinders the start.
    let namespace = Environment::of_process().metrics_namespace().unwrap_or_default();
    let telemetry: Arc<dyn Telemetry> = Arc::new(JsonLines::new(std::io::stdout(), Clock::system(), namespace));
    record_panics(Arc::clone(&telemetry));
    let ended = match std::env::var_os("AWS_LAMBDA_RUNTIME_API") {
        Some(_) => run_on_lambda(telemetry).await,
        None => run_as_service(telemetry).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker cannot start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run_on_lambda(telemetry: Arc<dyn Telemetry>) -> anyhow::Result<()> {
    // Credentials and region are in the environment there: no other source is asked, so starting is quick.
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .region(EnvironmentVariableRegionProvider::new());
    let aws = with_client(aws).load().await;
    let worker = &Arc::new(worker(&aws, telemetry).await?);
    worker.connect().await;
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let time_left = time_left(event.context.deadline, worker.clock.now());
        let answer = worker.handle_batch(event.payload.get().as_bytes(), time_left).await;
        answer.map_err(|error| Diagnostic { error_type: "NotAnSqsEvent".to_owned(), error_message: error.to_string() })
    });
    lambda_runtime::run(handler).await.map_err(|error| anyhow::anyhow!("{error}"))
}

/// Where all endpoints are without TLS, the root certificates need not be read: that takes longer than all else.
fn with_client(aws: ConfigLoader) -> ConfigLoader {
    let environment = Environment::of_process();
    let is_ignored = environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let is_ignored = is_ignored.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let is_plain = |own| {
        let endpoint = environment.get(own).or_else(|| environment.get("AWS_ENDPOINT_URL"));
        endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"))
    };
    let is_plain_if_used = |variable, own| environment.get(variable).is_none() || is_plain(own);
    let are_plain = is_plain("AWS_ENDPOINT_URL_SQS")
        && is_plain("AWS_ENDPOINT_URL_KMS")
        && is_plain_if_used("STATE_TABLE", "AWS_ENDPOINT_URL_DYNAMODB")
        && is_plain_if_used("PROVIDER_SECRET_ARN", "AWS_ENDPOINT_URL_SECRETS_MANAGER");
    if is_ignored || !are_plain {
        return aws;
    }
    let nobody = TlsContext::builder().with_trust_store(TrustStore::empty()).build();
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    let client = aws_smithy_http_client::Builder::new().tls_provider(provider);
    aws.http_client(client.tls_context(nobody.expect("an empty trust store is sound")).build_https())
}

/// What is left of an invocation whose deadline Lambda gives in milliseconds since 1970.
fn time_left(deadline_ms: u64, now: Timestamp) -> Duration {
    let now_ms = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Duration::from_millis(deadline_ms.saturating_sub(now_ms))
}

async fn run_as_service(telemetry: Arc<dyn Telemetry>) -> anyhow::Result<()> {
    // First of all: a signal that comes during the start must not kill it.
    let stop = stop_signal().context("asking for SIGTERM and SIGINT")?;
    let aws = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let worker = Arc::new(worker(&aws, Arc::clone(&telemetry)).await?);
    worker.connect().await;
    telemetry.record(&Fact::Notice { message: "receiving from QUEUE_URL until SIGTERM" });
    serve(worker, stop).await;
    Ok(())
}

fn into_providers(settings: Vec<ProviderSettings>, clock: &Clock) -> Result<Vec<Arc<dyn Provider>>, HttpClientError> {
    settings.into_iter().map(|settings| settings.into_provider(clock)).collect()
}

/// Comes true at the first SIGTERM, or SIGINT (Ctrl-C).
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn worker(aws: &SdkConfig, telemetry: Arc<dyn Telemetry>) -> anyhow::Result<Worker> {
    let environment = Environment::of_process();
    let secret = provider_secret_arn(&environment)?.map(|arn| {
        let client = aws_sdk_secretsmanager::Client::from_conf(secrets_manager_config(aws));
        Arc::new(SecretsManager::new(client, arn)) as Arc<dyn SecretStore>
    });
    let members = match &secret {
        None => Ok(None),
        Some(secret) => secret.read().await.map(Some),
    };
    let known = members.as_ref().map(Option::as_ref).map_err(Clone::clone);
    let start = Start::read(&environment, known)?;
    anyhow::ensure!(aws.region().is_some(), "no AWS region is known; set AWS_REGION to the queue's region");
    let Start { config, providers, queue_url, dead_letter_queue_url, state_table, file_text } = start;
    if config.trusted_senders.is_none() {
        let message = "TRUSTED_SENDER_IDS is not set: whoever may send to the queue is trusted";
        telemetry.record(&Fact::Notice { message });
    }
    let table = state_table.map(|table| {
        let client = aws_sdk_dynamodb::Client::from_conf(dynamodb_config(aws));
        Arc::new(DynamoDbState::new(client, table))
    });
    if table.is_none() {
        let message = "STATE_TABLE is not set: what was sent is known to this process only";
        telemetry.record(&Fact::Notice { message });
    }
    let clock = Clock::system();
    for message in config.test_numbers.notices(clock.now()) {
        telemetry.record(&Fact::Notice { message: &message });
    }
    let providers = into_providers(providers, &clock).context("setting up the HTTPS client of a provider")?;
    let providers = match secret.zip(members.ok().flatten()) {
        None => Providers::new(providers),
        Some((secret, known)) => {
            let rebuild_clock = clock.clone();
            let rebuild = move |secret: &SecretMembers| {
                let file = File::parse_with(&file_text, &Environment::of_process(), Some(secret));
                let settings = file.map_err(|faults| faults.to_string())?.providers;
                into_providers(settings, &rebuild_clock).map_err(|error| error.to_string())
            };
            Providers::rotating(providers, Rotation::new(secret, &known, clock.now(), rebuild))
        }
    };
    warm_up_phone_number_plans();
    let sqs = aws_sdk_sqs::Client::from_conf(sqs_config(aws));
    Ok(Worker {
        config,
        keys: Arc::new(KmsKeys::new(aws_sdk_kms::Client::from_conf(kms_config(aws)))),
        open: open_with_esdk,
        providers,
        queue: Arc::new(SqsQueue::new(sqs, queue_url, dead_letter_queue_url)),
        clock,
        random: Mutex::new(fastrand::Rng::new()),
        ledger: Ledger::new(table.clone().map(|table| table as Arc<dyn State>)),
        kill_switches: KillSwitches::new(table.map(|table| table as Arc<dyn Switchboard>)),
        telemetry,
    })
}
