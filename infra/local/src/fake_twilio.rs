//! A Twilio on this machine. It takes what the real one takes, refuses everything else, and can be told to misbehave.
//!
//! This is the one place in Sealpost that shows texts and numbers: showing them is what it is for.

mod connection;
mod form;
mod script;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, Response};
use serde_json::json;
use shared::{Clock, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use connection::{Cut, serve};
use form::{Form, Refusal};
pub use script::{Director, Script};

const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The fictitious number that the fake knows as no mobile.
pub const NO_MOBILE: &str = "+61491570313";

/// Whom the fake takes messages from.
pub struct FakeTwilioSettings {
    pub account_sid: String,
    pub auth_token: String,
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
    director: Option<Arc<dyn Director>>,
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
        Self::start_with(settings, None).await
    }

    /// Listens on a free port of 127.0.0.1 and does with requests what the director says.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn directed(settings: FakeTwilioSettings, director: Arc<dyn Director>) -> io::Result<Self> {
        Self::start_with(settings, Some(director)).await
    }

    async fn start_with(settings: FakeTwilioSettings, director: Option<Arc<dyn Director>>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, received) = mpsc::unbounded_channel();
        let account = Arc::new(Account {
            settings,
            clock: Clock::system(),
            scripts: Mutex::default(),
            director,
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

impl Account {
    fn scripts(&self) -> std::sync::MutexGuard<'_, VecDeque<Script>> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a request for which nothing was said beforehand.
    fn unscripted(&self, message: &ReceivedSms) -> Script {
        if self.has_outage.load(Ordering::SeqCst) {
            let body = json!({ "code": 20503, "message": "Service Unavailable", "status": 503 }).to_string();
            return Script::Answer { status: 503, headers: Vec::new(), body };
        }
        if message.to == NO_MOBILE {
            let body = json!({ "code": 21614, "message": "'To' number is not a valid mobile number", "status": 400 });
            return Script::Answer { status: 400, headers: Vec::new(), body: body.to_string() };
        }
        self.director.as_ref().map_or(Script::Accept, |director| director.script(message))
    }

    /// Whether a new connection is to be reset of which nothing has been read yet.
    fn resets_before_read(&self, unread: &[u8]) -> bool {
        let mut scripts = self.scripts();
        let resets = match &self.director {
            Some(director) if scripts.is_empty() => director.resets(unread),
            Some(_) | None => scripts.pop_front_if(|script| matches!(script, Script::ResetBeforeRead)).is_some(),
        };
        if resets {
            self.requests.fetch_add(1, Ordering::SeqCst);
        }
        resets
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        // A client that opens its connection beforehand; it asks for nothing.
        if request.method() == Method::HEAD {
            return Ok(Response::builder().status(404).body(Full::default()).expect("a sound answer"));
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        let told = self.scripts().pop_front();
        if matches!(told, Some(Script::ResetBeforeRead)) {
            return Err(Cut::Reset);
        }
        let (message, form) = match self.read(request).await {
            Ok(read) => read,
            Err(refusal) => return Ok(refusal.answer()),
        };
        self.act(told.unwrap_or_else(|| self.unscripted(&message)), &message, &form).await
    }

    async fn act(&self, script: Script, message: &ReceivedSms, form: &Form) -> Result<Response<Full<Bytes>>, Cut> {
        let (mut script, mut is_taken) = (script, false);
        let mut take = || {
            if !std::mem::replace(&mut is_taken, true) {
                self.take(message);
            }
        };
        loop {
            script = match script {
                Script::Delay(wait, then) => {
                    tokio::time::sleep(wait).await;
                    *then
                }
                Script::Take(then) => {
                    take();
                    *then
                }
                Script::Accept => {
                    take();
                    return Ok(json_answer(201, &self.created(message, form)));
                }
                Script::Answer { status, headers, body } => {
                    return Ok(headers
                        .into_iter()
                        .fold(Response::builder().status(status), |answer, (name, value)| answer.header(name, value))
                        .body(Full::from(body))
                        .expect("a script's status and headers are sound"));
                }
                Script::ResetBeforeRead => return Err(Cut::Reset),
                Script::ResetAfterRead => {
                    take();
                    return Err(Cut::Reset);
                }
                Script::HalfAnswer => {
                    take();
                    return Err(Cut::HalfAnswer);
                }
                Script::Garbage200 => {
                    take();
                    return Ok(Response::new(Full::from("<html>OK</html>")));
                }
                Script::Drip(pause) => {
                    take();
                    let body = self.created(message, form).to_string();
                    let head = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length:";
                    return Err(Cut::Drip { pause, answer: format!("{head} {}\r\n\r\n{body}", body.len()).into() });
                }
            }
        }
    }

    fn take(&self, message: &ReceivedSms) {
        if let Some(director) = &self.director {
            director.took(message);
        }
        // Sending fails only while the fake is being dropped.
        self.received.send(message.clone()).unwrap_or_default();
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
    fn created(&self, message: &ReceivedSms, form: &Form) -> serde_json::Value {
        let account_sid = &self.settings.account_sid;
        let sid = &message.sid;
        let uri = format!("/2010-04-01/Accounts/{account_sid}/Messages/{sid}");
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_string(&message.received_at).ok();
        let (from, service) = (form.get("From"), form.get("MessagingServiceSid"));
        json!({
            "account_sid": account_sid, "api_version": "2010-04-01", "body": message.body, "date_created": date,
            "date_sent": null, "date_updated": date, "direction": "outbound-api", "error_code": null,
            "error_message": null, "from": from, "messaging_service_sid": service, "num_media": "0",
            "num_segments": "1", "price": null, "price_unit": null, "sid": sid,
            "status": if service.is_some() { "accepted" } else { "queued" },
            "subresource_uris": { "media": format!("{uri}/Media.json") }, "to": message.to,
            "uri": format!("{uri}.json"),
        })
    }
}

fn json_answer(status: u16, body: &serde_json::Value) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json;charset=utf-8")
        .body(Full::from(body.to_string()))
        .expect("the fake's own statuses are sound")
}
