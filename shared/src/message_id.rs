use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The idempotency key of a message: lower-case hex of the Encryption SDK message id (16 or 32 bytes), or of
/// a SHA-256 where a message carries no code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(String);

impl MessageId {
    /// The id made of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut hex = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    /// The id of an event without a code: Lambda repeats an asynchronous event under the same request id, so a repetition
    /// has the same id, and two notifications of the same content do not.
    pub fn of_event_without_code(event_json: &[u8], request_id: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(event_json);
        digest.update(request_id.as_bytes());
        Self::from_bytes(&digest.finalize())
    }

    /// Reads 32 or 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (is_hex && matches!(text.len(), 32 | 64)).then(|| Self(text.to_owned()))
    }

    /// Whether it can be the id of a message without a code. A code of Cognito's has a shorter one, which nobody may
    /// use up by a message without it.
    pub(crate) fn is_of_digest(&self) -> bool {
        self.0.len() == 64
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = MessageId::from_bytes(&[0xab; 16]);
        assert_eq!(MessageId::parse(id.as_str()), Some(id));
    }

    #[test]
    fn other_texts_are_not_ids() {
        for text in ["", "ab", &"AB".repeat(16), &"zz".repeat(16), &"ab".repeat(17)] {
            assert_eq!(MessageId::parse(text), None, "{text}");
        }
    }
}
