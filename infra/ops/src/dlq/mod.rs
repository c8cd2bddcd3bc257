//! `sealpost dlq`: what lies in the dead-letter queue, why, and what becomes of it.

mod archive;
mod audit;
mod context;
mod drop;
mod failed_invocation;
mod filter;
mod holding;
mod interruption;
mod letter;
mod look;
mod operator;
mod progress;
mod queue;
mod received;
mod redrive;
mod restore;
mod scan;
mod stats;
mod view;
mod wording;

use anyhow::Context as _;

use context::{Context, QueueArguments};

/// Inspects the dead-letter queue, or that of failed invocations, and sends, drops or restores what lies there.
///
/// Examples:
///   sealpost dlq stats --queue sealpost-dead-letters
///   sealpost dlq list --queue sealpost-dead-letters --reason providers_exhausted
///   sealpost dlq redrive --queue sealpost-dead-letters --to sealpost --reason providers_exhausted
///   sealpost dlq --stack sealpost --failed-invocations stats
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(flatten)]
    queue: QueueArguments,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Stats(look::StatsArguments),
    List(look::ListArguments),
    Show(look::ShowArguments),
    Redrive(redrive::Arguments),
    Drop(drop::Arguments),
    Restore(restore::Arguments),
}

/// Whether something is changed, or only said what would be.
#[derive(clap::Args)]
struct Consent {
    /// Do it. Without this, only what would be done is said.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Only say what would be done: the default.
    #[arg(long)]
    dry_run: bool,
}

/// Whether nothing is wrong.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("starting the runtime")?.block_on(async {
        let context = Context::of(arguments.queue).await?;
        let out = &mut anstream::stdout();
        match arguments.command {
            Command::Stats(arguments) => look::stats(&arguments, &context, out).await,
            Command::List(arguments) => look::list(&arguments, &context, out).await,
            Command::Show(arguments) => look::show(&arguments, &context, out).await,
            Command::Redrive(arguments) => redrive::redrive(arguments, &context, out).await,
            Command::Drop(arguments) => drop::drop_letters(arguments, &context, out).await,
            Command::Restore(arguments) => restore::restore(arguments, &context, out).await,
        }
    })
}
