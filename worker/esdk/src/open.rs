use aws_esdk::material_providers::types::EsdkCommitmentPolicy::RequireEncryptAllowDecrypt;
use aws_esdk::material_providers::types::keyring::KeyringRef;
use secrecy::{SecretBox, SecretString};
use shared::{EsdkMessage, SealedCode};
use zeroize::Zeroizing;

use crate::library::{LibraryFault, answer_at_once, client};
use crate::one_shot_keyring::{Disagreement, KeyUse, OneShotKeyring};

/// Why a code stayed sealed, told by the step that failed.
///
/// All but [`OpenError::Library`] are final: trying again with the same code and key ends the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("the encryption library refused the code's header before it asked for the data key")]
    HeaderRefused,
    #[error("the data key was withheld from the encryption library: {0}")]
    KeyWithheld(#[from] Disagreement),
    #[error("the code is not authentic: its header, body or signature does not verify with this data key")]
    NotAuthentic,
    #[error("the code is authentic, but its clear text is not UTF-8")]
    NotUtf8,
    #[error("the encryption library broke its contract: {0}")]
    Library(#[from] LibraryFault),
}

/// Opens a sealed code with the data key that was unwrapped for it, and verifies all of it: header, body and
/// signature.
///
/// It computes for about half a millisecond, waits for nothing and needs no runtime. Which algorithm suites and
/// user pools are acceptable is not decided here: [`SealedCode::check`] comes first.
///
/// # Errors
/// When any part of the code does not verify with this key, or the clear text is not UTF-8.
pub fn open(code: &SealedCode, data_key: &SecretBox<[u8; 32]>) -> Result<SecretString, OpenError> {
    open_message(code.bytes(), code.message(), data_key)
}

/// Opens `bytes` with a data key that was unwrapped for what `message` says.
fn open_message(
    bytes: &[u8],
    message: &EsdkMessage,
    data_key: &SecretBox<[u8; 32]>,
) -> Result<SecretString, OpenError> {
    let keyring = OneShotKeyring::new(message.clone(), data_key);
    let key_use = keyring.key_use();
    let request = client(RequireEncryptAllowDecrypt)?.decrypt().ciphertext(bytes).keyring(KeyringRef::from(keyring));
    let answer = answer_at_once(request.send())?;
    match (key_use.read(), answer) {
        (KeyUse::NotAsked, _) => Err(OpenError::HeaderRefused),
        (KeyUse::Withheld(disagreement), _) => Err(OpenError::KeyWithheld(disagreement)),
        (KeyUse::HandedOut, Err(_)) => Err(OpenError::NotAuthentic),
        (KeyUse::HandedOut, Ok(opened)) => {
            let clear = Zeroizing::new(opened.plaintext.ok_or(LibraryFault::NoResult)?.into_inner());
            let clear = std::str::from_utf8(&clear).map_err(|_| OpenError::NotUtf8)?;
            // An exact copy: turning the library's buffer itself into a secret could move it and leave it behind.
            Ok(SecretString::from(Box::<str>::from(clear)))
        }
    }
}

#[cfg(all(test, feature = "seal"))]
mod tests {
    use super::*;
    use crate::seal::seal_bytes;
    use crate::{SealOptions, WrappedDataKey};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use secrecy::ExposeSecret as _;
    use shared::{AlgorithmSuite, KeyArn, UserPoolId};
    use std::convert::Infallible;

    const DATA_KEY: [u8; 32] = [0x5a; 32];

    fn data_key() -> SecretBox<[u8; 32]> {
        SecretBox::new(Box::new(DATA_KEY))
    }

    /// A clear text as sealed with [`DATA_KEY`]. Every call makes another key pair for the signature, and so another
    /// encryption context.
    fn sealed_bytes(clear: &[u8], options: SealOptions) -> Vec<u8> {
        let pool = UserPoolId::parse("eu-west-1_EXAMPLE01").expect("a pool id");
        let key_arn = KeyArn::parse("arn:aws:kms:eu-west-1:123456789012:key/sealpost").expect("a key ARN");
        let wrap = |_: &_| Ok::<_, Infallible>(WrappedDataKey { plaintext: data_key(), ciphertext: vec![0xed; 184] });
        seal_bytes(options, clear, &pool, &key_arn, wrap).expect("sealed")
    }

    fn sealed(options: SealOptions) -> SealedCode {
        let bytes = sealed_bytes(b"407166", options);
        SealedCode::parse(&STANDARD.encode(bytes)).expect("our parser reads what the library writes")
    }

    fn opened_as(code: &SealedCode, message: &EsdkMessage) -> Result<String, OpenError> {
        open_message(code.bytes(), message, &data_key()).map(|clear| clear.expose_secret().to_owned())
    }

    /// What opening says when the data key was unwrapped for a message that differs by `change`.
    fn opened_after(change: impl FnOnce(&mut EsdkMessage)) -> Result<String, OpenError> {
        let code = sealed(SealOptions::default());
        let mut message = code.message().clone();
        change(&mut message);
        opened_as(&code, &message)
    }

    #[test]
    fn a_key_unwrapped_for_another_message_is_withheld() {
        let (code, other) = (sealed(SealOptions::default()), sealed(SealOptions::default()));
        assert_eq!(opened_as(&code, code.message()), Ok("407166".to_owned()));
        assert_eq!(opened_as(&code, other.message()), Err(Disagreement::EncryptionContext.into()));
    }

    #[test]
    fn a_key_unwrapped_for_another_context_is_withheld() {
        let refused = Err(Disagreement::EncryptionContext.into());
        assert_eq!(opened_after(|message| message.encryption_context[1].1.push('x')), refused);
        assert_eq!(opened_after(|message| message.encryption_context[1].0.push('x')), refused);
        assert_eq!(opened_after(|message| message.encryption_context.truncate(1)), refused);
        let further = ("z".to_owned(), String::new());
        assert_eq!(opened_after(|message| message.encryption_context.push(further)), refused);
    }

    #[test]
    fn a_key_unwrapped_for_another_suite_is_withheld() {
        let refused = Err(Disagreement::Suite.into());
        let committed = AlgorithmSuite::Committed { id: 0x0578, signed: true };
        assert_eq!(opened_after(|message| message.suite = committed), refused);
        let code = sealed(SealOptions { committed_suite: true, without_pool: true });
        let mut message = code.message().clone();
        assert_eq!(opened_as(&code, &message), Ok("407166".to_owned()));
        message.suite = AlgorithmSuite::COGNITO;
        assert_eq!(opened_as(&code, &message), refused);
    }

    #[test]
    fn a_key_unwrapped_from_another_encrypted_data_key_is_withheld() {
        let refused = Err(Disagreement::EncryptedDataKeys.into());
        assert_eq!(opened_after(|message| message.encrypted_data_keys[0].provider_id.push('x')), refused);
        assert_eq!(opened_after(|message| message.encrypted_data_keys[0].provider_info.push(b'x')), refused);
        assert_eq!(opened_after(|message| message.encrypted_data_keys[0].ciphertext[183] ^= 1), refused);
        assert_eq!(opened_after(|message| message.encrypted_data_keys.clear()), refused);
        assert_eq!(
            opened_after(|message| message.encrypted_data_keys.push(message.encrypted_data_keys[0].clone())),
            refused
        );
    }

    #[test]
    fn a_message_that_the_library_cannot_read_never_sees_the_key() {
        let code = sealed(SealOptions::default());
        let refused = open_message(&code.bytes()[..100], code.message(), &data_key());
        assert_eq!(refused.err(), Some(OpenError::HeaderRefused));
    }

    /// Our parser refuses these before; the library alone would do so too.
    #[test]
    fn a_message_cut_short_or_extended_is_refused_by_the_library_too() {
        let code = sealed(SealOptions::default());
        for length in 0..code.bytes().len() {
            assert!(
                open_message(&code.bytes()[..length], code.message(), &data_key()).is_err(),
                "{length} bytes opened"
            );
        }
        let extended = [code.bytes(), &[0]].concat();
        assert_eq!(open_message(&extended, code.message(), &data_key()).err(), Some(OpenError::NotAuthentic));
    }

    #[test]
    fn a_clear_text_that_is_not_utf8_is_refused() {
        let bytes = sealed_bytes(b"40\xff166", SealOptions::default());
        let message = EsdkMessage::parse(&bytes).expect("our parser reads what the library writes");
        assert_eq!(open_message(&bytes, &message, &data_key()).err(), Some(OpenError::NotUtf8));
    }
}
