use lambda_runtime::Diagnostic;
use shared::{EventError, MessageId, QueueMessageError, SealedCodeError, UserPoolId};

use crate::EnqueueError;

/// Why an invocation failed. Its text names fields and causes, never a value of the event but the pool's id.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the event can never be sent: {0}")]
    Event(#[from] EventError),
    #[error("user pool {pool} is not in USER_POOL_IDS; add it there if its users should get their messages this way")]
    PoolNotAllowed { id: MessageId, pool: UserPoolId },
    #[error("the event can never be sent: {cause}")]
    UntrustedCode { id: MessageId, cause: SealedCodeError },
    #[error("the event can never be sent: {cause}")]
    Message { id: MessageId, cause: QueueMessageError },
    #[error("message {id} did not reach the queue: {cause}")]
    NotEnqueued { id: MessageId, cause: EnqueueError },
}

impl Refusal {
    /// The error type that Lambda reports, a bounded set for alarms and retry rules.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Event(error) => event_kind(error),
            Self::PoolNotAllowed { .. } => "WrongUserPool",
            Self::UntrustedCode { cause, .. } => code_kind(cause),
            Self::Message { .. } => "MalformedEvent",
            Self::NotEnqueued { cause, .. } => cause.kind(),
        }
    }

    /// The id of the message that the event would have become; none where it could not be read that far.
    pub fn id(&self) -> Option<&MessageId> {
        match self {
            Self::Event(_) => None,
            Self::PoolNotAllowed { id, .. }
            | Self::UntrustedCode { id, .. }
            | Self::Message { id, .. }
            | Self::NotEnqueued { id, .. } => Some(id),
        }
    }
}

fn event_kind(error: &EventError) -> &'static str {
    match error {
        EventError::NotJson { .. }
        | EventError::TooLarge
        | EventError::TooDeep
        | EventError::Missing { .. }
        | EventError::WrongType { .. }
        | EventError::RequestType
        | EventError::UserPool(_) => "MalformedEvent",
        EventError::ForeignTrigger => "ForeignTrigger",
        EventError::NoCode { .. } => "NoCode",
        EventError::NoPhoneNumber => "NoPhoneNumber",
        EventError::PhoneNumber(_) => "InvalidPhoneNumber",
        EventError::Code(error) => code_kind(error),
    }
}

fn code_kind(error: &SealedCodeError) -> &'static str {
    match error {
        SealedCodeError::NotBase64 | SealedCodeError::TooLong | SealedCodeError::Layout(_) => "MalformedCode",
        SealedCodeError::Suite(_) => "UntrustedCode",
        SealedCodeError::ForeignPool | SealedCodeError::NoPool => "WrongUserPool",
    }
}

impl From<Refusal> for Diagnostic {
    fn from(refusal: Refusal) -> Self {
        Self { error_type: refusal.kind().to_owned(), error_message: refusal.to_string() }
    }
}
