//! What commands are given: a value that several take, and what is missing (exit code 2).

use shared::TriggerSource;

/// What is missing, and how to give it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongUsage(pub(crate) &'static str);

/// Reads `SignUp` or `CustomSMSSender_SignUp`, in any letter case.
pub(crate) fn trigger_source(text: &str) -> Result<TriggerSource, String> {
    let name = text.rsplit('_').next().unwrap_or_default();
    let known = TriggerSource::ALL.into_iter().find(|source| source.as_str().eq_ignore_ascii_case(name));
    known.ok_or_else(|| {
        let all = TriggerSource::ALL.map(TriggerSource::as_str);
        format!("there is no such trigger source; there are {}", all.join(", "))
    })
}
