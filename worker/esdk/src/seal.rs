//! Sealing as Cognito seals, for the local stack, the tests and `sealpost send`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_esdk::material_providers::operation::on_decrypt::{OnDecryptInput, OnDecryptOutput};
use aws_esdk::material_providers::operation::on_encrypt::{OnEncryptInput, OnEncryptOutput};
use aws_esdk::material_providers::types::error::Error as KeyringError;
use aws_esdk::material_providers::types::keyring::KeyringRef;
use aws_esdk::material_providers::types::{EncryptedDataKey, EsdkAlgorithmSuiteId, EsdkCommitmentPolicy, Keyring};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use shared::{KeyArn, POOL_CONTEXT_KEY, UserPoolId};

use crate::library::{LibraryFault, answer_at_once, client, refusal};

/// Cognito's codes are far shorter, so they are one final frame.
const FRAME_BYTES: i64 = 4096;

/// A fresh data key, as KMS's GenerateDataKey answers.
#[derive(Debug)]
pub struct WrappedDataKey {
    pub plaintext: SecretBox<[u8; 32]>,
    /// The key wrapped under the KMS key and bound to the encryption context.
    pub ciphertext: Vec<u8>,
}

/// How a code differs from one of Cognito's, as emulators' codes do. By default it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SealOptions {
    /// Use the key-committing suite 0x0578 instead of Cognito's 0x0378.
    pub committed_suite: bool,
    /// Leave the user pool out of the encryption context.
    pub without_pool: bool,
}

/// Why a code could not be sealed. It never quotes the code or the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError<E> {
    #[error("the data key could not be made: {0}")]
    NoDataKey(E),
    #[error("the encryption library refused to seal the code with this data key")]
    Refused,
    #[error("the encryption library broke its contract: {0}")]
    Library(#[from] LibraryFault),
}

/// Seals a code as Cognito does, and returns the base64 text that an event carries.
///
/// `wrap` is asked once, with the full encryption context (the library adds the public key that verifies the
/// signature), for the data key under the KMS key `key_arn`.
///
/// # Errors
/// When `wrap` fails, or the library does.
pub fn seal<E: Send + 'static>(
    clear: &SecretString,
    pool: &UserPoolId,
    key_arn: &KeyArn,
    wrap: impl FnOnce(&BTreeMap<String, String>) -> Result<WrappedDataKey, E> + Send + 'static,
) -> Result<String, SealError<E>> {
    seal_with(SealOptions::default(), clear, pool, key_arn, wrap)
}

/// Seals a code as [`seal`] does, but for `options`.
///
/// # Errors
/// When `wrap` fails, or the library does.
pub fn seal_with<E: Send + 'static>(
    options: SealOptions,
    clear: &SecretString,
    pool: &UserPoolId,
    key_arn: &KeyArn,
    wrap: impl FnOnce(&BTreeMap<String, String>) -> Result<WrappedDataKey, E> + Send + 'static,
) -> Result<String, SealError<E>> {
    seal_bytes(options, clear.expose_secret().as_bytes(), pool, key_arn, wrap).map(|sealed| STANDARD.encode(sealed))
}

pub(crate) fn seal_bytes<E: Send + 'static>(
    options: SealOptions,
    clear: &[u8],
    pool: &UserPoolId,
    key_arn: &KeyArn,
    wrap: impl FnOnce(&BTreeMap<String, String>) -> Result<WrappedDataKey, E> + Send + 'static,
) -> Result<Vec<u8>, SealError<E>> {
    let SealOptions { committed_suite, without_pool } = options;
    let (policy, suite) = if committed_suite {
        (
            EsdkCommitmentPolicy::RequireEncryptAllowDecrypt,
            EsdkAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKeyEcdsaP384,
        )
    } else {
        (
            EsdkCommitmentPolicy::ForbidEncryptAllowDecrypt,
            EsdkAlgorithmSuiteId::AlgAes256GcmIv12Tag16HkdfSha384EcdsaP384,
        )
    };
    let context = if without_pool {
        HashMap::new()
    } else {
        HashMap::from([(POOL_CONTEXT_KEY.to_owned(), pool.as_str().to_owned())])
    };
    let failure = Arc::new(Mutex::new(None));
    let keyring = WrappingKeyring {
        key_arn: key_arn.as_str().to_owned(),
        wrap: Mutex::new(Some(wrap)),
        failure: Arc::clone(&failure),
    };
    let request = client(policy)?
        .encrypt()
        .algorithm_suite_id(suite)
        .frame_length(FRAME_BYTES)
        .encryption_context(context)
        .plaintext(clear)
        .keyring(KeyringRef::from(keyring));
    let answer = answer_at_once(request.send())?;
    if let Some(error) = take(&failure) {
        return Err(SealError::NoDataKey(error));
    }
    let sealed = answer.map_err(|_| SealError::Refused)?.ciphertext.ok_or(LibraryFault::NoResult)?;
    Ok(sealed.into_inner())
}

/// Asks `wrap` for the data key of one message, and keeps its error, which the library could only turn into text.
struct WrappingKeyring<F, E> {
    key_arn: String,
    wrap: Mutex<Option<F>>,
    failure: Arc<Mutex<Option<E>>>,
}

impl<F, E> Keyring for WrappingKeyring<F, E>
where
    F: FnOnce(&BTreeMap<String, String>) -> Result<WrappedDataKey, E> + Send,
    E: Send,
{
    fn on_encrypt(&self, input: OnEncryptInput) -> Result<OnEncryptOutput, KeyringError> {
        let mut materials = input.materials.ok_or_else(refusal)?;
        let wrap = take(&self.wrap).ok_or_else(refusal)?;
        let context = materials.encryption_context.clone().unwrap_or_default().into_iter().collect();
        let WrappedDataKey { plaintext, ciphertext } = wrap(&context).map_err(|error| {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            refusal()
        })?;
        let wrapped = EncryptedDataKey::builder()
            .key_provider_id("aws-kms")
            .key_provider_info(self.key_arn.as_bytes())
            .ciphertext(ciphertext)
            .build()
            .map_err(|_| refusal())?;
        materials.plaintext_data_key = Some(plaintext.expose_secret().to_vec().into());
        materials.encrypted_data_keys = Some(vec![wrapped]);
        OnEncryptOutput::builder().materials(materials).build().map_err(|_| refusal())
    }

    fn on_decrypt(&self, _: OnDecryptInput) -> Result<OnDecryptOutput, KeyringError> {
        Err(refusal())
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}
