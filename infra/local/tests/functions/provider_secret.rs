//! The providers' credentials in Secrets Manager, from the start of the worker to their rotation.

use std::path::PathBuf;

use local::aws::SecretsFault;
use local::aws::secrets::{SecretValue, SecretsManager};
use local::lambda::{Invocation, Outcome};

use crate::mapping::Named;
use crate::world::{ACCOUNT_SID, AUTH_TOKEN, LONG, World, accept, write_configuration};

/// A secret with this text; its ARN.
fn create_secret(world: &World, text: &str) -> String {
    let value = SecretValue::Text(text.into());
    let create = |secrets: &mut SecretsManager, now| secrets.create_secret("providers", "", Some(value), None, now);
    world.aws.secrets().with_secrets(create).expect("created").arn
}

/// A configuration whose provider has its credentials in the secret.
fn configuration(world: &World) -> PathBuf {
    write_configuration(&format!(
        "[[provider]]\nname = \"twilio-test\"\nkind = \"twilio\"\nbase_url = \"{}\"\nfrom = \"+12065550199\"\n\
         account_sid = \"${{secret:TWILIO_ACCOUNT_SID}}\"\nauth_token = \"${{secret:TWILIO_AUTH_TOKEN}}\"\n\
         [texts]\nbrand = \"Example\"\n[limits]\nper_number = \"off\"\n",
        world.twilio.base_url()
    ))
}

fn members(token: &str) -> String {
    format!("{{\"TWILIO_ACCOUNT_SID\":\"{ACCOUNT_SID}\",\"TWILIO_AUTH_TOKEN\":\"{token}\"}}")
}

#[tokio::test]
async fn a_worker_sends_with_the_credentials_of_the_secret_and_shows_none_of_them() {
    let world = World::new().await;
    let (arn, path) = (create_secret(&world, &members(AUTH_TOKEN)), configuration(&world));
    let changes = [
        ("PROVIDER_SECRET_ARN", arn.as_str()),
        ("SEALPOST_CONFIG", path.to_str().expect("UTF-8")),
        ("TWILIO_AUTH_TOKEN", ""),
    ];
    let (producer, worker) = (world.producer().await, world.worker_with(&changes).await);
    accept(&producer, &world.sign_up("739214")).await;
    assert_eq!(world.round(&worker).await.names(), Named::None);
    assert!(world.phone().await.body.contains("739214"));
    assert_eq!(world.aws.secrets().get_secret_value_requests(), 1, "once for all messages");
    assert!(!worker.output().contains(AUTH_TOKEN), "{}", worker.output());
}

#[tokio::test]
async fn a_secret_that_cannot_be_used_is_said_at_start_with_everything_else_that_is_wrong() {
    let world = World::new().await;
    let path = configuration(&world);
    let incomplete = create_secret(&world, "{\"TWILIO_ACCOUNT_SID\":\"AC0123456789abcdef0123456789abcdef\"}");
    let missing = incomplete.replace("providers", "nothing");
    for (arn, expected) in [
        ("providers", "PROVIDER_SECRET_ARN is not the ARN of a secret (aws secretsmanager describe-secret"),
        (
            &missing,
            "PROVIDER_SECRET_ARN names a secret that cannot be used: Secrets Manager does not give it: ResourceNotFound",
        ),
        (&incomplete, "auth_token in [[provider]] names ${secret:TWILIO_AUTH_TOKEN}, which the secret of"),
        ("", "names ${secret:TWILIO_AUTH_TOKEN}, but no secret was read: set PROVIDER_SECRET_ARN"),
    ] {
        let changes = [("PROVIDER_SECRET_ARN", arn), ("SEALPOST_CONFIG", path.to_str().expect("UTF-8"))];
        let worker = world.worker_with(&changes).await;
        let outcome = worker.invoke(b"{}", Invocation::within(LONG)).await;
        let Outcome::Exited { code: Some(1), output } = outcome else { panic!("not refused: {outcome:?}") };
        assert!(output.contains(expected), "{expected} is missing from\n{output}");
    }
    world.aws.secrets().set_fault(Some(SecretsFault::AccessDenied));
    let changes = [
        ("PROVIDER_SECRET_ARN", incomplete.as_str()),
        ("SEALPOST_CONFIG", path.to_str().expect("UTF-8")),
        ("QUEUE_URL", ""),
    ];
    let worker = world.worker_with(&changes).await;
    let outcome = worker.invoke(b"{}", Invocation::within(LONG)).await;
    let Outcome::Exited { code: Some(1), output } = outcome else { panic!("not refused: {outcome:?}") };
    for expected in
        ["AccessDeniedException; the worker's role needs secretsmanager:GetSecretValue on it", "QUEUE_URL is not set"]
    {
        assert!(output.contains(expected), "{expected} is missing from\n{output}");
    }
}
