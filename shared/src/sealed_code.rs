use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{AlgorithmSuite, EsdkMessage, KeyArn, LayoutError, MessageId, Trust, UserPoolId};

/// The encryption context key by which Cognito binds a code to its user pool.
pub const POOL_CONTEXT_KEY: &str = "userpool-id";

/// A code of Cognito is 608 to about 870 bytes long; emulators stay below 1,000.
const MAX_SEALED_BYTES: usize = 8 * 1024;
/// How many characters of the base64 text a person needs to see to know that a code is sealed.
const SHOWN_CHARACTERS: usize = 8;

/// A one-time code or temporary password, still encrypted, whose layout has been read.
///
/// `Debug` and `Display` show the suite and the first characters only.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCode {
    bytes: Vec<u8>,
    message: EsdkMessage,
}

/// Why a text is not a sealed code, or not one to trust. It never quotes the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedCodeError {
    #[error("the code is not base64")]
    NotBase64,
    #[error("the code is longer than {MAX_SEALED_BYTES} bytes")]
    TooLong,
    #[error("the code is not an AWS Encryption SDK message: {0}")]
    Layout(#[from] LayoutError),
    #[error(
        "the code uses algorithm suite {0}, not {cognito} as Cognito does{remedy}",
        cognito = AlgorithmSuite::COGNITO,
        remedy = committed_suite_remedy(*.0)
    )]
    Suite(AlgorithmSuite),
    #[error("the code was sealed for another user pool than the event's")]
    ForeignPool,
    #[error(
        "the code's encryption context names no {POOL_CONTEXT_KEY} \
         (emulators make such codes: set allow_missing_pool under [trust] to accept them)"
    )]
    NoPool,
}

fn committed_suite_remedy(suite: AlgorithmSuite) -> &'static str {
    match suite {
        AlgorithmSuite::Committed { .. } => {
            " (emulators make such codes: set allow_committed_suites under [trust] to accept them)"
        }
        AlgorithmSuite::Uncommitted { .. } => "",
    }
}

impl SealedCode {
    /// Reads the base64 text of a code and the layout of the message inside, to its last byte.
    ///
    /// # Errors
    /// When the text is not base64, too long, or not an Encryption SDK message.
    pub fn parse(text: &str) -> Result<Self, SealedCodeError> {
        if text.len() > MAX_SEALED_BYTES.div_ceil(3) * 4 {
            return Err(SealedCodeError::TooLong);
        }
        let bytes = STANDARD.decode(text).map_err(|_| SealedCodeError::NotBase64)?;
        let message = EsdkMessage::parse(&bytes)?;
        Ok(Self { bytes, message })
    }

    /// Checks what can be checked without a key: the suite is Cognito's and the code belongs to `pool`,
    /// `trust` permitting exceptions for emulators.
    ///
    /// # Errors
    /// When the suite is another, or the encryption context names another pool or none.
    pub fn check(&self, pool: &UserPoolId, trust: &Trust) -> Result<(), SealedCodeError> {
        match self.message.suite {
            AlgorithmSuite::COGNITO => {}
            AlgorithmSuite::Committed { .. } if trust.allow_committed_suites => {}
            suite @ (AlgorithmSuite::Committed { .. } | AlgorithmSuite::Uncommitted { .. }) => {
                return Err(SealedCodeError::Suite(suite));
            }
        }
        match self.user_pool() {
            Some(sealed_for) if sealed_for == pool.as_str() => Ok(()),
            Some(_) => Err(SealedCodeError::ForeignPool),
            None if trust.allow_missing_pool => Ok(()),
            None => Err(SealedCodeError::NoPool),
        }
    }

    /// The whole Encryption SDK message.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message's layout. Not authentic before a decryption has verified it.
    pub fn message(&self) -> &EsdkMessage {
        &self.message
    }

    pub fn message_id(&self) -> &MessageId {
        &self.message.message_id
    }

    /// The user pool that the encryption context names.
    pub fn user_pool(&self) -> Option<&str> {
        let context = &self.message.encryption_context;
        context.iter().find(|(key, _)| key == POOL_CONTEXT_KEY).map(|(_, value)| value.as_str())
    }

    /// The KMS keys that wrapped the data key, in the message's order.
    pub fn key_arns(&self) -> impl Iterator<Item = KeyArn> + '_ {
        let keys = self.message.encrypted_data_keys.iter().filter(|key| key.provider_id == "aws-kms");
        keys.filter_map(|key| KeyArn::parse(std::str::from_utf8(&key.provider_info).ok()?).ok())
    }
}

impl std::fmt::Display for SealedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: String = STANDARD.encode(&self.bytes).chars().take(SHOWN_CHARACTERS).collect();
        write!(f, "{shown}…")
    }
}

impl std::fmt::Debug for SealedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedCode({self}, suite {}, {} bytes)", self.message.suite, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::esdk_message::tests::capture;

    fn pool(text: &str) -> UserPoolId {
        UserPoolId::parse(text).expect("a pool id")
    }

    fn real_code() -> SealedCode {
        SealedCode::parse(&STANDARD.encode(capture())).expect("a real code")
    }

    #[test]
    fn a_real_code_is_trusted_for_its_own_pool_only() {
        let code = real_code();
        assert_eq!(code.check(&pool("eu-west-1_UVcwvZ1E8"), &Trust::default()), Ok(()));
        assert_eq!(code.check(&pool("eu-west-1_Other"), &Trust::default()), Err(SealedCodeError::ForeignPool));
        let emulators = Trust { allow_missing_pool: true, allow_committed_suites: true };
        assert_eq!(code.check(&pool("eu-west-1_Other"), &emulators), Err(SealedCodeError::ForeignPool));
        assert_eq!(
            code.key_arns().map(|arn| arn.to_string()).collect::<Vec<_>>(),
            ["arn:aws:kms:eu-west-1:249759398934:key/8a23102c-9b68-4fed-82ce-523c5363539e"]
        );
    }

    #[test]
    fn nothing_but_the_first_characters_is_printed() {
        assert_eq!(format!("{:?}", real_code()), "SealedCode(AYADeJsc…, suite 0x0378, 614 bytes)");
    }

    #[test]
    fn texts_that_are_no_sealed_code_are_refused_by_kind() {
        assert_eq!(SealedCode::parse("!"), Err(SealedCodeError::NotBase64));
        assert_eq!(SealedCode::parse(&"A".repeat(1 << 20)), Err(SealedCodeError::TooLong));
        // One emulator sends the base64 of the clear code.
        assert!(matches!(SealedCode::parse(&STANDARD.encode("123456")), Err(SealedCodeError::Layout(_))));
    }
}
