//! A configuration that another command works with.

use std::path::Path;

use anyhow::bail;
use shared::Environment;
use worker::config::{Checked, File};

use super::check::{read, utf8};

/// A file without faults, and its text. Placeholders whose values are not known here stand for themselves.
///
/// # Errors
/// When it cannot be read or has faults; they are all told.
pub(crate) fn sound(path: &Path, environment: &Environment<'_>) -> anyhow::Result<(String, File)> {
    let bytes = read(path)?;
    let text = utf8(&bytes).map_err(|fault| anyhow::anyhow!("{}: {fault}", path.display()))?;
    match Checked::read(text, environment).file {
        Ok(file) => Ok((text.to_owned(), file)),
        Err(faults) => bail!("the worker would not start with {}:\n{faults}", path.display()),
    }
}
