//! The worker as a Lambda function.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use aws_config::BehaviorVersion;
use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use shared::telemetry::{Fact, JsonLines, Telemetry, record_panics};
use shared::{Clock, Environment, Timestamp};
use worker::config::Start;
use worker::{
    KmsKeys, SqsQueue, UnknownOutcomes, Worker, kms_config, open_with_esdk, sqs_config, warm_up_phone_regions,
};

const HOW_TO_RUN: &str = "\
worker is the Lambda function that consumes Sealpost's queue.
It does not run by itself yet: deploy it as the `bootstrap` of a provided.al2023 function and attach it to the
queue by an event source mapping with ReportBatchItemFailures.
To see the whole pipeline on this machine: cargo run -- local";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        eprintln!("{HOW_TO_RUN}");
        return ExitCode::from(2);
    }
    let telemetry: Arc<dyn Telemetry> = Arc::new(JsonLines::new(std::io::stdout(), Clock::system()));
    record_panics(Arc::clone(&telemetry));
    match run(telemetry).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker cannot start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(telemetry: Arc<dyn Telemetry>) -> anyhow::Result<()> {
    let worker = &Arc::new(start(telemetry).await?);
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let time_left = time_left(event.context.deadline, worker.clock.now());
        let answer = worker.handle_batch(event.payload.get().as_bytes(), time_left).await;
        answer.map_err(|error| Diagnostic { error_type: "NotAnSqsEvent".to_owned(), error_message: error.to_string() })
    });
    lambda_runtime::run(handler).await.map_err(|error| anyhow::anyhow!("{error}"))
}

/// What is left of an invocation whose deadline Lambda gives in milliseconds since 1970.
fn time_left(deadline_ms: u64, now: Timestamp) -> Duration {
    let now_ms = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Duration::from_millis(deadline_ms.saturating_sub(now_ms))
}

async fn start(telemetry: Arc<dyn Telemetry>) -> anyhow::Result<Worker> {
    let Start { config, providers, queue_url, dead_letter_queue_url } = Start::read(&Environment::of_process())?;
    if config.trusted_senders.is_none() {
        let message = "TRUSTED_SENDER_IDS is not set: whoever may send to the queue is trusted";
        telemetry.record(&Fact::Notice { message });
    }
    let clock = Clock::system();
    let providers: Result<Vec<_>, _> = providers.into_iter().map(|settings| settings.into_provider(&clock)).collect();
    let providers = providers.context("setting up the HTTPS client of a provider")?;
    warm_up_phone_regions();
    // On Lambda credentials and region are in the environment: no other source is asked, so starting is quick.
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .region(EnvironmentVariableRegionProvider::new())
        .load()
        .await;
    let sqs = aws_sdk_sqs::Client::from_conf(sqs_config(&aws));
    Ok(Worker {
        config,
        keys: Arc::new(KmsKeys::new(aws_sdk_kms::Client::from_conf(kms_config(&aws)))),
        open: open_with_esdk,
        providers,
        queue: Arc::new(SqsQueue::new(sqs, queue_url, dead_letter_queue_url)),
        clock,
        random: Mutex::new(fastrand::Rng::new()),
        unknowns: UnknownOutcomes::default(),
        telemetry,
    })
}
