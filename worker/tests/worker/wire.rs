//! An AWS service as a client of the SDK sees it: a server on this machine keeps what it is sent and answers by a
//! script. It lives in the test's own runtime.

use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

pub(crate) struct Service {
    endpoint: String,
    /// The bodies of the calls, with the operation as `action`.
    pub(crate) calls: Receiver<Value>,
}

/// What becomes of a call, once it was read.
#[derive(Clone)]
pub(crate) enum Answer {
    /// This status and this body.
    Says(u16, String),
    /// Nothing, over a connection that stays open.
    Nothing,
    /// This status, and a body that never comes to its end.
    Half(u16),
    /// The connection is reset.
    Reset,
}

impl Service {
    /// One that gives these answers in this order; the last one repeats.
    pub(crate) fn start(content_type: &'static str, script: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("within a runtime");
        let (calls, received) = channel();
        tokio::spawn(async move {
            let last = script.last().cloned().expect("an answer");
            for answer in script.into_iter().chain(std::iter::repeat(last)) {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(serve(BufReader::new(stream), content_type, answer, calls.clone()));
            }
        });
        Self { endpoint, calls: received }
    }

    pub(crate) fn sdk_config(&self) -> SdkConfig {
        sdk_config(&self.endpoint)
    }
}

/// What a client needs to reach a service there.
pub(crate) fn sdk_config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .build()
}

/// One call over one connection.
async fn serve(mut stream: BufReader<TcpStream>, content_type: &str, answer: Answer, calls: Sender<Value>) {
    let call = read_call(&mut stream).await;
    // Nobody listens any more once the test is over.
    let _ = calls.send(call);
    let head = |status| format!("HTTP/1.1 {status} x\r\ncontent-type: {content_type}\r\nconnection: close\r\n");
    let text = match answer {
        Answer::Says(status, body) => format!("{}content-length: {}\r\n\r\n{body}", head(status), body.len()),
        Answer::Half(status) => format!("{}content-length: 100\r\n\r\n{{", head(status)),
        Answer::Nothing => String::new(),
        Answer::Reset => {
            stream.get_ref().set_zero_linger().expect("a socket");
            return;
        }
    };
    stream.get_mut().write_all(text.as_bytes()).await.expect("a reader");
    // The client closes the connection.
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

async fn read_call(stream: &mut BufReader<TcpStream>) -> Value {
    let (mut action, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a header");
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line == "\r\n" { break } else { continue }
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().expect("a length"),
            "x-amz-target" => action = value.to_owned(),
            _ => {}
        }
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await.expect("a body");
    let mut call: Value = serde_json::from_slice(&content).expect("JSON");
    call["action"] = json!(action);
    call
}
