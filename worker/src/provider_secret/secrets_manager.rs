//! Secrets Manager itself.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata as _, SdkError};
use secrecy::SecretString;

use crate::aws_error_name::aws_error_name;

use super::{NotASecret, SecretError, SecretMembers, SecretStore};

/// One secret in Secrets Manager, its current version.
pub struct SecretsManager {
    client: aws_sdk_secretsmanager::Client,
    arn: String,
}

/// A configuration whose calls end soon: a message may be waiting for them.
pub fn secrets_manager_config(aws: &SdkConfig) -> aws_sdk_secretsmanager::Config {
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(1))
        .operation_timeout(Duration::from_secs(2))
        .build();
    aws_sdk_secretsmanager::config::Builder::from(aws).retry_config(retries).timeout_config(timeouts).build()
}

impl SecretsManager {
    /// The secret of this ARN.
    pub fn new(client: aws_sdk_secretsmanager::Client, arn: String) -> Self {
        Self { client, arn }
    }
}

#[async_trait]
impl SecretStore for SecretsManager {
    async fn read(&self) -> Result<SecretMembers, SecretError> {
        let answer = self.client.get_secret_value().secret_id(&self.arn).send().await.map_err(|error| {
            let code = match &error {
                SdkError::TimeoutError(_) => "timeout",
                SdkError::DispatchFailure(_) => "unreachable",
                SdkError::ServiceError(answer) => answer.err().code().unwrap_or("unknown_error"),
                SdkError::ConstructionFailure(_) | SdkError::ResponseError(_) | _ => "unreadable_answer",
            };
            SecretError::NotGiven { code: aws_error_name(code).to_owned() }
        })?;
        let text = SecretString::from(answer.secret_string.ok_or(NotASecret::NoText)?);
        Ok(SecretMembers::parse(secrecy::ExposeSecret::expose_secret(&text), answer.version_id.unwrap_or_default())?)
    }
}
