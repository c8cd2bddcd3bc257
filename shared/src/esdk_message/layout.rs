//! Header, body and footer, field by field. Every length is bounded by the bytes that are left.

use super::{AlgorithmSuite, EncryptedDataKey, EsdkMessage, LayoutError};
use crate::MessageId;

const TYPE_CUSTOMER_AUTHENTICATED_ENCRYPTED_DATA: u8 = 0x80;
pub(super) const FINAL_FRAME: u32 = u32::MAX;
pub(super) const IV_BYTES: usize = 12;
pub(super) const TAG_BYTES: usize = 16;
pub(super) const COMMITMENT_KEY_BYTES: usize = 32;

/// Reads a message's fields one after the other.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) fn header_v1(&mut self) -> Result<EsdkMessage, LayoutError> {
        if self.u8("the type")? != TYPE_CUSTOMER_AUTHENTICATED_ENCRYPTED_DATA {
            return Err(self.invalid("the type", 1));
        }
        let suite = self.suite()?;
        if matches!(suite, AlgorithmSuite::Committed { .. }) {
            return Err(self.invalid("the algorithm suite", 2));
        }
        let message_id = MessageId::from_bytes(self.take(16, "the message id")?);
        let encryption_context = self.encryption_context()?;
        let encrypted_data_keys = self.encrypted_data_keys()?;
        let content = self.content_type()?;
        if self.u32("the reserved bytes")? != 0 {
            return Err(self.invalid("the reserved bytes", 4));
        }
        if usize::from(self.u8("the IV length")?) != IV_BYTES {
            return Err(self.invalid("the IV length", 1));
        }
        let frame_bytes = self.frame_length(content)?;
        self.take(IV_BYTES, "the header IV")?;
        self.take(TAG_BYTES, "the header authentication tag")?;
        let plaintext_bytes = self.body_and_footer(suite, content, frame_bytes)?;
        Ok(EsdkMessage { version: 1, suite, message_id, encryption_context, encrypted_data_keys, plaintext_bytes })
    }

    pub(super) fn header_v2(&mut self) -> Result<EsdkMessage, LayoutError> {
        let suite = self.suite()?;
        if matches!(suite, AlgorithmSuite::Uncommitted { .. }) {
            return Err(self.invalid("the algorithm suite", 2));
        }
        let message_id = MessageId::from_bytes(self.take(32, "the message id")?);
        let encryption_context = self.encryption_context()?;
        let encrypted_data_keys = self.encrypted_data_keys()?;
        let content = self.content_type()?;
        let frame_bytes = self.frame_length(content)?;
        self.take(COMMITMENT_KEY_BYTES, "the commitment key")?;
        self.take(TAG_BYTES, "the header authentication tag")?;
        let plaintext_bytes = self.body_and_footer(suite, content, frame_bytes)?;
        Ok(EsdkMessage { version: 2, suite, message_id, encryption_context, encrypted_data_keys, plaintext_bytes })
    }

    fn suite(&mut self) -> Result<AlgorithmSuite, LayoutError> {
        let id = self.u16("the algorithm suite")?;
        AlgorithmSuite::from_id(id).ok_or_else(|| self.invalid("the algorithm suite", 2))
    }

    fn encryption_context(&mut self) -> Result<Vec<(String, String)>, LayoutError> {
        let length = usize::from(self.u16("the encryption context length")?);
        if length == 0 {
            return Ok(Vec::new());
        }
        let end = self.offset + length;
        let count = self.u16("the encryption context pair count")?;
        if count == 0 {
            return Err(self.invalid("the encryption context pair count", 2));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for _ in 0..count {
            let key = self.counted_text("an encryption context key")?;
            let value = self.counted_text("an encryption context value")?;
            if pairs.last().is_some_and(|(previous, _)| previous.as_bytes() >= key.as_bytes()) {
                return Err(self.invalid("the order of encryption context keys", 0));
            }
            pairs.push((key, value));
        }
        if self.offset != end {
            return Err(self.invalid("the encryption context length", 0));
        }
        Ok(pairs)
    }

    fn encrypted_data_keys(&mut self) -> Result<Vec<EncryptedDataKey>, LayoutError> {
        let count = self.u16("the encrypted data key count")?;
        if count == 0 {
            return Err(self.invalid("the encrypted data key count", 2));
        }
        let mut keys = Vec::new();
        for _ in 0..count {
            keys.push(EncryptedDataKey {
                provider_id: self.counted_text("a key provider id")?,
                provider_info: self.counted("a key provider's information")?.to_vec(),
                ciphertext: self.counted("an encrypted data key")?.to_vec(),
            });
        }
        Ok(keys)
    }

    fn content_type(&mut self) -> Result<ContentType, LayoutError> {
        match self.u8("the content type")? {
            1 => Ok(ContentType::NonFramed),
            2 => Ok(ContentType::Framed),
            _ => Err(self.invalid("the content type", 1)),
        }
    }

    fn frame_length(&mut self, content: ContentType) -> Result<u32, LayoutError> {
        let length = self.u32("the frame length")?;
        match content {
            ContentType::Framed if length == 0 => Err(self.invalid("the frame length", 4)),
            ContentType::NonFramed if length != 0 => Err(self.invalid("the frame length", 4)),
            ContentType::Framed | ContentType::NonFramed => Ok(length),
        }
    }

    fn body_and_footer(
        &mut self,
        suite: AlgorithmSuite,
        content: ContentType,
        frame_bytes: u32,
    ) -> Result<u64, LayoutError> {
        let plaintext_bytes = match content {
            ContentType::Framed => self.frames(frame_bytes)?,
            ContentType::NonFramed => self.single_block()?,
        };
        if suite.is_signed() {
            self.counted("the signature")?;
        }
        Ok(plaintext_bytes)
    }

    fn frames(&mut self, frame_bytes: u32) -> Result<u64, LayoutError> {
        let mut plaintext_bytes = 0;
        for expected in 1..=FINAL_FRAME {
            let sequence = self.u32("a frame's sequence number")?;
            let is_final = sequence == FINAL_FRAME;
            let number = if is_final { self.u32("the final frame's sequence number")? } else { sequence };
            if number != expected {
                return Err(self.invalid("a frame's sequence number", 4));
            }
            self.take(IV_BYTES, "a frame's IV")?;
            let content_bytes = if is_final { self.u32("the final frame's content length")? } else { frame_bytes };
            if content_bytes > frame_bytes {
                return Err(self.invalid("the final frame's content length", 4));
            }
            self.take(content_bytes as usize, "a frame's content")?;
            self.take(TAG_BYTES, "a frame's authentication tag")?;
            plaintext_bytes += u64::from(content_bytes);
            if is_final {
                break;
            }
        }
        Ok(plaintext_bytes)
    }

    fn single_block(&mut self) -> Result<u64, LayoutError> {
        self.take(IV_BYTES, "the body's IV")?;
        let length = u64::from_be_bytes(self.array("the body's content length")?);
        let content = usize::try_from(length).map_err(|_| self.invalid("the body's content length", 8))?;
        self.take(content, "the body's content")?;
        self.take(TAG_BYTES, "the body's authentication tag")?;
        Ok(length)
    }

    pub(super) fn end(&self) -> Result<(), LayoutError> {
        if self.offset == self.bytes.len() { Ok(()) } else { Err(LayoutError::TrailingBytes { offset: self.offset }) }
    }

    fn counted_text(&mut self, field: &'static str) -> Result<String, LayoutError> {
        let bytes = self.counted(field)?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.invalid(field, bytes.len()))?;
        Ok(text.to_owned())
    }

    fn counted(&mut self, field: &'static str) -> Result<&'a [u8], LayoutError> {
        let length = self.u16(field)?;
        self.take(usize::from(length), field)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, LayoutError> {
        Ok(u8::from_be_bytes(self.array(field)?))
    }

    fn u16(&mut self, field: &'static str) -> Result<u16, LayoutError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    fn u32(&mut self, field: &'static str) -> Result<u32, LayoutError> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], LayoutError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let (array, _) = rest.split_first_chunk::<N>().ok_or(LayoutError::Truncated { field, offset: self.offset })?;
        self.offset += N;
        Ok(*array)
    }

    fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], LayoutError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let taken = rest.get(..length).ok_or(LayoutError::Truncated { field, offset: self.offset })?;
        self.offset += length;
        Ok(taken)
    }

    /// An error about the field whose `length` bytes were read last.
    fn invalid(&self, field: &'static str, length: usize) -> LayoutError {
        LayoutError::Invalid { field, offset: self.offset.saturating_sub(length) }
    }
}

#[derive(Clone, Copy)]
enum ContentType {
    NonFramed,
    Framed,
}
