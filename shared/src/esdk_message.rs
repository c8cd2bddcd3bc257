//! The layout of an AWS Encryption SDK message, read without any key.
//!
//! Source: the AWS Encryption SDK message format reference
//! (<https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html>) and the files
//! `data-format/message-{header,body,footer}.md` of the awslabs/aws-encryption-sdk-specification.
//! Integers are big-endian and unsigned. Every length is bounded by the bytes that are left, so that no
//! input makes this panic or allocate more than its own size.

use crate::MessageId;

const TYPE_CUSTOMER_AUTHENTICATED_ENCRYPTED_DATA: u8 = 0x80;
const FINAL_FRAME: u32 = u32::MAX;
const IV_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const COMMITMENT_KEY_BYTES: usize = 32;

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
        let mut reader = Reader { bytes, offset: 0 };
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

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn header_v1(&mut self) -> Result<EsdkMessage, LayoutError> {
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

    fn header_v2(&mut self) -> Result<EsdkMessage, LayoutError> {
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

    fn end(&self) -> Result<(), LayoutError> {
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

    fn u8(&mut self, field: &'static str) -> Result<u8, LayoutError> {
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    /// A code of Cognito as AWS made it, from a public capture
    /// (Yorlin2S/CustomEmailSenderWithLambdaTrigger, README.md). Its author cut the signature's last bytes off:
    /// zeros stand in for them, so it parses but does not verify.
    pub(crate) fn capture() -> Vec<u8> {
        let event: serde_json::Value =
            serde_json::from_str(include_str!("fixtures/email_sign_up_capture.json")).expect("the fixture is JSON");
        let code = event["request"]["code"].as_str().expect("the fixture has a code");
        let mut bytes = STANDARD.decode(code).expect("base64");
        bytes.resize(CAPTURE_BYTES, 0);
        bytes
    }

    const CAPTURE_BYTES: usize = 614;

    #[test]
    fn a_real_cognito_code_is_read_to_its_last_field() {
        let message = EsdkMessage::parse(&capture()).expect("a real code parses");
        assert_eq!(message.version, 1);
        assert_eq!(message.suite, AlgorithmSuite::COGNITO);
        assert_eq!(message.message_id.to_string(), "9b1cf0005fcf859edf9c9e55052be80f");
        let keys: Vec<_> = message.encryption_context.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["aws-crypto-public-key", "userpool-id"]);
        assert_eq!(message.encryption_context[1].1, "eu-west-1_UVcwvZ1E8");
        let [key] = message.encrypted_data_keys.as_slice() else { panic!("one encrypted data key") };
        assert_eq!(key.provider_id, "aws-kms");
        assert_eq!(key.provider_info, b"arn:aws:kms:eu-west-1:249759398934:key/8a23102c-9b68-4fed-82ce-523c5363539e");
        assert_eq!(key.ciphertext.len(), 184);
        assert_eq!(message.plaintext_bytes, 6);
    }

    #[test]
    fn a_truncation_at_every_length_is_refused() {
        let mut whole = capture();
        for length in 0..whole.len() {
            assert!(EsdkMessage::parse(&whole[..length]).is_err(), "{length} bytes were accepted");
        }
        whole.push(0);
        assert_eq!(EsdkMessage::parse(&whole), Err(LayoutError::TrailingBytes { offset: CAPTURE_BYTES }));
    }

    #[test]
    fn an_error_names_the_field_and_the_place() {
        assert_eq!(EsdkMessage::parse(&[]).unwrap_err().to_string(), "the message ends inside the version (byte 0)");
        assert_eq!(
            EsdkMessage::parse(&[1, 0x80, 0x99, 0x99]).unwrap_err().to_string(),
            "the algorithm suite has a value that the format does not allow (byte 2)"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            let _ = EsdkMessage::parse(&bytes);
        }

        #[test]
        fn no_change_to_a_real_code_makes_the_parser_panic(
            changes in proptest::collection::vec((0..CAPTURE_BYTES, any::<u8>()), 1..8),
            length in 0usize..700,
        ) {
            let mut bytes = capture();
            for (position, value) in changes {
                bytes[position] = value;
            }
            bytes.resize(length, 0);
            let _ = EsdkMessage::parse(&bytes);
        }

        #[test]
        fn version_2_is_read_as_the_format_writes_it(
            context in proptest::collection::btree_map("[a-z]{1,8}", "[ -~]{0,12}", 0..4),
            edk in proptest::collection::vec(any::<u8>(), 0..200),
            content in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let bytes = version_2(&context.clone().into_iter().collect::<Vec<_>>(), &edk, &content);
            let message = EsdkMessage::parse(&bytes).expect("a message written by the book parses");
            prop_assert_eq!(message.version, 2);
            prop_assert_eq!(message.suite.id(), 0x0478);
            prop_assert_eq!(message.encryption_context, context.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(&message.encrypted_data_keys[0].ciphertext, &edk);
            prop_assert_eq!(message.plaintext_bytes, content.len() as u64);
        }
    }

    fn version_2(context: &[(String, String)], edk: &[u8], content: &[u8]) -> Vec<u8> {
        let counted = |bytes: &[u8]| [&u16::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat();
        let mut aad = Vec::new();
        if !context.is_empty() {
            aad.extend(u16::try_from(context.len()).expect("few").to_be_bytes());
            for (key, value) in context {
                aad.extend(counted(key.as_bytes()));
                aad.extend(counted(value.as_bytes()));
            }
        }
        let mut bytes = vec![2, 0x04, 0x78];
        bytes.extend([7; 32]);
        bytes.extend(counted(&aad));
        bytes.extend([0, 1]);
        bytes.extend(counted(b"aws-kms"));
        bytes.extend(counted(b"arn"));
        bytes.extend(counted(edk));
        bytes.push(2);
        bytes.extend(4096u32.to_be_bytes());
        bytes.extend([0; COMMITMENT_KEY_BYTES + TAG_BYTES]);
        bytes.extend(FINAL_FRAME.to_be_bytes());
        bytes.extend(1u32.to_be_bytes());
        bytes.extend([0; IV_BYTES]);
        bytes.extend(u32::try_from(content.len()).expect("short").to_be_bytes());
        bytes.extend(content);
        bytes.extend([0; TAG_BYTES]);
        bytes
    }
}
