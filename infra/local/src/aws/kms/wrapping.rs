//! Ciphertext blobs: AES-256-GCM under one key, bound to an encryption context.
//!
//! ```text
//! version 1 | key id 16 | reserved 107 | nonce 12 | ciphertext | tag 16
//! ```
//! The reserved zeros make a blob as long as one of AWS (184 bytes for a data key of 32), so that sealed codes made on
//! one machine have the size that they have in production.

use std::collections::BTreeMap;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use zeroize::Zeroizing;

use super::KmsError;

const VERSION: u8 = 1;
const KEY_ID: std::ops::Range<usize> = 1..17;
const HEADER_LEN: usize = 17 + 107;

/// What identifies a key inside a blob; a UUID.
pub(super) type KeyId = [u8; 16];

/// The secret of one key. It never leaves, and has no Debug output.
pub(super) struct KeyMaterial(LessSafeKey);

impl KeyMaterial {
    pub(super) fn generate() -> Result<Self, KmsError> {
        let secret = random::<32>()?;
        let key = UnboundKey::new(&AES_256_GCM, secret.as_slice()).map_err(|_| KmsError::Internal)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    pub(super) fn wrap(
        &self,
        id: &KeyId,
        plaintext: &[u8],
        context: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, KmsError> {
        let nonce = *random::<NONCE_LEN>()?;
        let mut blob = vec![0; HEADER_LEN];
        blob[0] = VERSION;
        blob[KEY_ID].copy_from_slice(id);
        let aad = Aad::from(authenticated(&blob, context));
        let mut sealed = plaintext.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| KmsError::Internal)?;
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    pub(super) fn unwrap(
        &self,
        blob: &[u8],
        context: &BTreeMap<String, String>,
    ) -> Result<Zeroizing<Vec<u8>>, KmsError> {
        let (header, rest) = blob.split_at_checked(HEADER_LEN).ok_or(KmsError::InvalidCiphertext)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(KmsError::InvalidCiphertext)?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let aad = Aad::from(authenticated(header, context));
        let length = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut opened)
            .map_err(|_| KmsError::InvalidCiphertext)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

/// The key that a blob says it was made with.
pub(super) fn key_id(blob: &[u8]) -> Result<KeyId, KmsError> {
    match blob.get(KEY_ID).and_then(|id| id.try_into().ok()) {
        Some(id) if blob[0] == VERSION => Ok(id),
        Some(_) | None => Err(KmsError::InvalidCiphertext),
    }
}

/// Random bytes, wiped after use.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KmsError> {
    let mut bytes = Zeroizing::new([0; N]);
    rand::fill(bytes.as_mut_slice()).map_err(|_| KmsError::Internal)?;
    Ok(bytes)
}

/// The header and the encryption context in one form only: sorted by key, each text preceded by its length.
fn authenticated(header: &[u8], context: &BTreeMap<String, String>) -> Vec<u8> {
    let mut bytes = header.to_vec();
    for text in context.iter().flat_map(|(key, value)| [key, value]) {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_wrapped_data_key_is_as_long_as_on_aws_and_opens_again() {
        let key = KeyMaterial::generate().unwrap();
        let blob = key.wrap(&[7; 16], &[1; 32], &context(&[("a", "b")])).unwrap();
        assert_eq!(blob.len(), 184);
        assert_eq!(key_id(&blob), Ok([7; 16]));
        assert_eq!(*key.unwrap(&blob, &context(&[("a", "b")])).unwrap(), [1; 32]);
    }

    #[test]
    fn contexts_that_run_together_alike_are_still_different() {
        let key = KeyMaterial::generate().unwrap();
        let blob = key.wrap(&[7; 16], b"x", &context(&[("ab", "c")])).unwrap();
        for other in [context(&[("a", "bc")]), context(&[("ab", "c"), ("", "")]), context(&[])] {
            assert_eq!(key.unwrap(&blob, &other), Err(KmsError::InvalidCiphertext));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let key = KeyMaterial::generate().unwrap();
        let blob = key.wrap(&[7; 16], &[1; 32], &context(&[])).unwrap();
        for bit in 0..blob.len() * 8 {
            let mut altered = blob.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.unwrap(&altered, &context(&[])), Err(KmsError::InvalidCiphertext), "bit {bit}");
        }
        for length in 0..blob.len() {
            assert_eq!(key.unwrap(&blob[..length], &context(&[])), Err(KmsError::InvalidCiphertext), "{length} bytes");
            let _ = key_id(&blob[..length]);
        }
    }
}
