//! The producer as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use lambda_runtime::{LambdaEvent, service_fn};
use producer::{Invocation, MainQueue, Producer, sdk_config, sqs_config};
use serde_json::value::RawValue;
use shared::telemetry::{Fact, JsonLines, Telemetry, record_panics};
use shared::{Clock, Environment, Settings, TraceHeader};

const HOW_TO_RUN: &str = "\
producer is the Lambda function behind a Cognito user pool's CustomSMSSender trigger.
It does not run by itself: deploy it as the `bootstrap` of a provided.al2023 function with QUEUE_URL set.
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
            eprintln!("producer cannot start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(telemetry: Arc<dyn Telemetry>) -> anyhow::Result<()> {
    let producer = &start(telemetry)?;
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let trace = event.context.xray_trace_id.as_deref().and_then(TraceHeader::parse);
        let invocation = Invocation { request_id: event.context.request_id, trace };
        producer.accept(event.payload.get().as_bytes(), &invocation).await
    });
    lambda_runtime::run(handler).await.map_err(|error| anyhow::anyhow!("{error}"))
}

fn start(telemetry: Arc<dyn Telemetry>) -> anyhow::Result<Producer> {
    let environment = Environment::of_process();
    let queue_url = environment.queue_url("QUEUE_URL")?;
    let allowed_pools = environment.user_pools()?;
    let aws = sdk_config(&environment)?;
    let settings = match environment.configuration()? {
        None => Settings::default(),
        Some(file) => {
            let parsed = Settings::parse(&file.text);
            let (settings, syntax_faults) = parsed.with_context(|| format!("in {}", file.path.display()))?;
            if !syntax_faults.is_empty() {
                let place = file.path.display();
                let message = format!("{place} has faults of syntax; what they hide has its default: {syntax_faults}");
                telemetry.record(&Fact::Notice { message: &message });
            }
            settings
        }
    };
    let queue = MainQueue::new(aws_sdk_sqs::Client::from_conf(sqs_config(&aws)), queue_url);
    Ok(Producer { settings, allowed_pools, queue, clock: Clock::system(), telemetry })
}
