//! Credentials that change in Secrets Manager while the worker runs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::sleep;
use worker::{
    Provider, Providers, READ_AGAIN_AFTER_A_REFUSAL, READ_EVERY, Rotation, SecretError, SecretMembers, SecretStore,
};

use crate::messages::{beginning, expiring, record, second, sign_in, sqs_id};
use crate::provider_double::{ScriptedProvider, accepts, provider_permanent};
use crate::scene::Scene;

/// The text and the version of a secret.
type Text = (&'static str, &'static str);

/// The secret, as Secrets Manager has it, and how often it was read.
struct Secret(Mutex<(Result<Text, SecretError>, usize)>);

#[async_trait]
impl SecretStore for Secret {
    async fn read(&self) -> Result<SecretMembers, SecretError> {
        let mut secret = self.0.lock().expect("not poisoned");
        secret.1 += 1;
        let (json, version) = secret.0.clone()?;
        Ok(SecretMembers::parse(json, version)?)
    }
}

impl Secret {
    fn becomes(&self, secret: Result<Text, SecretError>) {
        self.0.lock().expect("not poisoned").0 = secret;
    }

    fn reads(&self) -> usize {
        self.0.lock().expect("not poisoned").1
    }
}

struct Rotating {
    scene: Scene,
    secret: Arc<Secret>,
    /// What has the new credentials.
    renewed: Arc<ScriptedProvider>,
}

/// A worker whose provider behaves like this until the secret's version is `new`.
fn rotating(old: ScriptedProvider) -> Rotating {
    let mut scene = Scene::of([old]);
    let secret = Arc::new(Secret(Mutex::new((Ok(("{}", "old")), 0))));
    let renewed = Arc::new(ScriptedProvider::named("main", [accepts()]));
    let provider = Arc::clone(&renewed);
    let rebuild = move |members: &SecretMembers| -> Result<Vec<Arc<dyn Provider>>, String> {
        if format!("{members:?}").contains("incomplete") {
            return Err("auth_token names ${secret:TOKEN}, which it does not have".to_owned());
        }
        Ok(vec![Arc::clone(&provider) as Arc<dyn Provider>])
    };
    let known = SecretMembers::parse("{}", "old").expect("a secret");
    let rotation = Rotation::new(Arc::clone(&secret) as Arc<dyn SecretStore>, &known, beginning(), rebuild);
    let providers = vec![Arc::clone(&scene.providers[0]) as Arc<dyn Provider>];
    scene.change(|worker| worker.providers = Providers::rotating(providers, rotation));
    Rotating { scene, secret, renewed }
}

impl Rotating {
    /// Requests with the old and with the new credentials.
    fn requests(&self) -> (usize, usize) {
        (self.scene.requests()[0], self.renewed.requests().len())
    }
}

/// A code that outlives the test.
fn lasting(n: u32) -> Value {
    expiring(second(86_400), sign_in(n))
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_is_used_within_five_minutes_and_read_no_more_often() {
    let rotating = rotating(ScriptedProvider::named("main", [accepts()]));
    let Rotating { scene, secret, .. } = &rotating;
    secret.becomes(Ok(("{}", "new")));
    scene.receive(&[record(0, &lasting(0))]).await;
    assert_eq!((rotating.requests(), secret.reads()), ((1, 0), 0));
    sleep(READ_EVERY).await;
    scene.receive(&[record(1, &lasting(1)), record(2, &lasting(2))]).await;
    scene.receive(&[record(3, &lasting(3))]).await;
    let (old, new) = rotating.requests();
    assert_eq!((old + new, secret.reads()), (4, 1), "what is worked on beside the reading goes on with what is known");
    assert!(new >= 2, "{new}");
    assert_eq!(scene.facts.of("secret_changed").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_account_has_the_secret_read_at_once_but_not_more_often_than_each_minute() {
    let rotating = rotating(ScriptedProvider::named("main", [provider_permanent()]));
    let Rotating { scene, secret, .. } = &rotating;
    assert_eq!(scene.receive(&[record(0, &lasting(0))]).await, [sqs_id(0)]);
    sleep(READ_AGAIN_AFTER_A_REFUSAL).await;
    assert_eq!(scene.receive(&[record(1, &lasting(1))]).await, [sqs_id(1)]);
    assert_eq!(secret.reads(), 1, "it was not changed yet");
    secret.becomes(Ok(("{}", "new")));
    sleep(READ_AGAIN_AFTER_A_REFUSAL - Duration::from_secs(1)).await;
    scene.receive(&[record(2, &lasting(2))]).await;
    assert_eq!(secret.reads(), 1);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.receive(&[record(3, &lasting(3))]).await, Vec::<String>::new());
    assert_eq!((secret.reads(), rotating.requests().1), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_cannot_be_used_leaves_the_known_credentials_in_use_and_is_said() {
    let rotating = rotating(ScriptedProvider::named("main", [accepts()]));
    let Rotating { scene, secret, .. } = &rotating;
    let denied = SecretError::NotGiven { code: "AccessDeniedException".to_owned() };
    for (number, (becomes, error)) in [
        (Err(denied), "Secrets Manager does not give it: AccessDeniedException"),
        (Ok(("hush", "new")), "it is not a JSON object of texts, such as {\"TWILIO_AUTH_TOKEN\":\"…\"}"),
        (Ok(("{}", "incomplete")), "auth_token names ${secret:TOKEN}, which it does not have"),
    ]
    .into_iter()
    .enumerate()
    {
        secret.becomes(becomes);
        sleep(READ_EVERY).await;
        let number = u32::try_from(number).expect("small");
        assert_eq!(scene.receive(&[record(number, &lasting(number))]).await, Vec::<String>::new());
        assert_eq!(scene.facts.of("secret_read_failed").last().expect("said")["error"], json!(error));
    }
    assert_eq!(rotating.requests(), (3, 0));
    assert!(scene.facts.metrics().iter().any(|series| series.contains("SecretReadFailed")));
    secret.becomes(Ok(("{}", "new")));
    sleep(READ_EVERY).await;
    scene.receive(&[record(9, &lasting(9))]).await;
    assert_eq!(rotating.requests(), (3, 1), "a version that could not be used is not taken for known");
}
