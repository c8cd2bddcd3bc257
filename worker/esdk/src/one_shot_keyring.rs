//! The keyring that hands one data key to one message, once.
//!
//! The data key was unwrapped for what `shared` read in the message's header. The library reads the header again,
//! with its own parser, and asks the keyring for a key to what it has read. The key is handed out only if both
//! readings are equal, so that a disagreement between the two parsers cannot misuse it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_esdk::material_providers::operation::on_decrypt::{OnDecryptInput, OnDecryptOutput};
use aws_esdk::material_providers::operation::on_encrypt::{OnEncryptInput, OnEncryptOutput};
use aws_esdk::material_providers::types::error::Error as KeyringError;
use aws_esdk::material_providers::types::{self, AlgorithmSuiteInfo, Keyring};
use secrecy::{ExposeSecret as _, SecretBox};
use shared::{AlgorithmSuite, EncryptedDataKey, EsdkMessage};

use crate::library::refusal;

/// What the encryption library asked for that the data key was not unwrapped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    #[error("it read another algorithm suite in the header than the key was unwrapped for")]
    Suite,
    #[error("it read another encryption context in the header than the key was unwrapped for")]
    EncryptionContext,
    #[error("it read other encrypted data keys in the header than the key was unwrapped for")]
    EncryptedDataKeys,
    #[error("it asked for a data key where it has one")]
    KeyAlreadySet,
    #[error("it asked for the data key a second time")]
    AskedTwice,
    #[error("it asked for a data key without saying what for")]
    NothingAsked,
}

/// What became of the data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyUse {
    NotAsked,
    HandedOut,
    Withheld(Disagreement),
}

/// Tells, after the keyring has gone into the library, what became of its key.
#[derive(Clone)]
pub(crate) struct KeyUseRecord(Arc<Mutex<KeyUse>>);

