//! The file that dropped letters go into, and come back from: a line that says what it is, then one letter a line, each
//! with everything that SQS needs to have it again. It holds whole numbers and sealed codes, and is its owner's alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{Timestamp, rfc3339_millis};

use super::operator::Operator;
use super::queue::Outgoing;
use super::received::{Attribute, Received};
use crate::private_file::new_file;

const KIND: &str = "sealpost.dropped.v1";
/// A body of 1 MiB, each byte of which JSON escapes, with its attributes.
const LONGEST_LINE: u64 = 8 * 1024 * 1024;

/// A file that is written.
pub(crate) struct Archive {
    file: File,
}

/// A letter in the file.
#[derive(Serialize, Deserialize)]
pub(crate) struct ArchivedLetter {
    sqs_message_id: String,
    #[serde(default)]
    sender: Option<String>,
    #[serde(default)]
    sent_at: Option<String>,
    #[serde(default)]
    trace_header: Option<String>,
    attributes: BTreeMap<String, Attribute>,
    body: String,
}

/// A file that is read, letter by letter.
pub(crate) struct ArchiveReader {
    path: PathBuf,
    lines: BufReader<File>,
    number: u64,
    /// The last line breaks off: a drop was killed while it wrote it, and has not deleted that letter.
    pub(crate) is_torn: bool,
}

impl Archive {
    /// # Errors
    /// When there is such a file, or it cannot be written.
    pub(crate) fn create(
        path: &Path,
        queue: &str,
        filter: &[String],
        by: &Operator,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut file = new_file(path)?;
        let head =
            json!({ "type": KIND, "queue": queue, "filter": filter, "by": by, "dropped_at": rfc3339_millis(now) });
        writeln!(file, "{head}")?;
        Ok(Self { file })
    }

    /// Writes letters, and returns when the disk has them.
    ///
    /// # Errors
    /// When they may not be there: nothing of them must be deleted.
    pub(crate) fn keep(&mut self, letters: &[Received]) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for letter in letters {
            serde_json::to_writer(&mut lines, &ArchivedLetter::of(letter))?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines).and_then(|()| self.file.sync_all()).context("writing the file of dropped letters")
    }
}

impl ArchivedLetter {
    fn of(letter: &Received) -> Self {
        Self {
            sqs_message_id: letter.sqs_id.clone(),
            sender: letter.sender.clone(),
            sent_at: letter.sent_at.map(rfc3339_millis),
            trace_header: letter.trace_header.clone(),
            attributes: letter.attributes.clone(),
            body: letter.body.clone(),
        }
    }

    pub(crate) fn into_outgoing(self) -> Outgoing {
        let attributes = self.attributes.into_iter().collect();
        Outgoing { body: self.body, attributes, trace_header: self.trace_header }
    }
}

impl ArchiveReader {
    /// # Errors
    /// When it is no such file.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        let mut reader = Self { path: path.to_owned(), lines: BufReader::new(file), number: 0, is_torn: false };
        let head: Option<serde_json::Value> = reader.line()?.and_then(|line| serde_json::from_slice(&line).ok());
        if head.and_then(|head| head.get("type").map(|kind| *kind == KIND)) != Some(true) {
            bail!("{} is no file of `sealpost dlq drop`", path.display());
        }
        Ok(reader)
    }

    /// The next letter; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is none of ours.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<ArchivedLetter>> {
        let Some(line) = self.line()? else { return Ok(None) };
        // Without what it quotes.
        let letter = serde_json::from_slice(&line).ok();
        let letter =
            letter.with_context(|| format!("{}: line {} is no dropped letter", self.path.display(), self.number))?;
        Ok(Some(letter))
    }

    /// The next whole line.
    fn line(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.lines).take(LONGEST_LINE);
        bounded.read_until(b'\n', &mut line).with_context(|| format!("reading {}", self.path.display()))?;
        self.number += 1;
        if line.last() == Some(&b'\n') {
            return Ok(Some(line));
        }
        if line.len() as u64 == LONGEST_LINE {
            bail!("{}: line {} is longer than a letter can be", self.path.display(), self.number);
        }
        self.is_torn = !line.is_empty();
        Ok(None)
    }
}
