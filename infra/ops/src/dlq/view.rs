//! A letter as it is shown: nothing of it is secret, and no number whole.

use std::io::{self, Write};

use serde_json::{Value, json};
use shared::{AlgorithmSuite, SealedCode, Timestamp, rfc3339_millis};

use super::letter::Letter;
use super::wording::spoken;
use crate::printable::printable;

/// How much of an id a list shows; as little is enough to name it.
const SHORT_ID: usize = 12;
/// The columns of a list, and their widths.
const COLUMNS: [(&str, usize); 8] = [
    ("id", SHORT_ID),
    ("reason", 20),
    ("source", 27),
    ("country", 7),
    ("to", 9),
    ("provider", 14),
    ("age", 12),
    ("code lives for", 14),
];

pub(crate) fn heads(out: &mut dyn Write) -> io::Result<()> {
    row(&COLUMNS.map(|(head, _)| head.to_owned()), out)
}

pub(crate) fn line(letter: &Letter, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let to = letter.content.as_ref().ok().map(|message| message.event.phone_number().to_string());
    row(
        &[
            letter.id().chars().take(SHORT_ID).collect(),
            letter.reason.as_str().to_owned(),
            or_none(letter.trigger_source().map(|source| source.to_string())),
            or_none(letter.country().map(|country| country.to_string())),
            or_none(to),
            or_none(letter.provider.clone()),
            or_none(letter.accepted_at().map(|at| spoken(now.duration_since(at).as_secs()))),
            lifetime(letter, now),
        ],
        out,
    )
}

fn row(cells: &[String; 8], out: &mut dyn Write) -> io::Result<()> {
    let mut line = String::new();
    for (cell, (_, width)) in cells.iter().zip(COLUMNS) {
        line.push_str(&format!("{cell:<width$}  "));
    }
    writeln!(out, "{}", line.trim_end())
}

fn lifetime(letter: &Letter, now: Timestamp) -> String {
    match &letter.content {
        Err(_) => "unreadable".to_owned(),
        Ok(message) if message.expires_at <= now => "expired".to_owned(),
        Ok(message) => spoken(message.expires_at.duration_since(now).as_secs()),
    }
}

/// Everything about one letter but its secrets.
pub(crate) fn whole(letter: &Letter, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let mut say = |name: &str, value: Option<String>| match value {
        Some(value) => writeln!(out, "{name:<16}{value}"),
        None => Ok(()),
    };
    let moment = |at: Timestamp| format!("{} ({} ago)", rfc3339_millis(at), spoken(now.duration_since(at).as_secs()));
    say("id", Some(letter.id().to_owned()))?;
    say("reason", Some(letter.reason.as_str().to_owned()))?;
    say("detail", letter.detail.clone())?;
    say("provider", letter.provider.clone().map(|provider| format!("{provider} (tried last)")))?;
    say("attempts", letter.attempts.map(|attempts| format!("{attempts} in its last receive")))?;
    say("failed", letter.failed_at.map(moment))?;
    say("redriven", Some(letter.redriven).filter(|count| *count > 0).map(times))?;
    match &letter.content {
        Err(fault) => say("message", Some(format!("cannot be read: {fault}")))?,
        Ok(message) => {
            let event = &message.event;
            let country =
                letter.country().map_or_else(|| "of unknown country".to_owned(), |country| country.to_string());
            say("trigger source", Some(event.trigger_source().to_string()))?;
            say("user pool", Some(event.user_pool().to_string()))?;
            say("app client", event.client_id().map(printable))?;
            say("user (sub)", event.attribute("sub").map(printable))?;
            say("to", Some(format!("{} ({country})", event.phone_number())))?;
            say("accepted", Some(moment(message.accepted_at)))?;
            let expires = rfc3339_millis(message.expires_at);
            let left = match lifetime(letter, now).as_str() {
                "expired" => format!("{expires} (its code cannot be used any more)"),
                left => format!("{expires} (in {left})"),
            };
            say("expires", Some(left))?;
            match event.code() {
                Some(code) => sealed_code(code, &mut say)?,
                None => say("code", Some("none: a notice, or an invitation without a password".to_owned()))?,
            }
        }
    }
    let received = &letter.received;
    say("sent by", received.sender.as_deref().map(printable))?;
    say("in SQS since", received.sent_at.map(moment))?;
    say("SQS message", Some(format!("{}, received {}", received.sqs_id, times(received.receive_count))))?;
    say("trace", received.trace_header.as_deref().and_then(shared::TraceId::of_header).map(|id| id.as_str().to_owned()))
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// What the code's header says to everybody.
fn sealed_code(code: &SealedCode, say: &mut impl FnMut(&str, Option<String>) -> io::Result<()>) -> io::Result<()> {
    let message = code.message();
    let suite = match message.suite {
        AlgorithmSuite::COGNITO => "AES-256-GCM, HKDF-SHA-384, signed with ECDSA P-384; Cognito's".to_owned(),
        AlgorithmSuite::Committed { signed, .. } => {
            format!("with key commitment, {}; an emulator's", signature(signed))
        }
        AlgorithmSuite::Uncommitted { signed, .. } => format!("without key commitment, {}", signature(signed)),
    };
    say("sealed code", Some(format!("{code} {} bytes, format {}", code.bytes().len(), message.version)))?;
    say("  suite", Some(format!("{} ({suite})", message.suite)))?;
    for key in code.key_arns() {
        say("  KMS key", Some(key.to_string()))?;
    }
    for (name, value) in &message.encryption_context {
        say("  context", Some(format!("{} = {}", printable(name), printable(value))))?;
    }
    Ok(())
}

fn signature(signed: bool) -> &'static str {
    if signed { "signed" } else { "unsigned" }
}

/// The same for programs.
pub(crate) fn to_json(letter: &Letter, now: Timestamp) -> Value {
    let message = letter.content.as_ref().ok();
    let event = message.map(|message| &message.event);
    let sealed_code = event.and_then(|event| event.code()).map(|code| {
        let header = code.message();
        let context = header.encryption_context.iter().map(|(name, value)| (name.clone(), value.clone().into()));
        json!({
            "bytes": code.bytes().len(),
            "format": header.version,
            "suite": header.suite.to_string(),
            "key_arns": code.key_arns().map(|key| key.to_string()).collect::<Vec<_>>(),
            "encryption_context": Value::Object(context.collect()),
        })
    });
    json!({
        "id": message.map(|message| message.id.as_str()),
        "sqs_message_id": letter.received.sqs_id,
        "reason": letter.reason.as_str(),
        "detail": letter.detail,
        "provider": letter.provider,
        "attempts": letter.attempts,
        "failed_at": letter.failed_at.map(rfc3339_millis),
        "redriven": letter.redriven,
        "unreadable": letter.content.as_ref().err().map(ToString::to_string),
        "trigger_source": letter.trigger_source().map(|source| source.as_str()),
        "user_pool_id": event.map(|event| event.user_pool().as_str()),
        "client_id": event.and_then(|event| event.client_id()),
        "sub": event.and_then(|event| event.attribute("sub")),
        "country": letter.country().map(|country| country.to_string()),
        "to": event.map(|event| event.phone_number().to_string()),
        "accepted_at": message.map(|message| rfc3339_millis(message.accepted_at)),
        "expires_at": message.map(|message| rfc3339_millis(message.expires_at)),
        "within_lifetime": letter.is_alive(now),
        "sealed_code": sealed_code,
        "sender": letter.received.sender,
        "sent_at": letter.received.sent_at.map(rfc3339_millis),
        "receive_count": letter.received.receive_count,
    })
}
