//! Sealing as Cognito does: with a data key of the pool's own key, for the pool's own encryption context.

use std::time::Duration;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use local::cognito::{SealError, seal_with_kms};
use shared::SealedCode;

use super::made_up::{MadeUp, Sealed};
use super::missing_right::{MissingRight, is_of_key};
use super::target::Target;

/// Seals the code, if the message has one.
///
/// # Errors
/// When KMS gives no data key; a right that is missing is named.
pub(super) async fn seal(aws: &SdkConfig, target: &Target, made_up: &MadeUp) -> anyhow::Result<Option<Sealed>> {
    let Some(clear) = made_up.to_be_sealed() else { return Ok(None) };
    let sealed = seal_with_kms(&kms_client(aws), &target.pool, &target.key, &clear).await;
    let text = sealed.map_err(|error| match error {
        SealError::NoDataKey(error) if is_of_key(&error) => {
            anyhow::Error::from(MissingRight { action: "kms:GenerateDataKey", resource: target.key.to_string() })
        }
        other @ (SealError::NoDataKey(_) | SealError::Refused | SealError::Library(_)) => other.into(),
    })?;
    let code = SealedCode::parse(&text).context("what was just sealed cannot be read")?;
    Ok(Some(Sealed { text, code }))
}

fn kms_client(aws: &SdkConfig) -> aws_sdk_kms::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(40));
    let config = aws_sdk_kms::config::Builder::from(aws).timeout_config(timeouts.build());
    aws_sdk_kms::Client::from_conf(config.build())
}
