//! A stack that was deployed as README says, the user pool beside it, and the phones beyond the provider.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use aws_sdk_sqs::types::{Message, QueueAttributeName};
use local::cognito;
use local::fake_twilio::{FakeTwilio, FakeTwilioSettings};
use serde_json::{Value, json};
use shared::{KeyArn, TriggerSource, UserPoolId};
use witnesses::{MiniStack, lambda_binaries};

use crate::cloud::Cloud;
use crate::stack::Stack;
use crate::stand_in::{self, Adapted};

pub(crate) const PHONE: &str = "+12065550100";
pub(crate) const CODE: &str = "7392140658";
pub(crate) const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const AUTH_TOKEN: &str = "hush-auth-token-of-the-account";
const NUMBER_KEY: &str = "hush-number-key-of-this-very-deployment";
/// Longer than any message takes, one that waits for its visibility timeout included.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) stack: Stack,
    /// The template as it was deployed.
    packaged: String,
    pub(crate) sqs: aws_sdk_sqs::Client,
    kms: aws_sdk_kms::Client,
    pub(crate) phones: FakeTwilio,
    /// The function that the user pool has as its trigger.
    trigger: String,
    pub(crate) pool: UserPoolId,
    key: KeyArn,
    folder: tempfile::TempDir,
}

/// What an invocation came to.
#[derive(Debug)]
pub(crate) struct Invoked {
    pub(crate) failed: bool,
    pub(crate) answer: Value,
}

impl World {
    /// The steps of README's "Deploy", in its order.
    pub(crate) async fn on(ministack: &'static MiniStack, adapted: Adapted) -> Self {
        let cloud = Cloud::new(ministack);
        let settings = FakeTwilioSettings { account_sid: ACCOUNT_SID.to_owned(), auth_token: AUTH_TOKEN.to_owned() };
        let phones = FakeTwilio::start(settings).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path(), &phones.base_url(), adapted);

        // MiniStack makes names of a stack's, and confuses functions of one name in two accounts.
        let (name, pool_name) = (format!("sealpost-{}", cloud.account), format!("sealpost-demo-{}", cloud.account));
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (template, packaged) = (path("infra/aws/template.json"), path("target/lambda/packaged.yaml"));
        let demo = Stack::deploy(&cloud, pool_name.clone(), &path("infra/aws/demo-pool.yaml"), &[]);
        let pool = demo.output("UserPoolId");
        let bucket = format!("packages-{}", cloud.account);
        cloud.aws(&["s3", "mb", &format!("s3://{bucket}")]);
        let package = ["cloudformation", "package", "--s3-bucket", &bucket, "--template-file", &template];
        cloud.aws(&[&package[..], &["--output-template-file", &packaged]].concat());
        let stack = Stack::deploy(&cloud, name, &packaged, &[&format!("UserPoolId={pool}"), "Architecture=x86_64"]);
        let secret =
            json!({ "TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN, "NUMBER_KEY": NUMBER_KEY });
        let put =
            ["secretsmanager", "put-secret-value", "--secret-id", stack.output("ProviderSecretArn"), "--secret-string"];
        cloud.aws(&[&put[..], &[&secret.to_string()]].concat());
        let arns = ["ProducerArn", "KeyArn"].map(|name| format!("{name}={}", stack.output(name)));
        Stack::deploy(&cloud, pool_name, &path("infra/aws/demo-pool.yaml"), &[&arns[0], &arns[1]]);

        let described = cloud.json(&["cognito-idp", "describe-user-pool", "--user-pool-id", pool]);
        let triggers = &described["UserPool"]["LambdaConfig"];
        assert_eq!(triggers["CustomSMSSender"]["LambdaVersion"], "V1_0");
        Self {
            sqs: cloud.sqs(cloud.root()),
            kms: cloud.kms(cloud.root()),
            trigger: triggers["CustomSMSSender"]["LambdaArn"].as_str().unwrap().to_owned(),
            key: KeyArn::parse(triggers["KMSKeyID"].as_str().unwrap()).unwrap(),
            pool: UserPoolId::parse(pool).unwrap(),
            cloud,
            stack,
            packaged,
            phones,
            folder,
        }
    }

    /// A sign-up event with [`CODE`], sealed as Cognito does.
    pub(crate) async fn sign_up(&self, phone_number: &str) -> Value {
        let sealed = cognito::seal_with_kms(&self.kms, &self.pool, &self.key, CODE).await.unwrap();
        cognito::event(&self.pool, TriggerSource::SignUp, phone_number, Some(&sealed))
    }

    /// Invokes the pool's trigger and waits for the answer.
    pub(crate) fn invoke(&self, event: &Value) -> Invoked {
        let answer = self.folder.path().join("answer.json");
        let payload = self.payload(event);
        let invoked = self.cloud.json(&[&self.invocation(&payload)[..], &[answer.to_str().unwrap()]].concat());
        let answer = serde_json::from_slice(&fs::read(answer).unwrap()).unwrap_or_default();
        Invoked { failed: !invoked["FunctionError"].is_null(), answer }
    }

    /// Invokes the pool's trigger asynchronously.
    pub(crate) fn invoke_later(&self, event: &Value) {
        let nowhere = ["--invocation-type", "Event", "/dev/null"];
        self.cloud.aws(&[&self.invocation(&self.payload(event))[..], &nowhere].concat());
    }

    fn invocation<'i>(&'i self, payload: &'i str) -> [&'i str; 6] {
        ["lambda", "invoke", "--function-name", &self.trigger, "--payload", payload]
    }

