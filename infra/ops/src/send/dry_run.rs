//! `sealpost send --provider NAME --dry-run`: the request that an adapter would make, made by the adapter's own code, with
//! placeholders for what stands outside the file. Nothing is called, no variable is read.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use local::aws::kms::Kms;
use local::cognito::UserPool;
use secrecy::SecretString;
use serde_json::json;
use shared::{Clock, CognitoEvent, Environment, MessageId, PhoneNumber, UserPoolId};
use worker::config::{File, Needed};
use worker::provider::{OutgoingRequest, Placeholder, Sms};

use super::made_up::MadeUp;
use crate::config::{Sound, sound};

/// A request as it is shown.
struct Shown {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Shows the request for a made-up message.
///
/// # Errors
/// When the file cannot be read, has faults, or no provider of this name.
pub(super) fn run(
    config: &Path,
    provider: &str,
    made_up: &MadeUp,
    (clock, random): (&Clock, &mut Rng),
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    // Every placeholder stands for itself, whether or not it has a value here.
    let Sound { file, needed, .. } = sound(config, &Environment::from_lookup(|_| None))?;
    let request = request(file, provider, made_up, clock, random)?;
    let shown = Shown::of(&request, &needed, made_up.to());
    if json { shown.to_json(out) } else { shown.show(out) }.map_err(anyhow::Error::from)
}

fn request(
    file: File,
    provider: &str,
    made_up: &MadeUp,
    clock: &Clock,
    random: &mut Rng,
) -> anyhow::Result<OutgoingRequest> {
    let event = event(made_up)?;
    let clear = made_up.to_be_sealed().map(SecretString::from);
    let text = worker::render(&event, clear.as_ref(), &file.texts)?;
    let id = MessageId::from_bytes(&random.u128(..).to_be_bytes());
    let valid_for = file.settings.lifetimes.of(event.trigger_source(), event.client_id());
    let sms = Sms { id: &id, to: event.phone_number(), text: &text, valid_for, timeout: Duration::ZERO };
    let names: Vec<_> = file.providers.iter().map(|provider| provider.name().to_owned()).collect();
    let Some(provider) = file.providers.into_iter().find(|one| one.name() == provider) else {
        bail!("there is no provider {provider}; there are {}", names.join(", "));
    };
    Ok(provider.into_request(&sms, clock)?)
}

/// As the worker would have it: the code was sealed with a key that is gone by now.
fn event(made_up: &MadeUp) -> anyhow::Result<CognitoEvent> {
    let kms = Arc::new(Kms::new("eu-west-1", "123456789012"));
    let pool = UserPool::with_new_key(UserPoolId::parse("eu-west-1_EXAMPLE01")?, kms)?;
    let sealed = made_up.to_be_sealed().map(|clear| pool.seal(&clear)).transpose()?;
    CognitoEvent::from_value(made_up.event(&pool.id, sealed.as_deref())).context("the made-up event is no event")
}

impl Shown {
    fn of(request: &OutgoingRequest, needed: &Needed, to: &PhoneNumber) -> Self {
        let shown = |text: &str| masked(&with_placeholders(text, needed), to);
        let header = |(name, value): (&str, &str)| (name.to_owned(), shown(&with_credentials(value)));
        Self {
            method: request.method().to_owned(),
            url: shown(request.url().as_str()),
            headers: request.headers().into_iter().map(header).collect(),
            body: shown(request.content()),
        }
    }

    fn show(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { method, url, headers, body } = self;
        writeln!(out, "{method} {url}")?;
        for (name, value) in headers {
            writeln!(out, "{name}: {value}")?;
        }
        if !body.is_empty() {
            writeln!(out, "\n{body}")?;
        }
        writeln!(
            out,
            "\nnothing was sent. HTTP adds host, user-agent and content-length; the number's middle is shown as x"
        )?;
        writeln!(out, "${{…}} stands for its value, escaped as the place asks; <…> goes in Base64")
    }

    fn to_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { method, url, headers, body } = self;
        let headers: Vec<_> = headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        writeln!(out, "{}", json!({ "sent": false, "method": method, "url": url, "headers": headers, "body": body }))
    }
}

/// Of Basic authentication what is in it, which holds no credential here: `Basic <${env:USER}:${secret:PASSWORD}>`.
fn with_credentials(value: &str) -> String {
    let inside =
        value.strip_prefix("Basic ").and_then(|encoded| String::from_utf8(STANDARD.decode(encoded).ok()?).ok());
    inside.map_or_else(|| value.to_owned(), |inside| format!("Basic <{inside}>"))
}

/// Placeholders as the file writes them, however URLs and forms escape them.
fn with_placeholders(text: &str, needed: &Needed) -> String {
    let environment = needed.environment.iter().map(|name| Placeholder::Env(name).to_string());
    let secret = needed.secret.iter().map(|name| Placeholder::Secret(name).to_string());
    environment.chain(secret).fold(text.to_owned(), |text, placeholder| {
        let in_form: String = form_urlencoded::byte_serialize(placeholder.as_bytes()).collect();
        let in_path = placeholder.replace('{', "%7B").replace('}', "%7D").replace('/', "%2F");
        text.replace(&in_form, &placeholder).replace(&in_path, &placeholder)
    })
}

/// The number's digits between its calling code and its last two as `x`, wherever they stand: digits are escaped nowhere.
fn masked(text: &str, to: &PhoneNumber) -> String {
    let digits = &to.expose()[1..];
    let (first, last) = (to.calling_code(), &digits[digits.len() - 2..]);
    let middle = "x".repeat(digits.len() - first.len() - last.len());
    text.replace(digits, &format!("{first}{middle}{last}"))
}
