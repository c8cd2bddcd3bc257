//! Secrets, their names and their deletion.

use aws_sdk_secretsmanager::operation::create_secret::builders::CreateSecretFluentBuilder;

use crate::check::Check;
use crate::world::*;

pub(crate) const CHECKS: &[Check] = checks![
    a_secret_is_got_by_its_name,
    a_secret_is_got_by_its_arn_with_and_without_suffix,
    the_beginning_of_a_name_in_an_arn_is_no_name,
    an_arn_with_another_suffix_is_not_found,
    a_missing_secret_is_not_found,
    a_name_that_no_secret_may_have_is_refused,
    an_existing_name_is_refused,
    a_name_that_awaits_its_deletion_is_an_invalid_request,
    a_creation_may_be_repeated_with_its_token,
    a_secret_whose_deletion_is_scheduled_withholds_its_value,
    a_secret_whose_deletion_is_scheduled_takes_no_value,
    a_recovery_window_outside_its_range_is_refused,
    a_deletion_is_forced_or_has_a_recovery_window,
    a_forced_deletion_is_at_once,
    a_forced_deletion_of_what_is_missing_succeeds,
];

/// A secret `twilio` with this value, to be refined.
pub(crate) fn creating(world: &World, value: &str) -> CreateSecretFluentBuilder {
    world.secrets.create_secret().name("twilio").secret_string(value)
}

/// A secret `twilio` with this value; its ARN and version id.
pub(crate) async fn secret(world: &World, value: &str) -> (String, String) {
    let created = creating(world, value).send().await.unwrap();
    (created.arn.unwrap(), created.version_id.unwrap())
}

/// The current value, or the code of the refusal.
async fn current(world: &World, secret: &str) -> Result<String, String> {
    match world.secrets.get_secret_value().secret_id(secret).send().await {
        Ok(got) => Ok(got.secret_string.unwrap()),
        Err(error) => Err(error.code().unwrap_or("no code").to_owned()),
    }
}

fn refused(code: &str) -> Result<String, String> {
    Err(code.to_owned())
}

fn arn_without_suffix(world: &World, name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{}:secret:{name}", world.account)
}

async fn a_secret_is_got_by_its_name(world: &World) {
    let (arn, version) = secret(world, "first").await;
    let got = world.secrets.get_secret_value().secret_id("twilio").send().await.unwrap();
    assert_eq!((got.name(), got.secret_string(), got.secret_binary()), (Some("twilio"), Some("first"), None));
    assert_eq!((got.arn(), got.version_id()), (Some(arn.as_str()), Some(version.as_str())));
    assert_eq!(got.version_stages(), ["AWSCURRENT"]);
    assert!(got.created_date.is_some());
}

async fn a_secret_is_got_by_its_arn_with_and_without_suffix(world: &World) {
    let (arn, _) = secret(world, "first").await;
    let partial = arn_without_suffix(world, "twilio");
    assert_eq!(arn.strip_prefix(&partial).unwrap().len(), "-a1B2c3".len());
    for id in [arn, partial] {
        assert_eq!(current(world, &id).await, Ok("first".to_owned()), "{id}");
    }
}

async fn the_beginning_of_a_name_in_an_arn_is_no_name(world: &World) {
    secret(world, "first").await;
    assert_eq!(current(world, &arn_without_suffix(world, "twil")).await, refused("ResourceNotFoundException"));
}

async fn an_arn_with_another_suffix_is_not_found(world: &World) {
    secret(world, "first").await;
    let other = arn_without_suffix(world, "twilio-aaaaaa");
    assert_eq!(current(world, &other).await, refused("ResourceNotFoundException"));
}