impl KeyUseRecord {
    pub(crate) fn read(&self) -> KeyUse {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, KeyUse> {
        // A `KeyUse` is written whole, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module.
pub(crate) struct OneShotKeyring {
    unwrapped_for: EsdkMessage,
    data_key: SecretBox<[u8; 32]>,
    key_use: KeyUseRecord,
}

impl OneShotKeyring {
    pub(crate) fn new(unwrapped_for: EsdkMessage, data_key: &SecretBox<[u8; 32]>) -> Self {
        let key_use = KeyUseRecord(Arc::new(Mutex::new(KeyUse::NotAsked)));
        // The library wants to own its keyring, so the key is copied: from heap to heap, wiped with the keyring.
        let data_key = SecretBox::init_with_mut(|copy: &mut [u8; 32]| copy.copy_from_slice(data_key.expose_secret()));
        Self { unwrapped_for, data_key, key_use }
    }

    pub(crate) fn key_use(&self) -> KeyUseRecord {
        self.key_use.clone()
    }

    fn compare(&self, input: &OnDecryptInput) -> Result<(), Disagreement> {
        let (Some(materials), Some(keys)) = (&input.materials, &input.encrypted_data_keys) else {
            return Err(Disagreement::NothingAsked);
        };
        let EsdkMessage { suite, encryption_context, encrypted_data_keys, .. } = &self.unwrapped_for;
        if materials.plaintext_data_key.is_some() {
            return Err(Disagreement::KeyAlreadySet);
        }
        if !materials.algorithm_suite.as_ref().is_some_and(|read| is_suite(read, *suite)) {
            return Err(Disagreement::Suite);
        }
        if !materials.encryption_context.as_ref().is_some_and(|read| is_context(read, encryption_context)) {
            return Err(Disagreement::EncryptionContext);
        }
        if !(keys.len() == encrypted_data_keys.len() && keys.iter().zip(encrypted_data_keys).all(is_same_key)) {
            return Err(Disagreement::EncryptedDataKeys);
        }
        Ok(())
    }
}

impl Keyring for OneShotKeyring {
    fn on_encrypt(&self, _: OnEncryptInput) -> Result<OnEncryptOutput, KeyringError> {
        Err(refusal())
    }

    fn on_decrypt(&self, input: OnDecryptInput) -> Result<OnDecryptOutput, KeyringError> {
        let mut key_use = self.key_use.lock();
        let verdict = match *key_use {
            KeyUse::NotAsked => self.compare(&input),
            KeyUse::HandedOut | KeyUse::Withheld(_) => Err(Disagreement::AskedTwice),
        };
        *key_use = verdict.map_or_else(KeyUse::Withheld, |()| KeyUse::HandedOut);
        match (verdict, input.materials) {
            (Ok(()), Some(mut materials)) => {
                materials.plaintext_data_key = Some(self.data_key.expose_secret().to_vec().into());
                OnDecryptOutput::builder().materials(materials).build().map_err(|_| refusal())
            }
            (Ok(()), None) | (Err(_), _) => Err(refusal()),
        }
    }
}

fn is_suite(read: &AlgorithmSuiteInfo, expected: AlgorithmSuite) -> bool {
    read.binary_id.as_ref().is_some_and(|id| id.as_ref() == expected.id().to_be_bytes())
}

/// Our parser refuses a key that occurs twice, so equal lengths and equal values are equal contexts.
fn is_context(read: &HashMap<String, String>, expected: &[(String, String)]) -> bool {
    read.len() == expected.len() && expected.iter().all(|(key, value)| read.get(key) == Some(value))
}

fn is_same_key((read, expected): (&types::EncryptedDataKey, &EncryptedDataKey)) -> bool {
    let EncryptedDataKey { provider_id, provider_info, ciphertext } = expected;
    read.key_provider_id.as_ref() == Some(provider_id)
        && read.key_provider_info.as_ref().is_some_and(|info| info.as_ref() == provider_info)
        && read.ciphertext.as_ref().is_some_and(|bytes| bytes.as_ref() == ciphertext)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_esdk::material_providers::types::{DecryptionMaterials, EncryptionMaterials};
    use shared::MessageId;

    fn keyring() -> OneShotKeyring {
        let key = EncryptedDataKey {
            provider_id: "aws-kms".to_owned(),
            provider_info: b"the key ARN".to_vec(),
            ciphertext: b"the wrapped key".to_vec(),
        };
        let message = EsdkMessage {
            version: 1,
            suite: AlgorithmSuite::COGNITO,
            message_id: MessageId::from_bytes(&[0; 16]),
            encryption_context: vec![("userpool-id".to_owned(), "eu-west-1_EXAMPLE01".to_owned())],
            encrypted_data_keys: vec![key],
            plaintext_bytes: 6,
        };
        OneShotKeyring::new(message, &SecretBox::new(Box::new([7; 32])))
    }

    /// What the library asks when it reads the header as our parser does.
    fn question() -> OnDecryptInput {
        let suite = AlgorithmSuiteInfo::builder().binary_id(vec![0x03, 0x78]).build().expect("a suite");
        let key = types::EncryptedDataKey::builder()
            .key_provider_id("aws-kms")
            .key_provider_info(b"the key ARN".as_slice())
            .ciphertext(b"the wrapped key".as_slice())
            .build()
            .expect("an encrypted data key");
        let context = HashMap::from([("userpool-id".to_owned(), "eu-west-1_EXAMPLE01".to_owned())]);
        let materials = DecryptionMaterials::builder().algorithm_suite(suite).encryption_context(context).build();
        let question =
            OnDecryptInput::builder().encrypted_data_keys(vec![key]).materials(materials.expect("materials"));
        question.build().expect("a question")
    }

    fn withheld(question: OnDecryptInput) -> KeyUse {
        let keyring = keyring();
        assert!(keyring.on_decrypt(question).is_err());
        keyring.key_use().read()
    }

    #[test]
    fn the_key_is_handed_out_once() {
        let keyring = keyring();
        let key_use = keyring.key_use();
        assert_eq!(key_use.read(), KeyUse::NotAsked);
        let materials = keyring.on_decrypt(question()).expect("the readings agree").materials.expect("materials");
        assert!(materials.plaintext_data_key.is_some_and(|key| key.as_ref() == [7; 32]));
        assert_eq!(key_use.read(), KeyUse::HandedOut);
        assert!(keyring.on_decrypt(question()).is_err());
        assert_eq!(key_use.read(), KeyUse::Withheld(Disagreement::AskedTwice));
    }

    #[test]
    fn a_keyring_that_refused_stays_shut() {
        let keyring = keyring();
        let mut other = question();
        other.encrypted_data_keys = Some(Vec::new());
        assert!(keyring.on_decrypt(other).is_err());
        assert_eq!(keyring.key_use().read(), KeyUse::Withheld(Disagreement::EncryptedDataKeys));
        assert!(keyring.on_decrypt(question()).is_err());
    }

    #[test]
    fn no_key_is_put_in_the_place_of_another() {
        let mut question = question();
        let materials = question.materials.as_mut().expect("materials");
        materials.plaintext_data_key = Some(vec![0; 32].into());
        assert_eq!(withheld(question), KeyUse::Withheld(Disagreement::KeyAlreadySet));
    }

    #[test]
    fn no_key_is_handed_out_for_a_question_with_a_gap() {
        let without = |remove: fn(&mut OnDecryptInput)| {
            let mut question = question();
            remove(&mut question);
            withheld(question)
        };
        let materials = |question: &mut OnDecryptInput| question.materials = None;
        assert_eq!(without(materials), KeyUse::Withheld(Disagreement::NothingAsked));
        let keys = |question: &mut OnDecryptInput| question.encrypted_data_keys = None;
        assert_eq!(without(keys), KeyUse::Withheld(Disagreement::NothingAsked));
        let suite =
            |question: &mut OnDecryptInput| question.materials.as_mut().expect("materials").algorithm_suite = None;
        assert_eq!(without(suite), KeyUse::Withheld(Disagreement::Suite));
        let context =
            |question: &mut OnDecryptInput| question.materials.as_mut().expect("materials").encryption_context = None;
        assert_eq!(without(context), KeyUse::Withheld(Disagreement::EncryptionContext));
    }

    #[test]
    fn nothing_is_ever_encrypted_with_it() {
        let materials = EncryptionMaterials::builder().build().expect("materials");
        let question = OnEncryptInput::builder().materials(materials).build().expect("a question");
        let keyring = keyring();
        assert!(keyring.on_encrypt(question).is_err());
        assert_eq!(keyring.key_use().read(), KeyUse::NotAsked);
    }
}
