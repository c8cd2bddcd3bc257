//! The key that a pool is to seal its codes with.

use aws_config::SdkConfig;
use aws_sdk_kms::error::DisplayErrorContext;
use aws_sdk_kms::types::{KeyManagerType, KeyMetadata, KeySpec, KeyState, KeyUsageType};
use shared::KeyArn;

/// Looks whether Cognito can encrypt with the key; a warning where that may not be looked at. Needs `kms:DescribeKey`.
///
/// # Errors
/// When Cognito cannot: every SMS of the pool would fail.
pub(crate) async fn look(aws: &SdkConfig, key: &KeyArn) -> anyhow::Result<Option<String>> {
    let described = aws_sdk_kms::Client::new(aws).describe_key().key_id(key.as_str()).send().await;
    let metadata = match described {
        Ok(described) => described.key_metadata,
        Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found_exception()) => {
            anyhow::bail!("there is no key {key}; nothing was changed")
        }
        Err(error) => {
            let cause = DisplayErrorContext(error);
            return Ok(Some(format!("whether {key} is usable is not known (kms:DescribeKey): {cause}")));
        }
    };
    match metadata.as_ref().and_then(fault) {
        Some(fault) => anyhow::bail!("{key} {fault}; nothing was changed"),
        None => Ok(None),
    }
}

/// Why Cognito cannot encrypt with it
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sms-sender.html>).
fn fault(key: &KeyMetadata) -> Option<String> {
    match (key.key_state(), key.key_spec(), key.key_usage(), key.key_manager()) {
        (Some(state), ..) if *state != KeyState::Enabled => Some(format!("is not enabled: its state is {state}")),
        (_, Some(spec), ..) if *spec != KeySpec::SymmetricDefault => {
            Some(format!("is no symmetric key: its spec is {spec}, and must be SYMMETRIC_DEFAULT"))
        }
        (.., Some(usage), _) if *usage != KeyUsageType::EncryptDecrypt => {
            Some(format!("is not for encryption: its usage is {usage}, and must be ENCRYPT_DECRYPT"))
        }
        (.., Some(KeyManagerType::Aws)) => {
            Some("is AWS's own: Cognito can be given the use of a customer managed key only".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_kms::types::builders::KeyMetadataBuilder;

    fn told(change: impl FnOnce(KeyMetadataBuilder) -> KeyMetadataBuilder) -> Option<String> {
        let sound = KeyMetadata::builder()
            .key_id("0b1c")
            .key_state(KeyState::Enabled)
            .key_spec(KeySpec::SymmetricDefault)
            .key_usage(KeyUsageType::EncryptDecrypt)
            .key_manager(KeyManagerType::Customer);
        fault(&change(sound).build().expect("it has an id"))
    }

    #[test]
    fn a_key_that_cognito_cannot_use_is_told_why() {
        assert_eq!(told(|key| key), None);
        assert!(told(|key| key.key_state(KeyState::Disabled)).is_some_and(|fault| fault.contains("Disabled")));
        assert!(told(|key| key.key_state(KeyState::PendingDeletion)).is_some_and(|fault| fault.contains("Pending")));
        assert!(told(|key| key.key_spec(KeySpec::Rsa2048)).is_some_and(|fault| fault.contains("RSA_2048")));
        assert!(told(|key| key.key_usage(KeyUsageType::GenerateVerifyMac)).is_some_and(|fault| fault.contains("MAC")));
        assert!(told(|key| key.key_manager(KeyManagerType::Aws)).is_some_and(|fault| fault.contains("AWS's own")));
    }
}
