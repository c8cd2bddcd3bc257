//! Lambda's Invoke, over HTTP, as any Lambda client speaks it.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use local::aws::{EmbeddedAws, FunctionError, InvocationContext, LambdaFunction};
use local::{Ending, Journey, Pipeline};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use shared::TriggerSource;
use tokio::sync::{Notify, mpsc};

/// Longer than anything takes; it only keeps a broken test from hanging.
const LONG: Duration = Duration::from_secs(30);
const PHONE: &str = "+12065550100";

thread_local! {
    /// One for each test: to make one reads the system's certificates.
    static CLIENT: reqwest::Client = reqwest::Client::new();
}

async fn request(method: Method, endpoint: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
    let request = CLIENT.with(Clone::clone).request(method, format!("{endpoint}{path}")).body(body).timeout(LONG);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

async fn invoke(endpoint: &str, kind: &str, payload: impl Into<Vec<u8>>) -> Response {
    let path = "/2015-03-31/functions/producer/invocations";
    request(Method::POST, endpoint, path, &[("x-amz-invocation-type", kind)], payload.into()).await
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

/// What identifies an error of Lambda: status, type and message.
async fn error(response: Response) -> (u16, String, String) {
    let (status, error_type) = (response.status().as_u16(), header(&response, "x-amzn-errortype").to_owned());
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["Type"], "User");
    let message = body.get("message").or(body.get("Message")).and_then(Value::as_str).unwrap();
    (status, error_type, message.to_owned())
}

async fn next(pipeline: &mut Pipeline) -> Journey {
    tokio::time::timeout(LONG, pipeline.next_journey()).await.expect("nothing happens")
}

/// A function that tells of each invocation, and does what the payload says.
struct Scripted {
    invoked: mpsc::UnboundedSender<(Vec<u8>, InvocationContext)>,
    go_on: Notify,
    ended: mpsc::UnboundedSender<()>,
}

struct Lambda {
    aws: EmbeddedAws,
    function: Arc<Scripted>,
    invoked: mpsc::UnboundedReceiver<(Vec<u8>, InvocationContext)>,
    ended: mpsc::UnboundedReceiver<()>,
}

#[async_trait]
impl LambdaFunction for Scripted {
    async fn invoke(&self, payload: &[u8], context: &InvocationContext) -> Result<Vec<u8>, FunctionError> {
        self.invoked.send((payload.to_vec(), context.clone())).unwrap();
        match payload {
            b"\"panic\"" => panic!("secret"),
            b"\"wait\"" => self.go_on.notified().await,
            _ => {}
        }
        self.ended.send(()).unwrap();
        Ok(payload.len().to_string().into_bytes())
    }
}

impl Lambda {
    fn start() -> Self {
        let aws = EmbeddedAws::start("127.0.0.1:0".parse().unwrap()).unwrap();
        let ((invoked_sender, invoked), (ended_sender, ended)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let function = Arc::new(Scripted { invoked: invoked_sender, go_on: Notify::new(), ended: ended_sender });
        aws.lambda().set_function("producer", function.clone());
        Self { aws, function, invoked, ended }
    }

    fn endpoint(&self) -> String {
        self.aws.endpoint()
    }

    async fn invoke(&self, kind: &str, payload: impl Into<Vec<u8>>) -> Response {
        invoke(&self.endpoint(), kind, payload).await
    }

    async fn invoked(&mut self) -> (Vec<u8>, InvocationContext) {
        tokio::time::timeout(LONG, self.invoked.recv()).await.expect("it is not invoked").unwrap()
    }

    async fn ended(&mut self) {
        tokio::time::timeout(LONG, self.ended.recv()).await.expect("it does not end").unwrap();
    }
}

#[tokio::test]
async fn an_invoked_producer_answers_null_and_the_sms_arrives() {
    let mut pipeline = Pipeline::start(0).await.unwrap();
    let sealed = pipeline.pool.seal("424242").unwrap();
    let event = pipeline.pool.event(TriggerSource::Authentication, PHONE, Some(&sealed));
    let answer = invoke(&pipeline.aws_endpoint(), "RequestResponse", event.to_string()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "x-amz-executed-version"), "$LATEST");
    assert_eq!(header(&answer, "x-amz-function-error"), "");
    assert_eq!(header(&answer, "content-type"), "application/json");
    let request_id = header(&answer, "x-amzn-requestid").to_owned();
    assert_eq!(answer.text().await.unwrap(), "null");
    let journey = next(&mut pipeline).await;
    assert_eq!(journey.invocation, Some(request_id));
    let Ending::Arrived(sms) = journey.ending else { panic!("{journey:?}") };
    assert_eq!((sms.to.as_str(), sms.body.as_str()), (PHONE, "Your Example sign-in code is 424242. Do not share it."));
}

#[tokio::test]
async fn a_refusal_is_an_unhandled_error_of_the_function_and_is_told_with_its_type() {
    let mut pipeline = Pipeline::start(0).await.unwrap();
    for (event, error_type) in [
        (json!({ "triggerSource": "CustomEmailSender_SignUp", "userPoolId": "local_1" }), "ForeignTrigger"),
        (pipeline.pool.event(TriggerSource::SignUp, PHONE, Some("123456")), "MalformedCode"),
        (pipeline.pool.event(TriggerSource::SignUp, PHONE, None), "NoCode"),
        (json!("123456"), "MalformedEvent"),
    ] {
        let answer = invoke(&pipeline.aws_endpoint(), "RequestResponse", event.to_string()).await;
        assert_eq!((answer.status(), header(&answer, "x-amz-function-error")), (StatusCode::OK, "Unhandled"));
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body["errorType"], error_type);
        let said = body["errorMessage"].as_str().unwrap();
        assert!(said.starts_with("the event can never be sent") && !said.contains("123456"), "{said}");
        let Ending::Refused { error_type: told, message } = next(&mut pipeline).await.ending else {
            panic!("{event} was not refused")
        };
        assert_eq!((told.as_str(), message.as_str()), (error_type, said));
    }
}

