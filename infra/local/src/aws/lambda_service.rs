//! Lambda's Invoke (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>) for functions of this process.
//!
//! `RequestResponse` waits for the function. `Event` answers at once; if the function fails it is invoked again after
//! 1 and after 2 seconds with the same request id and trace (on AWS after 1 and after 2 minutes), then the event is
//! dropped, as on AWS without a failure destination. What functions log is in the log group `/aws/lambda/NAME`.

mod function_name;
mod invocation_log;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hyper::{HeaderMap, Method, http::request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::{json, value::RawValue};
use tokio::sync::Semaphore;

pub use self::invocation_log::InvocationLog;

use self::function_name::FunctionName;
use super::logs_service::LogsService;
use super::service::{Answer, now};

/// What a synchronous invocation may carry
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub(super) const MOST_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;
/// What an asynchronous one may.
const MOST_EVENT_BYTES: usize = 1024 * 1024;
/// Events that are not yet done. Lambda's own queue is as good as endless.
const MOST_EVENTS: usize = 100;
const PAUSES_BEFORE_RETRIES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
const VERSION: &str = "$LATEST";

/// A function's code.
#[async_trait]
pub trait LambdaFunction: Send + Sync {
    /// Works on one payload, which is JSON; so is the answer.
    async fn invoke(&self, payload: &[u8], context: &InvocationContext) -> Result<Vec<u8>, FunctionError>;
}

/// What a function is told about an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationContext {
    /// A UUID.
    pub request_id: String,
    /// The X-Ray trace header.
    pub trace: String,
    /// What the function prints goes here.
    pub log: InvocationLog,
}

impl InvocationContext {
    /// An invocation that belongs to this trace, or to one of its own.
    pub fn new(trace: Option<&str>) -> Self {
        let id = format!("{:032x}", fastrand::u128(..));
        let request_id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        Self { request_id, trace: trace.map_or_else(new_trace, str::to_owned), log: InvocationLog::default() }
    }
}

fn new_trace() -> String {
    let (seconds, root) = (now().unix_millis() / 1_000, fastrand::u128(..) >> 32);
    format!("Root=1-{seconds:08x}-{root:024x};Parent={:016x};Sampled=0", fastrand::u64(..))
}

/// The error that a function answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    pub error_type: String,
    pub message: String,
}

/// Functions by name, behind Invoke.
pub struct LambdaService {
    region: String,
    account_id: String,
    functions: RwLock<BTreeMap<String, Function>>,
    room_for_events: Arc<Semaphore>,
    logs: Arc<LogsService>,
}

#[derive(Clone)]
struct Function {
    code: Arc<dyn LambdaFunction>,
    logs: Arc<LogsService>,
    log_group: String,
}

#[derive(Clone, Copy)]
enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

impl LambdaService {
    pub(super) fn new(region: &str, account_id: &str, logs: Arc<LogsService>) -> Self {
        Self {
            region: region.to_owned(),
            account_id: account_id.to_owned(),
            functions: RwLock::default(),
            room_for_events: Arc::new(Semaphore::new(MOST_EVENTS)),
            logs,
        }
    }

    /// Whether a path is one of Lambda's.
    pub(super) fn has_path(path: &str) -> bool {
        path.starts_with("/2015-03-31/")
    }

