//! What is refused before a key is used or money is spent.

use shared::{
    DeadLetterReason, EventError, MessageId, QueueMessage, QueueMessageError, SealedCodeError, Timestamp, TriggerSource,
};

use crate::config::Config;
use crate::destination::{Destination, Way};
use crate::limits::Limits;
use crate::phone_region::Country;
use crate::record::Record;
use crate::state::{Switches, Window};

/// A message that may be decrypted and sent.
pub(crate) struct Admitted {
    pub(crate) message: QueueMessage,
    pub(crate) country: Country,
    pub(crate) way: Way,
}

impl Admitted {
    /// The windows that the message counts in, the narrowest limit first.
    pub(crate) fn windows(&self, limits: &Limits, now: Timestamp) -> Vec<Window> {
        match self.way {
            Way::Route(_) => limits.windows(self.message.event.phone_number(), self.country, now),
            Way::TestNumber => Vec::new(),
        }
    }
}

/// A message that is not sent, now or ever.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: DeadLetterReason,
    /// Nothing personal: goes into a queue attribute and a log line.
    pub(crate) detail: String,
    /// The message's own id and source, where the body could be read.
    pub(crate) id: Option<MessageId>,
    pub(crate) trigger_source: Option<TriggerSource>,
}

/// Decides whether a record's message is to be sent.
///
/// # Errors
/// The reason for which it goes to the dead-letter queue.
pub(crate) fn admit(
    record: &Record,
    config: &Config,
    switches: &Switches,
    now: Timestamp,
) -> Result<Admitted, Refused> {
    if let Some(trusted) = &config.trusted_senders {
        let is_trusted = record.sender().is_some_and(|sender| trusted.contains(sender));
        if !is_trusted {
            return Err(refused(DeadLetterReason::UntrustedSender, "the sender is not in TRUSTED_SENDER_IDS"));
        }
    }
    let message = QueueMessage::parse(&record.body).map_err(|error| unreadable(&error))?;
    match admit_message(&message, config, switches, now) {
        Ok(Destination { country, way }) => Ok(Admitted { message, country, way }),
        Err(refused) => {
            let trigger_source = Some(message.event.trigger_source());
            Err(Refused { id: Some(message.id), trigger_source, ..refused })
        }
    }
}

fn admit_message(
    message: &QueueMessage,
    config: &Config,
    switches: &Switches,
    now: Timestamp,
) -> Result<Destination, Refused> {
    let event = &message.event;
    let pool = event.user_pool();
    if config.allowed_pools.as_ref().is_some_and(|allowed| !allowed.contains(pool)) {
        let detail = format!("user pool {pool} is not in USER_POOL_IDS");
        return Err(refused(DeadLetterReason::WrongUserPool, detail));
    }
    if let Some(code) = event.code() {
        code.check(pool, &config.settings.trust).map_err(|error| refused(code_reason(&error), error.to_string()))?;
    }
    if now >= message.expires_at {
        return Err(refused(DeadLetterReason::Expired, format!("expired at {:.3}", message.expires_at)));
    }
    let Config { route, test_numbers, .. } = config;
    Destination::find(event.phone_number(), route, test_numbers, switches, now)
        .map_err(|refusal| refused(refusal.reason(), refusal.to_string()))
}

fn refused(reason: DeadLetterReason, detail: impl Into<String>) -> Refused {
    Refused { reason, detail: detail.into(), id: None, trigger_source: None }
}

fn unreadable(error: &QueueMessageError) -> Refused {
    let reason = match error {
        QueueMessageError::NotJson { .. }
        | QueueMessageError::UnknownType
        | QueueMessageError::Field { .. }
        | QueueMessageError::ForeignId
        | QueueMessageError::TooLarge => DeadLetterReason::Malformed,
        QueueMessageError::Event(error) => event_reason(error),
    };
    refused(reason, error.to_string())
}

fn event_reason(error: &EventError) -> DeadLetterReason {
    match error {
        EventError::NotJson { .. }
        | EventError::TooLarge
        | EventError::TooDeep
        | EventError::Missing { .. }
        | EventError::WrongType { .. }
        | EventError::ForeignTrigger
        | EventError::RequestType
        | EventError::NoCode { .. }
        | EventError::UserPool(_) => DeadLetterReason::Malformed,
        EventError::NoPhoneNumber => DeadLetterReason::NoPhoneNumber,
        EventError::PhoneNumber(_) => DeadLetterReason::InvalidPhoneNumber,
        EventError::Code(error) => code_reason(error),
    }
}

fn code_reason(error: &SealedCodeError) -> DeadLetterReason {
    match error {
        SealedCodeError::NotBase64 | SealedCodeError::TooLong | SealedCodeError::Layout(_) => {
            DeadLetterReason::Malformed
        }
        SealedCodeError::Suite(_) => DeadLetterReason::Undecryptable,
        SealedCodeError::ForeignPool | SealedCodeError::NoPool => DeadLetterReason::WrongUserPool,
    }
}
