//! A server that reads requests, remembers them and does with them what it is told, good or bad.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::request::Request;

/// What becomes of one request.
pub(crate) enum Script {
    Answer(Answer),
    /// Answer after a while.
    Slow(Duration, Answer),
    /// Read the request and never answer.
    Silence,
    /// Reset the connection when the first bytes arrive, before reading any of them.
    ResetBeforeRead,
    /// Read the request, then reset the connection.
    ResetAfterRead,
    /// Close the connection in the middle of this answer.
    Half(Answer),
    /// Go on with the body of an answer of this status until the client has enough.
    WithoutEnd(u16),
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// A running server. It stops when dropped.
pub(crate) struct Gateway {
    address: String,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    scripts: Mutex<VecDeque<Script>>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    resets_before_read: AtomicUsize,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    fn written(&self) -> String {
        let Self { status, headers, body } = self;
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        // A 204 has no body and therefore no length (RFC 9110, section 8.6).
        let length = if *status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        format!("HTTP/1.1 {status} Scripted\r\n{headers}{length}\r\n{body}")
    }
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State::default());
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, serving }
    }

    /// One that does these things with the first requests.
    pub(crate) async fn told(scripts: impl IntoIterator<Item = Script>) -> Self {
        let gateway = Self::start().await;
        gateway.state.scripts.lock().unwrap().extend(scripts);
        gateway
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The requests that were read, in their order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// How often somebody began to send a request, read or not.
    pub(crate) fn begun(&self) -> usize {
        self.requests().len() + self.state.resets_before_read.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(serve_connection(stream, Arc::clone(&state)));
    }
}

/// Ends when the client goes, or when a script says so.
async fn serve_connection(mut stream: TcpStream, state: Arc<State>) {
    // Once there is something to read the client has begun to write: every reset meets a request on its way.
    while matches!(stream.peek(&mut [0]).await, Ok(1)) {
        let script = state.scripts.lock().unwrap().pop_front();
        let script = script.expect("the test says what becomes of each request");
        if matches!(script, Script::ResetBeforeRead) {
            state.resets_before_read.fetch_add(1, Ordering::SeqCst);
            return stream.set_zero_linger().unwrap();
        }
        let Some(request) = Request::read(&mut stream).await else { return };
        state.requests.lock().unwrap().push(request);
        match script {
            Script::Answer(answer) => stream.write_all(answer.written().as_bytes()).await.unwrap(),
            Script::Slow(wait, answer) => {
                tokio::time::sleep(wait).await;
                stream.write_all(answer.written().as_bytes()).await.unwrap();
            }
            Script::Silence => std::future::pending().await,
            Script::ResetBeforeRead => unreachable!("it is acted upon above"),
            Script::ResetAfterRead => return stream.set_zero_linger().unwrap(),
            Script::Half(answer) => {
                let written = answer.written();
                return stream.write_all(&written.as_bytes()[..written.len() - 1]).await.unwrap();
            }
            Script::WithoutEnd(status) => return write_without_end(&mut stream, status).await,
        }
    }
}

async fn write_without_end(stream: &mut TcpStream, status: u16) {
    let head = format!("HTTP/1.1 {status} Scripted\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let error = loop {
        if let Err(error) = stream.write_all(&[b' '; 4096]).await {
            break error;
        }
    };
    assert!(matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), "{error}");
}
