//! A Twilio on this machine. It takes what the real one takes, refuses everything else, and can be told to misbehave.
//!
//! This is the one place in Sealpost that shows texts and numbers: showing them is what it is for.

mod form;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use shared::{Clock, Timestamp};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use form::{Form, Refusal};

const MAX_REQUEST_BYTES: usize = 64 * 1024;
const HALF_ANSWER: &[u8] =
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{\"sid\":\"SM";

/// Whom the fake takes messages from.
pub struct FakeTwilioSettings {
    pub account_sid: String,
    pub auth_token: String,
}

/// What becomes of one request. A request with a fault is refused whatever is written here.
pub enum Script {
    /// Take the message and say so.
    Accept,
    /// Answer this; no message is taken.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// Reset the connection when the first bytes arrive, before reading any of them (on a connection that has served
    /// before: before reading the form).
    ResetBeforeRead,
    /// Take the message, then reset the connection instead of answering.
    ResetAfterRead,
    /// Take the message, then close the connection in the middle of the answer.
    HalfAnswer,
    /// Take the message and answer 200 with something that is no answer.
    Garbage200,
    /// Wait, then do the other thing.
    Delay(Duration, Box<Script>),
}

/// A message that the fake took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedSms {
    /// Under which the answer names it.
    pub sid: String,
    pub to: String,
    /// The sender, or the Messaging Service's SID.
    pub from: String,
    pub body: String,
    /// In seconds.
    pub validity_period: u32,
    pub received_at: Timestamp,
}

/// A running fake. It stops when dropped.
pub struct FakeTwilio {
    address: SocketAddr,
    account: Arc<Account>,
    received: tokio::sync::Mutex<mpsc::UnboundedReceiver<ReceivedSms>>,
    serving: JoinHandle<()>,
}

struct Account {
    settings: FakeTwilioSettings,
    clock: Clock,
    scripts: Mutex<VecDeque<Script>>,
    has_outage: AtomicBool,
    requests: AtomicUsize,
    connections: AtomicUsize,
    /// Requests whose form was read.
    read: AtomicUsize,
    messages: AtomicUsize,
    received: mpsc::UnboundedSender<ReceivedSms>,
}

impl FakeTwilio {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(settings: FakeTwilioSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, received) = mpsc::unbounded_channel();
        let account = Arc::new(Account {
            settings,
            clock: Clock::system(),
            scripts: Mutex::default(),
            has_outage: AtomicBool::default(),
            requests: AtomicUsize::default(),
            connections: AtomicUsize::default(),
            read: AtomicUsize::default(),
            messages: AtomicUsize::default(),
            received: sender,
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&account)));
        Ok(Self { address, account, received: tokio::sync::Mutex::new(received), serving })
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Says what becomes of the next request for which nothing has been said yet.
    pub fn script(&self, script: Script) {
        self.account.scripts().push_back(script);
    }

    /// Begins or ends an outage: every request for which nothing has been said is refused with 503.
    pub fn set_outage(&self, lasts: bool) {
        self.account.has_outage.store(lasts, Ordering::SeqCst);
    }

    /// The next message, in the order in which they were taken. Waits for it.
    pub async fn next_message(&self) -> ReceivedSms {
        let message = self.received.lock().await.recv().await;
        message.expect("the account holds the other end of the channel for as long as the fake lives")
    }

    /// Requests so far, refused ones included; a connection that was reset before it was read is one.
    pub fn requests(&self) -> usize {
        self.account.requests.load(Ordering::SeqCst)
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.account.connections.load(Ordering::SeqCst)
    }

    /// Messages taken so far, answered or not.
    pub fn messages(&self) -> usize {
        self.account.messages.load(Ordering::SeqCst)
    }
}

impl Drop for FakeTwilio {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// How a connection ends without a whole answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Cut {
    #[error("reset as told")]
    Reset,
    #[error("cut off as told")]
    HalfAnswer,
}

/// Accepts connections for ever. Dropping it ends them all.
async fn serve(listener: TcpListener, account: Arc<Account>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that broke before it was accepted is the client's matter.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve_connection(stream, Arc::clone(&account)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, account: Arc<Account>) {
    account.connections.fetch_add(1, Ordering::SeqCst);
    // Once there is something to read the client has begun to write: every reset meets a request on its way.
    let mut method = [0; 4];
    if !matches!(stream.peek(&mut method).await, Ok(1..)) {
        return;
    }
    if &method != b"HEAD" && account.takes_reset_before_read() {
        return reset(&stream);
    }
    let service = service_fn(|request| Box::pin(account.answer(request)));
    let mut connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = poll_fn(|context| connection.poll_without_shutdown(context)).await else { return };
    let mut stream = connection.into_parts().io.into_inner();
    match std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<Cut>()) {
        Some(Cut::Reset) => reset(&stream),
        // Nobody is left to tell when the client is gone already.
        Some(Cut::HalfAnswer) => stream.write_all(HALF_ANSWER).await.unwrap_or_default(),
        None => {}
    }
}

/// Makes the coming close a reset.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().unwrap_or_default();
}

