//! `sealpost switch` as an operator runs it, on a table over the wire.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread::JoinHandle;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use local::aws::EmbeddedAws;
use local::create_state_table;
use serde_json::{Value, json};

const TABLE: &str = "sealpost-state";

struct Scene {
    aws: EmbeddedAws,
    client: Client,
}

impl Scene {
    async fn new() -> Self {
        let aws = EmbeddedAws::start(([127, 0, 0, 1], 0).into()).expect("a free port");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(aws.endpoint())
            .credentials_provider(Credentials::new("AKIATEST", "test", None, None, "test"));
        let client = Client::from_conf(config.build());
        create_state_table(&client, TABLE).await.expect("created");
        Self { aws, client }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
        command.env_clear().args(["switch", "--region", "eu-west-1"]).args(arguments);
        command.envs([("AWS_ACCESS_KEY_ID", "AKIAOPERATOR"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        command.envs([("STATE_TABLE", TABLE), ("USER", "mary"), ("AWS_ENDPOINT_URL", &self.aws.endpoint())]);
        command
    }

    async fn switch(&self, arguments: &[&str]) -> Output {
        output(self.command(arguments)).await
    }

    /// What is said to a command that does as it is told.
    async fn says(&self, arguments: &[&str]) -> String {
        let output = self.switch(arguments).await;
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr)), (Some(0), "".into()));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

/// Runs a command without holding up the embedded AWS, which lives in this process.
async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("the binary runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_switched_off_is_shown_until_it_is_switched_on_again() {
    let scene = Scene::new().await;
    assert_eq!(scene.says(&[]).await, "nothing is switched off\n");

    let off = ["off", "country", "GB", "--because", "toll fraud"];
    let would = scene.says(&off).await;
    assert_eq!(
        would,
        "country GB would be switched off; workers would follow within 5 seconds\n\
         nothing is done yet: say it again with --yes\n"
    );
    assert_eq!(scene.says(&[]).await, "nothing is switched off\n");

    let done = scene.says(&[&off[..], &["--yes"]].concat()).await;
    assert_eq!(done, "country GB is off; workers follow within 5 seconds\n");
    assert_eq!(scene.says(&off).await, "country GB is off already\n");
    scene.says(&["off", "everything", "--yes"]).await;
    scene.says(&["off", "provider", "twilio-main", "--yes"]).await;

    let shown = scene.says(&[]).await;
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 3, "{shown}");
    assert!(lines[0].starts_with("everything is off since 20") && lines[0].ends_with("(0 min), by mary"), "{shown}");
    assert!(lines[1].starts_with("country GB is off since 20"), "{shown}");
    assert!(lines[1].ends_with("(0 min), by mary: toll fraud"), "{shown}");
    assert!(lines[2].starts_with("provider twilio-main is off since 20"), "{shown}");

    let json: Value = serde_json::from_str(&scene.says(&["--json"]).await).expect("JSON");
    let switches: Vec<_> = json["off"].as_array().expect("a list").iter().map(|off| off["switch"].clone()).collect();
    assert_eq!(switches, ["everything", "country GB", "provider twilio-main"].map(Value::from));
    assert_eq!(json["off"][1]["because"], "toll fraud");

    let on: Value = serde_json::from_str(&scene.says(&["on", "everything", "--yes", "--json"]).await).expect("JSON");
    assert_eq!(on, json!({ "switch": "everything", "off": false, "changes": true, "done": true }));
    assert_eq!(scene.says(&["on", "everything", "--yes"]).await, "everything is on already\n");
    assert_eq!(scene.says(&[]).await.lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_switched_is_told_what_can() {
    let scene = Scene::new().await;
    for (arguments, code, expected) in [
        (&["off", "country", "UK", "--yes"][..], 1, "`country UK` cannot be switched; say everything, country GB"),
        (&["off", "twilio-main", "--yes"], 1, "`twilio-main` cannot be switched; say everything, country GB"),
        (&["off"], 2, "<WHAT>"),
        (&["off", "everything", "--because", ""], 2, "must be 1 to 200 characters"),
        (&["--table", "another", "--json"], 1, "reading the switches in table another: ResourceNotFoundException"),
    ] {
        let output = scene.switch(arguments).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    assert_eq!(scene.says(&[]).await, "nothing is switched off\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_names_no_table_is_told_how_and_a_stack_is_asked_for_it() {
    let scene = Scene::new().await;
    let mut command = scene.command(&["off", "everything", "--yes"]);
    command.env_remove("STATE_TABLE");
    let lost = output(command).await;
    let error = String::from_utf8_lossy(&lost.stderr);
    assert_eq!(lost.status.code(), Some(2), "{error}");
    assert!(error.contains("which table? Give --table or --stack, or set STATE_TABLE"), "{error}");
    // Here is no CloudFormation: that it is asked says that nothing was wrong with the flags.
    for arguments in [&["--stack", "sealpost"][..], &["off", "everything", "--stack", "sealpost", "--yes"]] {
        let mut command = scene.command(arguments);
        command.env_remove("STATE_TABLE");
        let unread = output(command).await;
        let error = String::from_utf8_lossy(&unread.stderr);
        assert_eq!(unread.status.code(), Some(1), "{error}");
        assert!(error.contains("asking CloudFormation for stack sealpost"), "{error}");
    }
    assert_eq!(scene.says(&[]).await, "nothing is switched off\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_assumed_first_however_far_away_its_operator_is() {
    let scene = Scene::new().await;
    // The role is assumed within the first call to the table, which a worker would have given up by then.
    let (sts, asked) = sts_that_takes(Duration::from_millis(1_500));
    let role_arn = "arn:aws:iam::123456789012:role/redrive";
    let mut command = scene.command(&["off", "everything", "--yes", "--role-arn", role_arn]);
    command.env("AWS_ENDPOINT_URL_STS", format!("http://{sts}"));
    let done = output(command).await;
    assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr)), (Some(0), "".into()));
    assert_eq!(String::from_utf8_lossy(&done.stdout), "everything is off; workers follow within 5 seconds\n");
    let asked = asked.join().expect("one call");
    assert!(asked.contains("Action=AssumeRole") && asked.contains("123456789012%3Arole%2Fredrive"), "{asked}");
}

/// Answers one call to assume a role, after a while, and says what it was asked.
fn sts_that_takes(delay: Duration) -> (SocketAddr, JoinHandle<String>) {
    const ANSWER: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
        <Credentials><AccessKeyId>ASIAREDRIVE</AccessKeyId><SecretAccessKey>x</SecretAccessKey>\
        <SessionToken>x</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>\
        </AssumeRoleResult></AssumeRoleResponse>";
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("bound");
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a call");
        let asked = request(&mut stream);
        std::thread::sleep(delay);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n", ANSWER.len());
        stream.write_all((head + ANSWER).as_bytes()).expect("somebody waits");
        asked
    });
    (address, answering)
}

/// A request, up to the name of the session, which comes behind the role's.
fn request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut some = [0; 4_096];
    while !String::from_utf8_lossy(&request).contains("RoleSessionName=sealpost") {
        let read = stream.read(&mut some).expect("readable");
        assert!(read > 0, "a whole request");
        request.extend_from_slice(&some[..read]);
    }
    String::from_utf8_lossy(&request).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_switched_off_by_hand_in_whatever_form_is_off() {
    let scene = Scene::new().await;
    let by_hand = scene.client.put_item().table_name(TABLE).item("pk", AttributeValue::S("switches".to_owned()));
    let by_hand =
        by_hand.item("everything", AttributeValue::Bool(true)).item("note", AttributeValue::S("x".to_owned()));
    by_hand.send().await.expect("put");
    assert_eq!(scene.says(&[]).await, "everything is off, nobody knows since when\n");
}
