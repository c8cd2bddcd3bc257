//! The Runtime API on loopback, over which the process gets its work and answers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::{Invocation, Outcome};

/// What a function may answer (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MOST_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// One function's Runtime API. It stops when dropped.
pub(super) struct RuntimeApi {
    address: SocketAddr,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

/// An invocation on its way. Both ends stay silent when the process is gone.
pub(super) struct HandedIn {
    /// The process has it.
    pub(super) taken: oneshot::Receiver<()>,
    pub(super) outcome: oneshot::Receiver<Outcome>,
}

/// Where invocations wait for the process, and their callers for its answers.
struct Desk {
    function_arn: String,
    arrivals: mpsc::UnboundedSender<Work>,
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Work>>,
    /// By request id.
    in_hand: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    init_error: Mutex<Option<Outcome>>,
}

struct Work {
    payload: Bytes,
    invocation: Invocation,
    taken: oneshot::Sender<()>,
    outcome: oneshot::Sender<Outcome>,
}

/// How functions describe their errors.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FunctionError {
    error_type: String,
    error_message: String,
}

impl RuntimeApi {
    pub(super) async fn start(function: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (arrivals, waiting) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk {
            function_arn: format!("arn:aws:lambda:eu-west-1:123456789012:function:{function}"),
            arrivals,
            waiting: tokio::sync::Mutex::new(waiting),
            in_hand: Mutex::default(),
            init_error: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&desk)));
        Ok(Self { address, desk, serving })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn hand_in(&self, payload: &[u8], invocation: Invocation) -> HandedIn {
        let (taken_sender, taken) = oneshot::channel();
        let (outcome_sender, outcome) = oneshot::channel();
        let payload = Bytes::copy_from_slice(payload);
        let work = Work { payload, invocation, taken: taken_sender, outcome: outcome_sender };
        // The desk holds the receiver for as long as it holds the sender.
        let _ = self.desk.arrivals.send(work);
        HandedIn { taken, outcome }
    }

    /// What the process said about why it cannot start.
    pub(super) fn init_error(&self) -> Option<Outcome> {
        self.desk.init_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Accepts connections for ever. Dropping it ends them all.
async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that broke before it was accepted is the process's matter.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve_connection(stream, Arc::clone(&desk)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, desk: Arc<Desk>) {
    // Only latency is lost when this fails.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.answer(request).await) }
    });
    // A connection breaks when the process ends, which is noticed elsewhere.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
        let segments: Vec<_> = path.split('/').collect();
        match (&head.method, segments.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => match read(body).await {
                Some(answer) => self.settle(id, Outcome::Answered(answer.to_vec())),
                None => self.settle(id, too_large()),
            },
            (&Method::POST, ["invocation", id, "error"]) => self.settle(id, failed(body).await),
            (&Method::POST, ["init", "error"]) => {
                let error = failed(body).await;
                *self.init_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                status_ok()
            }
            _ => refused(StatusCode::NOT_FOUND, "the Runtime API has no such resource"),
        }
    }

    /// The next invocation, once there is one.
    async fn next(&self) -> Response<Full<Bytes>> {
        let work = self.waiting.lock().await.recv().await;
        let Work { payload, invocation, taken, outcome } = work.expect("the desk holds the sender too");
        let deadline = SystemTime::now().checked_add(invocation.timeout).unwrap_or_else(SystemTime::now);
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let mut response = Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", &invocation.request_id)
            .header("Lambda-Runtime-Deadline-Ms", deadline.as_millis().to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", &self.function_arn);
        if let Some(trace) = &invocation.trace {
            response = response.header("Lambda-Runtime-Trace-Id", trace);
        }
        // The caller is gone when it has stopped waiting; the process works on all the same, as on AWS.
        let _ = taken.send(());
        match response.body(Full::from(payload)) {
            Ok(response) => {
                let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
                in_hand.insert(invocation.request_id, outcome);
                response
            }
            Err(error) => {
                let error_message = format!("the invocation cannot be written as HTTP headers: {error}");
                let _ = outcome.send(Outcome::Failed { error_type: "InvalidInvocation".to_owned(), error_message });
                refused(StatusCode::INTERNAL_SERVER_ERROR, "the invocation was withdrawn")
            }
        }
    }

    fn settle(&self, request_id: &str, outcome: Outcome) -> Response<Full<Bytes>> {
        let caller = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner).remove(request_id);
        match caller {
            Some(caller) => {
                // Nobody waits any more for an answer that comes too late.
                let _ = caller.send(outcome);
                status_ok()
            }
            None => refused(StatusCode::BAD_REQUEST, "no invocation of this id waits for an answer"),
        }
    }
}

/// The body, or nothing when it is too long or breaks off. One that is announced as too long is not read at all.
async fn read(body: Incoming) -> Option<Bytes> {
    if body.size_hint().lower() > MOST_ANSWER_BYTES as u64 {
        return None;
    }
    Limited::new(body, MOST_ANSWER_BYTES).collect().await.ok().map(|body| body.to_bytes())
}

