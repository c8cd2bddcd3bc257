use super::*;

fn kms() -> (Kms, KeyMetadata) {
    let kms = Kms::new("eu-west-1", "123456789012");
    let key = kms.create_key("codes", Timestamp::from_unix_millis(5)).unwrap();
    (kms, key)
}

fn context() -> BTreeMap<String, String> {
    BTreeMap::from([("userpool-id".to_owned(), "eu-west-1_Ab".to_owned())])
}

#[test]
fn a_data_key_unwraps_under_its_key_and_its_context_only() {
    let (kms, key) = kms();
    let (plaintext, wrapped) = kms.generate_data_key(&key.id, &context()).unwrap();
    let decrypted = kms.decrypt(&wrapped, None, &context()).unwrap();
    assert_eq!(*decrypted.plaintext, *plaintext);
    assert_eq!(decrypted.key_arn, key.arn);
    assert_eq!(kms.decrypt(&wrapped, None, &BTreeMap::new()).unwrap_err(), KmsError::InvalidCiphertext);
    let other = kms.create_key("", key.created_at).unwrap();
    assert_eq!(kms.decrypt(&wrapped, Some(&other.arn), &context()).unwrap_err(), KmsError::IncorrectKey);
}

#[test]
fn a_key_answers_to_id_arn_alias_and_alias_arn() {
    let (kms, key) = kms();
    kms.create_alias("alias/codes", &key.arn).unwrap();
    for name in [&key.id, &key.arn, "alias/codes", "arn:aws:kms:eu-west-1:123456789012:alias/codes"] {
        assert_eq!(kms.describe_key(name).unwrap(), key, "{name}");
        assert!(kms.generate_data_key(name, &context()).is_ok());
    }
}

#[test]
fn keys_of_other_regions_and_accounts_and_misspelt_names_are_not_found() {
    let (kms, key) = kms();
    let (id, upper) = (&key.id, key.id.to_uppercase());
    for name in [
        format!("arn:aws:kms:us-east-1:123456789012:key/{id}"),
        format!("arn:aws:kms:eu-west-1:210987654321:key/{id}"),
        format!("arn:aws:kms:eu-west-1:123456789012:{id}"),
        format!("key/{id}"),
        format!("{id} "),
        upper,
        "alias/none".to_owned(),
        String::new(),
        "é".repeat(1000),
    ] {
        assert_eq!(kms.describe_key(&name).unwrap_err().code(), "NotFoundException", "{name}");
        assert_eq!(kms.decrypt(&[], Some(&name), &context()).unwrap_err().code(), "NotFoundException", "{name}");
    }
}

#[test]
fn a_blob_of_another_kms_and_one_that_is_too_long_are_invalid() {
    let ((kms, _), (elsewhere, key)) = (self::kms(), self::kms());
    let (_, wrapped) = elsewhere.generate_data_key(&key.id, &context()).unwrap();
    assert_eq!(kms.decrypt(&wrapped, None, &context()).unwrap_err(), KmsError::InvalidCiphertext);
    for blob in [vec![], vec![1; 17], vec![1; 10_000]] {
        assert_eq!(kms.decrypt(&blob, None, &context()).unwrap_err(), KmsError::InvalidCiphertext);
    }
}

#[test]
fn a_disabled_key_comes_back_and_one_pending_deletion_does_not() {
    let (kms, key) = kms();
    let (_, wrapped) = kms.generate_data_key(&key.id, &context()).unwrap();
    let decrypt = || kms.decrypt(&wrapped, None, &context()).map(drop).map_err(|error| error.code());
    kms.disable_key(&key.id).unwrap();
    assert_eq!(decrypt(), Err("DisabledException"));
    assert_eq!(kms.generate_data_key(&key.id, &context()).unwrap_err().code(), "DisabledException");
    kms.enable_key(&key.id).unwrap();
    assert_eq!(decrypt(), Ok(()));
    let pending = kms.schedule_key_deletion(&key.id, 7, Timestamp::default()).unwrap();
    let deletion_date = Timestamp::from_unix_millis(7 * 86_400_000);
    assert_eq!(pending.state, KeyState::PendingDeletion { deletion_date });
    assert_eq!(decrypt(), Err("KMSInvalidStateException"));
    assert_eq!(kms.enable_key(&key.id).unwrap_err().code(), "KMSInvalidStateException");
    assert_eq!(kms.schedule_key_deletion(&key.id, 31, Timestamp::default()).unwrap_err().code(), "ValidationException");
}

#[test]
fn aliases_have_sound_names_and_exist_once() {
    let (kms, key) = kms();
    for bad in ["codes", "alias/", "alias/aws/kms", "alias/a b", &format!("alias/{}", "x".repeat(251))] {
        assert_eq!(kms.create_alias(bad, &key.id), Err(KmsError::InvalidAliasName), "{bad}");
    }
    kms.create_alias("alias/codes", &key.id).unwrap();
    assert_eq!(kms.create_alias("alias/codes", &key.id).unwrap_err().code(), "AlreadyExistsException");
    assert_eq!(kms.create_alias("alias/x", "none").unwrap_err().code(), "NotFoundException");
}

#[test]
fn sizes_are_bounded() {
    let (kms, key) = kms();
    for (bytes, accepted) in [(0, false), (1, true), (4096, true), (4097, false)] {
        assert_eq!(kms.encrypt(&key.id, &vec![1; bytes], &context()).is_ok(), accepted, "{bytes} bytes");
    }
    for (bytes, accepted) in [(0, false), (1, true), (1024, true), (1025, false)] {
        assert_eq!(kms.generate_data(&key.id, bytes, &context()).is_ok(), accepted, "{bytes} bytes");
    }
    let (kms, now) = (Kms::new("r", "1"), Timestamp::default());
    (0..KEYS).for_each(|_| drop(kms.create_key("", now).unwrap()));
    assert_eq!(kms.create_key("", now).unwrap_err().code(), "LimitExceededException");
    assert_eq!(kms.list_keys().len(), KEYS);
}

#[test]
fn debug_output_holds_no_key() {
    let (kms, key) = kms();
    let blob = kms.encrypt(&key.id, b"secret plaintext", &context()).unwrap().blob;
    let decrypted = kms.decrypt(&blob, None, &context()).unwrap();
    assert_eq!(format!("{kms:?}"), r#"Kms { region: "eu-west-1", keys: 1, .. }"#);
    let text = format!("{decrypted:?}");
    assert!(text.ends_with("plaintext_bytes: 16 }"), "{text}");
}
