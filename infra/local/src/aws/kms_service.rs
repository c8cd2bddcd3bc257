//! KMS over the wire: AWS JSON 1.1 in front of the model.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    kms::{KeyMetadata, KeyState, Kms, KmsError},
    service::{Answer, Caller, Service, from_base64, now, read, seconds},
};

/// The only kind of key, and the only thing done with one.
const ALGORITHM: &str = "SYMMETRIC_DEFAULT";

/// What KMS does instead of its work, to every request over the wire. The model itself, used in process, has no faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KmsFault {
    /// 400 ThrottlingException.
    Throttled,
    /// 500 KMSInternalException.
    InternalError,
    /// 400 AccessDeniedException.
    AccessDenied,
    /// The work, but so much later.
    Latency(Duration),
}

/// KMS as the listener sees it.
#[derive(Debug)]
pub struct KmsService {
    model: Arc<Kms>,
    fault: Mutex<Option<KmsFault>>,
}

impl KmsService {
    pub(super) fn new(model: Arc<Kms>) -> Self {
        Self { model, fault: Mutex::default() }
    }

    /// The keys, for use in this process.
    pub fn model(&self) -> &Arc<Kms> {
        &self.model
    }

    /// Breaks the service from now on, or mends it with `None`.
    pub fn set_fault(&self, fault: Option<KmsFault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    async fn suffer(&self) -> Result<(), Answer> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            None => Ok(()),
            Some(KmsFault::Throttled) => Err(Answer::error(400, "ThrottlingException", "Rate exceeded")),
            Some(KmsFault::InternalError) => Err(Answer::error(500, "KMSInternalException", "injected fault")),
            Some(KmsFault::AccessDenied) => Err(Answer::error(400, "AccessDeniedException", "injected fault")),
            Some(KmsFault::Latency(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
        }
    }

    fn carry_out(&self, operation: &str, body: &[u8]) -> Result<Value, Answer> {
        let kms = &*self.model;
        Ok(match operation {
            "CreateKey" => {
                let request: CreateKey = read(body)?;
                request.check()?;
                json!({ "KeyMetadata": self.metadata(&kms.create_key(&request.description, now())?) })
            }
            "DescribeKey" => json!({ "KeyMetadata": self.metadata(&kms.describe_key(&read::<OneKey>(body)?.key_id)?) }),
            "ListKeys" => self.list_keys(&read(body)?)?,
            "CreateAlias" => {
                let request: CreateAlias = read(body)?;
                kms.create_alias(&request.alias_name, &request.target_key_id)?;
                json!({})
            }
            "EnableKey" => {
                kms.enable_key(&read::<OneKey>(body)?.key_id)?;
                json!({})
            }
            "DisableKey" => {
                kms.disable_key(&read::<OneKey>(body)?.key_id)?;
                json!({})
            }
            "ScheduleKeyDeletion" => {
                let request: ScheduleKeyDeletion = read(body)?;
                let days = request.pending_window_in_days.unwrap_or(30);
                let key = kms.schedule_key_deletion(&request.key_id, days, now())?;
                let KeyState::PendingDeletion { deletion_date } = key.state else {
                    return Err(KmsError::Internal.into());
                };
                let date = seconds(deletion_date);
                json!({
                    "KeyId": key.arn,
                    "DeletionDate": date,
                    "KeyState": "PendingDeletion",
                    "PendingWindowInDays": days,
                })
            }
            "Encrypt" => {
                let request: Encrypt = read(body)?;
                check_algorithm(request.encryption_algorithm.as_deref())?;
                let plaintext = zeroize::Zeroizing::new(from_base64("Plaintext", &request.plaintext)?);
                let encrypted = kms.encrypt(&request.key_id, &plaintext, &request.encryption_context)?;
                let blob = BASE64.encode(encrypted.blob);
                json!({ "CiphertextBlob": blob, "KeyId": encrypted.key_arn, "EncryptionAlgorithm": ALGORITHM })
            }
            "Decrypt" => {
                let request: Decrypt = read(body)?;
                check_algorithm(request.encryption_algorithm.as_deref())?;
                let blob = from_base64("CiphertextBlob", &request.ciphertext_blob)?;
                let decrypted = kms.decrypt(&blob, request.key_id.as_deref(), &request.encryption_context)?;
                let plaintext = BASE64.encode(&*decrypted.plaintext);
                json!({ "Plaintext": plaintext, "KeyId": decrypted.key_arn, "EncryptionAlgorithm": ALGORITHM })
            }
            "GenerateDataKey" => {
                let request: GenerateDataKey = read(body)?;
                let (plaintext, wrapped) =
                    kms.generate_data(&request.key_id, request.bytes()?, &request.encryption_context)?;
                let blob = BASE64.encode(wrapped.blob);
                json!({ "Plaintext": BASE64.encode(&*plaintext), "CiphertextBlob": blob, "KeyId": wrapped.key_arn })
            }
            unknown => return Err(Answer::unknown_operation(unknown)),
        })
    }

    fn list_keys(&self, request: &ListKeys) -> Result<Value, Answer> {
        let limit = request.limit.unwrap_or(100);
        if !(1..=1000).contains(&limit) {
            return Err(KmsError::Validation { reason: "Limit must be between 1 and 1000".to_owned() }.into());
        }
        let after = request.marker.as_deref().unwrap_or_default();
        let mut keys = self.model.list_keys();
        // The marker is the last id of the page before: the keys are sorted by id.
        keys.retain(|key| key.id.as_str() > after);
        let truncated = keys.len() > limit;
        keys.truncate(limit);
        let marker = keys.last().filter(|_| truncated).map(|key| key.id.clone());
        let keys: Vec<_> = keys.into_iter().map(|key| json!({ "KeyId": key.id, "KeyArn": key.arn })).collect();
        let mut answer = json!({ "Keys": keys, "Truncated": truncated });
        if let Some(marker) = marker {
            answer["NextMarker"] = marker.into();
        }
        Ok(answer)
    }

    fn metadata(&self, key: &KeyMetadata) -> Value {
        let (state, deletion_date) = match key.state {
            KeyState::Enabled => ("Enabled", None),
            KeyState::Disabled => ("Disabled", None),
            KeyState::PendingDeletion { deletion_date } => ("PendingDeletion", Some(seconds(deletion_date))),
        };
        let mut metadata = json!({
            "AWSAccountId": key.arn.split(':').nth(4),
            "KeyId": key.id,
            "Arn": key.arn,
            "CreationDate": seconds(key.created_at),
            "Enabled": key.state == KeyState::Enabled,
            "Description": key.description,
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": state,
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": ALGORITHM,
            "KeySpec": ALGORITHM,
            "EncryptionAlgorithms": [ALGORITHM],
            "MultiRegion": false,
        });
        if let Some(date) = deletion_date {
            metadata["DeletionDate"] = date.into();
        }
        metadata
    }
}

#[async_trait]
impl Service for KmsService {
    async fn call(&self, operation: &str, body: &[u8], _caller: &Caller) -> Answer {
        match self.suffer().await.and_then(|()| self.carry_out(operation, body)) {
            Ok(answer) => Answer::ok(&answer),
            Err(refusal) => refusal,
        }
    }
}

impl From<KmsError> for Answer {
    fn from(error: KmsError) -> Self {
        Self::error(error.status(), error.code(), &error.to_string())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneKey {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateKey {
    #[serde(default)]
    description: String,
    key_spec: Option<String>,
    customer_master_key_spec: Option<String>,
    key_usage: Option<String>,
    origin: Option<String>,
    #[serde(default)]
    multi_region: bool,
}

impl CreateKey {
    fn check(&self) -> Result<(), KmsError> {
        let differs = |given: &Option<String>, only: &str| given.as_deref().is_some_and(|given| given != only);
        if differs(&self.key_spec, ALGORITHM) || differs(&self.customer_master_key_spec, ALGORITHM) {
            return Err(KmsError::Unsupported { what: "this KeySpec" });
        }
        if differs(&self.key_usage, "ENCRYPT_DECRYPT") {
            return Err(KmsError::Unsupported { what: "this KeyUsage" });
        }
        if differs(&self.origin, "AWS_KMS") {
            return Err(KmsError::Unsupported { what: "this Origin" });
        }
        if self.multi_region { Err(KmsError::Unsupported { what: "MultiRegion" }) } else { Ok(()) }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListKeys {
    limit: Option<usize>,
    marker: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateAlias {
    alias_name: String,
    target_key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScheduleKeyDeletion {
    key_id: String,
    pending_window_in_days: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt {
    key_id: String,
    plaintext: String,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
    encryption_algorithm: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt {
    ciphertext_blob: String,
    key_id: Option<String>,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
    encryption_algorithm: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateDataKey {
    key_id: String,
    key_spec: Option<String>,
    number_of_bytes: Option<usize>,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
}

impl GenerateDataKey {
    fn bytes(&self) -> Result<usize, KmsError> {
        match (self.key_spec.as_deref(), self.number_of_bytes) {
            (Some("AES_256"), None) => Ok(32),
            (Some("AES_128"), None) => Ok(16),
            (None, Some(bytes)) => Ok(bytes),
            (Some(_), None) => Err(KmsError::Validation { reason: "KeySpec must be AES_256 or AES_128".to_owned() }),
            (Some(_), Some(_)) | (None, None) => {
                Err(KmsError::Validation { reason: "Please specify either number of bytes or key spec.".to_owned() })
            }
        }
    }
}

fn check_algorithm(algorithm: Option<&str>) -> Result<(), KmsError> {
    match algorithm {
        None | Some(ALGORITHM) => Ok(()),
        Some(_) => Err(KmsError::Unsupported { what: "this EncryptionAlgorithm" }),
    }
}
