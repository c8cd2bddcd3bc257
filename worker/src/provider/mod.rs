//! The seam to the SMS providers: one SMS in, one classified outcome out.

mod base_url;
mod failure;
mod fields;
mod gateway;
mod held;
mod http;
mod outgoing;
mod test_number;
mod twilio;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use shared::{MessageId, PhoneNumber};

pub use base_url::{BaseUrl, BaseUrlError};
pub(crate) use fields::secret_that;
pub use fields::{Placeholder, Resolve, Resolved};
pub use gateway::{HttpGateway, HttpGatewaySettings};
pub use http::{HttpClientError, HttpSettings, http_client};
pub use outgoing::OutgoingRequest;
pub(crate) use test_number::TestNumberProvider;
pub use twilio::{Twilio, TwilioSettings};

/// Sends one SMS through one provider. No retries inside: the worker decides.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The provider's name in routes, logs and metrics.
    fn name(&self) -> &str;

    /// Makes one attempt, for at most `sms.timeout`. Never fails: whatever happens is one of the outcomes.
    async fn send(&self, sms: &Sms<'_>) -> Attempt;

    /// Opens the connection that the first attempt would else have to wait for. What goes wrong shows at that attempt too.
    ///
    /// # Errors
    /// When it is not reached: what went wrong, as an attempt would name it. Any answer means that it is.
    async fn connect(&self) -> Result<(), OutcomeCode> {
        Ok(())
    }
}

/// What a provider is asked to send.
pub struct Sms<'m> {
    /// The message's idempotency key, the same in every attempt: for providers that send one id only once.
    pub id: &'m MessageId,
    pub to: &'m PhoneNumber,
    pub text: &'m SecretString,
    /// How long the text is still useful: goes into the provider's validity field.
    pub valid_for: Duration,
    /// The whole attempt, connecting included, must end within this.
    pub timeout: Duration,
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub outcome: Outcome,
    /// The provider's error code, or what happened on the way to it. Never free text of the provider.
    pub code: Option<OutcomeCode>,
}

impl Attempt {
    /// An attempt that was not accepted. A text that is no code gives an attempt without one.
    pub fn failed(outcome: Outcome, code: &str) -> Self {
        Self { outcome, code: OutcomeCode::parse(code) }
    }
}

/// The class of an attempt's end, which alone decides what happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took the message.
    Accepted { provider_message_id: ProviderMessageId },
    /// Provably not processed: trying again cannot send it twice.
    Transient { retry_after: Option<Duration> },
    /// It may have been sent.
    Unknown,
    /// This number cannot be reached by anybody: no other provider is asked.
    RecipientPermanent,
    /// This account or request cannot do it; another provider may.
    ProviderPermanent,
    /// A fraud defence refused it: asking another provider would defeat the defence.
    FraudBlocked,
}

impl Outcome {
    /// The class's name in logs and metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Transient { .. } => "transient",
            Self::Unknown => "unknown",
            Self::RecipientPermanent => "recipient_permanent",
            Self::ProviderPermanent => "provider_permanent",
            Self::FraudBlocked => "fraud_blocked",
        }
    }
}

/// The id under which a provider knows the message: letters, digits, `-`, `_`, `.`, `:`, at most 128 of them. Some
/// providers give none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMessageId(Option<String>);

/// A short code for why an attempt ended as it did, such as `21211`, `http_503` or `connect`: lower-case
/// letters, digits, `-`, `_`, at most 32 of them, so that no provider can put free text into a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeCode(String);

impl ProviderMessageId {
    /// The provider took the message and gave no id, or none that may be shown.
    pub const NOT_GIVEN: Self = Self(None);

    /// Reads an id; texts of another shape, which could hold anything, are no id.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        ((1..=128).contains(&text.len()) && text.bytes().all(sound)).then(|| Self(Some(text.to_owned())))
    }

    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl OutcomeCode {
    /// Reads a code; texts of another shape, which could hold anything, are no code.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        ((1..=32).contains(&text.len()) && text.bytes().all(sound)).then(|| Self(text.to_owned()))
    }

    /// One that is written in this crate.
    pub(crate) fn of_ours(code: &'static str) -> Self {
        Self::parse(code).expect("our own codes have a code's shape")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
