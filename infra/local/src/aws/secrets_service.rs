//! Secrets Manager over the wire: AWS JSON 1.1 in front of the model.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sqs::Timestamp;

use super::{
    secrets::{Deletion, RetrievedVersion, SecretDescription, SecretValue, SecretsError, SecretsManager, invalid},
    service::{Answer, Caller, Service, from_base64, now, read, seconds},
};

/// What Secrets Manager does instead of its work, to every request over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretsFault {
    /// 503 ServiceUnavailable.
    Unavailable,
    /// 400 AccessDeniedException.
    AccessDenied,
    /// The work, but so much later.
    Latency(Duration),
}

/// Secrets Manager as the listener sees it.
#[derive(Debug)]
pub struct SecretsService {
    model: Mutex<SecretsManager>,
    fault: Mutex<Option<SecretsFault>>,
    gets: AtomicU64,
}

impl SecretsService {
    pub(super) fn new(model: SecretsManager) -> Self {
        Self { model: Mutex::new(model), fault: Mutex::default(), gets: AtomicU64::default() }
    }

    /// Breaks the service from now on, or mends it with `None`.
    pub fn set_fault(&self, fault: Option<SecretsFault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// How many GetSecretValue requests came over the wire so far, answered or refused.
    pub fn get_secret_value_requests(&self) -> u64 {
        self.gets.load(Ordering::Relaxed)
    }

    /// Looks into the model or changes it, past the wire and its faults.
    pub fn with_secrets<R>(&self, work: impl FnOnce(&mut SecretsManager, Timestamp) -> R) -> R {
        work(&mut self.model(), now())
    }

    fn model(&self) -> MutexGuard<'_, SecretsManager> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn suffer(&self) -> Result<(), Answer> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            None => Ok(()),
            Some(SecretsFault::Unavailable) => Err(Answer::error(503, "ServiceUnavailable", "injected fault")),
            Some(SecretsFault::AccessDenied) => Err(Answer::error(400, "AccessDeniedException", "injected fault")),
            Some(SecretsFault::Latency(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
        }
    }

    fn carry_out(&self, operation: &str, body: &[u8]) -> Result<Value, Answer> {
        let now = now();
        Ok(match operation {
            "CreateSecret" => {
                let CreateSecret { name, description, client_request_token: token, value } = read(body)?;
                let value = value.read()?;
                let created = self.model().create_secret(&name, &description, value, token.as_deref(), now)?;
                let mut answer = json!({ "ARN": created.arn, "Name": created.name });
                if let Some(id) = created.version_id {
                    answer["VersionId"] = id.into();
                }
                answer
            }
            "PutSecretValue" => {
                let PutSecretValue { secret_id, client_request_token: token, version_stages: stages, value } =
                    read(body)?;
                let value =
                    value.read()?.ok_or_else(|| invalid("You must provide either SecretString or SecretBinary."))?;
                let put = self.model().put_secret_value(&secret_id, value, token.as_deref(), &stages, now)?;
                json!({ "ARN": put.arn, "Name": put.name, "VersionId": put.version_id, "VersionStages": put.stages })
            }
            "GetSecretValue" => {
                let GetSecretValue { secret_id, version_id, version_stage } = read(body)?;
                let version =
                    self.model().get_secret_value(&secret_id, version_id.as_deref(), version_stage.as_deref())?;
                retrieved(&version)
            }
            "UpdateSecretVersionStage" => {
                let UpdateSecretVersionStage { secret_id, version_stage, remove_from_version_id, move_to_version_id } =
                    read(body)?;
                let (from, to) = (remove_from_version_id.as_deref(), move_to_version_id.as_deref());
                let moved = self.model().update_secret_version_stage(&secret_id, &version_stage, from, to, now)?;
                json!({ "ARN": moved.arn, "Name": moved.name })
            }
            "DescribeSecret" => described(&self.model().describe_secret(&read::<OneSecret>(body)?.secret_id)?),
            "DeleteSecret" => {
                let request: DeleteSecret = read(body)?;
                let deleted = self.model().delete_secret(&request.secret_id, request.deletion()?, now)?;
                let date = seconds(deleted.deletion_date);
                json!({ "ARN": deleted.arn, "Name": deleted.name, "DeletionDate": date })
            }
            unknown => return Err(Answer::unknown_operation(unknown)),
        })
    }
}

#[async_trait]
impl Service for SecretsService {
    async fn call(&self, operation: &str, body: &[u8], _caller: &Caller) -> Answer {
        if operation == "GetSecretValue" {
            self.gets.fetch_add(1, Ordering::Relaxed);
        }
        match self.suffer().await.and_then(|()| self.carry_out(operation, body)) {
            Ok(answer) => Answer::ok(&answer),
            Err(refusal) => refusal,
        }
    }
}

impl From<SecretsError> for Answer {
    fn from(error: SecretsError) -> Self {
        Self::error(400, error.code(), &error.to_string())
    }
}

fn retrieved(version: &RetrievedVersion) -> Value {
    let mut answer = json!({
        "ARN": version.arn,
        "Name": version.name,
        "VersionId": version.version_id,
        "VersionStages": version.stages,
        "CreatedDate": seconds(version.created_at),
    });
    match &version.value {
        SecretValue::Text(text) => answer["SecretString"] = text.expose_secret().into(),
        SecretValue::Binary(bytes) => answer["SecretBinary"] = BASE64.encode(bytes.expose_secret()).into(),
    }
    answer
}

/// Members that have no value are left out.
fn described(secret: &SecretDescription) -> Value {
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "CreatedDate": seconds(secret.created_at),
        "LastChangedDate": seconds(secret.changed_at),
    });
    if !secret.description.is_empty() {
        answer["Description"] = secret.description.as_str().into();
    }
    if let Some(date) = secret.deletion_date {
        answer["DeletedDate"] = seconds(date).into();
    }
    if !secret.stages.is_empty() {
        answer["VersionIdsToStages"] = json!(secret.stages);
    }
    answer
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneSecret {
    #[serde(default)]
    secret_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateSecret {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    client_request_token: Option<String>,
    #[serde(flatten)]
    value: GivenValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutSecretValue {
    #[serde(default)]
    secret_id: String,
    client_request_token: Option<String>,
    #[serde(default)]
    version_stages: Vec<String>,
    #[serde(flatten)]
    value: GivenValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    #[serde(default)]
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateSecretVersionStage {
    #[serde(default)]
    secret_id: String,
    #[serde(default)]
    version_stage: String,
    remove_from_version_id: Option<String>,
    move_to_version_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteSecret {
    #[serde(default)]
    secret_id: String,
    recovery_window_in_days: Option<u64>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

impl DeleteSecret {
    fn deletion(&self) -> Result<Deletion, SecretsError> {
        match (self.force_delete_without_recovery, self.recovery_window_in_days) {
            (true, None) => Ok(Deletion::Forced),
            (true, Some(_)) => {
                Err(invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."))
            }
            (false, days) => Ok(Deletion::Scheduled { days: days.unwrap_or(30) }),
        }
    }
}

/// A value on its way in.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenValue {
    #[serde(default, deserialize_with = "secret")]
    secret_string: Option<SecretString>,
    /// Base64.
    #[serde(default, deserialize_with = "secret")]
    secret_binary: Option<SecretString>,
}

impl GivenValue {
    fn read(self) -> Result<Option<SecretValue>, Answer> {
        match (self.secret_string, self.secret_binary) {
            (None, None) => Ok(None),
            (Some(text), None) => Ok(Some(SecretValue::Text(text))),
            (None, Some(base64)) => {
                Ok(Some(SecretValue::Binary(from_base64("SecretBinary", base64.expose_secret())?.into())))
            }
            (Some(_), Some(_)) => Err(invalid("You can't specify both SecretString and SecretBinary.").into()),
        }
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_body_makes_an_operation_panic() {
        let caller = Caller { sender_id: "AKID".to_owned() };
        let service = SecretsService::new(SecretsManager::new("eu-west-1", "123456789012", 7));
        let operations = [
            "CreateSecret",
            "PutSecretValue",
            "GetSecretValue",
            "UpdateSecretVersionStage",
            "DescribeSecret",
            "DeleteSecret",
            "Fly",
        ];
        for operation in operations {
            for body in [
                "",
                "{}",
                "null",
                "\"",
                "{\"Name\":1}",
                "{\"SecretId\":\"arn:\"}",
                "{\"Name\":\"x\",\"SecretId\":\"x\",\"SecretBinary\":\"not base64\"}",
                "{\"Name\":\"x\",\"SecretId\":\"x\",\"SecretString\":\"\"}",
                "\u{0}",
            ] {
                let answer = service.call(operation, body.as_bytes(), &caller).await;
                assert_eq!(answer.status, 400, "{operation} {body}");
            }
        }
    }
}
