//! `sealpost config`: the configuration file, looked at before it is deployed.

mod check;
mod show;

use std::path::PathBuf;

use shared::{Clock, Environment};

/// Looks at a configuration file without AWS and without any secret.
///
/// Examples:
///   sealpost config check infra/aws/sealpost.toml
///   sealpost config check sealpost.toml --json
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(CheckArguments),
}

/// Reads a configuration file as worker and producer do at their start, and says all that is wrong with it at once.
///
/// Each fault is a line FILE:LINE:COLUMN: MESSAGE, as editors want it, and the exit code is 1. A sound file is summed up.
/// What a placeholder stands for need not be known here; a variable that is set here is checked too.
///
/// Examples:
///   sealpost config check infra/aws/sealpost.toml
///   sealpost config check sealpost.toml --json
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
struct CheckArguments {
    /// The file.
    file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Whether nothing is wrong.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let out = &mut anstream::stdout();
    match &arguments.command {
        Command::Check(CheckArguments { file, json }) => {
            let environment = Environment::of_process();
            let report = check::check(file, &environment, Clock::system().now())?;
            if *json {
                show::as_json(&report, out)?;
            } else {
                show::as_text(&report, &environment, out)?;
            }
            Ok(report.faults.is_empty())
        }
    }
}
