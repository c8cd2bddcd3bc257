use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use worker::{NotASecret, SecretMembers};
use zeroize::Zeroizing;

use super::ask::Call;
use super::gather::Aws;
use super::unread::Reading;

/// What Secrets Manager takes at most
/// (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>).
const MOST_BYTES: usize = 65_536;

/// The providers' secret, as the worker would read it. What it holds cannot be shown.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) members: Result<SecretMembers, NotASecret>,
}

impl Secret {
    /// Reads what is to be put into the secret.
    ///
    /// # Errors
    /// When there is no such file, it cannot be read, or it is too large for a secret.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        // With room for all of it, so that no copy is left behind while it grows.
        let mut json = Zeroizing::new(String::with_capacity(MOST_BYTES + 1));
        let read = File::open(path).and_then(|file| file.take(MOST_BYTES as u64 + 1).read_to_string(&mut json));
        read.with_context(|| format!("reading {}", path.display()))?;
        ensure!(json.len() <= MOST_BYTES, "{} has more than 64 KiB: Secrets Manager would refuse it", path.display());
        Ok(Self { members: SecretMembers::parse(&json, "") })
    }
}

impl Aws {
    pub(super) async fn secret(&self, arn: &str) -> Reading<Secret> {
        let call = Call::new("secretsmanager:GetSecretValue", "secret", arn);
        let value = call.typed(self.secrets.get_secret_value().secret_id(arn).send()).await?;
        let members = value.secret_string().ok_or(NotASecret::NoText).and_then(|json| SecretMembers::parse(json, ""));
        Ok(Secret { members })
    }
}
