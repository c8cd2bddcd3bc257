//! Audit records: a JSON file of what a command has changed.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use shared::Timestamp;

/// A file that holds nothing yet.
pub(crate) struct AuditRecord {
    path: PathBuf,
    file: File,
}

impl AuditRecord {
    /// Creates the file before anything is changed: what cannot be recorded is not begun.
    ///
    /// # Errors
    /// When there is such a file, or it cannot be written.
    pub(crate) fn create(path: Option<PathBuf>, command: &str, now: Timestamp) -> anyhow::Result<Self> {
        let path = path.unwrap_or_else(|| PathBuf::from(file_name(command, now, "json")));
        let file = new_file(&path)?;
        Ok(Self { path, file })
    }

    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(mut self, record: &Value) -> anyhow::Result<PathBuf> {
        writeln!(self.file, "{record:#}")
            .and_then(|()| self.file.sync_all())
            .with_context(|| format!("writing {}", self.path.display()))?;
        Ok(self.path)
    }

    /// Removes the empty file of a command that has changed nothing.
    pub(crate) fn discard(self) {
        // An empty file harms nobody.
        let _ = fs::remove_file(&self.path);
    }
}

/// `sealpost-redrive-20261127T031500Z.json`
pub(crate) fn file_name(command: &str, now: Timestamp, extension: &str) -> String {
    let moment: String = format!("{now:.0}").chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("sealpost-{command}-{moment}.{extension}")
}

/// A new file that its owner alone can read.
///
/// # Errors
/// When there is one, or it cannot be created.
pub(crate) fn new_file(path: &Path) -> anyhow::Result<File> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    created.with_context(|| format!("creating {}; nothing was changed", path.display()))
}
