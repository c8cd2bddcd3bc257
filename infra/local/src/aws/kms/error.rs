//! Refusals of KMS, with the names that AWS gives them.

/// Why KMS refused. Neither keys nor plaintexts nor ciphertexts are ever part of an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KmsError {
    /// No such key or alias in this region and account.
    #[error("Key '{key}' does not exist in this region and account")]
    NotFound { key: String },
    /// Altered, cut, made by another KMS, or encrypted under another encryption context.
    #[error("The ciphertext is not one of this KMS, was altered, or belongs to another encryption context")]
    InvalidCiphertext,
    /// Encrypted under another key than the one named.
    #[error("The key ID in the request does not identify a CMK that can perform this operation.")]
    IncorrectKey,
    /// The key is disabled.
    #[error("{key} is disabled.")]
    Disabled { key: String },
    /// The key is about to be deleted.
    #[error("{key} is pending deletion.")]
    PendingDeletion { key: String },
    /// An alias of that name exists.
    #[error("An alias with the name {alias} already exists")]
    AliasExists { alias: String },
    /// Not an alias name.
    #[error(
        "Alias must begin with 'alias/', must not begin with 'alias/aws/', and have 1 to 250 characters of \
         A-Z a-z 0-9 : / _ -"
    )]
    InvalidAliasName,
    /// The stand-in's own bound.
    #[error("There are already {count} {what}. This is a bound of the local stand-in that protects its memory.")]
    LimitExceeded { what: &'static str, count: usize },
    /// A parameter is outside what KMS takes.
    #[error("1 validation error detected: {reason}")]
    Validation { reason: String },
    /// Something that AWS has and this stand-in has not.
    #[error("The embedded KMS has only symmetric keys made by itself: {what} is not supported")]
    Unsupported { what: &'static str },
    /// The operating system gave no randomness.
    #[error("KMS could not complete the request because of an internal error")]
    Internal,
}

impl KmsError {
    /// The name of the error on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "NotFoundException",
            Self::InvalidCiphertext => "InvalidCiphertextException",
            Self::IncorrectKey => "IncorrectKeyException",
            Self::Disabled { .. } => "DisabledException",
            Self::PendingDeletion { .. } => "KMSInvalidStateException",
            Self::AliasExists { .. } => "AlreadyExistsException",
            Self::InvalidAliasName => "InvalidAliasNameException",
            Self::LimitExceeded { .. } => "LimitExceededException",
            Self::Validation { .. } => "ValidationException",
            Self::Unsupported { .. } => "UnsupportedOperationException",
            Self::Internal => "KMSInternalException",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Internal => 500,
            Self::NotFound { .. }
            | Self::InvalidCiphertext
            | Self::IncorrectKey
            | Self::Disabled { .. }
            | Self::PendingDeletion { .. }
            | Self::AliasExists { .. }
            | Self::InvalidAliasName
            | Self::LimitExceeded { .. }
            | Self::Validation { .. }
            | Self::Unsupported { .. } => 400,
        }
    }
}
