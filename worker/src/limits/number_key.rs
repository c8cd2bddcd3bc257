//! The key under which phone numbers are hashed. There are so few numbers that a hash without a key could be undone by
//! trying them all.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha256;
use shared::PhoneNumber;

/// What numbers are hashed under.
#[derive(Clone)]
pub(super) struct NumberKey {
    bytes: Arc<SecretSlice<u8>>,
    is_of_this_process: bool,
}

/// As many as `openssl rand -base64 24` prints: 192 bits.
const SHORTEST: usize = 32;
/// Of the hash's 32 bytes as many are kept as make two numbers of one hash unthinkable.
const KEPT: usize = 16;

impl NumberKey {
    /// Whether a text can be a key; the error completes `number_key in [limits] …`.
    pub(super) fn check(key: &str) -> Result<(), String> {
        if key.len() < SHORTEST {
            return Err(format!(
                "is shorter than {SHORTEST} characters, so it could be guessed: make one with `openssl rand -base64 32`"
            ));
        }
        Ok(())
    }

    /// The configured key.
    pub(super) fn given(key: &SecretString) -> Self {
        let bytes = key.expose_secret().as_bytes().to_vec();
        Self { bytes: Arc::new(bytes.into()), is_of_this_process: false }
    }

    /// A key that nobody else has, and that ends with the process.
    pub(super) fn of_this_process() -> Self {
        let mut bytes = vec![0; SHORTEST];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        Self { bytes: Arc::new(bytes.into()), is_of_this_process: true }
    }

    pub(super) fn is_of_this_process(&self) -> bool {
        self.is_of_this_process
    }

    /// The number's hash, in hexadecimal digits.
    pub(super) fn hash(&self, number: &PhoneNumber) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.bytes.expose_secret()).expect("any length of key will do");
        mac.update(number.expose().as_bytes());
        mac.finalize().into_bytes()[..KEPT].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for NumberKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NumberKey").field("is_of_this_process", &self.is_of_this_process).finish_non_exhaustive()
    }
}
