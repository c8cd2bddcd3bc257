//! The events of a local run: one of every trigger source, or those of a file.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use shared::{MAX_EVENT_BYTES, SealedCode, TriggerSource};

use crate::cognito::UserPool;

/// Fictitious numbers of three countries.
const NUMBERS: [&str; 3] = ["+12065550100", "+61491570156", "+33639980001"];
/// What a person can wait for.
const MOST_EVENTS: usize = 1_000;

/// One event of every trigger source that AWS documents, each with a code or password of its own.
///
/// # Errors
/// When a code cannot be sealed.
pub(crate) fn of_every_source(pool: &UserPool) -> anyhow::Result<Vec<Value>> {
    let sources = TriggerSource::ALL.into_iter().filter(|source| *source != TriggerSource::Other);
    sources
        .zip(NUMBERS.into_iter().cycle())
        .map(|(source, number)| {
            let clear = match source {
                TriggerSource::AccountTakeOverNotification => None,
                // Cognito escapes passwords as HTML; this one is Vo<7&maple.
                TriggerSource::AdminCreateUser => Some("Vo&lt;7&amp;maple".to_owned()),
                TriggerSource::SignUp
                | TriggerSource::ResendCode
                | TriggerSource::ForgotPassword
                | TriggerSource::UpdateUserAttribute
                | TriggerSource::VerifyUserAttribute
                | TriggerSource::Authentication
                | TriggerSource::Other => Some(format!("{:06}", fastrand::u32(..1_000_000))),
            };
            let sealed = clear.map(|clear| pool.seal(&clear)).transpose()?;
            Ok(pool.event(source, number, sealed.as_deref()))
        })
        .collect()
}

/// The events of a file: one JSON object, an array of them, or JSON lines. A code that is not sealed yet is
/// sealed as Cognito would, and the event's pool becomes the local one.
///
/// # Errors
/// When the file cannot be read or is not JSON.
pub(crate) fn of_file(path: &Path, pool: &UserPool) -> anyhow::Result<Vec<Value>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    if text.len() > 16 * MAX_EVENT_BYTES {
        bail!("{} is larger than {} bytes", path.display(), 16 * MAX_EVENT_BYTES);
    }
    let mut events = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter() {
        let value: Value = value.map_err(|error| {
            anyhow::anyhow!("{} is not JSON at line {}, column {}", path.display(), error.line(), error.column())
        })?;
        if let Value::Array(members) = value {
            events.extend(members);
        } else {
            events.push(value);
        }
    }
    if events.is_empty() || events.len() > MOST_EVENTS {
        bail!("{} holds {} events; 1 to {MOST_EVENTS} can be sent", path.display(), events.len());
    }
    for event in &mut events {
        seal_if_clear(event, pool)?;
    }
    Ok(events)
}

fn seal_if_clear(event: &mut Value, pool: &UserPool) -> anyhow::Result<()> {
    let Some(code) = event.pointer("/request/code").and_then(Value::as_str) else { return Ok(()) };
    let is_clear = code.len() <= 256 && SealedCode::parse(code).is_err();
    if is_clear {
        let sealed = pool.seal(code)?;
        event["request"]["code"] = json!(sealed);
        event["userPoolId"] = json!(pool.id.as_str());
    }
    Ok(())
}
