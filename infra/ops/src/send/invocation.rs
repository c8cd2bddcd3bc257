//! The trigger's invocation, and what the producer answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use shared::MessageId;

use super::logged_fact::LoggedFact;
use super::made_up::Sealed;
use super::missing_right::or_missing_right;
use super::remedy;
use crate::printable::printable;
use crate::untyped::{Answer, CallError, Untyped};

/// An invocation that has ended.
#[derive(Debug)]
pub(super) struct Invocation {
    /// What the producer logged of it, if Lambda handed its log out.
    pub(super) fact: Option<LoggedFact>,
    /// None where the producer accepted the event.
    pub(super) error: Option<ProducerError>,
}

/// Why the producer did not accept the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProducerError {
    pub(super) error_type: String,
    /// Of errors that are the producer's own: another function may say what is not to be shown.
    pub(super) message: Option<String>,
}

impl Invocation {
    /// Invokes the producer and waits for it.
    ///
    /// # Errors
    /// When Lambda refuses or does not answer.
    pub(super) async fn make(aws: &Untyped<'_>, producer: &str, event: &Value) -> anyhow::Result<Self> {
        let answer = aws.invoke(producer, event).await;
        let answer = answer.map_err(|error| match error {
            CallError::NotAnswered { .. } => {
                anyhow::Error::from(error).context("the producer may have accepted the message all the same")
            }
            refused @ CallError::Refused { .. } => or_missing_right(refused, "lambda:InvokeFunction", producer),
        })?;
        Ok(Self::read(&answer))
    }

    fn read(answer: &Answer) -> Self {
        let log = answer.header("x-amz-log-result").and_then(|log| STANDARD.decode(log).ok()).unwrap_or_default();
        let mut facts = String::from_utf8_lossy(&log).lines().filter_map(LoggedFact::read).collect::<Vec<_>>();
        let failed = answer.header("x-amz-function-error").is_some();
        Self { fact: facts.pop(), error: failed.then(|| ProducerError::read(&answer.body)) }
    }

    /// The message's id: that of its code, or the one that the producer gave to a message without.
    pub(super) fn message_id(&self, sealed: Option<&Sealed>) -> Option<MessageId> {
        match sealed {
            Some(sealed) => Some(sealed.code.message_id().clone()),
            None => MessageId::parse(&self.fact.as_ref()?.id),
        }
    }
}

impl ProducerError {
    /// What to do about it.
    pub(super) fn remedy(&self) -> &'static str {
        const OF_ANOTHER: &str =
            "that is no error of the producer's own: its log says more, such as why it does not start";
        remedy::of_producer_error(&self.error_type).unwrap_or(OF_ANOTHER)
    }

    fn read(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str();
        let is_name = |text: &&str| {
            text.len() <= 80 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
        };
        let error_type = text("errorType").filter(is_name).unwrap_or("an error without a name").to_owned();
        let message = text("errorMessage").filter(|_| remedy::of_producer_error(&error_type).is_some()).map(printable);
        Self { error_type, message }
    }
}
