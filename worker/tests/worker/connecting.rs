//! Connections that are opened before the first message, seen from the other end.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use shared::KeyArn;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use worker::{KeyService as _, KmsKeys, WrappedDataKey, kms_config};

use crate::provider_double::{ScriptedProvider, accepts};
use crate::scene::Scene;
use crate::sealed::{KEY, POOL};
use crate::wire::sdk_config;

/// Reads one request and answers it; its head, in small letters.
async fn exchange(stream: &mut BufReader<TcpStream>, status: u16, answer: &str) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).await.expect("a request") > 0, "the connection ended after {head:?}");
    }
    head.make_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
    stream.read_exact(&mut body).await.expect("a body");
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
    stream.get_mut().write_all(answer.as_bytes()).await.expect("a reader");
    head
}

#[tokio::test]
async fn kms_is_asked_for_nothing_and_the_first_call_finds_the_connection_open() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    let serving = tokio::spawn(async move {
        // The only connection that it takes.
        let mut stream = BufReader::new(listener.accept().await.expect("a connection").0);
        let opening = exchange(&mut stream, 404, "{}").await;
        let key = json!({ "KeyId": KEY, "Plaintext": STANDARD.encode([7; 32]) });
        (opening, exchange(&mut stream, 200, &key.to_string()).await)
    });
    let keys = KmsKeys::new(aws_sdk_kms::Client::from_conf(kms_config(&sdk_config(&endpoint))));
    keys.connect().await;
    let key = KeyArn::parse(KEY).expect("an ARN");
    let context = [("userpool-id".to_owned(), POOL.to_owned())].into();
    keys.unwrap(&WrappedDataKey { key, ciphertext: vec![0xED; 184], context }).await.expect("the key");

    let (opening, call) = serving.await.expect("both requests over one connection");
    assert!(opening.starts_with("get / http/1.1\r\n"), "{opening}");
    for header in ["authorization", "x-amz-", "content-length"] {
        assert!(!opening.contains(header), "{opening}");
    }
    assert!(call.contains("x-amz-target: trentservice.decrypt"), "{call}");
}

#[tokio::test(start_paused = true)]
async fn a_start_does_not_wait_for_an_outage_to_end() {
    let scene = Scene::of([ScriptedProvider::named("first", [accepts()]).whose_connection_hangs()]);
    let began = Instant::now();
    scene.connect().await;
    assert_eq!(began.elapsed(), Duration::from_secs(1));
}