#[tokio::test]
async fn clients_at_once_each_get_their_own_sms() {
    let mut pipeline = Pipeline::start(0).await.unwrap();
    let endpoint = pipeline.aws_endpoint();
    // Sign-ins, of which none supersedes another.
    let calls = (0..12).map(|n| {
        let sealed = pipeline.pool.seal(&format!("60000{n:02}")).unwrap();
        let event = pipeline.pool.event(TriggerSource::Authentication, PHONE, Some(&sealed)).to_string();
        let endpoint = endpoint.clone();
        tokio::spawn(async move {
            let answer = invoke(&endpoint, "RequestResponse", event).await;
            (header(&answer, "x-amzn-requestid").to_owned(), format!("60000{n:02}"))
        })
    });
    let calls: Vec<_> = calls.collect();
    let mut codes = HashMap::new();
    for call in calls {
        let (request_id, code) = call.await.unwrap();
        codes.insert(request_id, code);
    }
    for _ in 0..12 {
        let journey = next(&mut pipeline).await;
        let code = codes.remove(&journey.invocation.unwrap()).expect("one journey for each invocation");
        let Ending::Arrived(sms) = journey.ending else { panic!("{code} did not arrive") };
        assert!(sms.body.contains(&code), "{} instead of {code}", sms.body);
    }
}

#[tokio::test]
async fn a_message_that_did_not_come_through_the_producer_is_told_of_too() {
    let mut pipeline = Pipeline::start(0).await.unwrap();
    let body = json!({ "QueueUrl": pipeline.queue_url, "MessageBody": "junk" }).to_string().into_bytes();
    let headers = [("x-amz-target", "AmazonSQS.SendMessage"), ("content-type", "application/x-amz-json-1.0")];
    request(Method::POST, &pipeline.aws_endpoint(), "/", &headers, body).await.error_for_status().unwrap();
    let journey = next(&mut pipeline).await;
    assert_eq!((journey.invocation, journey.trigger_source), (None, None));
    assert!(matches!(journey.ending, Ending::DeadLettered { reason, .. } if reason == "untrusted_sender"));
}

#[tokio::test]
async fn an_event_is_answered_before_the_function_ends() {
    let mut lambda = Lambda::start();
    let answer = lambda.invoke("Event", "\"wait\"").await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let request_id = header(&answer, "x-amzn-requestid").to_owned();
    assert_eq!(answer.text().await.unwrap(), "");
    let (payload, context) = lambda.invoked().await;
    assert_eq!((payload.as_slice(), context.request_id), (b"\"wait\"".as_slice(), request_id));
    lambda.function.go_on.notify_one();
    lambda.ended().await;
}

