//! Keys, their states and their names.

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::KeyState;

use crate::check::Check;
use crate::kms_ciphertexts::{data_key, decrypt};
use crate::world::*;

pub(crate) const CHECKS: &[Check] = checks![
    a_disabled_key_refuses_until_it_is_enabled,
    a_key_that_awaits_its_deletion_refuses,
    a_key_that_awaits_its_deletion_cannot_be_enabled,
    an_alias_stands_for_its_key,
    an_alias_is_of_one_key,
    keys_are_listed_in_pages,
];

/// A key, by its ARN.
pub(crate) async fn key(world: &World) -> String {
    world.kms.create_key().description("codes").send().await.unwrap().key_metadata.unwrap().arn.unwrap()
}

async fn a_disabled_key_refuses_until_it_is_enabled(world: &World) {
    let arn = key(world).await;
    let (_, wrapped) = data_key(world, &arn).await;
    world.kms.disable_key().key_id(&arn).send().await.unwrap();
    assert_eq!(code(decrypt(world, &wrapped).send().await), "DisabledException");
    let generate = world.kms.generate_data_key().key_id(&arn).number_of_bytes(32).send().await;
    assert_eq!(code(generate), "DisabledException");
    world.kms.enable_key().key_id(&arn).send().await.unwrap();
    decrypt(world, &wrapped).send().await.unwrap();
}

async fn a_key_that_awaits_its_deletion_refuses(world: &World) {
    let arn = key(world).await;
    let (_, wrapped) = data_key(world, &arn).await;
    let pending = world.kms.schedule_key_deletion().key_id(&arn).pending_window_in_days(7).send().await.unwrap();
    assert_eq!(pending.key_id.as_ref(), Some(&arn));
    let described = world.kms.describe_key().key_id(&arn).send().await.unwrap().key_metadata.unwrap();
    assert_eq!((described.enabled, described.key_state), (false, Some(KeyState::PendingDeletion)));
    assert!(described.deletion_date.is_some());
    let error = decrypt(world, &wrapped).send().await.unwrap_err();
    assert_eq!(
        (error.code(), error.raw_response().unwrap().status().as_u16()),
        (Some("KMSInvalidStateException"), 400)
    );
}

async fn a_key_that_awaits_its_deletion_cannot_be_enabled(world: &World) {
    let arn = key(world).await;
    world.kms.schedule_key_deletion().key_id(&arn).pending_window_in_days(7).send().await.unwrap();
    assert_eq!(code(world.kms.enable_key().key_id(&arn).send().await), "KMSInvalidStateException");
}

async fn an_alias_stands_for_its_key(world: &World) {
    let arn = key(world).await;
    world.kms.create_alias().alias_name("alias/codes").target_key_id(&arn).send().await.unwrap();
    for name in ["alias/codes".to_owned(), format!("arn:aws:kms:{REGION}:{}:alias/codes", world.account)] {
        let described = world.kms.describe_key().key_id(&name).send().await.unwrap().key_metadata.unwrap();
        assert_eq!(described.arn.as_ref(), Some(&arn));
        let encrypted = world.kms.encrypt().key_id(&name).plaintext(Blob::new(*b"x")).send().await.unwrap();
        assert_eq!(encrypted.key_id.as_ref(), Some(&arn));
        let decrypted = world.kms.decrypt().ciphertext_blob(encrypted.ciphertext_blob.unwrap()).key_id(&name);
        assert_eq!(decrypted.send().await.unwrap().plaintext, Some(Blob::new(*b"x")));
        world.kms.generate_data_key().key_id(&name).number_of_bytes(16).send().await.unwrap();
    }
}

async fn an_alias_is_of_one_key(world: &World) {
    let create = |key: String| world.kms.create_alias().alias_name("alias/codes").target_key_id(key).send();
    create(key(world).await).await.unwrap();
    assert_eq!(code(create(key(world).await).await), "AlreadyExistsException");
}

async fn keys_are_listed_in_pages(world: &World) {
    let mut arns = vec![key(world).await, key(world).await, key(world).await];
    arns.sort();
    let (mut listed, mut marker) = (Vec::new(), None);
    loop {
        let page = world.kms.list_keys().limit(2).set_marker(marker).send().await.unwrap();
        assert!(page.keys().len() <= 2, "{} keys on a page of 2", page.keys().len());
        listed.extend(page.keys().iter().map(|key| key.key_arn.clone().unwrap()));
        assert_eq!(page.truncated, page.next_marker.is_some());
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    listed.sort();
    assert_eq!(listed, arns);
}
