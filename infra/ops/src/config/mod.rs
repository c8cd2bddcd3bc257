//! `sealpost config`: the configuration file, looked at before it is deployed.

pub(crate) mod check;
mod schema;
mod show;
mod sound;

use std::io::Write as _;
use std::path::PathBuf;

use shared::{Clock, Environment};

pub(crate) use check::{read, utf8};
pub(crate) use sound::{Sound, sound};

/// Looks at a configuration file without AWS and without any secret.
///
/// Examples:
///   sealpost config check infra/aws/sealpost.toml
///   sealpost config check sealpost.toml --json
///   sealpost config schema > sealpost.schema.json
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(CheckArguments),
    /// Prints the JSON Schema of the file, for editors.
    ///
    /// With `#:schema ./sealpost.schema.json` in its first line, Even Better TOML and taplo explain each key and mark what is
    /// wrong. What they mark is wrong; what they leave unmarked may be, too, and `sealpost config check` finds it.
    ///
    /// Examples:
    ///   sealpost config schema > sealpost.schema.json
    #[command(verbatim_doc_comment)]
    Schema,
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
        Command::Schema => {
            writeln!(out, "{:#}", schema::schema())?;
            Ok(true)
        }
    }
}