async fn failed(body: Incoming) -> Outcome {
    let body = read(body).await.unwrap_or_default();
    let FunctionError { error_type, error_message } = serde_json::from_slice(&body).unwrap_or_default();
    Outcome::Failed { error_type, error_message }
}

fn too_large() -> Outcome {
    let error_message = format!("the answer is larger than {MOST_ANSWER_BYTES} bytes, or broke off");
    Outcome::Failed { error_type: "Function.ResponseSizeTooLarge".to_owned(), error_message }
}

fn status_ok() -> Response<Full<Bytes>> {
    json_answer(StatusCode::ACCEPTED, &json!({ "status": "OK" }))
}

fn refused(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    json_answer(status, &json!({ "errorType": "InvalidRequest", "errorMessage": message }))
}

fn json_answer(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const NEXT: &str = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n";

    /// One request in a connection of its own; the whole answer.
    async fn exchange(api: &RuntimeApi, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(api.address()).await.expect("it listens");
        let length = body.len();
        let request = format!("{head}host: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers in text");
        answer
    }

    fn post(resource: &str) -> String {
        format!("POST /2018-06-01/runtime/{resource} HTTP/1.1\r\n")
    }

    fn invocation(id: &str) -> Invocation {
        let trace = Some("Root=1-65250495-30b227ef4ea882e709192510".to_owned());
        Invocation { request_id: id.to_owned(), timeout: Duration::from_secs(3), trace }
    }

    #[tokio::test]
    async fn an_invocation_is_handed_out_once_and_answered_once() {
        let api = RuntimeApi::start("codes").await.expect("a free port");
        let (first, second) =
            (api.hand_in(b"{\"a\":1}", invocation("first")), api.hand_in(b"{}", invocation("second")));
        let handed_out = exchange(&api, NEXT, "").await;
        for part in [
            "HTTP/1.1 200 OK\r\n",
            "lambda-runtime-aws-request-id: first\r\n",
            "lambda-runtime-deadline-ms: ",
            "lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:codes\r\n",
            "lambda-runtime-trace-id: Root=1-65250495-30b227ef4ea882e709192510\r\n",
            "\r\n\r\n{\"a\":1}",
        ] {
            assert!(handed_out.contains(part), "{part} is missing from\n{handed_out}");
        }
        first.taken.await.expect("taken");
        assert!(exchange(&api, NEXT, "").await.contains("lambda-runtime-aws-request-id: second"));

        assert!(exchange(&api, &post("invocation/first/response"), "[]").await.starts_with("HTTP/1.1 202"));
        assert_eq!(first.outcome.await, Ok(Outcome::Answered(b"[]".to_vec())));
        assert!(exchange(&api, &post("invocation/first/response"), "[]").await.starts_with("HTTP/1.1 400"));

        let error = "{\"errorType\":\"NoCode\",\"errorMessage\":\"none\",\"stackTrace\":[]}";
        assert!(exchange(&api, &post("invocation/second/error"), error).await.starts_with("HTTP/1.1 202"));
        let failed = Outcome::Failed { error_type: "NoCode".to_owned(), error_message: "none".to_owned() };
        assert_eq!(second.outcome.await, Ok(failed));
    }

    #[tokio::test]
    async fn an_answer_larger_than_lambda_takes_fails_the_invocation() {
        let api = RuntimeApi::start("codes").await.expect("a free port");
        let handed_in = api.hand_in(b"{}", invocation("first"));
        exchange(&api, NEXT, "").await;
        let head = format!("{}host: x\r\ncontent-length: {}\r\n\r\n", post("invocation/first/response"), 8 << 20);
        let mut stream = TcpStream::connect(api.address()).await.expect("it listens");
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let outcome = handed_in.outcome.await.expect("an outcome");
        assert!(matches!(&outcome, Outcome::Failed { error_type, .. } if error_type.ends_with("SizeTooLarge")));
    }

    #[tokio::test]
    async fn an_invocation_that_no_header_can_carry_is_withdrawn() {
        let api = RuntimeApi::start("codes").await.expect("a free port");
        let handed_in = api.hand_in(b"{}", invocation("a\nb"));
        assert!(exchange(&api, NEXT, "").await.starts_with("HTTP/1.1 500"));
        let outcome = handed_in.outcome.await.expect("an outcome");
        assert!(matches!(&outcome, Outcome::Failed { error_type, .. } if error_type == "InvalidInvocation"));
    }

    #[tokio::test]
    async fn an_error_of_the_start_is_kept_and_other_resources_are_unknown() {
        let api = RuntimeApi::start("codes").await.expect("a free port");
        assert_eq!(api.init_error(), None);
        let error = "{\"errorType\":\"Runtime.InitError\",\"errorMessage\":\"no queue\"}";
        exchange(&api, &post("init/error"), error).await;
        let (error_type, error_message) = ("Runtime.InitError".to_owned(), "no queue".to_owned());
        assert_eq!(api.init_error(), Some(Outcome::Failed { error_type, error_message }));
        assert!(exchange(&api, "GET / HTTP/1.1\r\n", "").await.starts_with("HTTP/1.1 404"));
    }
}
