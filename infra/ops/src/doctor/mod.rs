//! `sealpost doctor`: every step of a deployment and every known pitfall, looked at and judged.
//!
//! What is there is read first, all of it ([`reading`]); what it means is then a matter of values ([`checks`]).

mod checks;
mod command_line;
mod finding;
mod reading;
mod report;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use shared::UserPoolId;

use crate::function_arn::QualifiedArn;
use crate::stack::StackArguments;
use crate::usage::WrongUsage;
use command_line::CommandLine;
use reading::{Asked, Aws, Configuration, Secret, gather, gather_offline};
use report::Tally;

/// Checks a user pool and everything behind it, and says what to do about what is wrong.
///
/// It reads and changes nothing. What it has no right to look at is unknown, and the right is named. Exit code 1 says
/// that something is wrong; warnings and what is unknown alone do not.
///
/// Examples:
///   sealpost doctor --stack sealpost --config infra/aws/sealpost.toml
///   sealpost doctor --user-pool-id eu-west-1_AbCdEfGhI
///   sealpost doctor --offline --config infra/aws/sealpost.toml --secret-file secret.json
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The user pool; by default the one that the stack was made for.
    #[arg(long, value_name = "POOL", value_parser = pool_id)]
    user_pool_id: Option<UserPoolId>,
    #[command(flatten)]
    stack: StackArguments,
    /// The configuration file that is deployed.
    #[arg(long, env = "SEALPOST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The producer's ARN, where neither the pool nor a stack names it.
    #[arg(long, value_name = "ARN", value_parser = function_arn)]
    function: Option<QualifiedArn>,
    /// The worker's role, where it is not a function of the queue's.
    #[arg(long, value_name = "ARN")]
    worker_role_arn: Option<String>,
    /// Ask nothing of AWS: look at the configuration file, the secret's file and whether the providers answer.
    #[arg(long)]
    offline: bool,
    /// With --offline: the JSON that is to be put into the secret. No member is shown.
    #[arg(long, value_name = "FILE", requires = "offline")]
    secret_file: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Whether nothing is wrong.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(doctor(arguments, &mut anstream::stdout()))
}

async fn doctor(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<bool> {
    const MISSING: WrongUsage = WrongUsage("which pool? Give --user-pool-id or --stack, or --offline with --config");
    let configuration = arguments.config.as_deref().map(Configuration::read).transpose()?;
    let command_line = CommandLine::with(arguments.stack.aws().of_every_tool());
    let findings = if arguments.offline {
        let configuration = configuration.ok_or(MISSING)?;
        let secret = arguments.secret_file.as_deref().map(Secret::read).transpose()?;
        checks::offline(&gather_offline(configuration, secret, command_line).await)
    } else {
        anyhow::ensure!(arguments.user_pool_id.is_some() || arguments.stack.names_one(), MISSING);
        let aws = Aws::new(arguments.stack.aws().load().await?);
        let asked = Asked {
            pool: arguments.user_pool_id.clone(),
            stack: arguments.stack.name().map(str::to_owned),
            function: arguments.function.clone(),
            worker_role: arguments.worker_role_arn.clone(),
            configuration,
            command_line,
        };
        checks::all(&Box::pin(gather(&aws, asked)).await?)
    };
    if arguments.json {
        writeln!(out, "{}", report::to_json(&findings))?;
    } else {
        report::text(&findings, out)?;
    }
    Ok(Tally::of(&findings).wrong == 0)
}

fn pool_id(text: &str) -> Result<UserPoolId, shared::UserPoolIdError> {
    UserPoolId::parse(text)
}

fn function_arn(text: &str) -> Result<QualifiedArn, &'static str> {
    QualifiedArn::parse(text).ok_or("is not the ARN of a Lambda function")
}
