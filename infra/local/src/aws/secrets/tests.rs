use super::*;

const TOKEN: &str = "11111111-1111-4111-8111-111111111111";
const OTHER_TOKEN: &str = "22222222-2222-4222-8222-222222222222";

fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

/// With a secret `twilio` whose value is `first`.
fn secrets() -> (SecretsManager, StoredVersion) {
    let mut secrets = SecretsManager::new("eu-west-1", "123456789012", 7);
    let created = secrets.create_secret("twilio", "", Some("first".into()), None, at(1)).unwrap();
    (secrets, created)
}

fn put(secrets: &mut SecretsManager, value: &str, stages: &[&str]) -> String {
    let stages: Vec<String> = stages.iter().map(|stage| (*stage).to_owned()).collect();
    secrets.put_secret_value("twilio", value.into(), None, &stages, at(2)).unwrap().version_id.unwrap()
}

/// The value at a staging label, or the code of the refusal.
fn text(secrets: &SecretsManager, stage: &str) -> String {
    match secrets.get_secret_value("twilio", None, Some(stage)) {
        Ok(version) => exposed(&version.value),
        Err(error) => error.code().to_owned(),
    }
}

fn exposed(value: &SecretValue) -> String {
    use secrecy::ExposeSecret;
    match value {
        SecretValue::Text(text) => text.expose_secret().to_owned(),
        SecretValue::Binary(bytes) => format!("{:?}", bytes.expose_secret()),
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, SecretsError>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn a_new_value_is_current_and_the_one_before_it_previous() {
    let (mut secrets, first) = secrets();
    assert_eq!(first.stages, [CURRENT]);
    assert_eq!(text(&secrets, PREVIOUS), "ResourceNotFoundException");
    put(&mut secrets, "second", &[]);
    assert_eq!((text(&secrets, CURRENT), text(&secrets, PREVIOUS)), ("second".to_owned(), "first".to_owned()));
    put(&mut secrets, "third", &[]);
    assert_eq!((text(&secrets, CURRENT), text(&secrets, PREVIOUS)), ("third".to_owned(), "second".to_owned()));
    let unlabelled = secrets.get_secret_value("twilio", first.version_id.as_deref(), None).unwrap();
    assert_eq!((exposed(&unlabelled.value), unlabelled.stages), ("first".to_owned(), vec![]));
}

#[test]
fn a_pending_value_becomes_current_when_the_label_moves_to_it() {
    let (mut secrets, first) = secrets();
    let first = first.version_id.unwrap();
    let pending = put(&mut secrets, "second", &[PENDING]);
    assert_eq!((text(&secrets, CURRENT), text(&secrets, PENDING)), ("first".to_owned(), "second".to_owned()));
    let (from, to) = (Some(first.as_str()), Some(pending.as_str()));
    secrets.update_secret_version_stage("twilio", CURRENT, from, to, at(3)).unwrap();
    assert_eq!((text(&secrets, CURRENT), text(&secrets, PREVIOUS)), ("second".to_owned(), "first".to_owned()));
    let described = secrets.describe_secret("twilio").unwrap();
    assert_eq!((described.created_at, described.changed_at), (at(1), at(3)));
    let stages = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect::<Vec<_>>();
    let expected = [(first, stages(&[PREVIOUS])), (pending.clone(), stages(&[CURRENT, PENDING]))];
    assert_eq!(described.stages, BTreeMap::from(expected));
    secrets.update_secret_version_stage("twilio", PENDING, Some(&pending), None, at(4)).unwrap();
    assert_eq!(text(&secrets, PENDING), "ResourceNotFoundException");
}

#[test]
fn a_label_moves_only_from_the_version_that_has_it() {
    let (mut secrets, first) = secrets();
    let first = first.version_id.unwrap();
    let second = put(&mut secrets, "second", &[]);
    for (stage, from, to, code) in [
        (CURRENT, None, Some(first.as_str()), "InvalidParameterException"),
        (CURRENT, Some(first.as_str()), Some(first.as_str()), "InvalidParameterException"),
        (CURRENT, Some(second.as_str()), None, "InvalidParameterException"),
        (CURRENT, None, None, "InvalidParameterException"),
        (PENDING, Some(first.as_str()), None, "InvalidParameterException"),
        (PENDING, None, Some(TOKEN), "ResourceNotFoundException"),
        ("", None, Some(first.as_str()), "ValidationException"),
    ] {
        let moved = secrets.update_secret_version_stage("twilio", stage, from, to, at(3));
        assert_eq!(refusal(moved), code, "{stage} from {from:?} to {to:?}");
    }
    assert_eq!((text(&secrets, CURRENT), text(&secrets, PREVIOUS)), ("second".to_owned(), "first".to_owned()));
    secrets.update_secret_version_stage("twilio", CURRENT, Some(&second), Some(&first), at(3)).unwrap();
    assert_eq!((text(&secrets, CURRENT), text(&secrets, PREVIOUS)), ("first".to_owned(), "second".to_owned()));
}

#[test]
fn an_id_and_a_label_must_be_of_one_version() {
    let (mut secrets, first) = secrets();
    let first = first.version_id.as_deref();
    put(&mut secrets, "second", &[]);
    assert!(secrets.get_secret_value("twilio", first, Some(PREVIOUS)).is_ok());
    assert_eq!(refusal(secrets.get_secret_value("twilio", first, Some(CURRENT))), "InvalidRequestException");
    assert_eq!(refusal(secrets.get_secret_value("twilio", Some(TOKEN), None)), "ResourceNotFoundException");
    assert_eq!(refusal(secrets.get_secret_value("twilio", Some("short"), None)), "ValidationException");
}

#[test]
fn a_secret_answers_to_its_name_its_arn_and_its_arn_without_suffix() {
    let (secrets, created) = secrets();
    let partial = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:twilio";
    let suffix = created.arn.strip_prefix(partial).and_then(|rest| rest.strip_prefix('-')).unwrap();
    assert!(suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{suffix}");
    for id in ["twilio", &created.arn, partial] {
        assert_eq!(secrets.get_secret_value(id, None, None).unwrap().arn, created.arn, "{id}");
    }
    for id in
        ["twili".to_owned(), partial.replace("twilio", "twili"), format!("{partial}-aaaaaa"), format!("{partial}x")]
    {
        assert_eq!(secrets.get_secret_value(&id, None, None).unwrap_err(), SecretsError::NotFound, "{id}");
    }
}

#[test]
fn a_name_is_of_one_secret() {
    let (mut secrets, _) = secrets();
    let again = secrets.create_secret("twilio", "", Some("first".into()), None, at(2)).unwrap_err();
    assert_eq!(again.to_string(), "The operation failed because the secret twilio already exists.");
    for name in ["", "a b", &"x".repeat(513)] {
        assert_eq!(refusal(secrets.create_secret(name, "", None, None, at(2))), "ValidationException", "{name}");
    }
    assert!(secrets.create_secret(&"x".repeat(512), "", None, None, at(2)).is_ok());
}

#[test]
fn a_request_may_be_repeated_with_its_token_and_value_only() {
    let (mut secrets, _) = secrets();
    let mut create = |value: &str, token| secrets.create_secret("other", "", Some(value.into()), Some(token), at(2));
    let created = create("x", TOKEN).unwrap();
    assert_eq!(created.version_id.as_deref(), Some(TOKEN));
    assert_eq!(create("x", TOKEN).unwrap(), created);
    assert_eq!(refusal(create("y", TOKEN)), "ResourceExistsException");
    assert_eq!(refusal(create("x", OTHER_TOKEN)), "ResourceExistsException");
    let mut put = |value: SecretValue, token| secrets.put_secret_value("twilio", value, Some(token), &[], at(3));
    let second = put("second".into(), TOKEN).unwrap();
    put("third".into(), OTHER_TOKEN).unwrap();
    let again = put("second".into(), TOKEN).unwrap();
    assert_eq!((again.arn, again.version_id), (second.arn, second.version_id));
    assert_eq!(again.stages, [PREVIOUS], "a repeated request moves nothing");
    assert_eq!(refusal(put("else".into(), TOKEN)), "ResourceExistsException");
    assert_eq!(refusal(put(SecretValue::Binary(b"second".to_vec().into()), TOKEN)), "ResourceExistsException");
    assert_eq!(refusal(put("second".into(), "short")), "ValidationException");
}

#[test]
fn a_secret_without_a_value_gets_its_first_by_a_put() {
    let (mut secrets, _) = secrets();
    assert_eq!(secrets.create_secret("empty", "nothing yet", None, None, at(2)).unwrap().version_id, None);
    assert_eq!(refusal(secrets.get_secret_value("empty", None, None)), "ResourceNotFoundException");
    let bytes = SecretValue::Binary(vec![0, 255].into());
    let put = secrets.put_secret_value("empty", bytes, None, &[PENDING.to_owned()], at(3)).unwrap();
    assert_eq!(put.stages, [CURRENT, PENDING], "the first version is always current");
    assert_eq!(exposed(&secrets.get_secret_value("empty", None, None).unwrap().value), "[0, 255]");
}

#[test]
fn a_secret_that_awaits_its_deletion_is_described_and_nothing_else() {
    let (mut secrets, created) = secrets();
    for days in [0, 6, 31, u64::MAX] {
        let refused = secrets.delete_secret("twilio", Deletion::Scheduled { days }, at(2));
        assert_eq!(refusal(refused), "InvalidParameterException", "{days}");
    }
    let deleted = secrets.delete_secret(&created.arn, Deletion::Scheduled { days: 7 }, at(2)).unwrap();
    let deletion_date = at(2 + 7 * 86_400_000);
    assert_eq!(deleted, DeletedSecret { arn: created.arn, name: "twilio".to_owned(), deletion_date });
    assert_eq!(secrets.describe_secret("twilio").unwrap().deletion_date, Some(deletion_date));
    let refused = secrets.get_secret_value("twilio", None, None).unwrap_err();
    assert_eq!((refused.code(), &refused), ("InvalidRequestException", &SecretsError::MarkedForDeletion));
    let version = created.version_id.as_deref();
    for refused in [
        secrets.put_secret_value("twilio", "x".into(), None, &[], at(3)).unwrap_err(),
        secrets.update_secret_version_stage("twilio", PENDING, None, version, at(3)).unwrap_err(),
        secrets.delete_secret("twilio", Deletion::Scheduled { days: 7 }, at(3)).unwrap_err(),
        secrets.create_secret("twilio", "", Some("x".into()), None, at(3)).unwrap_err(),
    ] {
        assert_eq!(refused.code(), "InvalidRequestException", "{refused}");
    }
}

#[test]
fn a_forced_deletion_frees_the_name_for_another_secret() {
    let (mut secrets, first) = secrets();
    secrets.delete_secret("twilio", Deletion::Scheduled { days: 7 }, at(2)).unwrap();
    let deleted = secrets.delete_secret("twilio", Deletion::Forced, at(3)).unwrap();
    assert_eq!((&deleted.arn, deleted.deletion_date), (&first.arn, at(3)));
    assert_eq!(refusal(secrets.describe_secret("twilio")), "ResourceNotFoundException");
    assert!(secrets.delete_secret("twilio", Deletion::Forced, at(3)).is_ok(), "also when it is gone");
    let second = secrets.create_secret("twilio", "", Some("second".into()), None, at(4)).unwrap();
    assert_ne!(second.arn, first.arn);
    assert_eq!(refusal(secrets.get_secret_value(&first.arn, None, None)), "ResourceNotFoundException");
    secrets.delete_secret(&first.arn, Deletion::Forced, at(5)).unwrap();
    assert_eq!(text(&secrets, CURRENT), "second", "an old ARN deletes nothing new");
}

#[test]
fn sizes_are_bounded() {
    let (mut secrets, _) = secrets();
    for (bytes, accepted) in [(0, false), (1, true), (65_536, true), (65_537, false)] {
        let value = "x".repeat(bytes);
        let put = secrets.put_secret_value("twilio", value.as_str().into(), None, &[], at(2));
        assert_eq!(put.is_ok(), accepted, "{bytes} bytes");
    }
    let stages: Vec<String> = (0..20).map(|stage| format!("stage-{stage}")).collect();
    let mut put = |stages: &[String]| secrets.put_secret_value("twilio", "x".into(), None, stages, at(2));
    assert_eq!(refusal(put(&stages)), "LimitExceededException");
    assert_eq!(refusal(put(&["x".repeat(257)])), "ValidationException");
    assert!(put(&stages[..18]).is_ok(), "with AWSCURRENT and AWSPREVIOUS twenty");
    assert!(put(&stages[..18]).is_ok(), "labels that move are not more");
    assert_eq!(refusal(put(&stages[18..])), "LimitExceededException");
    let described = "x".repeat(2049);
    assert_eq!(refusal(secrets.create_secret("long", &described, None, None, at(2))), "ValidationException");
}

#[test]
fn of_many_versions_the_oldest_without_a_label_goes_first() {
    let (mut secrets, first) = secrets();
    put(&mut secrets, "kept", &["KEPT"]);
    let oldest = put(&mut secrets, "oldest", &[]);
    (0..versions::VERSIONS).for_each(|_| drop(put(&mut secrets, "x", &[])));
    for gone in [first.version_id.as_deref(), Some(oldest.as_str())] {
        assert_eq!(refusal(secrets.get_secret_value("twilio", gone, None)), "ResourceNotFoundException");
    }
    assert_eq!(text(&secrets, "KEPT"), "kept");
    assert_eq!((text(&secrets, CURRENT), text(&secrets, PREVIOUS)), ("x".to_owned(), "x".to_owned()));
}

#[test]
fn the_number_of_secrets_and_all_their_bytes_are_bounded() {
    let mut secrets = SecretsManager::new("eu-west-1", "123456789012", 7);
    let mut create = |number: usize| secrets.create_secret(&number.to_string(), "", None, None, at(1));
    (0..SECRETS).for_each(|number| drop(create(number).unwrap()));
    assert_eq!(refusal(create(SECRETS)), "LimitExceededException");
    let large = "x".repeat(65_536);
    let mut put =
        |number: usize| secrets.put_secret_value(&(number % 20).to_string(), large.as_str().into(), None, &[], at(2));
    (0..1024).for_each(|number| drop(put(number).unwrap()));
    assert_eq!(refusal(put(0)), "LimitExceededException");
}

#[test]
fn the_same_calls_with_the_same_seed_give_the_same_ids() {
    assert_eq!(secrets().1, secrets().1);
    let mut other = SecretsManager::new("eu-west-1", "123456789012", 8);
    assert_ne!(other.create_secret("twilio", "", Some("first".into()), None, at(1)).unwrap(), secrets().1);
}

#[test]
fn debug_output_and_errors_hold_no_value() {
    let (mut secrets, _) = secrets();
    assert_eq!(format!("{secrets:?}"), "SecretsManager { secrets: 1, .. }");
    let version = secrets.get_secret_value("twilio", None, None).unwrap();
    assert!(!format!("{version:?}").contains("first"));
    assert!(!format!("{:?}", SecretValue::Binary(vec![77; 3].into())).contains("77"));
    secrets.put_secret_value("twilio", "hidden".into(), Some(TOKEN), &[], at(2)).unwrap();
    let error = secrets.put_secret_value("twilio", "hidden2".into(), Some(TOKEN), &[], at(2)).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hidden"));
}