    /// Puts code behind a name.
    pub fn set_function(&self, name: &str, code: Arc<dyn LambdaFunction>) {
        let function = Function { code, logs: Arc::clone(&self.logs), log_group: format!("/aws/lambda/{name}") };
        self.functions.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), function);
    }

    /// Answers a request whose path is Lambda's; no payload means that it was too large.
    pub(super) async fn answer(&self, head: &Parts, payload: Option<Vec<u8>>) -> Answer {
        match self.invoke(head, payload).await {
            Ok(answer) | Err(answer) => answer.with_header("content-type", "application/json"),
        }
    }

    async fn invoke(&self, head: &Parts, payload: Option<Vec<u8>>) -> Result<Answer, Answer> {
        let function = self.function(head)?;
        let kind = invocation_type(&head.headers)?;
        let payload = checked_payload(kind, payload)?;
        let trace = head.headers.get("x-amzn-trace-id").and_then(|trace| trace.to_str().ok());
        let context = InvocationContext::new(trace);
        let request_id = context.request_id.clone();
        let answer = match kind {
            InvocationType::DryRun => empty(204),
            InvocationType::Event => {
                let Ok(room) = Arc::clone(&self.room_for_events).try_acquire_owned() else {
                    return Err(error(429, "TooManyRequestsException", "too many events are waiting"));
                };
                tokio::spawn(async move {
                    function.run_as_event(payload, context).await;
                    drop(room);
                });
                empty(202)
            }
            InvocationType::RequestResponse => {
                let (outcome, tail) = function.run(&payload, &context).await;
                let answer = match outcome {
                    Ok(body) => answered(body),
                    Err(FunctionError { error_type, message }) => {
                        let body = json!({ "errorType": error_type, "errorMessage": message });
                        answered(body.to_string().into_bytes()).with_header("x-amz-function-error", "Unhandled")
                    }
                };
                let wants_tail = head.headers.get("x-amz-log-type").is_some_and(|kind| kind == "Tail");
                if wants_tail { answer.with_header("x-amz-log-result", &BASE64.encode(tail)) } else { answer }
            }
        };
        Ok(answer.with_header("x-amzn-requestid", &request_id))
    }

    /// The function that a request invokes.
    fn function(&self, head: &Parts) -> Result<Function, Answer> {
        let name = head.uri.path().strip_prefix("/2015-03-31/functions/");
        let name = name.and_then(|rest| rest.strip_suffix("/invocations")).filter(|name| !name.contains('/'));
        let Some(name) = name.filter(|_| head.method == Method::POST) else {
            let message = "the embedded Lambda has Invoke only: POST /2015-03-31/functions/NAME/invocations";
            return Err(error(404, "UnknownOperationException", message));
        };
        let name = percent_decode_str(name).decode_utf8_lossy();
        let Some(name) = FunctionName::parse(&name) else {
            let message = "the function's name is not a name, a partial ARN or an ARN";
            return Err(error(400, "ValidationException", message));
        };
        let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
        let qualifier = query.into_iter().find(|(key, _)| key == "Qualifier").map(|(_, value)| value);
        let is_here = name.region.is_none_or(|region| region == self.region)
            && name.account.is_none_or(|account| account == self.account_id)
            && name.qualifier.is_none_or(|qualifier| qualifier == VERSION)
            && qualifier.is_none_or(|qualifier| qualifier == VERSION);
        let functions = self.functions.read().unwrap_or_else(PoisonError::into_inner);
        functions.get(name.name).filter(|_| is_here).cloned().ok_or_else(|| {
            let known: Vec<_> = functions.keys().map(String::as_str).collect();
            let message = format!(
                "Function not found: arn:aws:lambda:{}:{}:function:{} (here, in version $LATEST: {})",
                name.region.unwrap_or(&self.region),
                name.account.unwrap_or(&self.account_id),
                name.name,
                known.join(", ")
            );
            error(404, "ResourceNotFoundException", &message)
        })
    }
}

fn invocation_type(headers: &HeaderMap) -> Result<InvocationType, Answer> {
    match headers.get("x-amz-invocation-type").map_or(b"RequestResponse".as_slice(), |kind| kind.as_bytes()) {
        b"RequestResponse" => Ok(InvocationType::RequestResponse),
        b"Event" => Ok(InvocationType::Event),
        b"DryRun" => Ok(InvocationType::DryRun),
        _ => {
            let message = "X-Amz-Invocation-Type is not RequestResponse, Event or DryRun";
            Err(error(400, "InvalidParameterValueException", message))
        }
    }
}

