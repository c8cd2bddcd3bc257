//! A configuration that another command works with.

use std::path::Path;

use anyhow::bail;
use shared::Environment;
use worker::config::{Checked, File, Needed};

use super::check::{read, utf8};

/// A file without faults.
pub(crate) struct Sound {
    pub(crate) text: String,
    pub(crate) file: File,
    /// What stands outside it.
    #[cfg_attr(not(feature = "local"), expect(dead_code, reason = "only `send` shows placeholders"))]
    pub(crate) needed: Needed,
}

/// A file without faults. Placeholders whose values are not known here stand for themselves.
///
/// # Errors
/// When it cannot be read or has faults; they are all told.
pub(crate) fn sound(path: &Path, environment: &Environment<'_>) -> anyhow::Result<Sound> {
    let bytes = read(path)?;
    let text = utf8(&bytes).map_err(|fault| anyhow::anyhow!("{}: {fault}", path.display()))?;
    let Checked { file, needed, .. } = Checked::read(text, environment);
    match file {
        Ok(file) => Ok(Sound { text: text.to_owned(), file, needed }),
        Err(faults) => bail!("the worker would not start with {}:\n{faults}", path.display()),
    }
}
