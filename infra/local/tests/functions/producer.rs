//! The producer: what it refuses, and how long it tries.

use std::time::{Duration, Instant};

use local::aws::SqsFault;
use local::lambda::{Function, Invocation, Outcome};
use serde_json::{Value, json};
use shared::TriggerSource;

use crate::world::{LONG, PHONE, World, accept, user_pool};

/// Values that no error may quote.
const PRIVATE: [&str; 5] = ["2065550100", "mary.major", "mary_major", "739214", "hush"];

async fn refusal(producer: &Function, payload: &[u8]) -> (String, String) {
    let outcome = producer.invoke(payload, Invocation::within(LONG)).await;
    let Outcome::Failed { error_type, error_message } = outcome else { panic!("not refused: {outcome:?}") };
    (error_type, error_message)
}

#[tokio::test]
async fn every_event_that_can_never_be_sent_is_refused_by_name() {
    let world = World::new().await;
    let producer = world.producer().await;
    let sound = world.sign_up("739214");
    let sealed = sound["request"]["code"].as_str().expect("a code").to_owned();
    let with = |pointer: &str, value: Value| {
        let mut event = sound.clone();
        *event.pointer_mut(pointer).expect("the event has it") = value;
        event
    };
    let number = |text: &str| with("/request/userAttributes/phone_number", json!(text));
    let other_pool = user_pool(&world.aws, "eu-west-1_OTHER0001");
    let foreign_code = other_pool.seal("739214").expect("KMS is well");
    let foreign_pool = other_pool.event(TriggerSource::SignUp, PHONE, Some(&foreign_code));
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("null", Value::Null, "MalformedEvent", "not an object"),
        ("a list", json!(["hush"]), "MalformedEvent", "not an object"),
        ("an empty event", json!({}), "MalformedEvent", "triggerSource is missing"),
        ("no pool", with("/userPoolId", Value::Null), "MalformedEvent", "userPoolId is missing"),
        ("not a pool", with("/userPoolId", json!("hush")), "MalformedEvent", "userPoolId is not a user pool id"),
        ("no request", with("/request", Value::Null), "MalformedEvent", "request is missing"),
        (
            "a text as request",
            with("/request", json!("hush")),
            "MalformedEvent",
            "request in the event is not an object",
        ),
        ("another version", with("/request/type", json!("hush")), "MalformedEvent", "LambdaVersion must be V1_0"),
        ("e-mail", with("/triggerSource", json!("CustomEmailSender_SignUp")), "ForeignTrigger", "CustomSMSSender"),
        ("another trigger", with("/triggerSource", json!("PreSignUp_SignUp")), "ForeignTrigger", "CustomSMSSender"),
        ("no code", with("/request/code", Value::Null), "NoCode", "must carry a code"),
        ("not base64", with("/request/code", json!("hush!")), "MalformedCode", "not base64"),
        (
            "a clear code",
            with("/request/code", json!("NzM5MjE0")),
            "MalformedCode",
            "not an AWS Encryption SDK message",
        ),
        ("cut short", with("/request/code", json!(sealed[..400])), "MalformedCode", "ends inside"),
        ("no attributes", with("/request/userAttributes", Value::Null), "MalformedEvent", "userAttributes is missing"),
        ("no number", with("/request/userAttributes", json!({})), "NoPhoneNumber", "no phone_number"),
        ("no plus", number("12065550100"), "InvalidPhoneNumber", "does not begin with '+'"),
        ("with spaces", number("+1 2065550100"), "InvalidPhoneNumber", "other than digits"),
        ("too long", number("+12065550100206555"), "InvalidPhoneNumber", "7 to 15 digits"),
        (
            "a number as number",
            with("/request/userAttributes/phone_number", json!(12_065_550_100_u64)),
            "MalformedEvent",
            "not a text",
        ),
        ("a code of another pool", with("/request/code", json!(foreign_code)), "WrongUserPool", "another user pool"),
        ("another pool", foreign_pool, "WrongUserPool", "not in USER_POOL_IDS"),
    ];
    for (name, event, expected_type, expected) in cases {
        let (error_type, message) = refusal(&producer, event.to_string().as_bytes()).await;
        assert_eq!(error_type, expected_type, "{name}: {message}");
        assert!(message.contains(expected), "{name}: {message}");
        assert!(!PRIVATE.iter().any(|private| message.contains(private)), "{name}: {message}");
    }
    assert_eq!(world.queued(), 0);
    accept(&producer, &with("/triggerSource", json!("CustomSMSSender_AddedIn2031"))).await;
    accept(&producer, &with("/triggerSource", json!("customsmssender_signup"))).await;
    assert_eq!(world.queued(), 2);
}

