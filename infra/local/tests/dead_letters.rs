//! `sealpost local --dead-letters`: what is left behind, and that an operator with the environment which it prints can
//! send it again.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use local::Options;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Longer than anything takes; it only keeps a broken test from hanging.
const LONG: Duration = Duration::from_secs(60);

/// Passes on what is shown.
struct Screen(UnboundedSender<String>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nobody reads on once the test has ended.
        let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A local run that stays up until it is dropped.
struct Run {
    running: JoinHandle<anyhow::Result<bool>>,
    shown: UnboundedReceiver<String>,
}

impl Run {
    fn start(options: Options) -> Self {
        let (sender, shown) = unbounded_channel();
        let running = tokio::spawn(async move { local::run(&options, &mut Screen(sender)).await });
        Self { running, shown }
    }

    /// Reads on until this is shown, and to the end of its line; what was read.
    async fn read_until(&mut self, text: &str) -> String {
        let mut read = String::new();
        while !read.split_once(text).is_some_and(|(_, rest)| rest.contains('\n')) {
            let next = tokio::time::timeout(LONG, self.shown.recv()).await;
            read.push_str(&next.unwrap_or_else(|_| panic!("{text} is not shown: {read}")).expect("it stays up"));
        }
        read
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// What the line exports that a person pastes.
fn exported(shown: &str) -> HashMap<&str, &str> {
    let line = shown.lines().find(|line| line.contains("export ")).unwrap_or_else(|| panic!("no export in {shown}"));
    line.split_whitespace().filter_map(|word| word.split_once('=')).map(|(name, value)| (name, plain(value))).collect()
}

/// Up to a colour's end.
fn plain(value: &str) -> &str {
    value.split('\u{1b}').next().unwrap_or_default()
}

fn operators_client(environment: &HashMap<&str, &str>) -> aws_sdk_sqs::Client {
    let credentials = Credentials::new(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        None,
        None,
        "exported",
    );
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(environment["AWS_REGION"].to_owned()))
        .endpoint_url(environment["AWS_ENDPOINT_URL"])
        .credentials_provider(credentials);
    aws_sdk_sqs::Client::from_conf(config.build())
}

async fn all_letters(client: &aws_sdk_sqs::Client, queue: &str) -> Vec<Message> {
    let mut letters = Vec::new();
    loop {
        let request =
            client.receive_message().queue_url(queue).max_number_of_messages(10).message_attribute_names("All");
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All).visibility_timeout(600);
        match request.send().await.unwrap().messages {
            Some(messages) if !messages.is_empty() => letters.extend(messages),
            Some(_) | None => return letters,
        }
    }
}

fn reason(letter: &Message) -> &str {
    letter.message_attributes.as_ref().unwrap()["reason"].string_value().unwrap()
}

async fn redrive(client: &aws_sdk_sqs::Client, queue: &str, letter: &Message) {
    let once = MessageAttributeValue::builder().data_type("Number").string_value("1").build().unwrap();
    let request = client.send_message().queue_url(queue).message_body(letter.body().unwrap());
    request.message_attributes("redriven", once).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_behind_is_in_the_queue_and_what_the_operator_redrives_arrives() {
    let outage = Some("2s".parse().unwrap());
    let mut run = Run::start(Options { outage, dead_letters: true, ..Options::default() });
    let shown = run.read_until("cargo run -- dlq redrive --yes").await;
    let environment = exported(&shown);
    for expected in ["23 dead letters", "cargo run -- dlq stats", "cargo run -- dlq list", "cargo run -- dlq redrive"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }

    let client = operators_client(&environment);
    let letters = all_letters(&client, environment["DEAD_LETTER_QUEUE_URL"]).await;
    let mut by_reason = BTreeMap::new();
    for letter in &letters {
        *by_reason.entry(reason(letter)).or_insert(0) += 1;
    }
    let expected =
        [("country_not_allowed", 1), ("providers_exhausted", 20), ("recipient_rejected", 1), ("untrusted_sender", 1)];
    assert_eq!(by_reason, expected.into());
    for (reason, count) in expected {
        assert!(shown.contains(&format!("{count:>5}  {reason}\n")), "{shown}");
    }
    let trusted: Vec<_> = environment["TRUSTED_SENDER_IDS"].split(',').collect();
    let sender = |letter: &Message| letter.attributes.as_ref().unwrap()[&MessageSystemAttributeName::SenderId].clone();
    assert!(letters.iter().all(|letter| trusted.contains(&sender(letter).as_str())), "{trusted:?}");

    // A sign-in has the shortest life; several letters at once show that no code supersedes another.
    let body = |letter: &Message| -> Value { serde_json::from_str(letter.body().unwrap()).unwrap_or_default() };
    let is_sign_in = |letter: &&Message| body(letter)["event"]["triggerSource"] == "CustomSMSSender_Authentication";
    let sign_ins: Vec<_> =
        letters.iter().filter(|letter| reason(letter) == "providers_exhausted").filter(is_sign_in).collect();
    assert_eq!(sign_ins.len(), 2);
    for letter in &sign_ins {
        redrive(&client, environment["QUEUE_URL"], letter).await;
        let number = body(letter)["event"]["request"]["userAttributes"]["phone_number"].as_str().unwrap().to_owned();
        let shown = run.read_until("Your Example sign-in code is").await;
        assert!(shown.contains("Authentication") && shown.contains(&number), "{shown}");
    }

    // What was refused for good is refused again.
    let refused = letters.iter().find(|letter| reason(letter) == "recipient_rejected").unwrap();
    redrive(&client, environment["QUEUE_URL"], refused).await;
    run.read_until("dead-lettered as recipient_rejected").await;
}
