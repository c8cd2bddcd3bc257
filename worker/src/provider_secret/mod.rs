//! The seam to Secrets Manager: the secret that holds the providers' credentials.

mod members;
mod rotation;
mod secrets_manager;

use async_trait::async_trait;

pub use members::{NotASecret, SecretMembers};
pub use rotation::{READ_AGAIN_AFTER_A_REFUSAL, READ_EVERY, Rotation};
pub use secrets_manager::{SecretsManager, secrets_manager_config};

/// Reads the secret that `PROVIDER_SECRET_ARN` names.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// The secret as it is now.
    async fn read(&self) -> Result<SecretMembers, SecretError>;
}

/// Why the secret could not be read. It quotes nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The code is Secrets Manager's own error name.
    #[error("Secrets Manager does not give it: {code}")]
    NotGiven { code: String },
    #[error(transparent)]
    NotASecret(#[from] NotASecret),
}
