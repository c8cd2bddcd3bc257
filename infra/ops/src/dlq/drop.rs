//! `sealpost dlq drop`: takes letters out of the queue, into a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::archive::Archive;
use super::context::{Context, DeadLetterQueue};
use super::filter::Filter;
use super::holding::VISIBILITY_SECONDS;
use super::interruption::Interruption;
use super::operator::Operator;
use super::progress::Progress;
use super::queue::MOST_IN_A_CALL;
use super::received::Received;
use super::scan::Scan;
use super::wording::{dead_letters, grouped};
use crate::private_file::file_name;

/// Letters that are written before they are deleted together.
const KEPT_AT_ONCE: usize = 100;

/// Takes dead letters out of the queue: into a file first, always. `restore` puts them back.
///
/// The file holds whole numbers and sealed codes, and nobody but you can read it. Without --yes it only counts.
///
/// Examples:
///   sealpost dlq drop --reason expired --yes
///   sealpost dlq drop --older-than 2d --into old.jsonl --yes
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filter: Filter,
    /// The file; by default sealpost-dropped-TIME.jsonl in this folder. It must be new.
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    #[command(flatten)]
    consent: super::Consent,
}

#[derive(Default)]
struct Dropped {
    dropped: u64,
    /// In the file, and in the queue.
    undeleted: u64,
    not_meant: u64,
    fault: Option<String>,
    still_hidden: usize,
}

pub(super) async fn drop_letters(arguments: Arguments, context: &Context, out: &mut dyn Write) -> anyhow::Result<bool> {
    let queue = context.dead_letter_queue().await?;
    let now = context.clock.now();
    let path = arguments.into.unwrap_or_else(|| PathBuf::from(file_name("dropped", now, "jsonl")));
    let mut archive = if arguments.consent.yes {
        let operator = Operator::find(&context.deployment.aws).await;
        Some(Archive::create(&path, &queue.queue.url, &arguments.filter.described(), &operator, now)?)
    } else {
        None
    };
    let dropped = run(&queue, &arguments.filter, archive.as_mut(), context).await?;
    dropped.show(archive.is_some().then_some(path.as_path()), context, out)?;
    if dropped.dropped + dropped.undeleted == 0 && archive.is_some() {
        // It holds no letter.
        let _ = std::fs::remove_file(&path);
    }
    Ok(dropped.fault.is_none() && dropped.undeleted == 0)
}

/// Without an archive, only counts.
async fn run(
    queue: &DeadLetterQueue,
    filter: &Filter,
    mut archive: Option<&mut Archive>,
    context: &Context,
) -> anyhow::Result<Dropped> {
    let mut interruption = Interruption::listen()?;
    let mut progress = Progress::new("looked at", queue.facts.visible);
    let mut scan = Scan::of(&queue.queue, &context.settings, filter.at_most());
    let mut result = Dropped::default();
    let mut chosen = Vec::new();
    let limit = filter.limit.unwrap_or(u64::MAX);
    let mut meant = 0;
    let mut is_reading = true;
    while is_reading {
        let letters = tokio::select! {
            biased;
            () = interruption.wait() => { result.fault = Some("interrupted".to_owned()); break }
            letters = scan.next() => letters,
        };
        match letters {
            None => is_reading = false,
            Some(Err(error)) => {
                result.fault = Some(error.to_string());
                is_reading = false;
            }
            Some(Ok(letters)) => {
                progress.add(letters.len());
                let now = context.clock.now();
                for letter in letters {
                    if meant >= limit {
                        is_reading = false;
                    } else if filter.matches(&letter, now) {
                        meant += 1;
                        chosen.push(letter.received);
                    } else {
                        result.not_meant += 1;
                    }
                }
                is_reading &= meant < limit;
            }
        }
        if chosen.len() >= KEPT_AT_ONCE || !is_reading {
            let chosen = std::mem::take(&mut chosen);
            match &mut archive {
                None => result.dropped += chosen.len() as u64,
                Some(archive) => match keep_and_delete(&chosen, archive, queue, &scan).await {
                    Ok(deleted) => {
                        result.dropped += deleted;
                        result.undeleted += chosen.len() as u64 - deleted;
                    }
                    Err(error) => {
                        result.fault = Some(format!("{error:#}"));
                        is_reading = false;
                    }
                },
            }
        }
    }
    drop(progress);
    result.still_hidden = scan.end().await;
    Ok(result)
}

/// Writes letters into the file, and deletes them once the disk has them; how many are deleted.
async fn keep_and_delete(
    letters: &[Received],
    archive: &mut Archive,
    queue: &DeadLetterQueue,
    scan: &Scan,
) -> anyhow::Result<u64> {
    archive.keep(letters)?;
    let delete = |batch: &[Received]| {
        let handles: Vec<_> = batch.iter().map(|letter| letter.receipt_handle.clone()).collect();
        let ids: Vec<_> = batch.iter().map(|letter| letter.sqs_id.clone()).collect();
        async move {
            let outcomes = queue.queue.delete(&handles).await?;
            let deleted = ids.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok());
            anyhow::Ok(deleted.map(|(id, _)| scan.holding.forget(id)).count() as u64)
        }
    };
    let calls = stream::iter(letters.chunks(MOST_IN_A_CALL).map(delete)).buffer_unordered(MOST_IN_A_CALL);
    let deleted: Vec<_> = calls.collect().await;
    deleted.into_iter().sum()
}

impl Dropped {
    fn show(&self, file: Option<&Path>, context: &Context, out: &mut dyn Write) -> std::io::Result<()> {
        let count = dead_letters(self.dropped);
        if context.json {
            let summary = json!({
                "done": file.is_some(),
                "dropped": self.dropped,
                "in_file_and_queue": self.undeleted,
                "not_meant": self.not_meant,
                "file": file.map(|path| path.display().to_string()),
                "fault": self.fault,
            });
            return writeln!(out, "{summary}");
        }
        match file {
            None => writeln!(out, "{count} would be written into a file and taken out of the queue")?,
            Some(_) if self.dropped + self.undeleted == 0 => writeln!(out, "no dead letters were dropped")?,
            Some(path) => writeln!(out, "{count} dropped into {}", path.display())?,
        }
        if self.undeleted > 0 {
            writeln!(out, "{} are in the file and still in the queue", grouped(self.undeleted))?;
        }
        if let Some(fault) = &self.fault {
            writeln!(
                out,
                "stopped: {fault}\nwhat was not reached is as it was; the same command with another file goes on"
            )?;
        }
        if self.not_meant > 0 {
            writeln!(out, "left where they are:\n{:>8}  not meant by the filters", grouped(self.not_meant))?;
        }
        if self.still_hidden > 0 {
            let hidden = self.still_hidden;
            writeln!(
                out,
                "{hidden} could not be given back at once, and can be seen again within {VISIBILITY_SECONDS} s"
            )?;
        }
        match file {
            Some(path) if self.dropped > 0 => {
                let whence = if context.failed_invocations { "--failed-invocations " } else { "" };
                writeln!(out, "`sealpost dlq {whence}restore {}` puts them back", path.display())
            }
            None if self.dropped > 0 => writeln!(out, "nothing is done yet: say it again with --yes"),
            Some(_) | None => Ok(()),
        }
    }
}
