//! Facts about a message, read back from the log lines that the programs print.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use shared::Timestamp;

use crate::printable::printable;

/// A fact about a message, as it stands in a log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LoggedFact {
    pub(super) at: Timestamp,
    pub(super) id: String,
    pub(super) happened: Happened,
    /// The line's members that are for the log, not for metrics.
    pub(super) members: Map<String, Value>,
}

/// What happened. Members are as `shared::telemetry::Fact` has them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Happened {
    Accepted {
        took_ms: f64,
    },
    Rejected {
        error: String,
        message: String,
    },
    NotEnqueued {
        error: String,
        message: String,
    },
    Decrypted {
        took_ms: f64,
    },
    Attempted {
        provider: String,
        outcome: String,
        code: Option<String>,
        took_ms: f64,
    },
    NotAttempted {
        provider: String,
        cause: String,
    },
    Delivered {
        provider: String,
        provider_message_id: Option<String>,
        country: String,
        time_to_provider_ms: f64,
    },
    Retried {
        reason: String,
        after_ms: f64,
        receive_count: u32,
    },
    DeadLettered {
        reason: String,
        detail: String,
        receive_count: u32,
    },
    Duplicate {},
    TriedBefore {
        attempts: u32,
        unknowns: u32,
    },
    ClaimLost {},
    LimitReached {
        limit: String,
    },
    StateCallFailed {
        call: String,
        error: String,
    },
    QueueCallFailed {
        call: String,
        error: String,
    },
    /// A fact of a later version.
    #[serde(other)]
    Other,
}

impl LoggedFact {
    /// Reads a line of a log; none if it is not a fact about a message.
    pub(super) fn read(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let happened = Happened::deserialize(&line).ok()?;
        let at = line["time"].as_str()?.parse().ok()?;
        let id = line["id"].as_str()?.to_owned();
        let Value::Object(members) = line else { return None };
        let is_for_log = |name: &String| name.starts_with(|first: char| first.is_ascii_lowercase());
        let members = members.into_iter().filter(|(name, _)| is_for_log(name)).collect();
        Some(Self { at, id, happened, members })
    }

    /// Who says it.
    pub(super) fn program(&self) -> &'static str {
        match self.happened {
            Happened::Accepted { .. } | Happened::Rejected { .. } | Happened::NotEnqueued { .. } => "producer",
            Happened::Decrypted { .. }
            | Happened::Attempted { .. }
            | Happened::NotAttempted { .. }
            | Happened::Delivered { .. }
            | Happened::Retried { .. }
            | Happened::DeadLettered { .. }
            | Happened::Duplicate {}
            | Happened::TriedBefore { .. }
            | Happened::ClaimLost {}
            | Happened::LimitReached { .. }
            | Happened::StateCallFailed { .. }
            | Happened::QueueCallFailed { .. }
            | Happened::Other => "worker",
        }
    }

    /// When a postponed message comes back.
    pub(super) fn comes_back_at(&self) -> Option<Timestamp> {
        let Happened::Retried { after_ms, .. } = self.happened else { return None };
        let after = Duration::try_from_secs_f64(after_ms / 1e3).ok()?;
        self.at.checked_add(after).ok()
    }

    /// The fact as a sentence, which commands no terminal.
    pub(super) fn told(&self) -> String {
        let text = match &self.happened {
            Happened::Accepted { took_ms } => format!("accepted in {took_ms:.1} ms: queued, still sealed"),
            Happened::Rejected { error, message } => format!("refused as {error}: {message}"),
            Happened::NotEnqueued { error, message } => format!("not queued, {error}: {message}"),
            Happened::Decrypted { took_ms } => format!("unsealed with KMS in {took_ms:.1} ms"),
            Happened::Attempted { provider, outcome, code, took_ms } => {
                let code = code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
                format!("{provider} answered in {took_ms:.1} ms: {outcome}{code}")
            }
            Happened::NotAttempted { provider, cause } => format!("{provider} not asked: {cause}"),
            Happened::Delivered { provider, provider_message_id, country, time_to_provider_ms } => {
                let id = provider_message_id.as_ref().map(|id| format!(" as {id}")).unwrap_or_default();
                format!(
                    "delivered: {provider} took it{id} for {country}, {time_to_provider_ms:.1} ms after the producer"
                )
            }
            Happened::Retried { reason, receive_count, .. } => {
                let until = self.comes_back_at().map_or_else(|| "later".to_owned(), clock);
                format!("receive {receive_count}, postponed until {until}: {reason}")
            }
            Happened::DeadLettered { reason, detail, receive_count } => {
                format!("receive {receive_count}, dead-lettered as {reason}: {detail}")
            }
            Happened::Duplicate {} => "it was sent before, and is not sent again".to_owned(),
            Happened::TriedBefore { attempts, unknowns } => {
                format!("{attempts} attempts were made before, {unknowns} of which may have been sent")
            }
            Happened::ClaimLost {} => "another worker took it over: it may be sent twice".to_owned(),
            Happened::LimitReached { limit } => format!("the limit {limit} is reached"),
            Happened::StateCallFailed { call, error } => format!("the state table did not answer {call}: {error}"),
            Happened::QueueCallFailed { call, error } => format!("SQS did not answer {call}: {error}"),
            Happened::Other => "says what this version of sealpost does not know".to_owned(),
        };
        printable(&text)
    }
}

