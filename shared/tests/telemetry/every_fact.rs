//! One fact of every kind, some in several forms, and the lines that are made of them.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use shared::telemetry::{Fact, JsonLines, MetricsNamespace, Telemetry as _};
use shared::{Clock, CognitoEvent, DeadLetterReason, KeyArn, MessageId, Timestamp, TraceHeader, TriggerSource};

const CODE: &str = include_str!("../../../worker/src/fixtures/sealed_code.txt");
const EVENT: &str = include_str!("../../src/fixtures/sms_sign_up.json");
pub(crate) const ID: &str = "9b1cf0005fcf859edf9c9e55052be80f";
pub(crate) const TRACE: &str = "1-65250495-30b227ef4ea882e709192510";
const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// When everything is said.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T12:00:00.123Z".parse().expect("RFC 3339")
}

/// What the facts borrow.
pub(crate) struct Material {
    event: CognitoEvent,
    id: MessageId,
    key: KeyArn,
    header: TraceHeader,
}

impl Material {
    pub(crate) fn new() -> Self {
        let mut event: Value = serde_json::from_str(EVENT).expect("JSON");
        event["request"]["code"] = CODE.trim().into();
        Self {
            event: CognitoEvent::parse(event.to_string().as_bytes()).expect("sound"),
            id: MessageId::parse(ID).expect("an id"),
            key: KeyArn::parse(KEY).expect("an ARN"),
            header: TraceHeader::parse(&format!("Root={TRACE};Parent=6b522ce06cfce549;Sampled=0")).expect("a header"),
        }
    }

    pub(crate) fn facts(&self) -> Vec<Fact<'_>> {
        let (id, text_id, trace, took) = (&self.id, ID, self.header.trace_id(), Duration::from_micros(1_234_567));
        let attempted =
            |outcome| Fact::Attempted { id, trace, provider: "main", outcome, code: Some("http_503"), took };
        let delivered = |country_has_route| Fact::Delivered {
            id: text_id,
            trace,
            trigger_source: TriggerSource::SignUp,
            provider: "main",
            provider_message_id: None,
            country: "FR",
            country_has_route,
            time_to_provider: took,
            code_lifetime_left: took * 60,
        };
        let retried = |trigger_source| Fact::Retried {
            id: text_id,
            trace,
            trigger_source,
            reason: "key_not_allowed",
            after: took,
            receive_count: 2,
        };
        let dead_lettered = |trigger_source, reason| Fact::DeadLettered {
            id: text_id,
            trace,
            trigger_source,
            reason,
            detail: "",
            receive_count: 2,
        };
        vec![
            Fact::Accepted {
                id,
                trace,
                trigger_source: self.event.trigger_source(),
                user_pool: self.event.user_pool(),
                to: self.event.phone_number(),
                sealed_code: self.event.code(),
                took: Duration::from_micros(1_234),
            },
            Fact::Rejected { id: None, trace, error: "MalformedEvent", message: "why" },
            Fact::Rejected { id: Some(id), trace: None, error: "WrongUserPool", message: "why" },
            Fact::NotEnqueued { id, trace, error: "QueueUnavailable", message: "why" },
            Fact::Decrypted { id, trace, key: Some(&self.key), took },
            attempted("accepted"),
            attempted("provider_permanent"),
            Fact::NotAttempted { id, trace, provider: "main", cause: "busy" },
            Fact::CircuitChanged { provider: "main", state: "open", open_for: Some(took) },
            Fact::CircuitChanged { provider: "main", state: "half_open", open_for: None },
            Fact::CircuitChanged { provider: "main", state: "closed", open_for: None },
            delivered(true),
            delivered(false),
            retried(None),
            retried(Some(TriggerSource::Authentication)),
            dead_lettered(Some(TriggerSource::Other), DeadLetterReason::Expired),
            dead_lettered(Some(TriggerSource::Other), DeadLetterReason::ProvidersExhausted),
            dead_lettered(None, DeadLetterReason::Malformed),
            dead_lettered(Some(TriggerSource::SignUp), DeadLetterReason::Superseded),
            Fact::Duplicate { id: text_id, trace, trigger_source: TriggerSource::SignUp },
            Fact::TriedBefore { id, trace, attempts: 2, unknowns: 1 },
            Fact::ClaimLost { id, trace },
            Fact::LimitReached { id, trace, limit: "per_number", country: "FR" },
            Fact::StateCallFailed { id: Some(id), trace, call: "claim", error: "ThrottlingException" },
            Fact::StateCallFailed { id: None, trace: None, call: "switches", error: "timeout" },
            Fact::Switched { switch: "country FR", is_off: true },
            Fact::Switched { switch: "country FR", is_off: false },
            Fact::SecretChanged,
            Fact::SecretReadFailed { error: "Secrets Manager does not give it: AccessDeniedException" },
            Fact::QueueCallFailed { id: text_id, trace, call: "DeleteMessage", error: "AccessDenied" },
            Fact::ReceiveFailed { error: "AccessDenied", again_in: took },
            Fact::Draining { in_flight: 3 },
            Fact::Drained { left: 0 },
            Fact::Panicked { place: "worker/src/worker.rs:1:1" },
            Fact::Notice { message: "hear" },
        ]
    }
}

/// A new kind of fact needs a place here and in the list above.
pub(crate) const KINDS: usize = 24;

pub(crate) fn kind(fact: &Fact<'_>) -> usize {
    match fact {
        Fact::Accepted { .. } => 0,
        Fact::Rejected { .. } => 1,
        Fact::NotEnqueued { .. } => 2,
        Fact::Decrypted { .. } => 3,
        Fact::Attempted { .. } => 4,
        Fact::NotAttempted { .. } => 5,
        Fact::CircuitChanged { .. } => 6,
        Fact::Delivered { .. } => 7,
        Fact::Retried { .. } => 8,
        Fact::DeadLettered { .. } => 9,
        Fact::QueueCallFailed { .. } => 10,
        Fact::ReceiveFailed { .. } => 11,
        Fact::Draining { .. } => 12,
        Fact::Drained { .. } => 13,
        Fact::Panicked { .. } => 14,
        Fact::Notice { .. } => 15,
        Fact::Duplicate { .. } => 16,
        Fact::TriedBefore { .. } => 17,
        Fact::ClaimLost { .. } => 18,
        Fact::LimitReached { .. } => 19,
        Fact::StateCallFailed { .. } => 20,
        Fact::Switched { .. } => 21,
        Fact::SecretChanged => 22,
        Fact::SecretReadFailed { .. } => 23,
    }
}

#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is printed of a fact.
pub(crate) fn line_of(fact: &Fact<'_>) -> String {
    line_under(MetricsNamespace::default(), fact)
}

/// The same where the metrics have this namespace.
pub(crate) fn line_under(namespace: MetricsNamespace, fact: &Fact<'_>) -> String {
    let out = Out::default();
    JsonLines::new(out.clone(), Clock::from_fn(now), namespace).record(fact);
    let printed = out.0.lock().expect("not poisoned").clone();
    String::from_utf8(printed).expect("UTF-8")
}

pub(crate) fn read(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
