//! What the tests of this module send, and what their placeholders stand for.

use std::time::Duration;

use secrecy::SecretString;
use shared::{MessageId, PhoneNumber};

use crate::provider::{Placeholder, Resolved, Sms};

/// Gives an SMS to +12065550100 to `look`.
pub(super) fn sent<T>(text: &str, valid_for: Duration, look: impl FnOnce(&Sms<'_>) -> T) -> T {
    let id = MessageId::from_bytes(&[7; 16]);
    let to = PhoneNumber::parse("+12065550100").expect("a number");
    let text = SecretString::from(text);
    look(&Sms { id: &id, to: &to, text: &text, valid_for, timeout: Duration::from_secs(1) })
}

pub(super) fn resolve(placeholder: Placeholder<'_>) -> Result<Resolved, String> {
    match placeholder {
        Placeholder::Env("TOKEN") => Ok(Resolved::Value("hush-token".into())),
        Placeholder::Env("HOSTILE") => Ok(Resolved::Value("{{to}}".into())),
        Placeholder::Env("BROKEN") => Ok(Resolved::Value("hush\nbroken".into())),
        Placeholder::Env(_) | Placeholder::Secret(_) => Err(format!("names {placeholder}, which is not set")),
    }
}
