//! Each right taken away breaks what it is for, nothing else, and loses nothing: given back, the message arrives.

use local::fake_twilio::Script;
use serde_json::{Value, json};

use crate::locks::sent;
use crate::world::{PHONE, World};

/// A policy of one of the stack's roles, which rights can be taken from.
pub(crate) struct Policy<'w> {
    world: &'w World,
    role: String,
    name: &'static str,
    document: Value,
}

impl<'w> Policy<'w> {
    pub(crate) fn of(world: &'w World, role: &str, name: &'static str) -> Self {
        let role = world.resource(role);
        let policy = world.cloud.json(&["iam", "get-role-policy", "--role-name", &role, "--policy-name", name]);
        Self { world, role, name, document: policy["PolicyDocument"].clone() }
    }

    /// Without the statement of this name.
    pub(crate) fn without(&self, sid: &str) {
        let mut document = self.document.clone();
        take(&mut document, sid);
        self.put(&document);
    }

    /// Without this action in whatever statement.
    fn without_action(&self, action: &str) {
        let mut document = self.document.clone();
        for statement in document["Statement"].as_array_mut().unwrap() {
            if let Some(actions) = statement["Action"].as_array_mut() {
                actions.retain(|one| one != action);
            }
        }
        assert_ne!(document, self.document, "{action}");
        self.put(&document);
    }

    pub(crate) fn give_back(&self) {
        self.put(&self.document);
    }

    fn put(&self, document: &Value) {
        let put =
            ["iam", "put-role-policy", "--role-name", &self.role, "--policy-name", self.name, "--policy-document"];
        self.world.cloud.aws(&[&put[..], &[&document.to_string()]].concat());
    }
}

/// Takes the statement of this name away.
pub(crate) fn take(document: &mut Value, sid: &str) {
    let statements = document["Statement"].as_array_mut().unwrap();
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != sid);
    assert_eq!(statements.len(), before - 1, "{sid}");
}

pub(crate) async fn producer_without_queue(world: World) {
    let event = world.sign_up(PHONE).await;
    let policy = Policy::of(&world, "ProducerRole", "enqueues");
    policy.without("SendsToTheMainQueue");
    let invoked = world.invoke(&event);
    assert_eq!((invoked.failed, &invoked.answer["errorType"]), (true, &json!("QueueMisconfigured")));
    assert_eq!(world.messages("QueueUrl").await, 0);
    policy.give_back();
    world.accept(&event);
    world.arrives().await;
}

/// Takes a statement out of the key's policy, which alone decides: it lets nobody's own policies do it. What is answered
/// puts it back.
pub(crate) fn key_without<'w>(world: &'w World, sid: &str) -> impl FnOnce() + use<'w> {
    let key = world.output("KeyArn");
    let get =
        ["kms", "get-key-policy", "--policy-name", "default", "--query", "Policy", "--output", "text", "--key-id", key];
    let given: Value = serde_json::from_str(&world.cloud.aws(&get)).unwrap();
    let mut taken = given.clone();
    take(&mut taken, sid);
    let put = move |policy: &Value| {
        let put = ["kms", "put-key-policy", "--policy-name", "default", "--key-id", key, "--policy"];
        world.cloud.aws(&[&put[..], &[&policy.to_string()]].concat());
    };
    put(&taken);
    move || put(&given)
}

pub(crate) async fn worker_without_key(world: World) {
    let give_back = key_without(&world, "OnlyTheWorkerUnseals");
    world.accept(&world.sign_up(PHONE).await);
    world.worker_says(&["\"event\":\"retried\"", "key_not_allowed"]).await;
    assert_eq!((world.phones.requests(), world.messages("QueueUrl").await), (0, 1));
    give_back();
    world.arrives().await;
}

pub(crate) async fn worker_without_dead_letters(world: World) {
    let policy = Policy::of(&world, "WorkerRole", "delivers");
    policy.without("DeadLetters");
    // The configuration refuses this country.
    world.accept(&world.sign_up("+8501921234567").await);
    world.worker_says(&["\"event\":\"retried\"", "dead_letter_queue_unavailable"]).await;
    assert_eq!((world.messages("DeadLetterQueueUrl").await, world.messages("QueueUrl").await), (0, 1));
    policy.give_back();
    let letter = world.message_of("DeadLetterQueueUrl").await;
    let reason = letter.message_attributes.as_ref().unwrap()["reason"].string_value();
    assert_eq!(reason, Some("country_not_allowed"));
    assert_eq!(world.phones.requests(), 0);
}

pub(crate) async fn worker_without_postponement(world: World) {
    let policy = Policy::of(&world, "WorkerRole", "delivers");
    policy.without_action("sqs:ChangeMessageVisibility");
    for _ in 0..3 {
        let body = r#"{"code":20503,"message":"Service unavailable","status":503}"#.to_owned();
        world.phones.script(Script::Answer { status: 503, headers: Vec::new(), body });
    }
    world.accept(&world.sign_up(PHONE).await);
    world.worker_says(&["\"event\":\"queue_call_failed\"", "ChangeMessageVisibility"]).await;
    // It comes back when its visibility timeout ends instead.
    world.arrives().await;
}

pub(crate) async fn worker_without_table(world: World) {
    Policy::of(&world, "WorkerRole", "delivers").without("RemembersWhatWasSent");
    world.accept(&world.sign_up(PHONE).await);
    world.arrives().await;
    world.worker_says(&["\"event\":\"state_call_failed\"", "AccessDenied"]).await;
}

pub(crate) async fn worker_without_secret(world: World) {
    let policy = Policy::of(&world, "WorkerRole", "delivers");
    policy.without("ReadsTheCredentials");
    world.accept(&world.sign_up(PHONE).await);
    let why = ["worker cannot start", "PROVIDER_SECRET_ARN", "AccessDenied"];
    let output = || world.cloud.ministack.output();
    let says = || output().lines().any(|line| why.iter().all(|part| line.contains(part)));
    world.eventually("the worker says why it does not start", async || says()).await;
    assert_eq!((world.phones.requests(), world.messages("QueueUrl").await), (0, 1));
    policy.give_back();
    world.arrives().await;
}

pub(crate) async fn redrive_without_queue(world: World) {
    let redrive = world.cloud.session(world.output("RedriveRoleArn"));
    let policy = Policy::of(&world, "RedriveRole", "redrives");
    policy.without("SendsThemAgain");
    assert_eq!(sent(&world, &redrive, "QueueUrl").await, Err("AccessDenied".to_owned()));
    // What it puts back it still may, and look at it.
    assert_eq!(sent(&world, &redrive, "DeadLetterQueueUrl").await, Ok(()));
    let received = world.cloud.sqs(redrive.clone()).receive_message().queue_url(world.output("DeadLetterQueueUrl"));
    assert_eq!(received.send().await.unwrap().messages.map(|messages| messages.len()), Some(1));
    policy.give_back();
    assert_eq!(sent(&world, &redrive, "QueueUrl").await, Ok(()));
}
