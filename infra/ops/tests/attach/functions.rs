//! Lambda functions that have nothing but resource policies: who may invoke them. A qualifier has a policy of its own.
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html>)

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const FUNCTIONS: &str = "/2015-03-31/functions/";
const PREFIX: &str = "arn:aws:lambda:eu-west-1:123456789012:function:";

/// The functions of one account in one region, behind Lambda's paths on an address of their own.
pub(crate) struct Functions {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By ARN, with the qualifier if it has one.
    policies: BTreeMap<String, Vec<Value>>,
    refusals: Vec<(&'static str, Refusal)>,
    calls: Vec<&'static str>,
}

#[derive(Clone)]
struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Functions {
    /// Serves within this runtime.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let (address, state) = (listener.local_addr().expect("bound"), Arc::<Mutex<State>>::default());
        let served = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&served);
                let service = hyper::service::service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, state }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A function, or a version or alias of one.
    pub(crate) fn create(&self, arn: &str) {
        self.state().policies.insert(arn.to_owned(), Vec::new());
    }

    /// The statements of the policy that an ARN has.
    pub(crate) fn policy(&self, arn: &str) -> Vec<Value> {
        self.state().policies[arn].clone()
    }

    pub(crate) fn set_policy(&self, arn: &str, statements: &[Value]) {
        self.state().policies.insert(arn.to_owned(), statements.to_vec());
    }

    /// The next call of this operation is refused.
    pub(crate) fn refuse(&self, operation: &'static str, status: u16, code: &'static str, message: &str) {
        self.state().refusals.push((operation, Refusal { status, code, message: message.to_owned() }));
    }

    /// The operations that were called since the last look, in their order.
    pub(crate) fn operations(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state().calls)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }
}

async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let path = head.uri.path().strip_prefix(FUNCTIONS).unwrap_or_default().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let mut state = state.lock().expect("no test panics while it holds this");
    let (status, code, body) = match state.carry_out(&head.method, &path, &query, &body) {
        Ok((status, body)) => (status, None, body),
        Err(Refusal { status, code, message }) => (status, Some(code), json!({ "Type": "User", "Message": message })),
    };
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if let Some(code) = code {
        response = response.header("x-amzn-errortype", code);
    }
    Ok(response.body(Full::new(body)).expect("its parts are sound"))
}

impl State {
    fn carry_out(&mut self, method: &Method, path: &str, query: &str, body: &[u8]) -> Result<(u16, Value), Refusal> {
        let parts: Vec<_> = path.split('/').collect();
        let (operation, function) = match (method, parts.as_slice()) {
            (&Method::GET, [function, "policy"]) => ("GetPolicy", function),
            (&Method::POST, [function, "policy"]) => ("AddPermission", function),
            (&Method::DELETE, [function, "policy", _]) => ("RemovePermission", function),
            _ => return Err(refusal(404, "UnknownOperationException", "not here")),
        };
        self.calls.push(operation);
        if let Some(next) = self.refusals.iter().position(|(refused, _)| *refused == operation) {
            return Err(self.refusals.remove(next).1);
        }
        let arn = arn(function, query);
        let not_found = |arn: &str| refusal(404, "ResourceNotFoundException", &format!("Function not found: {arn}"));
        let policy = self.policies.get_mut(&arn).ok_or_else(|| not_found(&arn))?;
        let none = || refusal(404, "ResourceNotFoundException", "The resource you requested does not exist.");
        match operation {
            "GetPolicy" if policy.is_empty() => Err(none()),
            "GetPolicy" => {
                let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": policy });
                Ok((200, json!({ "Policy": policy.to_string(), "RevisionId": "3c9a1d2e-0000-4000-8000-5e1f0a7b9c11" })))
            }
            "AddPermission" => {
                let statement = statement(&arn, body)?;
                if policy.iter().any(|known| known["Sid"] == statement["Sid"]) {
                    let message = "The statement id provided already exists. Please provide a new statement id, or \
                                   remove the existing statement.";
                    return Err(refusal(409, "ResourceConflictException", message));
                }
                policy.push(statement.clone());
                Ok((201, json!({ "Statement": statement.to_string() })))
            }
            _ => {
                let (sid, count) = (decoded(parts[2]), policy.len());
                policy.retain(|statement| statement["Sid"] != sid);
                if policy.len() < count { Ok((204, Value::Null)) } else { Err(none()) }
            }
        }
    }
}

/// What an AddPermission becomes in the policy.
fn statement(arn: &str, body: &[u8]) -> Result<Value, Refusal> {
    let invalid = |message: &str| refusal(400, "ValidationException", message);
    let request: Value = serde_json::from_slice(body).map_err(|_| invalid("not JSON"))?;
    let text = |name: &str| request[name].as_str().ok_or_else(|| invalid(&format!("{name} must not be null")));
    let (sid, action, principal) = (text("StatementId")?, text("Action")?, text("Principal")?);
    let is_sid = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !(1..=100).contains(&sid.len()) || !sid.chars().all(is_sid) {
        return Err(invalid("StatementId must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"));
    }
    let mut statement = json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": { "Service": principal },
        "Action": action,
        "Resource": arn,
    });
    for (name, operator, key) in
        [("SourceArn", "ArnLike", "AWS:SourceArn"), ("SourceAccount", "StringEquals", "AWS:SourceAccount")]
    {
        if let Some(value) = request.get(name) {
            statement["Condition"][operator][key] = value.clone();
        }
    }
    Ok(statement)
}

/// The ARN of what a call is about: a function is named by its name or its ARN, the qualifier in either or in the query.
fn arn(function: &str, query: &str) -> String {
    let function = decoded(function);
    let function = if function.starts_with("arn:") { function } else { format!("{PREFIX}{function}") };
    let qualifier = query.split('&').find_map(|pair| pair.strip_prefix("Qualifier="));
    match qualifier.map(decoded) {
        Some(qualifier) if !function.ends_with(&format!(":{qualifier}")) => format!("{function}:{qualifier}"),
        Some(_) | None => function,
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn refusal(status: u16, code: &'static str, message: &str) -> Refusal {
    Refusal { status, code, message: message.to_owned() }
}
