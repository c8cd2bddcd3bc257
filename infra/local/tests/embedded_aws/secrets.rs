use std::collections::HashMap;

use aws_sdk_secretsmanager::primitives::Blob;
use local::aws::secrets::{Deletion, SecretValue};
use secrecy::ExposeSecret;

use super::*;

#[tokio::test]
async fn a_secret_is_created_rotated_described_and_deleted_over_the_wire() {
    let aws = Aws::start();
    let created =
        aws.secrets.create_secret().name("twilio").description("token").secret_string("first").send().await.unwrap();
    let (arn, first) = (created.arn.unwrap(), created.version_id.unwrap());
    assert!(arn.starts_with("arn:aws:secretsmanager:eu-west-1:123456789012:secret:twilio-"), "{arn}");
    let put = aws.secrets.put_secret_value().secret_id(&arn).secret_string("second").version_stages("AWSPENDING");
    let second = put.send().await.unwrap().version_id.unwrap();
    let moved = aws.secrets.update_secret_version_stage().secret_id("twilio").version_stage("AWSCURRENT");
    moved.remove_from_version_id(&first).move_to_version_id(&second).send().await.unwrap();
    let current = aws.secrets.get_secret_value().secret_id("twilio").send().await.unwrap();
    assert_eq!((current.secret_string(), current.version_id()), (Some("second"), Some(second.as_str())));
    assert!(current.created_date.is_some());
    let described = aws.secrets.describe_secret().secret_id(&arn).send().await.unwrap();
    assert_eq!((described.description(), described.deleted_date), (Some("token"), None));
    let stages = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect::<Vec<_>>();
    let expected = [(first, stages(&["AWSPREVIOUS"])), (second, stages(&["AWSCURRENT", "AWSPENDING"]))];
    assert_eq!(described.version_ids_to_stages, Some(HashMap::from(expected)));
    let deleted = aws.secrets.delete_secret().secret_id(&arn).recovery_window_in_days(7).send().await.unwrap();
    let described = aws.secrets.describe_secret().secret_id(&arn).send().await.unwrap();
    assert!(deleted.deletion_date.is_some());
    assert_eq!(described.deleted_date, deleted.deletion_date);
}

#[tokio::test]
async fn bytes_come_back_as_bytes() {
    let aws = Aws::start();
    let bytes = Blob::new([0, 159, 146, 150]);
    aws.secrets.create_secret().name("bytes").secret_binary(bytes.clone()).send().await.unwrap();
    let got = aws.secrets.get_secret_value().secret_id("bytes").send().await.unwrap();
    assert_eq!((got.secret_string, got.secret_binary), (None, Some(bytes.clone())));
    let both = aws.secrets.create_secret().name("both").secret_string("x").secret_binary(bytes).send().await;
    assert_eq!(code(both), "InvalidParameterException");
    let neither = aws.secrets.put_secret_value().secret_id("bytes").send().await;
    assert_eq!(code(neither), "InvalidParameterException");
}

#[tokio::test]
async fn a_value_that_is_too_long_is_refused_and_not_repeated() {
    let aws = Aws::start();
    let create = |bytes: usize| aws.secrets.create_secret().name("twilio").secret_string("s".repeat(bytes)).send();
    let error = create(65_537).await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"));
    assert!(!error.message().unwrap().contains("sss"), "{error:?}");
    create(65_536).await.unwrap();
}

#[tokio::test]
async fn what_is_put_in_past_the_wire_is_got_over_it_and_the_other_way_round() {
    let aws = Aws::start();
    let secrets = aws.embedded.secrets();
    let created = secrets.with_secrets(|secrets, now| {
        secrets.create_secret("twilio", "", Some("first".into()), None, now).map(|created| created.arn)
    });
    let got = aws.secrets.get_secret_value().secret_id(created.unwrap()).send().await.unwrap();
    assert_eq!(got.secret_string(), Some("first"));
    aws.secrets.put_secret_value().secret_id("twilio").secret_string("second").send().await.unwrap();
    let current = secrets.with_secrets(|secrets, _| secrets.get_secret_value("twilio", None, None)).unwrap();
    let SecretValue::Text(text) = current.value else { panic!("{current:?}") };
    assert_eq!(text.expose_secret(), "second");
    secrets.with_secrets(|secrets, now| secrets.delete_secret("twilio", Deletion::Forced, now)).unwrap();
    let gone = aws.secrets.get_secret_value().secret_id("twilio").send().await;
    assert_eq!(code(gone), "ResourceNotFoundException");
    assert_eq!(secrets.get_secret_value_requests(), 2, "those over the wire");
}
