//! `sealpost route`: what the worker would do with a phone number, from the configuration alone.

mod explain;
mod show;

use std::path::PathBuf;

use anyhow::Context as _;
use shared::settings::Document;
use shared::{Clock, Environment};

use crate::config::{Sound, sound};
use crate::usage::phone_number;
use explain::{Configuration, explain};

/// Explains which providers would be asked to send to a phone number, in which order and why, or what refuses it.
///
/// It decides as the worker does, from the number and the configuration file alone: nothing is sent, and AWS is not asked.
/// Without a file, the built-in defaults are explained. A number that would be refused ends it with exit code 1.
///
/// Examples:
///   sealpost route +12065550100
///   sealpost route +8501921234567 --config infra/aws/sealpost.toml
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The number as E.164: a plus sign and 7 to 15 digits, such as +12065550100.
    number: String,
    /// The configuration file.
    #[arg(long, env = "SEALPOST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Whether the number is sent to.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let number = phone_number(&arguments.number)?;
    let (text, file) = match &arguments.config {
        Some(path) => {
            let Sound { text, file, .. } = sound(path, &Environment::of_process())?;
            (text, file)
        }
        None => explain::built_in_defaults().context("reading the built-in defaults")?,
    };
    let (document, _) = Document::parse(&text);
    let configuration = Configuration { path: arguments.config.as_deref(), document: &document, file: &file };
    let explanation = explain(&number, &configuration, Clock::system().now());
    let out = &mut anstream::stdout();
    if arguments.json {
        show::as_json(&explanation, out)?;
    } else {
        show::as_text(&explanation, out)?;
    }
    Ok(explanation.outcome.is_ok())
}
