//! A dead-letter queue over the wire, and an operator at its terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local::aws::EmbeddedAws;
use local::cognito::UserPool;
use serde_json::{Value, json};
use shared::{CognitoEvent, KeyArn, MessageId, QueueMessage, Timestamp, TriggerSource, UserPoolId};
use sqs::{MessageAttribute, NewMessage};

pub(crate) const MAIN: &str = "sealpost";
pub(crate) const DEAD_LETTERS: &str = "sealpost-dead-letters";
/// The embedded SQS takes the access key id for the sender.
pub(crate) const PRODUCER: &str = "AROAPRODUCER";
pub(crate) const WORKER: &str = "AROAWORKER";
pub(crate) const OPERATOR: &str = "AROAOPERATOR";

pub(crate) struct World {
    pub(crate) aws: EmbeddedAws,
    /// Where the operator's commands run, and leave their files.
    pub(crate) folder: tempfile::TempDir,
    pool: UserPoolId,
    /// The code of each letter is this one under an id of its own: what nobody opens need not be openable.
    code: Vec<u8>,
}

/// A letter to be put into the queue.
#[derive(Clone)]
pub(crate) struct Put {
    pub(crate) number: u64,
    pub(crate) source: TriggerSource,
    pub(crate) to: &'static str,
    pub(crate) age: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) attributes: Vec<(&'static str, String)>,
    pub(crate) sender: &'static str,
}

