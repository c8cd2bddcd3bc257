//! A pure model of AWS KMS: symmetric keys, their states and aliases, and what is encrypted under them.
//!
//! No clock and no I/O; randomness comes from AWS-LC. It is used over the wire through `KmsService`, and directly by
//! what seals codes in this process. Keys live in memory and end with it.
//!
//! Not modelled: grants, key policies, rotation, multi-Region keys, and the deletion itself at the end of its waiting
//! period.

mod error;
mod wrapping;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use error::KmsError;
use sqs::Timestamp;
use wrapping::{KeyId, KeyMaterial};
use zeroize::Zeroizing;

const KEYS: usize = 1000;
const ALIASES: usize = 1000;
const PLAINTEXT_BYTES: usize = 4096;
const CIPHERTEXT_BYTES: usize = 6144;
const DATA_KEY_BYTES: usize = 1024;

/// The keys of one account in one region.
pub struct Kms {
    region: String,
    account_id: String,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    by_id: BTreeMap<KeyId, Key>,
    /// By name, `alias/…` included.
    aliases: BTreeMap<String, KeyId>,
}

struct Key {
    material: KeyMaterial,
    description: String,
    created_at: Timestamp,
    state: KeyState,
}

/// What may be done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Everything.
    Enabled,
    /// Nothing, until it is enabled again.
    Disabled,
    /// Nothing.
    PendingDeletion {
        /// When AWS would delete it.
        deletion_date: Timestamp,
    },
}

/// What may be known about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMetadata {
    /// A UUID.
    pub id: String,
    /// Names region and account too.
    pub arn: String,
    /// As given when it was created.
    pub description: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// What may be done with it.
    pub state: KeyState,
}

/// A plaintext and the key that it was encrypted under. The plaintext is wiped when dropped.
pub struct Decrypted {
    /// The ARN of the key.
    pub key_arn: String,
    /// What was encrypted.
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// Lengths only.
impl std::fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.plaintext.len();
        f.debug_struct("Decrypted").field("key_arn", &self.key_arn).field("plaintext_bytes", &bytes).finish()
    }
}

/// A ciphertext and the key that it was encrypted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// The ARN of the key.
    pub key_arn: String,
    /// Opaque.
    pub blob: Vec<u8>,
}

/// How many keys, and nothing of them.
impl std::fmt::Debug for Kms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.lock().by_id.len();
        f.debug_struct("Kms").field("region", &self.region).field("keys", &keys).finish_non_exhaustive()
    }
}

impl Kms {
    /// A KMS without keys.
    pub fn new(region: &str, account_id: &str) -> Self {
        Self { region: region.to_owned(), account_id: account_id.to_owned(), keys: Mutex::default() }
    }

    /// Creates a symmetric key.
    pub fn create_key(&self, description: &str, now: Timestamp) -> Result<KeyMetadata, KmsError> {
        if description.len() > 8192 {
            return Err(invalid("the description is longer than 8192 bytes"));
        }
        let (mut id, material) = (*wrapping::random::<16>()?, KeyMaterial::generate()?);
        // Version 4, variant 1, as in every random UUID.
        (id[6], id[8]) = (id[6] & 0x0f | 0x40, id[8] & 0x3f | 0x80);
        let mut keys = self.lock();
        if keys.by_id.len() >= KEYS {
            return Err(KmsError::LimitExceeded { what: "keys", count: KEYS });
        }
        let key = Key { material, description: description.to_owned(), created_at: now, state: KeyState::Enabled };
        let metadata = self.metadata(&id, &key);
        keys.by_id.insert(id, key);
        Ok(metadata)
    }

    /// Describes the key of this id, ARN, alias or alias ARN.
    pub fn describe_key(&self, key: &str) -> Result<KeyMetadata, KmsError> {
        let keys = self.lock();
        let (id, key) = self.find(&keys, key)?;
        Ok(self.metadata(id, key))
    }

    /// All keys, sorted by id.
    pub fn list_keys(&self) -> Vec<KeyMetadata> {
        self.lock().by_id.iter().map(|(id, key)| self.metadata(id, key)).collect()
    }

