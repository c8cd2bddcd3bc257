//! Sealed events in files, for whoever wants to invoke the producer from outside. They belong to the key of one run and
//! go with it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

/// A folder with one event of every trigger source. It is removed when this is dropped.
pub(crate) struct Samples {
    folder: PathBuf,
}

impl Samples {
    /// Writes `SignUp.json` and so on into a new folder among the temporary files.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(events: &[Value]) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("sealpost-local-{:08x}", fastrand::u32(..)));
        // It must be new: other users may write here too.
        DirBuilder::new().mode(0o700).create(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let samples = Self { folder };
        for event in events {
            let source = event.get("triggerSource").and_then(Value::as_str).unwrap_or_default();
            let file = samples.folder.join(format!("{}.json", source.trim_start_matches("CustomSMSSender_")));
            fs::write(&file, format!("{event:#}\n")).with_context(|| format!("writing {}", file.display()))?;
        }
        Ok(samples)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Samples {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
