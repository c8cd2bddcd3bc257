//! The layout of an AWS Encryption SDK message, read without any key.
//!
//! Source: the AWS Encryption SDK message format reference
//! (<https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html>) and the files
//! `data-format/message-{header,body,footer}.md` of the awslabs/aws-encryption-sdk-specification.
//! Integers are big-endian and unsigned. Every length is bounded by the bytes that are left, so that no
//! input makes this panic or allocate out of proportion to its size.

mod layout;
#[cfg(test)]
pub(crate) mod tests;

use crate::MessageId;
use layout::Reader;

/// The header of a message, and what its body shows without the key.
///
/// Nothing here is authentic before a decryption has verified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EsdkMessage {
    /// Format version: 1 for suites without key commitment, 2 for suites with it.
    pub version: u8,
    pub suite: AlgorithmSuite,
    pub message_id: MessageId,
    /// Strictly ascending by key, as the format demands.
    pub encryption_context: Vec<(String, String)>,
    /// At least one.
    pub encrypted_data_keys: Vec<EncryptedDataKey>,
    /// Length of the plaintext in bytes.
    pub plaintext_bytes: u64,
}

/// One wrapping of the data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedDataKey {
    /// `aws-kms` for KMS keyrings.
    pub provider_id: String,
    /// The key ARN when the provider is `aws-kms`.
    pub provider_info: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

/// An algorithm suite of the AWS Encryption SDK
/// (<https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/algorithms-reference.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlgorithmSuite {
    Uncommitted { id: u16, signed: bool },
    Committed { id: u16, signed: bool },
}

impl AlgorithmSuite {
    /// The suite of every Cognito code: AES-256-GCM, HKDF-SHA-384, ECDSA P-384, no key commitment.
    pub const COGNITO: Self = Self::Uncommitted { id: 0x0378, signed: true };

    fn from_id(id: u16) -> Option<Self> {
        match id {
            0x0014 | 0x0046 | 0x0078 | 0x0114 | 0x0146 | 0x0178 => Some(Self::Uncommitted { id, signed: false }),
            0x0214 | 0x0346 | 0x0378 => Some(Self::Uncommitted { id, signed: true }),
            0x0478 => Some(Self::Committed { id, signed: false }),
            0x0578 => Some(Self::Committed { id, signed: true }),
            _ => None,
        }
    }

    /// The suite's number in the format, `0x0378` for Cognito.
    pub fn id(self) -> u16 {
        match self {
            Self::Uncommitted { id, .. } | Self::Committed { id, .. } => id,
        }
    }

    fn is_signed(self) -> bool {
        match self {
            Self::Uncommitted { signed, .. } | Self::Committed { signed, .. } => signed,
        }
    }
}

impl std::fmt::Display for AlgorithmSuite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{:04x}", self.id())
    }
}

/// Why bytes are not an Encryption SDK message: which field, where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error("the message ends inside {field} (byte {offset})")]
    Truncated { field: &'static str, offset: usize },
    #[error("{field} has a value that the format does not allow (byte {offset})")]
    Invalid { field: &'static str, offset: usize },
    #[error("bytes follow the end of the message (byte {offset})")]
    TrailingBytes { offset: usize },
}

impl EsdkMessage {
    /// Reads a whole message, from its version to its last byte.
    ///
    /// # Errors
    /// When any field is cut short, has a value outside the format, or when bytes follow the message.
    pub fn parse(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8("the version")?;
        let message = match version {
            1 => reader.header_v1(),
            2 => reader.header_v2(),
            _ => return Err(LayoutError::Invalid { field: "the version", offset: 0 }),
        }?;
        reader.end()?;
        Ok(message)
    }
}
