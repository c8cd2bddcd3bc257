//! Data keys as the pipeline uses them: wrapped when a code is sealed, unwrapped when it is opened.

use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::operation::decrypt::builders::DecryptFluentBuilder;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;

use crate::check::Check;
use crate::kms_keys::key;
use crate::world::*;

pub(crate) const CHECKS: &[Check] = checks![
    a_data_key_decrypts_with_and_without_naming_its_key,
    what_is_encrypted_decrypts,
    a_wrong_context_is_an_invalid_ciphertext,
    a_context_that_is_missing_or_too_large_is_an_invalid_ciphertext,
    a_blob_that_is_empty_or_cut_short_is_an_invalid_ciphertext,
    a_tampered_blob_is_an_invalid_ciphertext,
    a_key_that_did_not_encrypt_is_the_incorrect_key,
    an_unknown_key_is_not_found,
    a_key_of_another_region_or_account_is_not_found,
];

const CONTEXT: (&str, &str) = ("userpool-id", "eu-west-1_Ab");

/// A data key in clear, and wrapped under the context.
pub(crate) async fn data_key(world: &World, key: &str) -> (Blob, Blob) {
    let request = world.kms.generate_data_key().key_id(key).key_spec(DataKeySpec::Aes256);
    let answer = request.encryption_context(CONTEXT.0, CONTEXT.1).send().await.unwrap();
    assert_eq!(answer.key_id.as_deref(), Some(key));
    (answer.plaintext.unwrap(), answer.ciphertext_blob.unwrap())
}

pub(crate) fn decrypt(world: &World, blob: &Blob) -> DecryptFluentBuilder {
    world.kms.decrypt().ciphertext_blob(blob.clone()).encryption_context(CONTEXT.0, CONTEXT.1)
}

async fn a_data_key_decrypts_with_and_without_naming_its_key(world: &World) {
    let arn = key(world).await;
    let (plaintext, wrapped) = data_key(world, &arn).await;
    assert_eq!(plaintext.as_ref().len(), 32);
    for request in [decrypt(world, &wrapped), decrypt(world, &wrapped).key_id(&arn)] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.plaintext.as_ref(), Some(&plaintext));
        assert_eq!(answer.key_id.as_deref(), Some(arn.as_str()));
    }
}

async fn what_is_encrypted_decrypts(world: &World) {
    let arn = key(world).await;
    let encrypted = world.kms.encrypt().key_id(&arn).plaintext(Blob::new(*b"x")).send().await.unwrap();
    assert_eq!(encrypted.key_id.as_ref(), Some(&arn));
    let decrypted = world.kms.decrypt().ciphertext_blob(encrypted.ciphertext_blob.unwrap()).send().await.unwrap();
    assert_eq!(decrypted.plaintext, Some(Blob::new(*b"x")));
}

async fn a_wrong_context_is_an_invalid_ciphertext(world: &World) {
    let (_, wrapped) = data_key(world, &key(world).await).await;
    is_invalid(decrypt(world, &wrapped).encryption_context(CONTEXT.0, "eu-west-1_Other")).await;
}

async fn a_context_that_is_missing_or_too_large_is_an_invalid_ciphertext(world: &World) {
    let (_, wrapped) = data_key(world, &key(world).await).await;
    is_invalid(decrypt(world, &wrapped).encryption_context("more", "x")).await;
    is_invalid(world.kms.decrypt().ciphertext_blob(wrapped)).await;
}

async fn a_blob_that_is_empty_or_cut_short_is_an_invalid_ciphertext(world: &World) {
    let (_, wrapped) = data_key(world, &key(world).await).await;
    let bytes = wrapped.as_ref();
    for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        is_invalid(decrypt(world, &Blob::new(&bytes[..length]))).await;
    }
}

async fn a_tampered_blob_is_an_invalid_ciphertext(world: &World) {
    let arn = key(world).await;
    let (_, wrapped) = data_key(world, &arn).await;
    let length = wrapped.as_ref().len();
    for place in [0, 1, 16, 50, length / 2, length - 34, length - 1] {
        let mut bytes = wrapped.as_ref().to_vec();
        bytes[place] ^= 1;
        is_invalid(decrypt(world, &Blob::new(bytes)).key_id(&arn)).await;
    }
}

async fn is_invalid(request: DecryptFluentBuilder) {
    match request.send().await.map_err(aws_sdk_kms::error::SdkError::into_service_error) {
        Err(DecryptError::InvalidCiphertextException(_)) => {}
        Err(error) => panic!("another refusal: {error:?}"),
        Ok(_) => panic!("accepted"),
    }
}

async fn a_key_that_did_not_encrypt_is_the_incorrect_key(world: &World) {
    let (_, wrapped) = data_key(world, &key(world).await).await;
    let other = key(world).await;
    assert_eq!(code(decrypt(world, &wrapped).key_id(other).send().await), "IncorrectKeyException");
}

async fn an_unknown_key_is_not_found(world: &World) {
    let (_, wrapped) = data_key(world, &key(world).await).await;
    for unknown in ["00000000-0000-4000-8000-000000000000", "alias/none"] {
        assert_eq!(code(decrypt(world, &wrapped).key_id(unknown).send().await), "NotFoundException", "{unknown}");
    }
}

async fn a_key_of_another_region_or_account_is_not_found(world: &World) {
    let arn = key(world).await;
    let (_, wrapped) = data_key(world, &arn).await;
    for elsewhere in [arn.replace(REGION, "us-east-1"), arn.replace(&world.account, "210987654321")] {
        assert_eq!(code(decrypt(world, &wrapped).key_id(elsewhere).send().await), "NotFoundException");
    }
}
