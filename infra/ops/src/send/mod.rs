//! `sealpost send`: a message of the operator's own goes the way of every other one, so that a deployment is proved before
//! a user depends on it.

mod dry_run;
mod ending;
mod following;
mod invocation;
mod log;
mod logged_fact;
mod made_up;
mod missing_right;
mod remedy;
mod report;
mod sealing;
mod target;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use shared::settings::{DurationError, parse_duration};
use shared::{Clock, PhoneNumber, TriggerSource};

use ending::Ending;
use following::Patience;
use invocation::Invocation;
use log::WorkerLog;
use made_up::MadeUp;
use report::{Plan, Report};
use target::{Target, TargetArguments};

use crate::untyped::Untyped;
use crate::usage::{WrongUsage, phone_number, trigger_source};

/// Acts as Cognito: seals a made-up code for the user pool, invokes the producer with it and follows the message to its
/// end.
///
/// A real SMS goes to the phone. Its code is random and opens nothing, so it is shown, to be compared with what the phone
/// shows. Exit code 0: delivered. 1: not, with the reason.
///
/// With --provider and --dry-run nothing is called, and the request is shown that a provider's adapter would make.
///
/// Examples:
///   sealpost send --stack sealpost --user-pool eu-west-1_AbCdEfGhI --to +12065550100
///   sealpost send --stack sealpost --user-pool eu-west-1_AbCdEfGhI --source Authentication --to +12065550100 --yes
///   sealpost send --function my-producer --key arn:aws:kms:eu-west-1:123456789012:key/KEY-ID \
///     --worker-log-group /aws/lambda/my-worker --user-pool eu-west-1_AbCdEfGhI --to +12065550100 --yes
///   sealpost send --provider twilio-main --dry-run --to +12065550100 --config infra/aws/sealpost.toml
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
    /// Why Cognito would send it: `SignUp`, `Authentication` and so on. `AdminCreateUser` gets a made-up password.
    #[arg(long, value_name = "SOURCE", default_value = "SignUp", value_parser = trigger_source)]
    source: TriggerSource,
    /// The phone, as E.164: `+12065550100`.
    #[arg(long, value_name = "NUMBER")]
    to: String,
    /// How long the message is followed, from 1s to 1h.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = wait)]
    wait: Duration,
    /// Do it. Without this, only what would be done is said.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Only say what would be done: the default. With --provider, show the request.
    #[arg(long)]
    dry_run: bool,
    /// The provider, as its name is in the configuration, whose request is to be shown.
    #[arg(
        long, value_name = "NAME", requires = "dry_run",
        conflicts_with_all = ["user_pool", "function", "key", "worker_log_group", "stack"],
    )]
    provider: Option<String>,
    /// The configuration file that describes the provider.
    #[arg(long, env = "SEALPOST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Whether the message was delivered, or nothing was to be done.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let to = phone_number(&arguments.to)?;
    if let Some(provider) = &arguments.provider {
        const MISSING: WrongUsage = WrongUsage("which configuration? Give --config, or set SEALPOST_CONFIG");
        let config = arguments.config.as_ref().ok_or(MISSING)?;
        let mut random = fastrand::Rng::new();
        let made_up = MadeUp::new(arguments.source, to, &mut random);
        let outside = (&Clock::system(), &mut random);
        dry_run::run(config, provider, &made_up, outside, arguments.json, &mut anstream::stdout())?;
        return Ok(true);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("starting the runtime")?.block_on(send(arguments, to, &mut anstream::stdout()))
}

async fn send(arguments: &Arguments, to: PhoneNumber, out: &mut dyn Write) -> anyhow::Result<bool> {
    let deployment = arguments.target.stack.reach().await?;
    let target = Target::find(&arguments.target, &deployment)?;
    let plan = Plan { target: &target, source: arguments.source, to: &to, wait: arguments.wait };
    if !arguments.yes {
        plan.show(arguments.json, out)?;
        return Ok(true);
    }
    let aws = Untyped::new(&deployment.aws);
    let log = WorkerLog::new(&aws, &target.worker_log_group, Clock::system().now());
    // Before anything is sent: what cannot be followed proves nothing.
    let unreadable = log.check().await?;
    let made_up = MadeUp::new(arguments.source, to.clone(), &mut fastrand::Rng::new());
    let mut report = Report::begin(plan, &made_up, arguments.json, out);
    let sealed = sealing::seal(&deployment.aws, &target, &made_up).await?;
    report.sealed(sealed.as_ref())?;
    let event = made_up.event(&target.pool, sealed.as_ref().map(|sealed| sealed.text.as_str()));
    let invocation = Invocation::make(&aws, &target.producer, &event).await?;
    let id = invocation.message_id(sealed.as_ref());
    if let Some(fact) = invocation.fact {
        report.fact(&fact)?;
    }
    let ending = match (invocation.error, unreadable, id) {
        (Some(error), _, _) => Ending::NotAccepted(error),
        (None, Some(cause), _) => Ending::NotFollowed { cause },
        (None, None, None) => Ending::NotFollowed { cause: "the producer did not say the message's id".to_owned() },
        (None, None, Some(id)) => {
            following::follow(
                Patience::of(arguments.wait),
                async || log.facts_about(&id).await,
                |fact| report.fact(fact),
            )
            .await?
        }
    };
    report.end(&ending)?;
    Ok(ending.is_delivered())
}

fn wait(text: &str) -> Result<Duration, DurationError> {
    parse_duration(text, Duration::from_secs(1)..=Duration::from_secs(60 * 60))
}
