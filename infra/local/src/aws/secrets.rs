//! A pure model of AWS Secrets Manager: secrets, their versions, and the staging labels AWSCURRENT, AWSPREVIOUS and
//! AWSPENDING.
//!
//! No clock, no I/O: every call takes the time as an argument, and ids come from a seed, unless the caller brings them.
//! Secrets live in memory and end with it; how many and how large they are is bounded.
//!
//! Not modelled: encryption under a KMS key, rotation, tags, policies, replicas, RestoreSecret, and the deletion itself
//! at the end of its recovery window. A forced deletion takes effect at once; on AWS soon. A request without
//! ClientRequestToken is taken, as if an SDK had made one.

mod error;
mod names;
mod value;
mod versions;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

pub use error::SecretsError;
use error::check_length;
pub(super) use error::invalid;
use names::{SecretId, check_name};
use sqs::Timestamp;
pub use value::SecretValue;
pub use versions::{CURRENT, PENDING, PREVIOUS};
use versions::{Versions, check_version_id};

const SECRETS: usize = 500;
/// Of all versions of all secrets.
const STORED_BYTES: usize = 64 * 1024 * 1024;

/// The secrets of one account in one region.
pub struct SecretsManager {
    /// What every ARN here starts with: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:`.
    arn_prefix: String,
    ids: fastrand::Rng,
    by_name: BTreeMap<String, Secret>,
}

struct Secret {
    arn: String,
    description: String,
    created_at: Timestamp,
    changed_at: Timestamp,
    /// When AWS would delete it, once its deletion is scheduled.
    deletion_date: Option<Timestamp>,
    versions: Versions,
}

/// A version that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    /// Of the secret.
    pub arn: String,
    /// Of the secret.
    pub name: String,
    /// None for a secret that was created without a value.
    pub version_id: Option<String>,
    /// Its staging labels, sorted.
    pub stages: Vec<String>,
}

/// A version with its value.
#[derive(Clone, Debug)]
pub struct RetrievedVersion {
    /// Of the secret.
    pub arn: String,
    /// Of the secret.
    pub name: String,
    /// A UUID, or the ClientRequestToken that it was stored with.
    pub version_id: String,
    /// Its staging labels, sorted.
    pub stages: Vec<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// What is kept secret.
    pub value: SecretValue,
}

/// What may be known about a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretDescription {
    /// Ends in a random suffix.
    pub arn: String,
    /// As given when it was created.
    pub name: String,
    /// As given when it was created.
    pub description: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it, a version or a label last changed.
    pub changed_at: Timestamp,
    /// When AWS would delete it.
    pub deletion_date: Option<Timestamp>,
    /// The labels of each version that has any, by version id.
    pub stages: BTreeMap<String, Vec<String>>,
}

/// How a secret goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// After 7 to 30 days, in which its name is taken and its value withheld.
    Scheduled {
        /// The recovery window.
        days: u64,
    },
    /// At once.
    Forced,
}

/// A secret that is gone or about to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedSecret {
    /// Of the secret.
    pub arn: String,
    /// Of the secret.
    pub name: String,
    /// When it goes.
    pub deletion_date: Timestamp,
}

/// How many secrets, and nothing of them.
impl std::fmt::Debug for SecretsManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretsManager").field("secrets", &self.by_name.len()).finish_non_exhaustive()
    }
}

impl SecretsManager {
    /// A Secrets Manager without secrets.
    pub fn new(region: &str, account_id: &str, seed: u64) -> Self {
        Self {
            arn_prefix: format!("arn:aws:secretsmanager:{region}:{account_id}:secret:"),
            ids: fastrand::Rng::with_seed(seed),
            by_name: BTreeMap::new(),
        }
    }

