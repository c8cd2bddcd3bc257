//! The versions of a secret, and the staging labels that a rotation moves.

use aws_sdk_secretsmanager::operation::put_secret_value::builders::PutSecretValueFluentBuilder;

use crate::check::Check;
use crate::secrets::secret;
use crate::world::*;

pub(crate) const CHECKS: &[Check] = checks![
    a_put_moves_the_stages,
    a_version_is_got_by_its_id,
    a_version_without_a_stage_is_still_got_by_its_id,
    a_stage_that_no_version_has_is_not_found,
    an_unknown_version_id_is_not_found,
    a_version_is_got_by_id_and_stage_if_it_has_both,
    a_pending_value_is_not_current,
    a_stage_that_is_put_again_leaves_its_version,
    moving_current_moves_previous,
    current_is_not_taken_away,
    a_put_may_be_repeated_with_its_token,
    a_token_is_of_one_value,
];

const TOKEN: &str = "11111111-1111-4111-8111-111111111111";

fn putting(world: &World, value: &str) -> PutSecretValueFluentBuilder {
    world.secrets.put_secret_value().secret_id("twilio").secret_string(value)
}

async fn put(world: &World, value: &str) -> String {
    putting(world, value).send().await.unwrap().version_id.unwrap()
}

/// The value at a staging label, or the code of the refusal.
async fn at_stage(world: &World, stage: &str) -> String {
    let got = world.secrets.get_secret_value().secret_id("twilio").version_stage(stage).send().await;
    match got {
        Ok(got) => got.secret_string.unwrap(),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

async fn at_version(world: &World, id: &str) -> String {
    let got = world.secrets.get_secret_value().secret_id("twilio").version_id(id).send().await;
    match got {
        Ok(got) => got.secret_string.unwrap(),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

async fn a_put_moves_the_stages(world: &World) {
    let (arn, first) = secret(world, "first").await;
    let second = putting(world, "second").send().await.unwrap();
    assert_eq!((second.arn(), second.name()), (Some(arn.as_str()), Some("twilio")));
    assert_eq!(second.version_stages(), ["AWSCURRENT"]);
    assert_eq!((at_stage(world, "AWSCURRENT").await, at_stage(world, "AWSPREVIOUS").await), both("second", "first"));
    let stages = world.secrets.describe_secret().secret_id("twilio").send().await.unwrap().version_ids_to_stages;
    let expected = [(first, "AWSPREVIOUS"), (second.version_id.unwrap(), "AWSCURRENT")];
    assert_eq!(stages, Some(expected.into_iter().map(|(id, stage)| (id, vec![stage.to_owned()])).collect()));
    put(world, "third").await;
    assert_eq!((at_stage(world, "AWSCURRENT").await, at_stage(world, "AWSPREVIOUS").await), both("third", "second"));
}

fn both(current: &str, previous: &str) -> (String, String) {
    (current.to_owned(), previous.to_owned())
}

async fn a_version_is_got_by_its_id(world: &World) {
    let (_, first) = secret(world, "first").await;
    let second = put(world, "second").await;
    assert_eq!((at_version(world, &second).await, at_version(world, &first).await), both("second", "first"));
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>: AWS keeps all versions of
/// the last 24 hours.
async fn a_version_without_a_stage_is_still_got_by_its_id(world: &World) {
    let (_, first) = secret(world, "first").await;
    put(world, "second").await;
    put(world, "third").await;
    assert_eq!(at_version(world, &first).await, "first");
}

async fn a_stage_that_no_version_has_is_not_found(world: &World) {
    secret(world, "first").await;
    assert_eq!(at_stage(world, "AWSPREVIOUS").await, "ResourceNotFoundException");
}

async fn an_unknown_version_id_is_not_found(world: &World) {
    secret(world, "first").await;
    assert_eq!(at_version(world, TOKEN).await, "ResourceNotFoundException");
}

async fn a_version_is_got_by_id_and_stage_if_it_has_both(world: &World) {
    let (_, first) = secret(world, "first").await;
    put(world, "second").await;
    let get =
        |stage| world.secrets.get_secret_value().secret_id("twilio").version_id(&first).version_stage(stage).send();
    assert_eq!(get("AWSPREVIOUS").await.unwrap().secret_string(), Some("first"));
    assert_eq!(code(get("AWSCURRENT").await), "InvalidRequestException");
}

async fn a_pending_value_is_not_current(world: &World) {
    secret(world, "first").await;
    let pending = putting(world, "second").version_stages("AWSPENDING").send().await.unwrap();
    assert_eq!(pending.version_stages(), ["AWSPENDING"]);
    assert_eq!((at_stage(world, "AWSCURRENT").await, at_stage(world, "AWSPENDING").await), both("first", "second"));
}

async fn a_stage_that_is_put_again_leaves_its_version(world: &World) {
    secret(world, "first").await;
    for value in ["second", "third"] {
        putting(world, value).version_stages("AWSPENDING").send().await.unwrap();
    }
    assert_eq!(at_stage(world, "AWSPENDING").await, "third");
}

async fn moving_current_moves_previous(world: &World) {
    let (_, first) = secret(world, "first").await;
    let pending = putting(world, "second").version_stages("AWSPENDING").send().await.unwrap().version_id.unwrap();
    let moving = world.secrets.update_secret_version_stage().secret_id("twilio").version_stage("AWSCURRENT");
    let moving = moving.move_to_version_id(pending);
    assert_eq!(code(moving.clone().send().await), "InvalidParameterException", "without saying from where");
    moving.remove_from_version_id(first).send().await.unwrap();
    assert_eq!((at_stage(world, "AWSCURRENT").await, at_stage(world, "AWSPREVIOUS").await), both("second", "first"));
}

async fn current_is_not_taken_away(world: &World) {
    let (_, first) = secret(world, "first").await;
    let taking = world.secrets.update_secret_version_stage().secret_id("twilio").version_stage("AWSCURRENT");
    assert_eq!(code(taking.remove_from_version_id(first).send().await), "InvalidParameterException");
}

async fn a_put_may_be_repeated_with_its_token(world: &World) {
    secret(world, "first").await;
    for value in ["second", "second"] {
        let put = putting(world, value).client_request_token(TOKEN).send().await.unwrap();
        assert_eq!(put.version_id(), Some(TOKEN));
    }
    assert_eq!((at_stage(world, "AWSCURRENT").await, at_stage(world, "AWSPREVIOUS").await), both("second", "first"));
}

async fn a_token_is_of_one_value(world: &World) {
    secret(world, "first").await;
    putting(world, "second").client_request_token(TOKEN).send().await.unwrap();
    let other = putting(world, "third").client_request_token(TOKEN).send().await;
    assert_eq!(code(other), "ResourceExistsException");
    assert_eq!(at_stage(world, "AWSCURRENT").await, "second");
}
