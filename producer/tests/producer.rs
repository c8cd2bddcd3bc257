//! The producer's own code, from an event to the call that SQS gets. SQS is a scripted server on this machine.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use producer::{Invocation, MainQueue, Producer, sqs_config};
use serde_json::{Value, json};
use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, Settings, Timestamp, TraceHeader, UserPoolId};

/// A code that AWS made (its signature's last bytes are filler), the pool it is for, and its message id.
const CODE: &str = include_str!("../../worker/src/fixtures/sealed_code.txt");
const POOL: &str = "eu-west-1_UVcwvZ1E8";
const CODE_ID: &str = "9b1cf0005fcf859edf9c9e55052be80f";
const NUMBER: &str = "+12065550100";

const TAKEN: (u16, &str) = (200, r#"{"MessageId":"1"}"#);

fn now() -> Timestamp {
    "2026-11-23T12:00:00.123Z".parse().expect("RFC 3339")
}

/// Facts as the log has them.
#[derive(Default)]
struct Facts(Mutex<Vec<Value>>);

impl Telemetry for Facts {
    fn record(&self, fact: &Fact<'_>) {
        self.0.lock().expect("not poisoned").push(serde_json::to_value(fact).expect("serialises"));
    }
}

struct Scene {
    producer: Producer,
    calls: Receiver<Value>,
    facts: Arc<Facts>,
}

impl Scene {
    /// A producer whose queue takes everything.
    fn new() -> Self {
        Self::with_queue(vec![TAKEN])
    }

    /// SQS answers with these statuses and bodies, in this order; the last one repeats.
    fn with_queue(script: Vec<(u16, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let (sender, calls) = channel();
        std::thread::spawn(move || {
            let last = script.last().copied().expect("an answer");
            for (stream, (status, body)) in listener.incoming().zip(script.into_iter().chain(std::iter::repeat(last))) {
                let mut stream = BufReader::new(stream.expect("a connection"));
                if sender.send(read_call(&mut stream)).is_err() {
                    return;
                }
                let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.0\r\n");
                let answer = format!("{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.get_mut().write_all(answer.as_bytes()).expect("a reader");
            }
        });
        Self::at(endpoint, calls)
    }

    fn at(endpoint: String, calls: Receiver<Value>) -> Self {
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
            .build();
        let client = aws_sdk_sqs::Client::from_conf(sqs_config(&aws));
        let facts = Arc::new(Facts::default());
        let producer = Producer {
            settings: Settings::default(),
            allowed_pools: None,
            queue: MainQueue::new(client, "https://queue/main".to_owned()),
            clock: Clock::from_fn(now),
            telemetry: facts.clone(),
        };
        Self { producer, calls, facts }
    }

    fn configured(mut self, text: &str) -> Self {
        self.producer.settings = Settings::parse(text).expect("sound").0;
        self
    }

    /// Accepts an event and gives the body of the message that reached the queue.
    async fn accepted(&self, event: &Value, invocation: &Invocation) -> Value {
        self.producer.accept(event.to_string().as_bytes(), invocation).await.expect("accepted");
        let call = self.calls.try_recv().expect("a message");
        assert!(self.calls.try_recv().is_err(), "one event, one message");
        serde_json::from_str(call["MessageBody"].as_str().expect("a text")).expect("JSON")
    }

    fn facts(&self) -> Vec<Value> {
        self.facts.0.lock().expect("not poisoned").clone()
    }
}

fn read_call(stream: &mut impl BufRead) -> Value {
    let mut length = 0;
    for line in stream.by_ref().lines() {
        let line = line.expect("a header").to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().expect("a length");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).expect("a body");
    serde_json::from_slice(&content).expect("JSON")
}

fn event(source: &str) -> Value {
    json!({
        "version": "1",
        "triggerSource": format!("CustomSMSSender_{source}"),
        "region": "eu-west-1",
        "userPoolId": POOL,
        "userName": "mary",
        "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "web" },
        "request": {
            "type": "customSMSSenderRequestV1",
            "code": CODE.trim(),
            "clientMetadata": { "tenant": "a" },
            "userAttributes": {
                "sub": "54cf7eb7",
                "phone_number": NUMBER,
                "email": "mary@example.com",
                "custom:plan": "gold",
                "CITY": "Lyon",
            },
        },
    })
}

fn without_code(mut event: Value) -> Value {
    event["request"]["code"] = Value::Null;
    event
}

fn invoked(request_id: &str) -> Invocation {
    Invocation { request_id: request_id.to_owned(), trace: None }
}

fn trace(began: Timestamp) -> TraceHeader {
    TraceHeader::parse(&format!("Root=1-{:08x}-{};Sampled=0", began.as_second(), "0".repeat(24))).expect("a header")
}

#[tokio::test]
async fn a_sound_event_becomes_one_message_and_one_fact() {
    let scene = Scene::new();
    let trace = trace(now());
    let invocation = Invocation { request_id: "r".to_owned(), trace: Some(trace.clone()) };
    scene.producer.accept(event("SignUp").to_string().as_bytes(), &invocation).await.expect("accepted");

    let call = scene.calls.try_recv().expect("a message");
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    assert_eq!(call["QueueUrl"], "https://queue/main");
    assert_eq!(call["MessageAttributes"], json!({ "trigger_source": text("SignUp"), "user_pool_id": text(POOL) }));
    assert_eq!(call["MessageSystemAttributes"], json!({ "AWSTraceHeader": text(trace.as_str()) }));
    let body: Value = serde_json::from_str(call["MessageBody"].as_str().expect("a text")).expect("JSON");
    assert_eq!((&body["type"], &body["id"]), (&json!("sms.v1"), &json!(CODE_ID)));
    assert_eq!(body["event"]["request"]["code"], CODE.trim(), "still sealed");

    let facts = scene.facts();
    assert_eq!(facts.len(), 1);
    assert_eq!((&facts[0]["event"], &facts[0]["id"]), (&json!("accepted"), &json!(CODE_ID)));
    let said = facts[0].to_string();
    for secret in [NUMBER, "2065550100", "mary", "54cf7eb7", &CODE[..16]] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

#[tokio::test]
async fn what_can_never_be_sent_is_refused_before_the_queue_is_asked() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 8] = [
        (|event| event["triggerSource"] = json!("CustomEmailSender_SignUp"), "ForeignTrigger"),
        (|event| event["request"]["code"] = Value::Null, "NoCode"),
        (|event| event["request"]["code"] = json!("MTIzNDU2"), "MalformedCode"),
        (|event| event["request"]["userAttributes"] = json!({}), "NoPhoneNumber"),
        (|event| event["request"]["userAttributes"]["phone_number"] = json!("0206 5550100"), "InvalidPhoneNumber"),
        (|event| event["userPoolId"] = json!("eu-west-1_OTHER"), "WrongUserPool"),
        (|event| event["userPoolId"] = json!("eu-west-1_ALLOWED"), "WrongUserPool"),
        (|event| event["padding"] = json!("x".repeat(1 << 20)), "MalformedEvent"),
    ];
    let mut scene = Scene::new();
    let pools = [POOL, "eu-west-1_ALLOWED"].map(|pool| UserPoolId::parse(pool).expect("a pool id"));
    scene.producer.allowed_pools = Some(pools.into());
    for (index, (change, kind)) in cases.into_iter().enumerate() {
        let mut event = event("SignUp");
        change(&mut event);
        let refusal = scene.producer.accept(event.to_string().as_bytes(), &invoked("r")).await.expect_err(kind);
        assert_eq!(refusal.kind(), kind, "{refusal}");
        let facts = scene.facts();
        assert_eq!(facts.len(), index + 1);
        let mut expected = json!({ "event": "rejected", "error": kind, "message": refusal.to_string() });
        if let Some(id) = refusal.id() {
            expected["id"] = json!(id.as_str());
        }
        assert_eq!(facts[index], expected);
        assert!(!refusal.to_string().contains("5550100"), "{refusal}");
    }
    let refusal = scene.producer.accept(b"{\"a\":", &invoked("r")).await.expect_err("no JSON");
    assert_eq!(refusal.kind(), "MalformedEvent");
    assert!(scene.calls.try_recv().is_err(), "SQS was never called");
}

#[tokio::test]
async fn every_fact_names_the_trace_and_the_message_as_far_as_it_is_known() {
    let trace = trace(now());
    let root = trace.as_str().strip_prefix("Root=").and_then(|rest| rest.split(';').next()).expect("a root");
    let invocation = Invocation { request_id: "r".to_owned(), trace: Some(trace.clone()) };
    let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#;
    let mut foreign = event("SignUp");
    foreign["userPoolId"] = json!("eu-west-1_OTHER");
    let mut unreadable = event("SignUp");
    unreadable["request"]["code"] = json!("MTIzNDU2");
    for (event, answer, kind, id) in [
        (event("SignUp"), TAKEN, "accepted", Some(CODE_ID)),
        (event("SignUp"), (403, denied), "not_enqueued", Some(CODE_ID)),
        (foreign, TAKEN, "rejected", Some(CODE_ID)),
        (unreadable, TAKEN, "rejected", None),
    ] {
        let scene = Scene::with_queue(vec![answer]);
        let accepted = scene.producer.accept(event.to_string().as_bytes(), &invocation).await;
        let facts = scene.facts();
        assert_eq!((facts.len(), accepted.is_ok()), (1, kind == "accepted"));
        assert_eq!((&facts[0]["event"], &facts[0]["trace"]), (&json!(kind), &json!(root)));
        assert_eq!(facts[0].get("id").and_then(Value::as_str), id);
        assert!(!facts[0].to_string().contains("Sampled"), "the root alone");
    }
}

#[tokio::test]
async fn events_without_a_code_are_accepted_where_none_is_needed() {
    let scene = Scene::new();
    for source in ["AccountTakeOverNotification", "AdminCreateUser"] {
        let body = scene.accepted(&without_code(event(source)), &invoked("r")).await;
        assert_eq!(body["event"]["request"]["code"], Value::Null);
        assert_eq!(body["id"].as_str().map(str::len), Some(64), "a SHA-256");
    }
}

#[tokio::test]
async fn a_code_is_known_by_its_own_id_whatever_the_invocation() {
    let scene = Scene::new();
    for request_id in ["r1", "r2"] {
        assert_eq!(scene.accepted(&event("SignUp"), &invoked(request_id)).await["id"], CODE_ID);
    }
}

#[tokio::test]
async fn without_a_code_a_repetition_has_the_same_id_and_another_invocation_another() {
    let scene = Scene::new();
    let notice = without_code(event("AccountTakeOverNotification"));
    let mut other = notice.clone();
    other["request"]["userAttributes"]["CITY"] = json!("Nice");

    let first = scene.accepted(&notice, &invoked("r1")).await;
    let repeated = scene.accepted(&notice, &invoked("r1")).await;
    let again = scene.accepted(&notice, &invoked("r2")).await;
    let of_another = scene.accepted(&other, &invoked("r1")).await;

    assert_eq!(first["id"], repeated["id"]);
    assert_ne!(first["id"], again["id"]);
    assert_ne!(first["id"], of_another["id"]);
}

#[tokio::test]
async fn a_code_lives_as_long_as_its_source_and_client_say() {
    let scene = Scene::new().configured(
        "[lifetime]\nauthentication = \"5m\"\n[lifetime.client.web]\nauthentication = \"15m\"\nsign_up = \"2h\"\n",
    );
    for (source, client, expires_at) in [
        ("Authentication", json!("app"), "2026-11-23T12:05:00.123Z"),
        ("Authentication", Value::Null, "2026-11-23T12:05:00.123Z"),
        ("Authentication", json!("web"), "2026-11-23T12:15:00.123Z"),
        ("SignUp", json!("web"), "2026-11-23T14:00:00.123Z"),
        ("SignUp", json!("app"), "2026-11-24T12:00:00.123Z"),
        ("ForgotPassword", json!("web"), "2026-11-23T13:00:00.123Z"),
        ("AdminCreateUser", json!("web"), "2026-11-30T12:00:00.123Z"),
        ("SomethingNew", json!("web"), "2026-11-23T13:00:00.123Z"),
    ] {
        let mut event = event(source);
        event["callerContext"]["clientId"] = client;
        let body = scene.accepted(&event, &invoked("r")).await;
        assert_eq!(body["accepted_at"], "2026-11-23T12:00:00.123Z");
        assert_eq!(body["expires_at"], expires_at, "{source} of {}", event["callerContext"]["clientId"]);
    }
}

#[tokio::test]
async fn an_asynchronous_retry_keeps_the_first_attempts_time() {
    let scene = Scene::new();
    for (seconds_ago, accepted_at, expires_at) in [
        (4, "2026-11-23T12:00:00.123Z", "2026-11-23T12:03:00.123Z"),
        (5, "2026-11-23T11:59:55.000Z", "2026-11-23T12:02:55.000Z"),
        (60, "2026-11-23T11:59:00.000Z", "2026-11-23T12:02:00.000Z"),
        (179, "2026-11-23T11:57:01.000Z", "2026-11-23T12:00:01.000Z"),
        (181, "2026-11-23T12:00:00.123Z", "2026-11-23T12:03:00.123Z"),
    ] {
        let began = Timestamp::from_second(now().as_second() - seconds_ago).expect("in range");
        let invocation = Invocation { request_id: "r".to_owned(), trace: Some(trace(began)) };
        let body = scene.accepted(&event("Authentication"), &invocation).await;
        assert_eq!((&body["accepted_at"], &body["expires_at"]), (&json!(accepted_at), &json!(expires_at)));
    }
}

#[tokio::test]
async fn only_what_delivery_needs_enters_the_queue() {
    let attributes = |body: &Value| {
        let attributes = body["event"]["request"]["userAttributes"].as_object().expect("an object").clone();
        attributes.into_iter().map(|(name, _)| name).collect::<std::collections::BTreeSet<_>>()
    };
    let body = Scene::new().accepted(&event("SignUp"), &invoked("r")).await;
    assert_eq!(attributes(&body), ["phone_number", "sub"].map(str::to_owned).into());
    assert_eq!((&body["event"]["userName"], &body["event"]["request"]["clientMetadata"]), (&Value::Null, &Value::Null));
    assert_eq!(body["event"]["callerContext"]["clientId"], "web", "the rest stays as it came");

    let body = Scene::new().accepted(&without_code(event("AccountTakeOverNotification")), &invoked("r")).await;
    assert_eq!(attributes(&body), ["CITY", "phone_number", "sub"].map(str::to_owned).into());

    let privacy =
        "[privacy]\nkeep_attributes = [\"custom:plan\"]\nkeep_client_metadata = true\nkeep_user_name = true\n";
    let body = Scene::new().configured(privacy).accepted(&event("SignUp"), &invoked("r")).await;
    assert_eq!(attributes(&body), ["custom:plan", "phone_number", "sub"].map(str::to_owned).into());
    assert_eq!(body["event"]["userName"], "mary");
    assert_eq!(body["event"]["request"]["clientMetadata"], json!({ "tenant": "a" }));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_at_once() {
    let throttled = r#"{"__type":"com.amazonaws.sqs#KMS.ThrottlingException"}"#;
    let too_fast = r#"{"__type":"com.amazonaws.sqs#RequestThrottled"}"#;
    let scene = Scene::with_queue(vec![(503, ""), (400, throttled), (400, too_fast), TAKEN]);
    scene.producer.accept(event("SignUp").to_string().as_bytes(), &invoked("r")).await.expect("accepted");
    let bodies: Vec<_> = scene.calls.try_iter().map(|call| call["MessageBody"].clone()).collect();
    assert_eq!(bodies.len(), 4);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same message each time");
}

#[tokio::test]
async fn what_needs_an_operator_is_said_at_once() {
    let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"mary may not"}"#;
    let scene = Scene::with_queue(vec![(403, denied)]);
    let refusal =
        scene.producer.accept(event("SignUp").to_string().as_bytes(), &invoked("r")).await.expect_err("denied");
    assert_eq!(refusal.kind(), "QueueMisconfigured");
    assert_eq!(
        refusal.to_string(),
        format!(
            "message {CODE_ID} did not reach the queue: SQS refuses the message: AccessDeniedException; check \
             QUEUE_URL, the function's right sqs:SendMessage and the queue's encryption key"
        )
    );
    assert_eq!(scene.calls.try_iter().count(), 1);
    assert_eq!(scene.facts()[0]["event"], "not_enqueued");
}

#[tokio::test]
async fn a_queue_that_cannot_be_reached_is_given_up_before_cognito_gives_up() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let scene = Scene::at(format!("http://{free}"), channel().1);
    let began = Instant::now();
    let refusal = scene.producer.accept(event("SignUp").to_string().as_bytes(), &invoked("r")).await.expect_err("down");
    assert_eq!(refusal.kind(), "QueueUnavailable");
    let took = began.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(4)).contains(&took), "{took:?}");
}