    /// A file with the event, as the AWS CLI takes it.
    fn payload(&self, event: &Value) -> String {
        let file = self.folder.path().join("event.json");
        fs::write(&file, event.to_string()).unwrap();
        format!("fileb://{}", file.to_str().unwrap())
    }

    /// Puts an event into the queue by way of the trigger.
    pub(crate) fn accept(&self, event: &Value) {
        let invoked = self.invoke(event);
        assert!(!invoked.failed, "{invoked:?}");
    }

    /// Waits until [`CODE`] has arrived on [`PHONE`], once, and nothing is left of it in a queue.
    pub(crate) async fn arrives(&self) {
        let received = tokio::time::timeout(PATIENCE, self.phones.next_message()).await;
        let sms = received.unwrap_or_else(|_| panic!("no SMS came; {}", self.what_was_said()));
        assert_eq!((sms.to.as_str(), sms.body.contains(CODE)), (PHONE, true));
        self.eventually("the queue is empty", async || self.messages("QueueUrl").await == 0).await;
        for queue in ["DeadLetterQueueUrl", "FailedInvocationsQueueUrl"] {
            assert_eq!(self.messages(queue).await, 0, "{queue}");
        }
        assert_eq!(self.phones.messages(), 1);
    }

    /// Everything that a function has logged.
    pub(crate) fn log(&self, group: &str) -> String {
        let filter = ["logs", "filter-log-events", "--log-group-name", self.output(group)];
        let events = self.cloud.json(&[&filter[..], &["--query", "events[].message"]].concat());
        let lines = events.as_array().unwrap().iter();
        lines.map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
    }

    /// Waits until the worker has logged a line that holds all of these.
    pub(crate) async fn worker_says(&self, parts: &[&str]) {
        let says = || self.log("WorkerLogGroup").lines().any(|line| parts.iter().all(|part| line.contains(part)));
        self.eventually(&format!("the worker says {parts:?}"), async || says()).await;
    }

    pub(crate) async fn eventually(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let wait = async {
            while !is_so().await {
                tokio::time::sleep(POLL).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "in vain: {what}; {}", self.what_was_said());
    }

    fn what_was_said(&self) -> String {
        let output = self.cloud.ministack.output();
        let end = &output[output.floor_char_boundary(output.len().saturating_sub(4096))..];
        format!("the worker says: {}\nMiniStack says: {end}", self.log("WorkerLogGroup"))
    }

    /// How many messages a queue of the stack's outputs holds.
    pub(crate) async fn messages(&self, output: &str) -> usize {
        let attributes = self.attributes(output).await;
        let of = |name: QueueAttributeName| attributes[&name].parse::<usize>().unwrap();
        of(QueueAttributeName::ApproximateNumberOfMessages)
            + of(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
    }

    /// All attributes of a queue of the stack's outputs.
    pub(crate) async fn attributes(&self, output: &str) -> HashMap<QueueAttributeName, String> {
        let request = self.sqs.get_queue_attributes().queue_url(self.output(output));
        request.attribute_names(QueueAttributeName::All).send().await.unwrap().attributes.unwrap()
    }

    /// The first message of a queue of the stack's outputs, once there is one.
    pub(crate) async fn message_of(&self, output: &str) -> Message {
        self.eventually(&format!("there is a message in {output}"), async || self.messages(output).await > 0).await;
        let request = self.sqs.receive_message().queue_url(self.output(output)).message_attribute_names("All");
        request.send().await.unwrap().messages.unwrap().remove(0)
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.stack.output(name)
    }

    /// The name or id that a resource of the stack got.
    pub(crate) fn resource(&self, logical: &str) -> String {
        self.stack.resources(&self.cloud)[logical].clone()
    }

    /// Another stack of the same template in the same account, for the same pool.
    pub(crate) fn deploy_another(&self, name: &str, parameters: &[String]) -> Stack {
        let pool = format!("UserPoolId={}", self.pool);
        let all: Vec<_> = parameters.iter().map(String::as_str).chain([pool.as_str(), "Architecture=x86_64"]).collect();
        Stack::deploy(&self.cloud, name.to_owned(), &self.packaged, &all)
    }
}

/// The folders as `infra/aws/package` leaves them, with a provider of ours.
fn lay_out(folder: &Path, provider: &str, adapted: Adapted) {
    let aws = folder.join("infra/aws");
    fs::create_dir_all(&aws).unwrap();
    fs::write(aws.join("template.json"), stand_in::template(adapted).to_string()).unwrap();
    fs::write(aws.join("demo-pool.yaml"), include_str!("../../demo-pool.yaml")).unwrap();
    let sample = include_str!("../../sealpost.toml");
    let ours = format!("kind = \"twilio\"\nbase_url = \"{provider}\"");
    let configuration = sample.replace("kind = \"twilio\"", &ours) + "\n[route.country]\nKP = []\n";
    for name in ["producer", "worker"] {
        let package = folder.join("target/lambda").join(name);
        fs::create_dir_all(&package).unwrap();
        fs::copy(lambda_binaries().join(name), package.join("bootstrap")).unwrap();
        fs::write(package.join("sealpost.toml"), &configuration).unwrap();
    }
}