/// The payload, if it is small enough and JSON. An empty one is `{}`.
fn checked_payload(kind: InvocationType, payload: Option<Vec<u8>>) -> Result<Vec<u8>, Answer> {
    let most = match kind {
        InvocationType::Event => MOST_EVENT_BYTES,
        InvocationType::RequestResponse | InvocationType::DryRun => MOST_PAYLOAD_BYTES,
    };
    let Some(payload) = payload.filter(|payload| payload.len() <= most) else {
        let message = format!("Request must be smaller than {most} bytes for the InvokeFunction operation");
        return Err(error(413, "RequestTooLargeException", &message));
    };
    if payload.is_empty() {
        return Ok(b"{}".to_vec());
    }
    match serde_json::from_slice::<&RawValue>(&payload) {
        Ok(_) => Ok(payload),
        Err(fault) => {
            let (line, column) = (fault.line(), fault.column());
            let message = format!("Could not parse request body into json (line {line}, column {column})");
            Err(error(400, "InvalidRequestContentException", &message))
        }
    }
}

impl Function {
    /// Runs to its end, even if the caller goes away meanwhile; a panic is that invocation's error. Beside what comes of
    /// it, the end of its log.
    async fn run(&self, payload: &[u8], context: &InvocationContext) -> (Result<Vec<u8>, FunctionError>, Vec<u8>) {
        let (code, payload, of_invocation) = (Arc::clone(&self.code), payload.to_vec(), context.clone());
        let invocation = tokio::spawn(async move { code.invoke(&payload, &of_invocation).await });
        let outcome = invocation.await.unwrap_or_else(|_| {
            let message = "Runtime exited without providing a reason".to_owned();
            Err(FunctionError { error_type: "Runtime.ExitError".to_owned(), message })
        });
        let tail = context.log.tail();
        self.logs.write(&self.log_group, &context.log.take());
        (outcome, tail)
    }

    async fn run_as_event(self, payload: Vec<u8>, context: InvocationContext) {
        let mut pauses = PAUSES_BEFORE_RETRIES.into_iter();
        while self.run(&payload, &context).await.0.is_err() {
            let Some(pause) = pauses.next() else { return };
            tokio::time::sleep(pause).await;
        }
    }
}

fn answered(body: Vec<u8>) -> Answer {
    Answer { status: 200, body, headers: Vec::new() }.with_header("x-amz-executed-version", VERSION)
}

fn empty(status: u16) -> Answer {
    Answer { status, body: Vec::new(), headers: Vec::new() }
}

/// Lambda names its errors in a header, and spells a member of theirs in two ways.
fn error(status: u16, error_type: &str, message: &str) -> Answer {
    let member = if error_type == "ResourceNotFoundException" { "Message" } else { "message" };
    let body = json!({ "Type": "User", member: message }).to_string().into_bytes();
    Answer { status, body, headers: Vec::new() }.with_header("x-amzn-errortype", error_type)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    /// Fails so many times, and keeps when and with what it was invoked.
    struct Failing {
        times: usize,
        invocations: Mutex<Vec<(Instant, InvocationContext)>>,
    }

    #[async_trait]
    impl LambdaFunction for Failing {
        async fn invoke(&self, _: &[u8], context: &InvocationContext) -> Result<Vec<u8>, FunctionError> {
            let mut invocations = self.invocations.lock().unwrap();
            invocations.push((Instant::now(), context.clone()));
            let failed = || FunctionError { error_type: "E".to_owned(), message: "no".to_owned() };
            if invocations.len() > self.times { Ok(b"null".to_vec()) } else { Err(failed()) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_event_is_repeated_twice_as_the_same_invocation() {
        for (times, seconds) in [(0, vec![0]), (1, vec![0, 1]), (2, vec![0, 1, 3]), (9, vec![0, 1, 3])] {
            let failing = Arc::new(Failing { times, invocations: Mutex::default() });
            let (began, context) = (Instant::now(), InvocationContext::new(None));
            let function = Function { code: failing.clone(), logs: Arc::default(), log_group: "failing".to_owned() };
            function.run_as_event(b"{}".to_vec(), context.clone()).await;
            let invocations = failing.invocations.lock().unwrap();
            let at: Vec<_> = invocations.iter().map(|(at, _)| at.duration_since(began).as_secs()).collect();
            assert_eq!(at, seconds);
            assert!(invocations.iter().all(|(_, given)| *given == context));
        }
    }
}
