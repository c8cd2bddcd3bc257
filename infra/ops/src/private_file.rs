//! Files that a command leaves behind: new ones, for their owner's eyes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use shared::Timestamp;

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