impl Put {
    /// What the worker leaves after an outage: a sign-up code of three minutes ago.
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            source: TriggerSource::SignUp,
            to: "+12065550100",
            age: Duration::from_secs(180),
            lifetime: Duration::from_secs(86_400),
            attributes: vec![
                ("reason", "providers_exhausted".to_owned()),
                ("detail", "twilio-main: http_503".to_owned()),
                ("provider", "twilio-main".to_owned()),
                ("attempts", "3".to_owned()),
                ("failed_at", "2026-11-27T03:00:00.000Z".to_owned()),
            ],
            sender: WORKER,
        }
    }

    pub(crate) fn reason(mut self, reason: &str) -> Self {
        self.attributes.retain(|(name, _)| *name != "reason");
        self.attributes.push(("reason", reason.to_owned()));
        self
    }

    pub(crate) fn attribute(mut self, name: &'static str, value: impl ToString) -> Self {
        self.attributes.retain(|(known, _)| *known != name);
        self.attributes.push((name, value.to_string()));
        self
    }

    pub(crate) fn expired(self) -> Self {
        Self { age: Duration::from_secs(7_200), lifetime: Duration::from_secs(3_600), ..self }
    }

    /// As SQS itself moves it: as the producer sent it, without a reason.
    pub(crate) fn moved_by_sqs(self) -> Self {
        Self { attributes: Vec::new(), sender: PRODUCER, ..self }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let aws = EmbeddedAws::start(([127, 0, 0, 1], 0).into()).expect("a free port");
        aws.sqs().with_account(|account, now| {
            account.create_queue(DEAD_LETTERS, &BTreeMap::new(), now).expect("created");
            let arn = account.queue_arn(DEAD_LETTERS);
            let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 3 }).to_string();
            let attributes = BTreeMap::from([("RedrivePolicy".to_owned(), policy)]);
            account.create_queue(MAIN, &attributes, now).expect("created");
        });
        let pool = UserPoolId::parse("eu-west-1_OPERATED1").expect("a pool id");
        let kms = Arc::clone(aws.kms().model());
        let key = kms.create_key("codes", sqs::Timestamp::from_unix_millis(0)).expect("created");
        let user_pool = UserPool { id: pool.clone(), key: KeyArn::parse(&key.arn).expect("an ARN"), kms };
        let code = STANDARD.decode(user_pool.seal("123456").expect("sealed")).expect("base64");
        Self { aws, folder: tempfile::tempdir().expect("a folder"), pool, code }
    }

    /// The event whose code has this number.
    pub(crate) fn event(&self, put: &Put) -> Value {
        let mut code = self.code.clone();
        // Version, type and suite come before the message id
        // (https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html).
        code[4..20].copy_from_slice(&id_bytes(put.number));
        local::cognito::event(&self.pool, put.source, put.to, Some(&STANDARD.encode(code)))
    }

    pub(crate) fn body(&self, put: &Put) -> String {
        let event = CognitoEvent::from_value(self.event(put)).expect("sound");
        let accepted_at = now().checked_sub(put.age).expect("in range");
        let message = QueueMessage::new(event, id(put.number), accepted_at, put.lifetime);
        message.to_json().expect("small")
    }

    pub(crate) fn put(&self, put: &Put) {
        self.put_body(self.body(put), &put.attributes, put.sender);
    }

    pub(crate) fn put_body(&self, body: String, attributes: &[(&str, String)], sender: &str) {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), MessageAttribute::string(value)));
        let message = NewMessage { attributes: attributes.collect(), ..NewMessage::new(body) };
        self.aws.sqs().with_account(|account, now| account.send(DEAD_LETTERS, message, sender, now)).expect("sent");
    }

    /// As the OnFailure destination of Lambda writes it.
    pub(crate) fn put_failed_invocation(&self, put: &Put, condition: &str) {
        let timestamp = shared::rfc3339_millis(now().checked_sub(put.age).expect("in range"));
        let record = json!({
            "version": "1.0",
            "timestamp": timestamp,
            "requestContext": {
                "requestId": "c5a3b4a2-0f8e-4f6c-9a1e-1d2c3b4a5f60",
                "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:producer:$LATEST",
                "condition": condition,
                "approximateInvokeCount": 3,
            },
            "requestPayload": self.event(put),
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "responsePayload": { "errorMessage": "the queue was not reached", "errorType": "NotEnqueued" },
        });
        self.put_body(record.to_string(), &[], PRODUCER);
    }

    /// The messages of a queue, in whatever state.
    pub(crate) fn messages(&self, queue: &str) -> Vec<Arc<sqs::Message>> {
        self.aws.sqs().with_account(|account, _| account.messages(queue).expect("exists").cloned().collect())
    }

    /// The ids of the messages of a queue; of a failed invocation, its code's.
    pub(crate) fn ids(&self, queue: &str) -> Vec<String> {
        self.messages(queue).iter().map(|message| id_of_body(&message.body)).collect()
    }

    pub(crate) fn id_set(&self, queue: &str) -> BTreeSet<String> {
        self.ids(queue).into_iter().collect()
    }

    /// How many letters can be received at once, and how many are held out of sight.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let counts = self.aws.sqs().with_account(|account, now| account.counts(DEAD_LETTERS, now)).expect("exists");
        (counts.ready, counts.in_flight)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
        command.env_clear().current_dir(self.folder.path()).arg("dlq").args(arguments);
        let sqs = self.aws.sqs();
        command.envs([
            ("AWS_ENDPOINT_URL", self.aws.endpoint()),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", OPERATOR.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "x".to_owned()),
            ("DEAD_LETTER_QUEUE_URL", sqs.queue_url(DEAD_LETTERS)),
            ("QUEUE_URL", sqs.queue_url(MAIN)),
            ("TRUSTED_SENDER_IDS", format!("{PRODUCER},{WORKER},{OPERATOR}")),
            ("USER", "mary".to_owned()),
        ]);
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        output(self.command(arguments)).await
    }

    /// What is said by a command that finds nothing wrong.
    pub(crate) async fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}{}", String::from_utf8_lossy(&output.stdout));
        assert!(error.lines().all(|line| line.contains(" of about ")), "{arguments:?}: only progress is told: {error}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[arguments, &["--json"]].concat()).await).expect("one JSON object")
    }

    /// The files that commands have left in their folder, by the beginning of their names.
    pub(crate) fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let files =
            std::fs::read_dir(self.folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
        let named = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
        files.filter(|path| named(path)).collect()
    }
}

/// Runs a command without holding up the embedded AWS, which lives in this process.
pub(crate) async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("the binary runs")
}

pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).expect("in range")
}

pub(crate) fn id(number: u64) -> MessageId {
    MessageId::from_bytes(&id_bytes(number))
}

/// The number comes last, so that ids share their beginning.
fn id_bytes(number: u64) -> [u8; 16] {
    let mut bytes = [0xc0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn id_of_body(body: &str) -> String {
    let Ok(body) = serde_json::from_str::<Value>(body) else { return "unreadable".to_owned() };
    if let Some(id) = body["id"].as_str() {
        return id.to_owned();
    }
    let code = body["requestPayload"]["request"]["code"].as_str().and_then(|code| STANDARD.decode(code).ok());
    code.map_or_else(|| "unreadable".to_owned(), |code| MessageId::from_bytes(&code[4..20]).to_string())
}