    /// Gives a key a second name, `alias/…`.
    pub fn create_alias(&self, alias: &str, key: &str) -> Result<(), KmsError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'/' | b'_' | b'-');
        let name = alias.strip_prefix("alias/").ok_or(KmsError::InvalidAliasName)?;
        if !(1..=250).contains(&name.len()) || name.starts_with("aws/") || !name.bytes().all(plain) {
            return Err(KmsError::InvalidAliasName);
        }
        let mut keys = self.lock();
        let id = *self.find(&keys, key)?.0;
        if keys.aliases.contains_key(alias) {
            return Err(KmsError::AliasExists { alias: alias.to_owned() });
        }
        if keys.aliases.len() >= ALIASES {
            return Err(KmsError::LimitExceeded { what: "aliases", count: ALIASES });
        }
        keys.aliases.insert(alias.to_owned(), id);
        Ok(())
    }

    /// Makes a disabled key usable again.
    pub fn enable_key(&self, key: &str) -> Result<(), KmsError> {
        self.change_state(key, KeyState::Enabled).map(drop)
    }

    /// Makes a key unusable until it is enabled again.
    pub fn disable_key(&self, key: &str) -> Result<(), KmsError> {
        self.change_state(key, KeyState::Disabled).map(drop)
    }

    /// Makes a key unusable for good. The waiting period is 7 to 30 days.
    pub fn schedule_key_deletion(&self, key: &str, days: u64, now: Timestamp) -> Result<KeyMetadata, KmsError> {
        if !(7..=30).contains(&days) {
            return Err(invalid("the waiting period must be between 7 and 30 days"));
        }
        let deletion_date = now + Duration::from_secs(days * 24 * 60 * 60);
        self.change_state(key, KeyState::PendingDeletion { deletion_date })
    }

    /// A fresh AES-256 key, in clear and wrapped under `key`: what seals a code.
    pub fn generate_data_key(
        &self,
        key: &str,
        context: &BTreeMap<String, String>,
    ) -> Result<(Zeroizing<[u8; 32]>, Vec<u8>), KmsError> {
        let plaintext = wrapping::random::<32>()?;
        let wrapped = self.encrypt(key, plaintext.as_slice(), context)?;
        Ok((plaintext, wrapped.blob))
    }

    /// As many random bytes, in clear and wrapped under `key`.
    pub fn generate_data(
        &self,
        key: &str,
        bytes: usize,
        context: &BTreeMap<String, String>,
    ) -> Result<(Zeroizing<Vec<u8>>, Encrypted), KmsError> {
        if !(1..=DATA_KEY_BYTES).contains(&bytes) {
            return Err(invalid("a data key has 1 to 1024 bytes"));
        }
        let mut plaintext = Zeroizing::new(vec![0; bytes]);
        aws_lc_rs::rand::fill(&mut plaintext).map_err(|_| KmsError::Internal)?;
        let wrapped = self.encrypt(key, &plaintext, context)?;
        Ok((plaintext, wrapped))
    }

    /// Encrypts up to 4096 bytes under a key, bound to the context.
    pub fn encrypt(
        &self,
        key: &str,
        plaintext: &[u8],
        context: &BTreeMap<String, String>,
    ) -> Result<Encrypted, KmsError> {
        if !(1..=PLAINTEXT_BYTES).contains(&plaintext.len()) {
            return Err(invalid("the plaintext must have 1 to 4096 bytes"));
        }
        let keys = self.lock();
        let (id, key) = self.find(&keys, key)?;
        let key_arn = self.usable(id, key)?;
        Ok(Encrypted { key_arn, blob: key.material.wrap(id, plaintext, context)? })
    }

    /// Decrypts what `encrypt` or a data key gave. With `key` named, it must be the one that encrypted.
    pub fn decrypt(
        &self,
        blob: &[u8],
        key: Option<&str>,
        context: &BTreeMap<String, String>,
    ) -> Result<Decrypted, KmsError> {
        let keys = self.lock();
        let named = key.map(|key| self.find(&keys, key)).transpose()?.map(|(id, _)| *id);
        if blob.len() > CIPHERTEXT_BYTES {
            return Err(KmsError::InvalidCiphertext);
        }
        let id = wrapping::key_id(blob)?;
        // A key that never was here: the blob is from elsewhere, or altered.
        let key = keys.by_id.get(&id).ok_or(KmsError::InvalidCiphertext)?;
        if named.is_some_and(|named| named != id) {
            return Err(KmsError::IncorrectKey);
        }
        let key_arn = self.usable(&id, key)?;
        Ok(Decrypted { key_arn, plaintext: key.material.unwrap(blob, context)? })
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arn(&self, resource: &str) -> String {
        format!("arn:aws:kms:{}:{}:{resource}", self.region, self.account_id)
    }

    fn key_arn(&self, id: &KeyId) -> String {
        self.arn(&format!("key/{}", uuid(id)))
    }

    /// By id, ARN, alias or alias ARN; ARNs of another region or account are unknown here.
    fn find<'a>(&self, keys: &'a Keys, name: &str) -> Result<(&'a KeyId, &'a Key), KmsError> {
        let local = if name.starts_with("arn:") { name.strip_prefix(&self.arn("")) } else { Some(name) };
        let id = local.and_then(|local| match keys.aliases.get(local) {
            Some(id) => Some(*id),
            // In an ARN the id follows `key/`, elsewhere it stands alone.
            None if name.starts_with("arn:") => local.strip_prefix("key/").and_then(parse_uuid),
            None => parse_uuid(local),
        });
        let not_found = || KmsError::NotFound { key: name.chars().take(200).collect() };
        id.and_then(|id| keys.by_id.get_key_value(&id)).ok_or_else(not_found)
    }

    /// The ARN of a key that may be used now.
    fn usable(&self, id: &KeyId, key: &Key) -> Result<String, KmsError> {
        let arn = self.key_arn(id);
        match key.state {
            KeyState::Enabled => Ok(arn),
            KeyState::Disabled => Err(KmsError::Disabled { key: arn }),
            KeyState::PendingDeletion { .. } => Err(KmsError::PendingDeletion { key: arn }),
        }
    }

    /// A key that is pending deletion stays so: AWS has an operation of its own to cancel that.
    fn change_state(&self, key: &str, state: KeyState) -> Result<KeyMetadata, KmsError> {
        let mut keys = self.lock();
        let id = *self.find(&keys, key)?.0;
        let key = keys.by_id.get_mut(&id).ok_or(KmsError::Internal)?;
        if let KeyState::PendingDeletion { .. } = key.state {
            return Err(KmsError::PendingDeletion { key: self.key_arn(&id) });
        }
        key.state = state;
        Ok(self.metadata(&id, key))
    }

    fn metadata(&self, id: &KeyId, key: &Key) -> KeyMetadata {
        KeyMetadata {
            id: uuid(id),
            arn: self.key_arn(id),
            description: key.description.clone(),
            created_at: key.created_at,
            state: key.state,
        }
    }
}

fn invalid(reason: &str) -> KmsError {
    KmsError::Validation { reason: reason.to_owned() }
}

fn uuid(id: &KeyId) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(*id));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Reads only what `uuid` writes.
fn parse_uuid(text: &str) -> Option<KeyId> {
    let id = u128::from_str_radix(&text.replace('-', ""), 16).ok()?.to_be_bytes();
    (uuid(&id) == text).then_some(id)
}
