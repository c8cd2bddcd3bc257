//! What commands are given: values that several take, and what is missing (exit code 2).

use shared::{PhoneNumber, TriggerSource};

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

const NOT_E164: WrongUsage = WrongUsage(
    "a phone number is written as E.164: a plus sign and 7 to 15 digits that begin with the country's calling code, and \
     nothing between them, such as +12065550100",
);

/// Reads a phone number. It is not clap's to read, which would show a wrong one whole.
///
/// # Errors
/// When it is no number; the error does not quote it.
pub(crate) fn phone_number(text: &str) -> anyhow::Result<PhoneNumber> {
    PhoneNumber::parse(text).map_err(|error| anyhow::Error::from(NOT_E164).context(format!("the number {error}")))
}
