//! A command that was not given what it needs: exit code 2.

/// What is missing, and how to give it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongUsage(pub(crate) &'static str);
