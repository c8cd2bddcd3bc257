//! Audit records: a JSON file of what a command has changed.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use shared::Timestamp;

use crate::private_file::{file_name, new_file};

/// The record of a command that is going on.
pub(crate) struct AuditRecord {
    path: PathBuf,
}

impl AuditRecord {
    /// Writes down what is about to be done: what cannot be recorded is not begun, and a command that is killed leaves who
    /// began it and when.
    ///
    /// # Errors
    /// When there is such a file, or it cannot be written.
    pub(crate) fn begin(path: Option<PathBuf>, command: &str, now: Timestamp, record: &Value) -> anyhow::Result<Self> {
        let path = path.unwrap_or_else(|| PathBuf::from(file_name(command, now, "json")));
        write(new_file(&path)?, &path, record)?;
        Ok(Self { path })
    }

    /// Puts what was done in its place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn finish(self, record: &Value) -> anyhow::Result<PathBuf> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        write(new_file(&beside)?, &beside, record)?;
        fs::rename(&beside, &self.path).with_context(|| format!("renaming {}", beside.display()))?;
        Ok(self.path)
    }

    /// Removes the record of a command that has changed nothing.
    pub(crate) fn discard(self) {
        // It says that a command was begun, which is true.
        let _ = fs::remove_file(&self.path);
    }
}

fn write(mut file: File, path: &Path, record: &Value) -> anyhow::Result<()> {
    // At once: a record of many ids would else be written in as many pieces.
    let written = file.write_all(format!("{record:#}\n").as_bytes()).and_then(|()| file.sync_all());
    written.with_context(|| format!("writing {}", path.display()))
}