#[tokio::test]
async fn events_beyond_a_hundred_are_refused_until_there_is_room() {
    let mut lambda = Lambda::start();
    for _ in 0..100 {
        assert_eq!(lambda.invoke("Event", "\"wait\"").await.status(), StatusCode::ACCEPTED);
        lambda.invoked().await;
    }
    let (status, error_type, _) = error(lambda.invoke("Event", "\"wait\"").await).await;
    assert_eq!((status, error_type.as_str()), (429, "TooManyRequestsException"));
    assert_eq!(lambda.invoke("RequestResponse", "{}").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_dry_run_does_not_run_the_function() {
    let mut lambda = Lambda::start();
    let answer = lambda.invoke("DryRun", "{}").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(answer.text().await.unwrap(), "");
    lambda.invoke("RequestResponse", "[]").await;
    assert_eq!(lambda.invoked().await.0, b"[]");
}

#[tokio::test]
async fn the_function_is_found_by_every_form_of_its_name() {
    let lambda = Lambda::start();
    for name in [
        "producer",
        "producer:$LATEST",
        "producer%3A%24LATEST",
        "123456789012:function:producer",
        "arn:aws:lambda:eu-west-1:123456789012:function:producer",
        "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Aproducer%3A%24LATEST",
        "producer/invocations?Qualifier=%24LATEST&x=",
    ] {
        let path = match name.contains("/invocations") {
            true => format!("/2015-03-31/functions/{name}"),
            false => format!("/2015-03-31/functions/{name}/invocations"),
        };
        let answer = request(Method::POST, &lambda.endpoint(), &path, &[], b"{}".to_vec()).await;
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
    }
    for (name, expected) in [
        ("worker/invocations", (404, "ResourceNotFoundException")),
        ("producer:1/invocations", (404, "ResourceNotFoundException")),
        ("producer/invocations?Qualifier=live", (404, "ResourceNotFoundException")),
        ("000000000000:function:producer/invocations", (404, "ResourceNotFoundException")),
        ("arn:aws:lambda:us-east-1:123456789012:function:producer/invocations", (404, "ResourceNotFoundException")),
        ("pro%20ducer/invocations", (400, "ValidationException")),
        ("%FF%0A/invocations", (400, "ValidationException")),
    ] {
        let path = format!("/2015-03-31/functions/{name}");
        let answer = request(Method::POST, &lambda.endpoint(), &path, &[], b"{}".to_vec()).await;
        let (status, error_type, message) = error(answer).await;
        assert_eq!((status, error_type.as_str()), expected, "{name}: {message}");
    }
}

#[tokio::test]
async fn other_methods_paths_and_kinds_get_an_honest_error() {
    let lambda = Lambda::start();
    for (method, path) in [
        (Method::GET, "/2015-03-31/functions/"),
        (Method::GET, "/2015-03-31/functions/producer/invocations"),
        (Method::POST, "/2015-03-31/functions"),
        (Method::POST, "/2015-03-31/functions/producer/aliases"),
        (Method::POST, "/2015-03-31/event-source-mappings/"),
    ] {
        let (status, error_type, message) =
            error(request(method, &lambda.endpoint(), path, &[], Vec::new()).await).await;
        assert_eq!((status, error_type.as_str()), (404, "UnknownOperationException"), "{path}");
        assert!(message.contains("POST /2015-03-31/functions/NAME/invocations"), "{message}");
    }
    let (status, error_type, _) = error(lambda.invoke("Later", "{}").await).await;
    assert_eq!((status, error_type.as_str()), (400, "InvalidParameterValueException"));
}

#[tokio::test]
async fn a_payload_that_is_not_json_is_not_repeated_in_the_error() {
    let lambda = Lambda::start();
    for payload in [b"{\"918273".as_slice(), b"\"918273\xff\"", b"{} 918273"] {
        let (status, error_type, message) = error(lambda.invoke("Event", payload).await).await;
        assert_eq!((status, error_type.as_str()), (400, "InvalidRequestContentException"));
        assert!(!message.contains("918273"), "{message}");
    }
    assert_eq!(lambda.invoke("RequestResponse", "").await.text().await.unwrap(), "2", "nothing is {{}}");
}

#[tokio::test]
async fn a_payload_that_is_too_large_is_refused() {
    let lambda = Lambda::start();
    let payload = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for (kind, most) in [("RequestResponse", 6 << 20), ("Event", 1 << 20)] {
        assert!(lambda.invoke(kind, payload(most)).await.status().is_success());
        for bytes in [most + 1, 8 << 20] {
            let (status, error_type, message) = error(lambda.invoke(kind, payload(bytes)).await).await;
            assert_eq!((status, error_type.as_str()), (413, "RequestTooLargeException"));
            assert!(message.contains(&most.to_string()), "{message}");
        }
    }
}

#[tokio::test]
async fn a_function_that_panics_has_failed_and_says_nothing_of_it() {
    let lambda = Lambda::start();
    let answer = lambda.invoke("RequestResponse", "\"panic\"").await;
    assert_eq!((answer.status(), header(&answer, "x-amz-function-error")), (StatusCode::OK, "Unhandled"));
    let body = answer.text().await.unwrap();
    assert!(body.contains("\"errorType\":\"Runtime.ExitError\"") && !body.contains("secret"), "{body}");
    assert_eq!(lambda.invoke("RequestResponse", "{}").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_function_runs_to_its_end_when_its_caller_goes_away() {
    let mut lambda = Lambda::start();
    let endpoint = lambda.endpoint();
    let caller = tokio::spawn(async move { invoke(&endpoint, "RequestResponse", "\"wait\"").await });
    lambda.invoked().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    lambda.function.go_on.notify_one();
    lambda.ended().await;
}

#[tokio::test]
async fn the_callers_trace_reaches_the_function_and_others_get_one_of_their_own() {
    let mut lambda = Lambda::start();
    let trace = "Root=1-65250495-30b227ef4ea882e709192510;Parent=6b522ce06cfce549;Sampled=0";
    let path = "/2015-03-31/functions/producer/invocations";
    request(Method::POST, &lambda.endpoint(), path, &[("x-amzn-trace-id", trace)], Vec::new()).await;
    assert_eq!(lambda.invoked().await.1.trace, trace);
    lambda.invoke("RequestResponse", "{}").await;
    let own = lambda.invoked().await.1;
    assert!(shared::TraceHeader::parse(&own.trace).is_some(), "{}", own.trace);
    assert_eq!(own.request_id.len(), 36);
}