impl Account {
    fn scripts(&self) -> std::sync::MutexGuard<'_, VecDeque<Script>> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unscripted(&self) -> Script {
        if !self.has_outage.load(Ordering::SeqCst) {
            return Script::Accept;
        }
        let body = json!({ "code": 20503, "message": "Service Unavailable", "status": 503 }).to_string();
        Script::Answer { status: 503, headers: Vec::new(), body }
    }

    fn takes_reset_before_read(&self) -> bool {
        let next = self.scripts().pop_front_if(|script| matches!(script, Script::ResetBeforeRead));
        if next.is_some() {
            self.requests.fetch_add(1, Ordering::SeqCst);
        }
        next.is_some()
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        // A client that opens its connection beforehand; it asks for nothing.
        if request.method() == Method::HEAD {
            return Ok(Response::builder().status(404).body(Full::default()).expect("a sound answer"));
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        let mut script = self.scripts().pop_front().unwrap_or_else(|| self.unscripted());
        while let Script::Delay(wait, then) = script {
            tokio::time::sleep(wait).await;
            script = *then;
        }
        if matches!(script, Script::ResetBeforeRead) {
            return Err(Cut::Reset);
        }
        let (message, form) = match self.read(request).await {
            Ok(read) => read,
            Err(refusal) => return Ok(refusal.answer()),
        };
        match script {
            Script::Accept => {
                self.take(message.clone());
                Ok(self.created(&message, &form))
            }
            Script::Answer { status, headers, body } => Ok(headers
                .into_iter()
                .fold(Response::builder().status(status), |answer, (name, value)| answer.header(name, value))
                .body(Full::from(body))
                .expect("a script's status and headers are sound")),
            Script::ResetAfterRead => {
                self.take(message);
                Err(Cut::Reset)
            }
            Script::HalfAnswer => {
                self.take(message);
                Err(Cut::HalfAnswer)
            }
            Script::Garbage200 => {
                self.take(message);
                Ok(Response::new(Full::from("<html>OK</html>")))
            }
            Script::ResetBeforeRead | Script::Delay(..) => unreachable!("both are acted upon above"),
        }
    }

    fn take(&self, message: ReceivedSms) {
        // Sending fails only while the fake is being dropped.
        self.received.send(message).unwrap_or_default();
        self.messages.fetch_add(1, Ordering::SeqCst);
    }

    /// Reads a request as strictly as the contract allows: what Sealpost does not mean to send is refused, also
    /// where Twilio would overlook it.
    async fn read(&self, request: Request<Incoming>) -> Result<(ReceivedSms, Form), Refusal> {
        // Read to its end first: a connection closed with something unread is reset, and its answer lost.
        let (request, body) = request.into_parts();
        let body = Limited::new(body, MAX_REQUEST_BYTES).collect().await;
        let sid = &self.settings.account_sid;
        let wrong = |message: &str| Refusal(400, 20001, message.to_owned());
        if request.uri != format!("/2010-04-01/Accounts/{sid}/Messages.json").as_str() {
            return Err(Refusal(404, 20404, format!("The requested resource {} was not found", request.uri)));
        }
        if request.method != Method::POST {
            return Err(Refusal(405, 20004, "Method not allowed".to_owned()));
        }
        let expected = format!("Basic {}", STANDARD.encode(format!("{sid}:{}", self.settings.auth_token)));
        if request.headers.get(AUTHORIZATION).is_none_or(|given| given != expected.as_str()) {
            return Err(Refusal(401, 20003, "Authenticate".to_owned()));
        }
        if request.headers.get(CONTENT_TYPE).is_none_or(|given| given != "application/x-www-form-urlencoded") {
            return Err(wrong("The content type must be application/x-www-form-urlencoded"));
        }
        let body = body.map_err(|_| wrong("The request is broken or too long"))?.to_bytes();
        let form = Form::read(&body)?;
        let sid = format!("SM{:032x}", self.read.fetch_add(1, Ordering::SeqCst));
        let message = form.message(sid, self.clock.now())?;
        Ok((message, form))
    }

    /// Twilio's answer to a message that it takes, text included
    /// (<https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource>).
    fn created(&self, message: &ReceivedSms, form: &Form) -> Response<Full<Bytes>> {
        let account_sid = &self.settings.account_sid;
        let sid = &message.sid;
        let uri = format!("/2010-04-01/Accounts/{account_sid}/Messages/{sid}");
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_string(&message.received_at).ok();
        let (from, service) = (form.get("From"), form.get("MessagingServiceSid"));
        let resource = json!({
            "account_sid": account_sid, "api_version": "2010-04-01", "body": message.body, "date_created": date,
            "date_sent": null, "date_updated": date, "direction": "outbound-api", "error_code": null,
            "error_message": null, "from": from, "messaging_service_sid": service, "num_media": "0",
            "num_segments": "1", "price": null, "price_unit": null, "sid": sid,
            "status": if service.is_some() { "accepted" } else { "queued" },
            "subresource_uris": { "media": format!("{uri}/Media.json") }, "to": message.to,
            "uri": format!("{uri}.json"),
        });
        json_answer(201, &resource)
    }
}

fn json_answer(status: u16, body: &serde_json::Value) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json;charset=utf-8")
        .body(Full::from(body.to_string()))
        .expect("the fake's own statuses are sound")
}
