//! A user pool as far as its CustomSMSSender trigger shows it: events whose codes are sealed as Cognito seals
//! them (suite 0x0378, `userpool-id` in the encryption context, the data key wrapped by KMS).

use std::sync::Arc;

use esdk::{SealError, SealOptions, WrappedDataKey, seal_with};
use secrecy::{SecretBox, SecretString};
use serde_json::{Value, json};
use shared::{KeyArn, TriggerSource, UserPoolId};

use crate::aws::kms::{Kms, KmsError};

/// A user pool and the key that its codes are sealed with.
pub struct UserPool {
    pub id: UserPoolId,
    pub key: KeyArn,
    pub kms: Arc<Kms>,
}

impl UserPool {
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
        "region": "eu-west-1",
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
