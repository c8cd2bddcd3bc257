//! `sealpost dlq restore`: puts dropped letters back into the queue.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::archive::ArchiveReader;
use super::context::Context;
use super::interruption::Interruption;
use super::progress::Progress;
use super::queue::{MOST_IN_A_CALL, Outgoing, Queue, fit_into_a_call};
use super::wording::{dead_letters, grouped};

/// Letters that are put back before that is noted.
const RESTORED_AT_ONCE: usize = 100;
/// How often what SQS refuses is sent.
const ATTEMPTS: u32 = 3;

/// Puts the letters of a file that `drop` wrote back into the queue.
///
/// It can be interrupted, and goes on where it was. SQS then knows you as their sender: a redrive sends them only if you
/// are among its trusted senders. Without --yes it only counts.
///
/// Examples:
///   sealpost dlq restore sealpost-dropped-20261127T031500Z.jsonl --yes
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The file. Beside it, FILE.restored notes how many of its letters are back.
    file: PathBuf,
    #[command(flatten)]
    consent: super::Consent,
}

pub(super) async fn restore(arguments: Arguments, context: &Context, out: &mut dyn Write) -> anyhow::Result<bool> {
    let queue = context.dead_letter_queue().await?;
    let (letters, is_torn) = count(&arguments.file)?;
    let mut note = Note::open(&arguments.file, arguments.consent.yes)?;
    let before = note.restored;
    ensure!(before <= letters, "{} notes more letters than {} has", note.path.display(), arguments.file.display());
    let fault = if arguments.consent.yes {
        let put_back = put_back(&arguments.file, letters, &mut note, &queue.queue).await;
        put_back.err().map(|error| format!("{error:#}"))
    } else {
        None
    };
    let restored = if arguments.consent.yes { note.restored - before } else { letters - before };
    if context.json {
        let summary = json!({
            "done": arguments.consent.yes, "restored": restored, "restored_before": before, "fault": fault, "torn": is_torn,
        });
        writeln!(out, "{summary}")?;
        return Ok(fault.is_none());
    }
    let verb = if arguments.consent.yes { "put back into" } else { "would be put back into" };
    writeln!(out, "{} {verb} {}", dead_letters(restored), queue.queue.name())?;
    if before > 0 {
        let path = note.path.display();
        writeln!(
            out,
            "{} were put back before, says {path}; without that file they are put back again",
            grouped(before)
        )?;
    }
    if is_torn {
        writeln!(out, "the file's last line breaks off; that letter was never taken out of the queue")?;
    }
    match fault {
        Some(fault) => writeln!(out, "stopped: {fault}\nthe same command goes on")?,
        None if restored == 0 => {}
        None if arguments.consent.yes => {
            writeln!(out, "SQS knows you as their sender now: a redrive asks for that with --trusted-sender")?;
        }
        None => writeln!(out, "nothing is done yet: say it again with --yes")?,
    }
    Ok(note.restored == letters || !arguments.consent.yes)
}

/// Reads the whole file before anything of it is sent.
fn count(file: &Path) -> anyhow::Result<(u64, bool)> {
    let mut reader = ArchiveReader::open(file)?;
    let mut letters = 0;
    while reader.next()?.is_some() {
        letters += 1;
    }
    Ok((letters, reader.is_torn))
}

async fn put_back(file: &Path, letters: u64, note: &mut Note, queue: &Queue) -> anyhow::Result<()> {
    let mut interruption = Interruption::listen()?;
    let mut progress = Progress::new("put back", letters - note.restored);
    let mut reader = ArchiveReader::open(file)?;
    for _ in 0..note.restored {
        reader.next()?;
    }
    loop {
        let mut batch = Vec::new();
        while batch.len() < RESTORED_AT_ONCE
            && let Some(letter) = reader.next()?
        {
            batch.push(letter.into_outgoing());
        }
        if batch.is_empty() {
            return Ok(());
        }
        let calls =
            stream::iter(calls(&batch).into_iter().map(|call| send(queue, call))).buffer_unordered(MOST_IN_A_CALL);
        let sent: Vec<anyhow::Result<()>> = calls.collect().await;
        sent.into_iter().collect::<anyhow::Result<()>>()?;
        note.add(batch.len() as u64)?;
        progress.add(batch.len());
        tokio::select! {
            biased;
            () = interruption.wait() => bail!("interrupted"),
            () = std::future::ready(()) => {}
        }
    }
}

/// As many letters as fit into each call.
fn calls(letters: &[Outgoing]) -> Vec<&[Outgoing]> {
    let mut calls = Vec::new();
    let mut rest = letters;
    while !rest.is_empty() {
        let (call, after) = rest.split_at(fit_into_a_call(rest.iter()));
        calls.push(call);
        rest = after;
    }
    calls
}

/// Sends letters until SQS has each; one that it took is not sent again.
async fn send(queue: &Queue, letters: &[Outgoing]) -> anyhow::Result<()> {
    for (index, outcome) in queue.send(letters.to_vec()).await?.into_iter().enumerate() {
        let mut outcome = outcome;
        for _ in 1..ATTEMPTS {
            if outcome.is_ok() {
                break;
            }
            let again = queue.send(vec![letters[index].clone()]).await?;
            outcome = again.into_iter().next().unwrap_or(Ok(()));
        }
        if let Err(code) = outcome {
            bail!("SQS does not take a letter: {code}");
        }
    }
    Ok(())
}

/// How many of a file's letters are back: the last line of a file beside it.
struct Note {
    path: PathBuf,
    file: Option<File>,
    restored: u64,
}

impl Note {
    /// Where letters are to be put back, nobody else can do so from the same file meanwhile.
    fn open(archive: &Path, for_writing: bool) -> anyhow::Result<Self> {
        let mut path = archive.as_os_str().to_owned();
        path.push(".restored");
        let path = PathBuf::from(path);
        if !for_writing && !path.exists() {
            return Ok(Self { path, file: None, restored: 0 });
        }
        let opened = OpenOptions::new().read(true).append(for_writing).create(for_writing).mode(0o600).open(&path);
        let mut file = opened.with_context(|| format!("opening {}", path.display()))?;
        if for_writing && file.try_lock().is_err() {
            bail!("somebody else is restoring {} just now", archive.display());
        }
        let mut text = String::new();
        (&mut file)
            .take(1024 * 1024)
            .read_to_string(&mut text)
            .with_context(|| format!("reading {}", path.display()))?;
        // What is not a whole line was being written when the tool was killed.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let restored = whole.lines().next_back().map_or(Ok(0), str::parse);
        let restored = restored.with_context(|| format!("{} is no note of a restoration", path.display()))?;
        Ok(Self { path, file: Some(file), restored })
    }

    fn add(&mut self, letters: u64) -> anyhow::Result<()> {
        self.restored += letters;
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = writeln!(file, "{}", self.restored).and_then(|()| file.sync_all());
        written.with_context(|| format!("writing {}", self.path.display()))
    }
}
