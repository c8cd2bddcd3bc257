//! The events of a local run: one of every trigger source, those of a file, or those that become dead letters.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use shared::{MAX_EVENT_BYTES, SealedCode, TriggerSource};

use crate::cognito::UserPool;
use crate::fake_twilio::NO_MOBILE;

/// Fictitious numbers of three countries.
const NUMBERS: [&str; 3] = ["+12065550100", "+61491570156", "+33639980001"];
/// A number that can exist, in a country that the local configuration sends nothing to.
const NUMBER_IN_A_REFUSED_COUNTRY: &str = "+8501921234567";
/// What a person can wait for.
const MOST_EVENTS: usize = 1_000;

/// One event of every trigger source that AWS documents, each with a code or password of its own.
///
/// # Errors
/// When a code cannot be sealed.
pub(crate) fn of_every_source(pool: &UserPool) -> anyhow::Result<Vec<Value>> {
    documented_sources().zip(NUMBERS.into_iter().cycle()).map(|(source, number)| event(pool, source, number)).collect()
}

/// Events of so many users in three countries, 90 at most, every trigger source in turn. No code supersedes another.
///
/// # Errors
/// When a code cannot be sealed.
pub(crate) fn of_users(users: u8, pool: &UserPool) -> anyhow::Result<Vec<Value>> {
    // Kept for fiction, whatever the last two digits from 10 on.
    let ranges = ["+120655501", "+336399800", "+467017406", "+120655501", "+336399800"];
    let sources = documented_sources().collect::<Vec<_>>().into_iter().cycle();
    (10..100)
        .take(users.into())
        .zip(sources.zip(ranges.into_iter().cycle()))
        .map(|(user, (source, range))| {
            let mut event = event(pool, source, &format!("{range}{user}"))?;
            event["request"]["userAttributes"]["sub"] = json!(format!("54cf7eb7-0b96-4304-8d6b-0000000000{user}"));
            Ok(event)
        })
        .collect()
}

/// Two events whose SMS nobody ever gets: the provider refuses one number, the configuration the other's country.
///
/// # Errors
/// When a code cannot be sealed.
pub(crate) fn never_sent(pool: &UserPool) -> anyhow::Result<Vec<Value>> {
    let refused = [(TriggerSource::SignUp, NO_MOBILE), (TriggerSource::ForgotPassword, NUMBER_IN_A_REFUSED_COUNTRY)];
    refused.into_iter().map(|(source, number)| event(pool, source, number)).collect()
}

fn documented_sources() -> impl Iterator<Item = TriggerSource> {
    TriggerSource::ALL.into_iter().filter(|source| *source != TriggerSource::Other)
}

/// An event with a code or password of its own.
fn event(pool: &UserPool, source: TriggerSource, number: &str) -> anyhow::Result<Value> {
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