/// The time of day, in UTC.
pub(super) fn clock(at: Timestamp) -> String {
    format!("{at:.3}").chars().skip_while(|c| *c != 'T').skip(1).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use shared::telemetry::{Fact, JsonLines, Telemetry as _};
    use shared::{Clock, DeadLetterReason, MessageId, PhoneNumber, TriggerSource, UserPoolId};

    use super::*;

    /// The line that the programs print.
    fn line(fact: &Fact<'_>) -> String {
        #[derive(Clone, Default)]
        struct Memory(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Memory {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().expect("no panic").write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let memory = Memory::default();
        let clock = Clock::from_fn(|| "2026-11-26T14:32:05.770Z".parse().expect("a timestamp"));
        JsonLines::new(memory.clone(), clock, Default::default()).record(fact);
        String::from_utf8(memory.0.lock().expect("no panic").clone()).expect("UTF-8")
    }

    #[test]
    fn what_producer_and_worker_print_of_a_message_is_told() {
        let id = &MessageId::from_bytes(&[7; 16]);
        let (pool, to) =
            (UserPoolId::parse("eu-west-1_A").expect("sound"), PhoneNumber::parse("+12065550100").expect("sound"));
        let (source, took) = (TriggerSource::SignUp, Duration::from_micros(1_500));
        let facts = [
            (
                Fact::Accepted {
                    id,
                    trace: None,
                    trigger_source: source,
                    user_pool: &pool,
                    to: &to,
                    sealed_code: None,
                    took,
                },
                "accepted in 1.5 ms: queued, still sealed",
            ),
            (
                Fact::Rejected { id: Some(id), trace: None, error: "NoCode", message: "there is none" },
                "refused as NoCode: there is none",
            ),
            (
                Fact::NotEnqueued { id, trace: None, error: "QueueUnavailable", message: "no answer" },
                "not queued, QueueUnavailable: no answer",
            ),
            (Fact::Decrypted { id, trace: None, key: None, took }, "unsealed with KMS in 1.5 ms"),
            (
                Fact::Attempted { id, trace: None, provider: "main", outcome: "transient", code: Some("20503"), took },
                "main answered in 1.5 ms: transient (20503)",
            ),
            (
                Fact::Attempted { id, trace: None, provider: "main", outcome: "accepted", code: None, took },
                "main answered in 1.5 ms: accepted",
            ),
            (
                Fact::NotAttempted { id, trace: None, provider: "main", cause: "circuit_open" },
                "main not asked: circuit_open",
            ),
            (
                Fact::Delivered {
                    id: id.as_str(),
                    trace: None,
                    trigger_source: source,
                    provider: "main",
                    provider_message_id: Some("SM1"),
                    country: "US",
                    country_has_route: false,
                    time_to_provider: took,
                    code_lifetime_left: took,
                },
                "delivered: main took it as SM1 for US, 1.5 ms after the producer",
            ),
            (
                Fact::Retried {
                    id: id.as_str(),
                    trace: None,
                    trigger_source: Some(source),
                    reason: "providers_unavailable",
                    after: Duration::from_secs(2),
                    receive_count: 3,
                },
                "receive 3, postponed until 14:32:07.770Z: providers_unavailable",
            ),
            (
                Fact::DeadLettered {
                    id: id.as_str(),
                    trace: None,
                    trigger_source: Some(source),
                    reason: DeadLetterReason::RecipientRejected,
                    detail: "main: 21614",
                    receive_count: 1,
                },
                "receive 1, dead-lettered as recipient_rejected: main: 21614",
            ),
            (
                Fact::Duplicate { id: id.as_str(), trace: None, trigger_source: source },
                "it was sent before, and is not sent again",
            ),
            (
                Fact::TriedBefore { id, trace: None, attempts: 2, unknowns: 1 },
                "2 attempts were made before, 1 of which may have been sent",
            ),
            (Fact::ClaimLost { id, trace: None }, "another worker took it over: it may be sent twice"),
            (
                Fact::LimitReached { id, trace: None, limit: "per_number", country: "US" },
                "the limit per_number is reached",
            ),
            (
                Fact::StateCallFailed { id: Some(id), trace: None, call: "claim", error: "timeout" },
                "the state table did not answer claim: timeout",
            ),
            (
                Fact::QueueCallFailed { id: id.as_str(), trace: None, call: "SendMessage", error: "timeout" },
                "SQS did not answer SendMessage: timeout",
            ),
        ];
        for (fact, told) in &facts {
            let read = LoggedFact::read(&line(fact)).unwrap_or_else(|| panic!("{fact:?}"));
            assert_eq!((read.told().as_str(), read.id.as_str()), (*told, id.as_str()));
            let metric = read.members.keys().find(|name| !name.starts_with(|c: char| c.is_ascii_lowercase()));
            assert_eq!((metric, read.members["event"].is_string()), (None, true));
        }
    }

    #[test]
    fn what_is_no_fact_about_a_message_is_left_out_and_what_is_new_is_not() {
        for line in [
            "START RequestId: 1",
            "{}",
            "null",
            r#"{"time":"2026-11-26T14:32:05.770Z","event":"draining","in_flight":1}"#,
            r#"{"time":"yesterday","event":"delivered","id":"ab"}"#,
            r#"{"time":"2026-11-26T14:32:05.770Z","event":"attempted","id":"ab"}"#,
        ] {
            assert_eq!(LoggedFact::read(line), None, "{line}");
        }
        let later = r#"{"time":"2026-11-26T14:32:05.770Z","event":"of_a_later_version","id":"ab","note":"\u001b[2J"}"#;
        assert_eq!(LoggedFact::read(later).map(|fact| fact.happened), Some(Happened::Other));
    }

    #[test]
    fn a_line_that_somebody_else_wrote_commands_no_terminal() {
        let rest = r#""provider":"\u001b[2J","outcome":"x","code":null,"took_ms":1.0"#;
        let line = format!(r#"{{"time":"2026-11-26T14:32:05.770Z","event":"attempted","id":"ab",{rest}}}"#);
        assert_eq!(LoggedFact::read(&line).expect("a fact").told(), "[2J answered in 1.0 ms: x");
    }
}