    /// Creates a secret, with a first version when there is a value. The same request with the same token may be
    /// repeated.
    pub fn create_secret(
        &mut self,
        name: &str,
        description: &str,
        value: Option<SecretValue>,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<StoredVersion, SecretsError> {
        check_length("Name", name, 1..=512)?;
        check_name(name)?;
        check_length("Description", description, 0..=2048)?;
        check_version(value.as_ref(), token)?;
        if let Some(secret) = self.by_name.get(name) {
            return secret.create_again(name, value.as_ref(), token);
        }
        self.check_room_for(value.as_ref())?;
        if self.by_name.len() >= SECRETS {
            return Err(SecretsError::LimitExceeded { what: "secrets", count: SECRETS });
        }
        let mut secret = Secret {
            arn: self.new_arn(name),
            description: description.to_owned(),
            created_at: now,
            changed_at: now,
            deletion_date: None,
            versions: Versions::default(),
        };
        let version_id = value.is_some().then(|| self.version_id(token));
        if let (Some(value), Some(id)) = (value, &version_id) {
            secret.versions.add(id, value, &[], now)?;
        }
        let stored = secret.stored(name, version_id);
        self.by_name.insert(name.to_owned(), secret);
        Ok(stored)
    }

    /// Adds a version with these staging labels; without any it becomes the current one, and the one that was current
    /// the previous one. The same request with the same token may be repeated.
    pub fn put_secret_value(
        &mut self,
        secret: &str,
        value: SecretValue,
        token: Option<&str>,
        stages: &[String],
        now: Timestamp,
    ) -> Result<StoredVersion, SecretsError> {
        check_version(Some(&value), token)?;
        let (name, there) = self.find_kept(secret)?;
        let name = name.to_owned();
        if let Some(version) = token.and_then(|token| there.versions.by_id(token)) {
            return if version.value.is(&value) {
                Ok(there.stored(&name, token.map(str::to_owned)))
            } else {
                Err(SecretsError::TokenInUse { token: version.id.clone(), arn: there.arn.clone() })
            };
        }
        self.check_room_for(Some(&value))?;
        let id = self.version_id(token);
        let secret = self.by_name.get_mut(&name).ok_or(SecretsError::NotFound)?;
        let current = [CURRENT.to_owned()];
        let stages = if stages.is_empty() { &current } else { stages };
        secret.versions.add(&id, value, stages, now)?;
        secret.changed_at = now;
        Ok(secret.stored(&name, Some(id)))
    }

    /// The version of this id, or with this staging label; the current one when neither is named.
    pub fn get_secret_value(
        &self,
        secret: &str,
        version_id: Option<&str>,
        stage: Option<&str>,
    ) -> Result<RetrievedVersion, SecretsError> {
        let (name, secret) = self.find_kept(secret)?;
        let version = secret.versions.find(version_id, stage)?;
        Ok(RetrievedVersion {
            arn: secret.arn.clone(),
            name: name.to_owned(),
            version_id: version.id.clone(),
            stages: version.stages.iter().cloned().collect(),
            created_at: version.created_at,
            value: version.value.clone(),
        })
    }

    /// Moves a staging label from one version to another, or gives it to one, or takes it from one.
    pub fn update_secret_version_stage(
        &mut self,
        secret: &str,
        stage: &str,
        from: Option<&str>,
        to: Option<&str>,
        now: Timestamp,
    ) -> Result<StoredVersion, SecretsError> {
        let name = self.find_kept(secret)?.0.to_owned();
        let secret = self.by_name.get_mut(&name).ok_or(SecretsError::NotFound)?;
        secret.versions.move_stage(stage, from, to)?;
        secret.changed_at = now;
        Ok(secret.stored(&name, to.map(str::to_owned)))
    }

    /// Describes a secret, also one that awaits its deletion.
    pub fn describe_secret(&self, secret: &str) -> Result<SecretDescription, SecretsError> {
        let (name, secret) = self.find(secret)?;
        Ok(SecretDescription {
            arn: secret.arn.clone(),
            name: name.to_owned(),
            description: secret.description.clone(),
            created_at: secret.created_at,
            changed_at: secret.changed_at,
            deletion_date: secret.deletion_date,
            stages: secret.versions.stages(),
        })
    }

    /// Deletes a secret. A forced deletion succeeds also for one that awaits its deletion, or is not there.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>
    pub fn delete_secret(
        &mut self,
        secret: &str,
        deletion: Deletion,
        now: Timestamp,
    ) -> Result<DeletedSecret, SecretsError> {
        match deletion {
            Deletion::Forced => {
                let id = SecretId::parse(secret, &self.arn_prefix)?;
                let found = self.find(secret).ok().map(|(name, _)| name.to_owned());
                let gone = found.and_then(|name| self.by_name.remove(&name));
                let arn = gone.map_or_else(|| self.new_arn(id.name), |gone| gone.arn);
                Ok(DeletedSecret { arn, name: id.name.to_owned(), deletion_date: now })
            }
            Deletion::Scheduled { days } => {
                if !(7..=30).contains(&days) {
                    return Err(invalid("RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
                }
                let name = self.find_kept(secret)?.0.to_owned();
                let deletion_date = now + Duration::from_secs(days * 24 * 60 * 60);
                let secret = self.by_name.get_mut(&name).ok_or(SecretsError::NotFound)?;
                secret.deletion_date = Some(deletion_date);
                Ok(DeletedSecret { arn: secret.arn.clone(), name, deletion_date })
            }
        }
    }

    /// By name, ARN, or ARN without its suffix.
    fn find(&self, id: &str) -> Result<(&str, &Secret), SecretsError> {
        let id = SecretId::parse(id, &self.arn_prefix)?;
        let found = self.by_name.get_key_value(id.name);
        // Name and suffix tell the ARN.
        let meant = found.filter(|(_, secret)| id.suffix.is_none_or(|suffix| secret.arn.ends_with(suffix)));
        meant.map(|(name, secret)| (name.as_str(), secret)).ok_or(SecretsError::NotFound)
    }

    /// One that does not await its deletion.
    fn find_kept(&self, id: &str) -> Result<(&str, &Secret), SecretsError> {
        let (name, secret) = self.find(id)?;
        if secret.deletion_date.is_some() { Err(SecretsError::MarkedForDeletion) } else { Ok((name, secret)) }
    }

    fn check_room_for(&self, value: Option<&SecretValue>) -> Result<(), SecretsError> {
        let stored: usize = self.by_name.values().map(|secret| secret.versions.bytes()).sum();
        if stored + value.map_or(0, SecretValue::len) > STORED_BYTES {
            return Err(SecretsError::LimitExceeded { what: "bytes in secret values", count: stored });
        }
        Ok(())
    }

    fn new_arn(&mut self, name: &str) -> String {
        format!("{}{name}-{}", self.arn_prefix, names::suffix(&mut self.ids))
    }

    fn version_id(&mut self, token: Option<&str>) -> String {
        token.map_or_else(|| names::version_id(&mut self.ids), str::to_owned)
    }
}

impl Secret {
    /// The answer to a request to create what there is already: a retry's succeeds.
    fn create_again(
        &self,
        name: &str,
        value: Option<&SecretValue>,
        token: Option<&str>,
    ) -> Result<StoredVersion, SecretsError> {
        if self.deletion_date.is_some() {
            return Err(SecretsError::NameMarkedForDeletion);
        }
        let retried = token.and_then(|token| self.versions.by_id(token));
        match (retried, value) {
            (Some(version), Some(value)) if version.value.is(value) => Ok(self.stored(name, Some(version.id.clone()))),
            (Some(_) | None, Some(_) | None) => Err(SecretsError::NameExists { name: name.to_owned() }),
        }
    }

    fn stored(&self, name: &str, version_id: Option<String>) -> StoredVersion {
        let version = version_id.as_deref().and_then(|id| self.versions.by_id(id));
        let stages = version.map(|version| version.stages.iter().cloned().collect()).unwrap_or_default();
        StoredVersion { arn: self.arn.clone(), name: name.to_owned(), version_id, stages }
    }
}

fn check_version(value: Option<&SecretValue>, token: Option<&str>) -> Result<(), SecretsError> {
    value.map_or(Ok(()), SecretValue::check)?;
    token.map_or(Ok(()), check_version_id)
}
