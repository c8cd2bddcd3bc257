//! `sealpost dlq stats`, `list` and `show`: looks that change nothing.

use std::io::Write;

use super::context::{Context, DeadLetterQueue};
use super::filter::{Filter, names};
use super::holding::VISIBILITY_SECONDS;
use super::interruption::Interruption;
use super::letter::Letter;
use super::progress::Progress;
use super::queue::CallError;
use super::scan::Scan;
use super::stats::{Coverage, Stats};
use super::view;

/// What lies in the queue, by reason, trigger source, country, provider, age and sender.
///
/// Each look is a receive: it counts as one, and what is being looked at is out of sight of others meanwhile.
///
/// Examples:
///   sealpost dlq stats
///   sealpost dlq stats --sample 500
///   sealpost dlq stats --reason providers_exhausted --json
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct StatsArguments {
    #[command(flatten)]
    filter: Filter,
    /// Look at so many letters only, instead of all.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,
}

/// The letters, one a line.
///
/// Examples:
///   sealpost dlq list --reason outcome_unknown --limit 20
///   sealpost dlq list --older-than 1h --json
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    filter: Filter,
}

/// Everything about a letter but its secrets; what its sealed code's header says is explained.
///
/// Examples:
///   sealpost dlq show 9b1cf0005fcf
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ShowArguments {
    /// Id of the message or its beginning, as `list` shows it, or SQS's id.
    id: String,
}

/// How a look ended.
struct Look {
    is_whole: bool,
    fault: Option<String>,
}

pub(super) async fn stats(arguments: &StatsArguments, context: &Context, out: &mut dyn Write) -> anyhow::Result<bool> {
    let queue = context.dead_letter_queue().await?;
    let (mut stats, mut looked_at) = (Stats::default(), 0);
    let filter = &arguments.filter;
    let now = context.clock.now();
    let at_most = [arguments.sample, filter.at_most()].into_iter().flatten().min();
    let look = look_at_each(&queue, context, at_most, |letter| {
        if filter.matches(letter, now) {
            stats.add(letter, now);
        }
        looked_at += 1;
        let is_enough = arguments.sample.is_some_and(|sample| looked_at >= sample)
            || filter.limit.is_some_and(|limit| stats.count() >= limit);
        Ok(!is_enough)
    });
    let look = look.await?;
    let coverage = Coverage { about: queue.facts.visible, in_flight: queue.facts.in_flight, is_whole: look.is_whole };
    if context.json {
        writeln!(out, "{}", stats.to_json(&queue.queue.url, &coverage))?;
    } else {
        stats.show(queue.queue.name(), now, &coverage, out)?;
    }
    Ok(look.tell())
}

pub(super) async fn list(arguments: &ListArguments, context: &Context, out: &mut dyn Write) -> anyhow::Result<bool> {
    let queue = context.dead_letter_queue().await?;
    let filter = &arguments.filter;
    let mut listed = 0;
    let look = look_at_each(&queue, context, filter.at_most(), |letter| {
        let now = context.clock.now();
        if filter.matches(letter, now) {
            if context.json {
                writeln!(out, "{}", view::to_json(letter, now))?;
            } else {
                if listed == 0 {
                    view::heads(out)?;
                }
                view::line(letter, now, out)?;
            }
            listed += 1;
        }
        Ok(filter.limit.is_none_or(|limit| listed < limit))
    });
    let look = look.await?;
    if listed == 0 && !context.json {
        writeln!(out, "no such dead letter")?;
    }
    Ok(look.tell())
}

pub(super) async fn show(arguments: &ShowArguments, context: &Context, out: &mut dyn Write) -> anyhow::Result<bool> {
    let queue = context.dead_letter_queue().await?;
    let mut is_found = false;
    let look = look_at_each(&queue, context, None, |letter| {
        if names(&arguments.id, letter) {
            is_found = true;
            let now = context.clock.now();
            if context.json {
                writeln!(out, "{}", view::to_json(letter, now))?;
            } else {
                view::whole(letter, now, out)?;
            }
        }
        Ok(!is_found)
    });
    let look = look.await?;
    if !is_found {
        eprintln!("no dead letter has the id {}; others may hold it out of sight just now", arguments.id);
    }
    Ok(look.tell() && is_found)
}

/// Looks at each letter until `visit` has seen enough.
async fn look_at_each(
    queue: &DeadLetterQueue,
    context: &Context,
    at_most: Option<u64>,
    mut visit: impl FnMut(&Letter) -> std::io::Result<bool>,
) -> anyhow::Result<Look> {
    let mut interruption = Interruption::listen()?;
    let mut progress = Progress::new("looked at", queue.facts.visible);
    let mut scan = Scan::of(&queue.queue, &context.settings, at_most);
    let mut look = Look { is_whole: false, fault: None };
    let mut outcome = Ok(());
    'scan: loop {
        let letters = tokio::select! {
            biased;
            () = interruption.wait() => { look.fault = Some("interrupted".to_owned()); break }
            letters = scan.next() => letters,
        };
        let letters = match letters {
            None => {
                look.is_whole = true;
                break;
            }
            Some(Err(error)) => {
                look.fault = Some(explained(&error));
                break;
            }
            Some(Ok(letters)) => letters,
        };
        progress.add(letters.len());
        for letter in &letters {
            match visit(letter) {
                Ok(true) => {}
                Ok(false) => break 'scan,
                Err(error) => {
                    outcome = Err(error);
                    break 'scan;
                }
            }
        }
    }
    drop(progress);
    // Whatever has happened: nothing stays out of sight for longer than it is looked at.
    let still_hidden = scan.end().await;
    if still_hidden > 0 {
        eprintln!(
            "{still_hidden} letters could not be given back at once, and can be seen again within {VISIBILITY_SECONDS} s"
        );
    }
    outcome?;
    Ok(look)
}

fn explained(error: &CallError) -> String {
    match error {
        CallError::OverLimit => {
            "SQS lets about 120,000 messages be looked at at once, and these are what it gave; move or drop some first"
                .to_owned()
        }
        CallError::Failed { .. } => error.to_string(),
    }
}

impl Look {
    /// Says what went wrong; whether nothing did.
    fn tell(self) -> bool {
        if let Some(fault) = &self.fault {
            eprintln!("incomplete: {fault}");
        }
        self.fault.is_none()
    }
}