#[tokio::test]
async fn junk_is_refused_whatever_its_size() {
    let world = World::new().await;
    let producer = world.producer().await;
    let junk = "hush 739214 ".repeat(1024 * 1024 / 12);
    let nested = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let large = json!({ "hush": "x".repeat(1024 * 1024) }).to_string();
    let payloads: [&[u8]; 6] =
        [b"", b"hush", b"{\"triggerSource\":\"hush", junk.as_bytes(), nested.as_bytes(), large.as_bytes()];
    for payload in payloads {
        let (error_type, message) = refusal(&producer, payload).await;
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(30)]);
        assert!(
            !error_type.is_empty() && !message.is_empty() && message.len() < 400,
            "{shown}: {error_type} {message}"
        );
        assert!(!PRIVATE.iter().any(|private| message.contains(private)), "{shown}: {message}");
    }
    accept(&producer, &world.sign_up("739214")).await;
    assert_eq!(world.queued(), 1, "the function works on after junk");
}

/// Invokes with a sound event; how long it took to fail, and how.
async fn failure(world: &World, producer: &Function) -> (Duration, String, String) {
    let event = world.sign_up("739214").to_string();
    // What a cold start takes is no part of the budget.
    refusal(producer, b"{}").await;
    let began = Instant::now();
    let (error_type, message) = refusal(producer, event.as_bytes()).await;
    (began.elapsed(), error_type, message)
}

/// How the producer fails while SQS answers 503, and how when nobody listens at its endpoint.
async fn outages() -> [(Duration, String, String); 2] {
    let world = World::new().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let unreachable = format!("http://{}", nobody.local_addr().expect("bound"));
    drop(nobody);
    world.aws.sqs().set_fault(Some(SqsFault::Unavailable));
    let down = world.producer().await;
    let cut_off = world.producer_with(&[("AWS_ENDPOINT_URL_SQS", &unreachable)]).await;
    let (down, cut_off) = tokio::join!(failure(&world, &down), failure(&world, &cut_off));
    [down, cut_off]
}

#[tokio::test]
async fn an_unavailable_queue_fails_the_invocation_within_the_budget() {
    for (took, error_type, message) in outages().await {
        assert_eq!(error_type, "QueueUnavailable", "{message}");
        assert!((2.0..3.5).contains(&took.as_secs_f64()), "{took:?}");
        assert!(message.contains("did not reach the queue"), "{message}");
    }
}

#[tokio::test]
async fn the_cause_of_an_outage_is_named() {
    let [(.., down), (.., cut_off)] = outages().await;
    assert!(down.contains("ServiceUnavailable"), "{down}");
    assert!(cut_off.contains("cannot be reached"), "{cut_off}");
}

#[tokio::test]
async fn a_silent_queue_fails_the_invocation_within_the_budget() {
    let world = World::new().await;
    let producer = world.producer().await;
    world.aws.sqs().set_fault(Some(SqsFault::Latency(LONG)));
    let (took, error_type, message) = failure(&world, &producer).await;
    assert_eq!(error_type, "QueueUnavailable", "{message}");
    assert!((2.0..3.5).contains(&took.as_secs_f64()), "{took:?}");
    assert!(message.contains("did not answer within"), "{message}");
}

#[tokio::test]
async fn a_queue_that_recovers_within_the_budget_takes_the_message() {
    let world = World::new().await;
    let producer = world.producer().await;
    refusal(&producer, b"{}").await;
    world.aws.sqs().set_fault(Some(SqsFault::Unavailable));
    let mend = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.aws.sqs().set_fault(None);
    };
    let event = world.sign_up("739214");
    tokio::join!(accept(&producer, &event), mend);
    assert_eq!(world.queued(), 1);
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_called_misconfigured() {
    let world = World::new().await;
    let missing = format!("{}-deleted", world.queue_url);
    let producer = world.producer_with(&[("QUEUE_URL", &missing)]).await;
    let (error_type, message) = refusal(&producer, world.sign_up("739214").to_string().as_bytes()).await;
    assert_eq!(error_type, "QueueMisconfigured", "{message}");
    assert!(message.contains("NonExistentQueue") && message.contains("QUEUE_URL"), "{message}");
}

#[tokio::test]
async fn a_function_that_overruns_its_time_is_killed_and_the_next_one_works() {
    let world = World::new().await;
    let producer = world.producer().await;
    refusal(&producer, b"{}").await;
    world.aws.sqs().set_fault(Some(SqsFault::Latency(LONG)));
    let event = world.sign_up("739214");
    let invocation = Invocation::within(Duration::from_millis(300));
    assert_eq!(producer.invoke(event.to_string().as_bytes(), invocation).await, Outcome::TimedOut);
    let outcome = producer.invoke(event.to_string().as_bytes(), Invocation::within(LONG)).await;
    assert!(matches!(outcome, Outcome::Exited { code: None, .. }), "{outcome:?}");
    world.aws.sqs().set_fault(None);
    accept(&world.producer().await, &event).await;
}
