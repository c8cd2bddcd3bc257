//! The versions of one secret, and the staging labels that tell them apart.

use std::collections::{BTreeMap, BTreeSet};

use sqs::Timestamp;

use super::{
    error::{SecretsError, check_length},
    value::SecretValue,
};

/// The version that is in use.
pub const CURRENT: &str = "AWSCURRENT";
/// The version that was in use before it.
pub const PREVIOUS: &str = "AWSPREVIOUS";
/// The version that is to be in use next.
pub const PENDING: &str = "AWSPENDING";

/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
const LABELS: usize = 20;
/// AWS keeps about as many, the oldest without a label going first, but all of the last 24 hours.
pub(super) const VERSIONS: usize = 100;

/// A value of a secret, which never changes.
pub(super) struct Version {
    pub(super) id: String,
    pub(super) value: SecretValue,
    pub(super) created_at: Timestamp,
    pub(super) stages: BTreeSet<String>,
}

/// In the order in which they were made. A label is at one version at most.
#[derive(Default)]
pub(super) struct Versions(Vec<Version>);

impl Versions {
    pub(super) fn by_id(&self, id: &str) -> Option<&Version> {
        self.0.iter().find(|version| version.id == id)
    }

    pub(super) fn by_stage(&self, stage: &str) -> Option<&Version> {
        self.0.iter().find(|version| version.stages.contains(stage))
    }

    /// The version that a request names by its id, its label or both; the current one unless it does.
    pub(super) fn find(&self, id: Option<&str>, stage: Option<&str>) -> Result<&Version, SecretsError> {
        let Some(id) = id else {
            let stage = stage.unwrap_or(CURRENT);
            check_stage(stage)?;
            return self.by_stage(stage).ok_or_else(|| SecretsError::StageNotFound { stage: stage.to_owned() });
        };
        check_version_id(id)?;
        let version = self.by_id(id).ok_or_else(|| SecretsError::VersionNotFound { version_id: id.to_owned() })?;
        match stage {
            Some(stage) if !version.stages.contains(stage) => Err(SecretsError::StageOfAnotherVersion),
            Some(_) | None => Ok(version),
        }
    }

    /// Adds a version and gives it these labels, taken from wherever they are; the first version is always current.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>
    pub(super) fn add(
        &mut self,
        id: &str,
        value: SecretValue,
        stages: &[String],
        now: Timestamp,
    ) -> Result<(), SecretsError> {
        let first = self.0.is_empty().then_some(CURRENT);
        let stages: BTreeSet<&str> = stages.iter().map(String::as_str).chain(first).collect();
        self.check_labels(stages.iter().copied())?;
        self.0.push(Version { id: id.to_owned(), value, created_at: now, stages: BTreeSet::new() });
        stages.into_iter().for_each(|stage| self.attach(stage, id));
        if self.0.len() > VERSIONS
            && let Some(oldest) = self.0.iter().position(|version| version.stages.is_empty())
        {
            self.0.remove(oldest);
        }
        Ok(())
    }

    /// Moves a label to a version, or takes it away. A label that is at another version is moved only by naming that.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html>
    pub(super) fn move_stage(&mut self, stage: &str, from: Option<&str>, to: Option<&str>) -> Result<(), SecretsError> {
        check_stage(stage)?;
        for id in [from, to].into_iter().flatten() {
            self.find(Some(id), None)?;
        }
        let holder = self.by_stage(stage).map(|version| version.id.as_str());
        match (from, to) {
            (None, None) => Err(refused("You must specify MoveToVersionId or RemoveFromVersionId.".to_owned())),
            (Some(_), None) if stage == CURRENT => Err(refused(format!(
                "You can only move staging label {CURRENT} to a different secret version. It can't be completely \
                 removed."
            ))),
            (Some(from), _) if holder != Some(from) => {
                Err(refused(format!("The staging label {stage} is not attached to version {from}.")))
            }
            (None, Some(to)) if holder.is_some_and(|holder| holder != to) => Err(refused(format!(
                "The staging label {stage} is attached to another version, which RemoveFromVersionId must name."
            ))),
            (Some(_), None) => {
                for version in &mut self.0 {
                    version.stages.remove(stage);
                }
                Ok(())
            }
            (Some(_) | None, Some(to)) => {
                self.check_labels([stage])?;
                self.attach(stage, to);
                Ok(())
            }
        }
    }

    /// The labels of each version that has any.
    pub(super) fn stages(&self) -> BTreeMap<String, Vec<String>> {
        let labelled = self.0.iter().filter(|version| !version.stages.is_empty());
        labelled.map(|version| (version.id.clone(), version.stages.iter().cloned().collect())).collect()
    }

    /// Of all values.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|version| version.value.len()).sum()
    }

    /// Where AWSCURRENT was, AWSPREVIOUS now is.
    fn attach(&mut self, stage: &str, to: &str) {
        let left = self.by_stage(stage).map(|version| version.id.clone()).filter(|left| left != to);
        for version in &mut self.0 {
            if version.id == to {
                version.stages.insert(stage.to_owned());
            } else {
                version.stages.remove(stage);
            }
        }
        if let Some(left) = left.filter(|_| stage == CURRENT) {
            self.attach(PREVIOUS, &left);
        }
    }

    /// Each of these labels must be sound, and with those that are there they must not be too many.
    fn check_labels<'a>(&'a self, more: impl IntoIterator<Item = &'a str>) -> Result<(), SecretsError> {
        let mut labels: BTreeSet<&str> =
            self.0.iter().flat_map(|version| &version.stages).map(String::as_str).collect();
        let there = labels.len();
        for label in more {
            check_stage(label)?;
            labels.insert(label);
        }
        if labels.len() > LABELS {
            return Err(SecretsError::LimitExceeded { what: "staging labels of this secret", count: there });
        }
        Ok(())
    }
}

/// Version ids are as long as the tokens that they come from.
pub(super) fn check_version_id(id: &str) -> Result<(), SecretsError> {
    check_length("VersionId", id, 32..=64)
}

fn check_stage(stage: &str) -> Result<(), SecretsError> {
    check_length("VersionStage", stage, 1..=256)
}

fn refused(reason: String) -> SecretsError {
    SecretsError::InvalidParameter { reason }
}
