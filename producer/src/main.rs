//! The producer as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use producer::{Invocation, MainQueue, Producer, sdk_config, sqs_config};
use serde_json::value::RawValue;
use shared::telemetry::{Fact, JsonLines, Telemetry, record_panics};
use shared::{Clock, Configuration, Environment, Settings, TraceHeader};

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
    // Panics are told from here on. What is wrong with the namespace is said with whatever else hinders the start.
    let namespace = Environment::of_process().metrics_namespace().unwrap_or_default();
    let telemetry: Arc<dyn Telemetry> = Arc::new(JsonLines::new(std::io::stdout(), Clock::system(), namespace));
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

/// Everything that is wrong is said at once, so that one deployment repairs it all.
fn start(telemetry: Arc<dyn Telemetry>) -> anyhow::Result<Producer> {
    let environment = Environment::of_process();
    let mut faults = Vec::new();
    let queue_url = noted(environment.queue_url("QUEUE_URL"), &mut faults);
    let allowed_pools = noted(environment.user_pools(), &mut faults);
    let namespace = noted(environment.metrics_namespace(), &mut faults);
    let aws = noted(sdk_config(&environment), &mut faults);
    let file = noted(environment.configuration(), &mut faults);
    let settings = file.and_then(|file| noted(read_settings(file, telemetry.as_ref()), &mut faults));
    match (queue_url, allowed_pools, namespace, aws, settings) {
        (Some(queue_url), Some(allowed_pools), Some(_), Some(aws), Some(settings)) => {
            let queue = MainQueue::new(aws_sdk_sqs::Client::from_conf(sqs_config(&aws)), queue_url);
            Ok(Producer { settings, allowed_pools, queue, clock: Clock::system(), telemetry })
        }
        _ => Err(anyhow::anyhow!("{}", faults.join("\n"))),
    }
}

fn read_settings(file: Option<Configuration>, telemetry: &dyn Telemetry) -> Result<Settings, String> {
    let Some(Configuration { path, text }) = file else { return Ok(Settings::default()) };
    let place = path.display();
    let (settings, syntax_faults) = Settings::parse(&text).map_err(|faults| format!("{place}:\n{faults}"))?;
    if !syntax_faults.is_empty() {
        let message = format!("{place} has faults of syntax; what they hide has its default: {syntax_faults}");
        telemetry.record(&Fact::Notice { message: &message });
    }
    Ok(settings)
}

fn noted<T, E: ToString>(outcome: Result<T, E>, faults: &mut Vec<String>) -> Option<T> {
    outcome.map_err(|fault| faults.push(fault.to_string())).ok()
}
