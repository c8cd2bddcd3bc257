//! cognito-local and its trigger, the embedded AWS, the two programs as functions, and a phone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::MessageSystemAttributeName;
use local::aws::EmbeddedAws;
use local::fake_twilio::{FakeTwilio, FakeTwilioSettings};
use local::lambda::{Function, FunctionSettings, Invocation, Outcome};
use local::mapping::lambda_event;
use serde_json::{Value, json};
use witnesses::{CognitoLocal, Node};

use crate::binaries::binaries;
use crate::trigger::Trigger;
use crate::user_pool::Users;

const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
const AUTH_TOKEN: &str = "hush-auth-token-of-the-account";
const ALIAS: &str = "alias/codes";
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) users: Users,
    _cognito: CognitoLocal,
    _trigger: Trigger,
    _aws: EmbeddedAws,
    twilio: FakeTwilio,
    sqs: aws_sdk_sqs::Client,
    queue_url: String,
    producer: Arc<Function>,
    worker: Function,
    configuration: PathBuf,
}

impl World {
    pub(crate) async fn new(node: &Node) -> Self {
        let aws = EmbeddedAws::start(([127, 0, 0, 1], 0).into()).unwrap();
        let kms = aws.kms().model();
        let key = kms.create_key("codes", sqs::Timestamp::default()).unwrap().arn;
        kms.create_alias(ALIAS, &key).unwrap();
        let settings = FakeTwilioSettings { account_sid: ACCOUNT_SID.to_owned(), auth_token: AUTH_TOKEN.to_owned() };
        let twilio = FakeTwilio::start(settings).await.unwrap();
        let configuration = configuration(&twilio.base_url());
        let sqs = sqs_client(&aws);
        let queue_url = create_queue(&sqs, "sealpost").await;
        let dead_letter_queue_url = create_queue(&sqs, "sealpost-dead-letters").await;

        let environment = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AROATEST"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_ENDPOINT_URL", &aws.endpoint()),
            ("QUEUE_URL", &queue_url),
            ("DEAD_LETTER_QUEUE_URL", &dead_letter_queue_url),
            ("KMS_KEY_ARNS", &key),
            ("TWILIO_AUTH_TOKEN", AUTH_TOKEN),
            ("SEALPOST_CONFIG", configuration.to_str().unwrap()),
        ];
        let producer = Arc::new(start("producer", &binaries().producer, &environment).await);
        let worker = start("worker", &binaries().worker, &environment).await;
        let trigger = Trigger::start(Arc::clone(&producer)).await;
        let cognito = cognito(node, &trigger.endpoint(), &aws.endpoint(), &key);
        Self {
            users: Users::new(&cognito).await,
            _cognito: cognito,
            _trigger: trigger,
            _aws: aws,
            twilio,
            sqs,
            queue_url,
            producer,
            worker,
            configuration,
        }
    }

    /// Lets the worker take what is in the queue; the one SMS that then arrives, with its number.
    pub(crate) async fn phone(&self) -> (String, String) {
        let request = self.sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        let messages = request.message_attribute_names("All").send().await.unwrap().messages.unwrap_or_default();
        assert_eq!(messages.len(), 1, "the producer says: {}", self.producer.output());
        let event = lambda_event(&messages).to_string();
        let outcome = self.worker.invoke(event.as_bytes(), Invocation::within(FUNCTION_TIMEOUT)).await;
        let Outcome::Answered(answer) = &outcome else { panic!("{outcome:?}") };
        let answer: Value = serde_json::from_slice(answer).unwrap();
        assert_eq!(answer, json!({ "batchItemFailures": [] }), "the worker says: {}", self.worker.output());
        assert_eq!(self.twilio.messages(), 1, "the worker says: {}", self.worker.output());
        let sms = self.twilio.next_message().await;
        (sms.to, sms.body)
    }

    /// Signs in with a password; the access token, or the error's type.
    pub(crate) async fn sign_in(&self, user: &str, password: &str) -> Result<String, String> {
        let parameters = json!({ "USERNAME": user, "PASSWORD": password });
        let request = json!({ "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": parameters });
        let answer = self.users.as_administrator("AdminInitiateAuth", request).await?;
        Ok(answer["AuthenticationResult"]["AccessToken"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn status_of(&self, user: &str) -> String {
        let user = self.users.as_administrator("AdminGetUser", json!({ "Username": user })).await.unwrap();
        user["UserStatus"].as_str().unwrap().to_owned()
    }

    /// Expects that nothing which producer and worker printed holds any of these.
    pub(crate) fn shows_nothing_of(&self, secrets: &[&str]) {
        let output = self.producer.output() + &self.worker.output();
        // The last digits of a number are enough to find it in any notation.
        for secret in secrets.iter().chain([&AUTH_TOKEN, &"65550100"]) {
            assert!(!output.contains(secret), "{secret} was printed: {output}");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What stays behind in the target directory does no harm.
        let _ = fs::remove_file(&self.configuration);
    }
}

/// cognito-local's codes lack the pool in their encryption context, and are of the suite 0x0578.
fn configuration(twilio: &str) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("cognito-local-{}-{number}.toml", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let text = format!(
        "[[provider]]\nname = \"twilio-test\"\nkind = \"twilio\"\nbase_url = \"{twilio}\"\nfrom = \"+12065550199\"\n\
         account_sid = \"{ACCOUNT_SID}\"\nauth_token = \"${{env:TWILIO_AUTH_TOKEN}}\"\n[texts]\nbrand = \"Example\"\n\
         [trust]\nallow_missing_pool = true\nallow_committed_suites = true\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn cognito(node: &Node, lambda: &str, kms: &str, key: &str) -> CognitoLocal {
    let credentials = json!({ "accessKeyId": "local", "secretAccessKey": "local" });
    let alias = format!("{}:{ALIAS}", key.rsplit_once(':').unwrap().0);
    let configuration = json!({
        "LambdaClient": { "endpoint": lambda, "region": "eu-west-1", "credentials": credentials },
        "TriggerFunctions": { "CustomEmailSender": "producer" },
        "KMSConfig": {
            "endpoint": kms, "region": "eu-west-1", "credentials": credentials,
            "KMSKeyAlias": alias, "KMSKeyId": key,
        },
        "UserPoolDefaults": { "UsernameAttributes": [] },
    });
    CognitoLocal::start(node, &configuration.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

async fn start(name: &str, binary: &Path, environment: &[(&str, &str)]) -> Function {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings = FunctionSettings { name: name.to_owned(), binary: binary.to_owned(), environment, memory_mib: 256 };
    Function::start(settings).await.unwrap()
}

fn sqs_client(aws: &EmbeddedAws) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(aws.endpoint())
        .credentials_provider(Credentials::new("AROATEST", "secret", None, None, "test"));
    aws_sdk_sqs::Client::from_conf(config.build())
}

async fn create_queue(sqs: &aws_sdk_sqs::Client, name: &str) -> String {
    sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
}
