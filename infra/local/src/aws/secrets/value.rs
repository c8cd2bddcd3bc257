//! What is kept secret.

use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::error::SecretsError;

/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
const BYTES: usize = 65_536;

/// A text or bytes, wiped when dropped, and never in debug output.
#[derive(Clone, Debug)]
pub enum SecretValue {
    /// `SecretString` on the wire.
    Text(SecretString),
    /// `SecretBinary` on the wire.
    Binary(SecretSlice<u8>),
}

impl SecretValue {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.expose_secret().len(),
            Self::Binary(bytes) => bytes.expose_secret().len(),
        }
    }

    pub(super) fn check(&self) -> Result<(), SecretsError> {
        if (1..=BYTES).contains(&self.len()) {
            return Ok(());
        }
        let reason = format!("1 validation error detected: a secret value has 1 to {BYTES} bytes");
        Err(SecretsError::Validation { reason })
    }

    /// A retry brings the same value again.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.expose_secret() == other.expose_secret(),
            (Self::Binary(one), Self::Binary(other)) => one.expose_secret() == other.expose_secret(),
            (Self::Text(_), Self::Binary(_)) | (Self::Binary(_), Self::Text(_)) => false,
        }
    }
}

impl From<&str> for SecretValue {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
