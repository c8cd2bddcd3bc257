use worker::{NotASecret, SecretMembers};

use super::ask::Call;
use super::gather::Aws;
use super::unread::Reading;

/// The providers' secret, as the worker would read it. What it holds cannot be shown.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) members: Result<SecretMembers, NotASecret>,
}

impl Aws {
    pub(super) async fn secret(&self, arn: &str) -> Reading<Secret> {
        let call = Call::new("secretsmanager:GetSecretValue", "secret", arn);
        let value = call.typed(self.secrets.get_secret_value().secret_id(arn).send()).await?;
        let members = value.secret_string().ok_or(NotASecret::NoText).and_then(|json| SecretMembers::parse(json, ""));
        Ok(Secret { members })
    }
}
