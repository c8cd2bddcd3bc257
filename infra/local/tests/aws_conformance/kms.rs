use std::{collections::BTreeMap, time::Instant};

use aws_sdk_kms::{
    operation::decrypt::{DecryptError, builders::DecryptFluentBuilder},
    primitives::Blob,
    types::{DataKeySpec, KeyState},
};
use local::aws::KmsFault;

use super::*;

const CONTEXT: (&str, &str) = ("userpool-id", "eu-west-1_Ab");

/// A key, by its ARN.
async fn key(aws: &Aws) -> String {
    aws.kms.create_key().description("codes").send().await.unwrap().key_metadata.unwrap().arn.unwrap()
}

/// A data key in clear, and wrapped under the context.
async fn data_key(aws: &Aws, key: &str) -> (Blob, Blob) {
    let request = aws.kms.generate_data_key().key_id(key).key_spec(DataKeySpec::Aes256);
    let answer = request.encryption_context(CONTEXT.0, CONTEXT.1).send().await.unwrap();
    assert_eq!(answer.key_id.as_deref(), Some(key));
    (answer.plaintext.unwrap(), answer.ciphertext_blob.unwrap())
}

fn decrypt(aws: &Aws, blob: &Blob) -> DecryptFluentBuilder {
    aws.kms.decrypt().ciphertext_blob(blob.clone()).encryption_context(CONTEXT.0, CONTEXT.1)
}

#[tokio::test]
async fn a_data_key_is_as_long_as_on_aws_and_decrypts_with_and_without_naming_its_key() {
    let aws = Aws::start();
    let arn = key(&aws).await;
    let (plaintext, wrapped) = data_key(&aws, &arn).await;
    assert_eq!((plaintext.as_ref().len(), wrapped.as_ref().len()), (32, 184));
    for request in [decrypt(&aws, &wrapped), decrypt(&aws, &wrapped).key_id(&arn)] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.plaintext.as_ref(), Some(&plaintext));
        assert_eq!(answer.key_id.as_deref(), Some(arn.as_str()));
    }
}

#[tokio::test]
async fn what_is_wrapped_in_process_unwraps_over_the_wire() {
    let aws = Aws::start();
    let arn = key(&aws).await;
    let context = BTreeMap::from([(CONTEXT.0.to_owned(), CONTEXT.1.to_owned())]);
    let (plaintext, wrapped) = aws.embedded.kms().model().generate_data_key(&arn, &context).unwrap();
    let answer = decrypt(&aws, &Blob::new(wrapped)).send().await.unwrap();
    assert_eq!(answer.plaintext.unwrap().as_ref(), plaintext.as_slice());
}

