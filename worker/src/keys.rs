//! The seam to KMS: a wrapped data key in, the data key out.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_kms::config::http::HttpRequest;
use aws_sdk_kms::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kms::error::BoxError;
use aws_sdk_kms::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::primitives::Blob;
use secrecy::SecretBox;
use shared::{EsdkMessage, KeyArn};
use zeroize::Zeroize as _;

/// Unwraps data keys.
#[async_trait]
pub trait KeyService: Send + Sync {
    /// The data key inside `wrapped`.
    async fn unwrap(&self, wrapped: &WrappedDataKey) -> Result<SecretBox<[u8; 32]>, KeyError>;

    /// Opens the connection that the first call would else have to wait for. What goes wrong shows at that call.
    async fn connect(&self) {}
}

/// A data key as a message carries it, with everything KMS needs to unwrap it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedDataKey {
    pub key: KeyArn,
    pub ciphertext: Vec<u8>,
    /// The message's whole encryption context.
    pub context: HashMap<String, String>,
}

/// Why a data key was not unwrapped. The codes are KMS's own error names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It may succeed later by itself: throttled, failing or unreachable.
    #[error("KMS is not available: {code}")]
    Unavailable { code: String },
    /// It may succeed once an operator repairs it: no right, disabled key, key pending deletion.
    #[error("KMS does not allow it: {code}")]
    NotAllowed { code: String },
    /// It never succeeds: the ciphertext, its context or its key are wrong.
    #[error("KMS cannot decrypt it: {code}")]
    Invalid { code: String },
}

impl WrappedDataKey {
    /// The first data key of `message` that one of the `allowed` keys wrapped.
    pub fn find(message: &EsdkMessage, allowed: &[KeyArn]) -> Option<Self> {
        message.encrypted_data_keys.iter().filter(|wrapped| wrapped.provider_id == "aws-kms").find_map(|wrapped| {
            let key = allowed.iter().find(|key| key.as_str().as_bytes() == wrapped.provider_info)?;
            Some(Self {
                key: key.clone(),
                ciphertext: wrapped.ciphertext.clone(),
                context: message.encryption_context.iter().cloned().collect(),
            })
        })
    }
}

/// KMS itself.
pub struct KmsKeys {
    client: aws_sdk_kms::Client,
}

/// A KMS configuration that fails soon enough for the message to be postponed in good order.
pub fn kms_config(aws: &SdkConfig) -> aws_sdk_kms::Config {
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(100));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build();
    aws_sdk_kms::config::Builder::from(aws).retry_config(retries).timeout_config(timeouts).build()
}

impl KmsKeys {
    pub fn new(client: aws_sdk_kms::Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl KeyService for KmsKeys {
    async fn unwrap(&self, wrapped: &WrappedDataKey) -> Result<SecretBox<[u8; 32]>, KeyError> {
        let request = self
            .client
            .decrypt()
            .key_id(wrapped.key.as_str())
            .ciphertext_blob(Blob::new(wrapped.ciphertext.clone()))
            .set_encryption_context(Some(wrapped.context.clone()));
        let answer = request.send().await.map_err(|error| classify(&error))?;
        // KMS always says both. An empty answer, which the SDK takes for one without members, is somebody else's.
        let (Some(key), Some(plaintext)) = (answer.key_id, answer.plaintext) else {
            return Err(KeyError::Unavailable { code: "incomplete_answer".to_owned() });
        };
        let mut plaintext = plaintext.into_inner();
        if key != wrapped.key.as_str() {
            plaintext.zeroize();
            return Err(KeyError::Invalid { code: "AnsweredWithAnotherKey".to_owned() });
        }
        let data_key = <[u8; 32]>::try_from(plaintext.as_slice());
        plaintext.zeroize();
        data_key
            .map(|key| SecretBox::new(Box::new(key)))
            .map_err(|_| KeyError::Invalid { code: "DataKeyLength".to_owned() })
    }

    async fn connect(&self) {
        let once = aws_sdk_kms::config::Builder::new().retry_config(RetryConfig::disabled());
        let request = self.client.decrypt().customize().config_override(once).interceptor(AsksForNothing);
        // KMS refuses it, and the connection stays in the client's pool.
        let _ = request.send().await;
    }
}

/// Makes an operation's request a bare `GET /`, unsigned: no key is touched, and no event is logged for it.
#[derive(Debug)]
struct AsksForNothing;

impl Intercept for AsksForNothing {
    fn name(&self) -> &'static str {
        "asks for nothing"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        *request = HttpRequest::get(request.uri())?;
        Ok(())
    }
}

fn classify<R>(error: &SdkError<DecryptError, R>) -> KeyError {
    let unavailable = |code: &str| KeyError::Unavailable { code: code.to_owned() };
    match error {
        SdkError::TimeoutError(_) => unavailable("timeout"),
        SdkError::DispatchFailure(_) => unavailable("unreachable"),
        SdkError::ResponseError(_) => unavailable("unreadable_answer"),
        SdkError::ServiceError(answer) => classify_code(answer.err().code().unwrap_or("unknown_error")),
        // A request that cannot be built, and what later versions of the SDK may add.
        SdkError::ConstructionFailure(_) | _ => unavailable("request_not_built"),
    }
}

/// KMS's answers by name (<https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>). What is not
/// listed may pass by itself.
fn classify_code(code: &str) -> KeyError {
    let invalid = ["InvalidCiphertextException", "IncorrectKeyException", "InvalidKeyUsageException"];
    let not_allowed = [
        "AccessDeniedException",
        "DisabledException",
        "KMSInvalidStateException",
        "NotFoundException",
        "UnrecognizedClientException",
    ];
    let is_name = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let name = if is_name { code } else { "unknown_error" }.to_owned();
    if invalid.contains(&code) {
        KeyError::Invalid { code: name }
    } else if not_allowed.contains(&code) {
        KeyError::NotAllowed { code: name }
    } else {
        KeyError::Unavailable { code: name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kms_answers_are_told_apart_by_who_can_repair_them() {
        for (code, expected) in [
            ("ThrottlingException", "KMS is not available: ThrottlingException"),
            ("KMSInternalException", "KMS is not available: KMSInternalException"),
            ("DependencyTimeoutException", "KMS is not available: DependencyTimeoutException"),
            ("KeyUnavailableException", "KMS is not available: KeyUnavailableException"),
            ("AccessDeniedException", "KMS does not allow it: AccessDeniedException"),
            ("DisabledException", "KMS does not allow it: DisabledException"),
            ("KMSInvalidStateException", "KMS does not allow it: KMSInvalidStateException"),
            ("NotFoundException", "KMS does not allow it: NotFoundException"),
            ("UnrecognizedClientException", "KMS does not allow it: UnrecognizedClientException"),
            ("InvalidCiphertextException", "KMS cannot decrypt it: InvalidCiphertextException"),
            ("IncorrectKeyException", "KMS cannot decrypt it: IncorrectKeyException"),
            ("<html>123456</html>", "KMS is not available: unknown_error"),
        ] {
            assert_eq!(classify_code(code).to_string(), expected);
        }
    }
}
