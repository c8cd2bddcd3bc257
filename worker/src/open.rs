//! The injected function that opens a sealed code.

use secrecy::{SecretBox, SecretString};
use shared::SealedCode;

/// Turns a sealed code and its data key into the clear code: pure, synchronous, a third of a millisecond.
pub type OpenCode = fn(&SealedCode, &SecretBox<[u8; 32]>) -> Result<SecretString, OpenFailure>;

/// Why a code was not opened although its data key was unwrapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenFailure {
    /// The code is not what was sealed: it never opens.
    #[error("{0}")]
    Undecryptable(String),
    /// The decryption itself failed.
    #[error("{0}")]
    Fault(String),
}

/// Opens with the AWS Encryption SDK.
#[cfg(feature = "esdk")]
pub fn open_with_esdk(code: &SealedCode, data_key: &SecretBox<[u8; 32]>) -> Result<SecretString, OpenFailure> {
    esdk::open(code, data_key).map_err(|error| match error {
        esdk::OpenError::HeaderRefused
        | esdk::OpenError::KeyWithheld(_)
        | esdk::OpenError::NotAuthentic
        | esdk::OpenError::NotUtf8 => OpenFailure::Undecryptable(error.to_string()),
        esdk::OpenError::Library(_) => OpenFailure::Fault(error.to_string()),
    })
}