#[tokio::test]
async fn a_wrong_context_and_a_tampered_blob_are_invalid_ciphertexts() {
    let aws = Aws::start();
    let arn = key(&aws).await;
    let (_, wrapped) = data_key(&aws, &arn).await;
    let mut refused = vec![
        decrypt(&aws, &wrapped).encryption_context("more", "x"),
        decrypt(&aws, &wrapped).encryption_context(CONTEXT.0, "eu-west-1_Other"),
        aws.kms.decrypt().ciphertext_blob(wrapped.clone()),
        decrypt(&aws, &Blob::new([])),
        decrypt(&aws, &Blob::new(&wrapped.as_ref()[..100])),
    ];
    for place in [0, 1, 16, 50, 130, 150, 183] {
        let mut bytes = wrapped.as_ref().to_vec();
        bytes[place] ^= 1;
        refused.push(decrypt(&aws, &Blob::new(bytes)).key_id(&arn));
    }
    for request in refused {
        let error = request.send().await.unwrap_err().into_service_error();
        assert!(matches!(error, DecryptError::InvalidCiphertextException(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_and_an_unknown_key_are_told_apart() {
    let aws = Aws::start();
    let (arn, other) = (key(&aws).await, key(&aws).await);
    let (_, wrapped) = data_key(&aws, &arn).await;
    let error = decrypt(&aws, &wrapped).key_id(&other).send().await.unwrap_err().into_service_error();
    assert!(matches!(error, DecryptError::IncorrectKeyException(_)), "{error:?}");
    for unknown in [
        arn.replace("eu-west-1", "us-east-1"),
        arn.replace("123456789012", "210987654321"),
        "00000000-0000-4000-8000-000000000000".to_owned(),
        "alias/none".to_owned(),
    ] {
        let error = decrypt(&aws, &wrapped).key_id(unknown).send().await.unwrap_err().into_service_error();
        assert!(matches!(error, DecryptError::NotFoundException(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_disabled_key_and_one_pending_deletion_refuse_and_only_the_first_comes_back() {
    let aws = Aws::start();
    let arn = key(&aws).await;
    let (_, wrapped) = data_key(&aws, &arn).await;
    aws.kms.disable_key().key_id(&arn).send().await.unwrap();
    let error = decrypt(&aws, &wrapped).send().await.unwrap_err().into_service_error();
    assert!(matches!(error, DecryptError::DisabledException(_)), "{error:?}");
    let generate = aws.kms.generate_data_key().key_id(&arn).number_of_bytes(32).send().await;
    assert_eq!(code(generate), "DisabledException");
    aws.kms.enable_key().key_id(&arn).send().await.unwrap();
    decrypt(&aws, &wrapped).send().await.unwrap();
    let pending = aws.kms.schedule_key_deletion().key_id(&arn).pending_window_in_days(7).send().await.unwrap();
    assert_eq!((pending.key_id.as_ref(), pending.key_state), (Some(&arn), Some(KeyState::PendingDeletion)));
    let error = decrypt(&aws, &wrapped).send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    let error = error.into_service_error();
    assert!(matches!(error, DecryptError::KmsInvalidStateException(_)), "{error:?}");
    assert_eq!(code(aws.kms.enable_key().key_id(&arn).send().await), "KMSInvalidStateException");
    let described = aws.kms.describe_key().key_id(&arn).send().await.unwrap().key_metadata.unwrap();
    assert_eq!((described.enabled, described.deletion_date.is_some()), (false, true));
}

#[tokio::test]
async fn an_alias_stands_for_its_key() {
    let aws = Aws::start();
    let arn = key(&aws).await;
    aws.kms.create_alias().alias_name("alias/codes").target_key_id(&arn).send().await.unwrap();
    for name in ["alias/codes", "arn:aws:kms:eu-west-1:123456789012:alias/codes"] {
        let described = aws.kms.describe_key().key_id(name).send().await.unwrap().key_metadata.unwrap();
        assert_eq!(described.arn.as_ref(), Some(&arn));
        let encrypted = aws.kms.encrypt().key_id(name).plaintext(Blob::new(*b"x")).send().await.unwrap();
        assert_eq!(encrypted.key_id.as_ref(), Some(&arn));
        let decrypted = aws.kms.decrypt().ciphertext_blob(encrypted.ciphertext_blob.unwrap()).key_id(name);
        assert_eq!(decrypted.send().await.unwrap().plaintext, Some(Blob::new(*b"x")));
        aws.kms.generate_data_key().key_id(name).number_of_bytes(16).send().await.unwrap();
    }
    let again = aws.kms.create_alias().alias_name("alias/codes").target_key_id(&arn).send().await;
    assert_eq!(code(again), "AlreadyExistsException");
}

#[tokio::test]
async fn keys_are_listed_in_pages() {
    let aws = Aws::start();
    let mut arns = vec![key(&aws).await, key(&aws).await, key(&aws).await];
    arns.sort();
    let (mut listed, mut marker) = (Vec::new(), None);
    loop {
        let page = aws.kms.list_keys().limit(2).set_marker(marker).send().await.unwrap();
        listed.extend(page.keys().iter().map(|key| key.key_arn.clone().unwrap()));
        assert_eq!(page.truncated, page.next_marker.is_some());
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(listed, arns);
}

#[tokio::test]
async fn faults_come_and_go() {
    let aws = Aws::start();
    let arn = key(&aws).await;
    let (_, wrapped) = data_key(&aws, &arn).await;
    for (fault, expected, status) in [
        (KmsFault::Throttled, "ThrottlingException", 400),
        (KmsFault::InternalError, "KMSInternalException", 500),
        (KmsFault::AccessDenied, "AccessDeniedException", 400),
    ] {
        aws.embedded.kms().set_fault(Some(fault));
        let error = decrypt(&aws, &wrapped).send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(error.code(), Some(expected));
    }
    aws.embedded.kms().set_fault(Some(KmsFault::Latency(Duration::from_millis(300))));
    let started = Instant::now();
    decrypt(&aws, &wrapped).send().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(300));
    aws.embedded.kms().set_fault(None);
    decrypt(&aws, &wrapped).send().await.unwrap();
}
