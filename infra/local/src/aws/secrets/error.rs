//! Refusals of Secrets Manager, with the names that AWS gives them.

/// Why Secrets Manager refused. Values are never part of an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// No such secret in this region and account.
    #[error("Secrets Manager can't find the specified secret.")]
    NotFound,
    /// The secret has no version with this staging label.
    #[error("Secrets Manager can't find the specified secret value for staging label: {stage}")]
    StageNotFound { stage: String },
    /// The secret has no version of this id.
    #[error("Secrets Manager can't find the specified secret value for VersionId: {version_id}")]
    VersionNotFound { version_id: String },
    /// A secret of that name exists.
    #[error("The operation failed because the secret {name} already exists.")]
    NameExists { name: String },
    /// A version of that id exists, with another value.
    #[error(
        "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
    )]
    TokenInUse { token: String, arn: String },
    /// The secret is about to be deleted.
    #[error("You can't perform this operation on the secret because it was marked for deletion.")]
    MarkedForDeletion,
    /// A secret of that name is about to be deleted.
    #[error("You can't create this secret because a secret with this name is already scheduled for deletion.")]
    NameMarkedForDeletion,
    /// A version and a staging label were named, and do not belong together.
    #[error("You provided a VersionStage that is not associated to the provided VersionId.")]
    StageOfAnotherVersion,
    /// Parameters that do not go together, or not with the secret as it is.
    #[error("{reason}")]
    InvalidParameter { reason: String },
    /// A name, a text or a list is outside what Secrets Manager takes.
    #[error("{reason}")]
    Validation { reason: String },
    /// The stand-in's own bound, or the quota of staging labels.
    #[error("There are already {count} {what}. This is a bound of the local stand-in that protects its memory.")]
    LimitExceeded { what: &'static str, count: usize },
}

impl SecretsError {
    /// The name of the error on the wire. The status is always 400.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::StageNotFound { .. } | Self::VersionNotFound { .. } => "ResourceNotFoundException",
            Self::NameExists { .. } | Self::TokenInUse { .. } => "ResourceExistsException",
            Self::MarkedForDeletion | Self::NameMarkedForDeletion | Self::StageOfAnotherVersion => {
                "InvalidRequestException"
            }
            Self::InvalidParameter { .. } => "InvalidParameterException",
            Self::Validation { .. } => "ValidationException",
            Self::LimitExceeded { .. } => "LimitExceededException",
        }
    }
}

/// Parameters that do not go together.
pub(in super::super) fn invalid(reason: &str) -> SecretsError {
    SecretsError::InvalidParameter { reason: reason.to_owned() }
}

/// `text` must have so many bytes. It is not repeated in the error.
pub(super) fn check_length(
    member: &str,
    text: &str,
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<(), SecretsError> {
    if allowed.contains(&text.len()) {
        return Ok(());
    }
    let (least, most) = (allowed.start(), allowed.end());
    let reason = format!("1 validation error detected: {member} must have a length between {least} and {most}");
    Err(SecretsError::Validation { reason })
}