async fn a_missing_secret_is_not_found(world: &World) {
    let error = world.secrets.get_secret_value().secret_id("twilio").send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    let said = "Secrets Manager can't find the specified secret.";
    assert_eq!((error.code(), error.message()), (Some("ResourceNotFoundException"), Some(said)));
    let put = world.secrets.put_secret_value().secret_id("twilio").secret_string("x").send().await;
    assert_eq!(code(put), "ResourceNotFoundException");
    assert_eq!(code(world.secrets.describe_secret().secret_id("twilio").send().await), "ResourceNotFoundException");
    assert_eq!(code(world.secrets.delete_secret().secret_id("twilio").send().await), "ResourceNotFoundException");
}

/// <https://github.com/smithy-lang/smithy-typescript/issues/1546>
async fn a_name_that_no_secret_may_have_is_refused(world: &World) {
    assert_eq!(code(creating(world, "x").name("twilio token").send().await), "ValidationException");
}

async fn an_existing_name_is_refused(world: &World) {
    secret(world, "first").await;
    assert_eq!(code(creating(world, "second").send().await), "ResourceExistsException");
    assert_eq!(current(world, "twilio").await, Ok("first".to_owned()));
}

async fn a_name_that_awaits_its_deletion_is_an_invalid_request(world: &World) {
    secret(world, "first").await;
    world.secrets.delete_secret().secret_id("twilio").send().await.unwrap();
    assert_eq!(code(creating(world, "second").send().await), "InvalidRequestException");
}

async fn a_creation_may_be_repeated_with_its_token(world: &World) {
    let create = || creating(world, "first").client_request_token("11111111-1111-4111-8111-111111111111").send();
    let created = create().await.unwrap();
    let again = create().await.unwrap();
    assert_eq!((again.arn, again.version_id), (created.arn, created.version_id));
}

async fn a_secret_whose_deletion_is_scheduled_withholds_its_value(world: &World) {
    let (arn, _) = secret(world, "first").await;
    let deleted = world.secrets.delete_secret().secret_id("twilio").recovery_window_in_days(7).send().await.unwrap();
    assert_eq!((deleted.arn(), deleted.name()), (Some(arn.as_str()), Some("twilio")));
    for id in ["twilio", &arn] {
        assert_eq!(current(world, id).await, refused("InvalidRequestException"), "{id}");
    }
    let described = world.secrets.describe_secret().secret_id("twilio").send().await.unwrap();
    assert!(described.deleted_date.is_some());
}

async fn a_secret_whose_deletion_is_scheduled_takes_no_value(world: &World) {
    secret(world, "first").await;
    world.secrets.delete_secret().secret_id("twilio").send().await.unwrap();
    let put = world.secrets.put_secret_value().secret_id("twilio").secret_string("second").send().await;
    assert_eq!(code(put), "InvalidRequestException");
}

async fn a_recovery_window_outside_its_range_is_refused(world: &World) {
    secret(world, "first").await;
    for days in [6, 31] {
        let deleted = world.secrets.delete_secret().secret_id("twilio").recovery_window_in_days(days).send().await;
        assert_eq!(code(deleted), "InvalidParameterException", "{days}");
    }
}

async fn a_deletion_is_forced_or_has_a_recovery_window(world: &World) {
    secret(world, "first").await;
    let delete = world.secrets.delete_secret().secret_id("twilio").recovery_window_in_days(7);
    assert_eq!(code(delete.force_delete_without_recovery(true).send().await), "InvalidParameterException");
}

async fn a_forced_deletion_is_at_once(world: &World) {
    let (arn, _) = secret(world, "first").await;
    world.secrets.delete_secret().secret_id(&arn).force_delete_without_recovery(true).send().await.unwrap();
    assert_eq!(current(world, "twilio").await, refused("ResourceNotFoundException"));
    let (another, _) = secret(world, "second").await;
    assert_ne!(another, arn);
    assert_eq!(current(world, &arn).await, refused("ResourceNotFoundException"));
}

async fn a_forced_deletion_of_what_is_missing_succeeds(world: &World) {
    let deleted = world.secrets.delete_secret().secret_id("twilio").force_delete_without_recovery(true).send().await;
    assert_eq!(code(deleted), "taken");
}
