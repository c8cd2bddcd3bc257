//! A user pool as far as its CustomSMSSender trigger shows it: events whose codes are sealed as Cognito seals
//! them (suite 0x0378, `userpool-id` in the encryption context, the data key wrapped by KMS).

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_kms::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_kms::types::DataKeySpec;
pub use esdk::SealError;
use esdk::{SealOptions, WrappedDataKey, seal, seal_with};
use secrecy::{SecretBox, SecretString};
use serde_json::{Value, json};
use shared::{Clock, KeyArn, TriggerSource, UserPoolId};

use crate::aws::kms::{Kms, KmsError};

/// A user pool and the key that its codes are sealed with.
pub struct UserPool {
    pub id: UserPoolId,
    pub key: KeyArn,
    pub kms: Arc<Kms>,
}

impl UserPool {
    /// A pool with a key of its own in this KMS.
    ///
    /// # Errors
    /// When KMS makes no key.
    pub fn with_new_key(id: UserPoolId, kms: Arc<Kms>) -> anyhow::Result<Self> {
        let now = u64::try_from(Clock::system().now().as_millisecond()).unwrap_or_default();
        let key = kms.create_key("codes of a user pool", sqs::Timestamp::from_unix_millis(now))?;
        Ok(Self { id, key: KeyArn::parse(&key.arn)?, kms })
    }

    /// Seals a code as Cognito does; base64.
    ///
    /// # Errors
    /// When KMS gives no data key.
    pub fn seal(&self, clear: &str) -> Result<String, SealError<KmsError>> {
        self.seal_with(clear, SealOptions::default())
    }

    /// Seals a code, otherwise than Cognito if asked to.
    ///
    /// # Errors
    /// When KMS gives no data key.
    pub fn seal_with(&self, clear: &str, options: SealOptions) -> Result<String, SealError<KmsError>> {
        let (kms, key) = (Arc::clone(&self.kms), self.key.clone());
        seal_with(options, &SecretString::from(clear), &self.id, &self.key, move |context| {
            let (plaintext, ciphertext) = kms.generate_data_key(key.as_str(), context)?;
            Ok(WrappedDataKey { plaintext: SecretBox::new(Box::new(*plaintext)), ciphertext })
        })
    }

    /// The event that Cognito sends for `source`, to `phone_number`, with this sealed code.
    pub fn event(&self, source: TriggerSource, phone_number: &str, sealed_code: Option<&str>) -> Value {
        event(&self.id, source, phone_number, sealed_code)
    }
}

/// Seals a code as Cognito does, with a key of any KMS; base64.
///
/// # Errors
/// When KMS gives no data key.
pub async fn seal_with_kms(
    kms: &aws_sdk_kms::Client,
    pool: &UserPoolId,
    key: &KeyArn,
    clear: &str,
) -> Result<String, SealError<DataKeyError>> {
    let (kms, pool, key, clear) = (kms.clone(), pool.clone(), key.clone(), SecretString::from(clear));
    let runtime = tokio::runtime::Handle::current();
    // Sealing asks for the data key in the middle of its synchronous work.
    let sealing = tokio::task::spawn_blocking(move || {
        let key_arn = key.as_str().to_owned();
        seal(&clear, &pool, &key, move |context| runtime.block_on(data_key(&kms, &key_arn, context)))
    });
    sealing.await.expect("sealing does not panic")
}

/// Why a KMS gave no data key.
#[derive(Debug, thiserror::Error)]
pub enum DataKeyError {
    #[error("KMS gave no data key: {what}")]
    Refused {
        /// KMS's name for the error, where it has answered.
        code: Option<String>,
        what: String,
    },
    #[error("KMS gave a data key that is not one of AES-256")]
    NoAes256Key,
}

async fn data_key(
    kms: &aws_sdk_kms::Client,
    key: &str,
    context: &BTreeMap<String, String>,
) -> Result<WrappedDataKey, DataKeyError> {
    let context = context.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let request = kms.generate_data_key().key_id(key).key_spec(DataKeySpec::Aes256);
    let answer = request.set_encryption_context(Some(context)).send().await;
    let answer = answer.map_err(|error| {
        let code = error.code().map(str::to_owned);
        let what = match &code {
            Some(code) => format!("{code}: {}", error.message().unwrap_or_default()),
            None => DisplayErrorContext(error).to_string(),
        };
        DataKeyError::Refused { code, what }
    })?;
    let plaintext = answer.plaintext.and_then(|plaintext| <[u8; 32]>::try_from(plaintext.as_ref()).ok());
    match (plaintext, answer.ciphertext_blob) {
        (Some(plaintext), Some(ciphertext)) => {
            Ok(WrappedDataKey { plaintext: SecretBox::new(Box::new(plaintext)), ciphertext: ciphertext.into_inner() })
        }
        _ => Err(DataKeyError::NoAes256Key),
    }
}

/// The event that Cognito sends for a user of `pool` and for `source`, to `phone_number`, with this sealed code.
pub fn event(pool: &UserPoolId, source: TriggerSource, phone_number: &str, sealed_code: Option<&str>) -> Value {
    let client = match source {
        TriggerSource::AdminCreateUser => json!("CLIENT_ID_NOT_APPLICABLE"),
        TriggerSource::AccountTakeOverNotification => Value::Null,
        TriggerSource::SignUp
        | TriggerSource::ResendCode
        | TriggerSource::ForgotPassword
        | TriggerSource::UpdateUserAttribute
        | TriggerSource::VerifyUserAttribute
        | TriggerSource::Authentication
        | TriggerSource::Other => json!("1example23456789"),
    };
    let mut attributes = json!({
        "sub": "54cf7eb7-0b96-4304-8d6b-000000000001",
        "cognito:user_status": "CONFIRMED",
        "phone_number_verified": "true",
        "phone_number": phone_number,
        "email": "mary.major@example.com",
    });
    if source == TriggerSource::AccountTakeOverNotification {
        attributes["LOGIN_TIME"] = json!("Friday, March 19, 2027 02:25 PM UTC");
        attributes["CITY"] = Value::Null;
        attributes["DEVICE_NAME"] = json!("Pixel 9");
        attributes["FEEDBACK_TOKEN"] = json!("never-to-be-queued");
    }
    json!({
        "version": "1",
        "triggerSource": format!("CustomSMSSender_{source}"),
        "region": pool.as_str().split('_').next(),
        "userPoolId": pool.as_str(),
        "userName": "mary_major",
        "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client },
        "request": {
            "type": "customSMSSenderRequestV1",
            "code": sealed_code,
            "clientMetadata": null,
            "userAttributes": attributes,
        }
    })
}
