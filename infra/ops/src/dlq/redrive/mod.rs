//! `sealpost dlq redrive`: sends what is still worth sending.

mod moving;
mod pace;
mod rehearsal;
mod report;
mod rules;
mod run;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;

use super::context::Context;
use super::filter::Filter;
use super::operator::Operator;
use super::queue::Queue;
use super::received::principal;
use crate::stack;
use crate::usage::WrongUsage;

use pace::Rate;
use rules::Rules;
use run::Redrive;

/// Sends dead letters to the main queue again: those that the filters mean, whose code can still be used.
///
/// Without --yes it only counts. Messages keep their identity, so nobody gets a second SMS for a code that was sent.
///
/// Examples:
///   sealpost dlq redrive --reason providers_exhausted
///   sealpost dlq redrive --reason providers_exhausted --country GB --rate 20 --yes
///   sealpost dlq redrive --id 9b1cf0005fcf --yes
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filter: Filter,
    /// The main queue, by URL or name.
    #[arg(long, env = "QUEUE_URL", value_name = "QUEUE")]
    to: Option<String>,
    /// Principals whose messages may be sent, by unique id (AROA…): the producer's role, the worker's, and the one that
    /// redrives.
    #[arg(long = "trusted-sender", env = "TRUSTED_SENDER_IDS", value_name = "ID", value_delimiter = ',')]
    trusted_senders: Vec<String>,
    /// Messages per second at most, or `unlimited`.
    #[arg(long, default_value = "50")]
    rate: Rate,
    /// Also letters whose code cannot be used any more.
    #[arg(long)]
    include_expired: bool,
    /// Also letters that were perhaps sent (outcome_unknown): their users may get a second SMS.
    #[arg(long)]
    resend_unknown: bool,
    /// Also letters that the worker refused as untrusted_sender, or whose reason is unknown.
    #[arg(long)]
    force: bool,
    /// Leaves letters that were redriven so often.
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    max_redrives: u32,
    /// File of the audit record; by default sealpost-redrive-TIME.json in this folder.
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    #[command(flatten)]
    consent: super::Consent,
}

fn ids(text: &str) -> BTreeSet<String> {
    text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(|id| principal(id).to_owned()).collect()
}

/// Whether everything went as it should.
pub(super) async fn redrive(arguments: Arguments, context: &Context, out: &mut dyn Write) -> anyhow::Result<bool> {
    let to = context.deployment.given_or_of_stack(arguments.to.as_deref(), stack::QUEUE_URL)?;
    let to = to.ok_or(WrongUsage("which is the main queue? Give --to or --stack, or set QUEUE_URL"))?;
    let to = Queue::find(&context.sqs, to).await?;
    let (from, facts, operator) =
        tokio::join!(context.dead_letter_queue(), to.facts(), Operator::find(&context.deployment.aws));
    let (from, to_arn) = (from?, facts.context("the main queue")?.arn);
    anyhow::ensure!(to.url != from.queue.url, "the main queue is the queue to read from: {}", to.url);
    let given = Some(arguments.trusted_senders.join(",")).filter(|ids| !ids.is_empty());
    let trusted_senders = context.deployment.given_or_of_stack(given.as_deref(), stack::TRUSTED_SENDER_IDS)?.map(ids);
    if arguments.consent.yes && trusted_senders.is_none() {
        return Err(WrongUsage(
            "whose messages may be sent? Give --stack, or --trusted-sender with the ids of the producer's, the worker's and the \
             redriving role (aws iam get-role --role-name NAME --query Role.RoleId), or set TRUSTED_SENDER_IDS. Without \
             --yes the command shows who has sent what is there",
        )
        .into());
    }
    let rules = Rules {
        filter: arguments.filter,
        trusted_senders,
        include_expired: arguments.include_expired,
        resend_unknown: arguments.resend_unknown,
        force: arguments.force,
        max_redrives: arguments.max_redrives,
    };
    let redrive = Redrive { from, to, to_arn, rules, rate: arguments.rate, operator };
    if arguments.consent.yes {
        redrive.act(arguments.audit, context, out).await
    } else {
        redrive.rehearse(context, out).await
    }
}
