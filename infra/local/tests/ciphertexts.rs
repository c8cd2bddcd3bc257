//! Codes between us and AWS's Encryption SDKs for Python and JavaScript, which ask our embedded KMS for their data keys
//! over HTTP: what they seal we open, what we seal they open. That our sealing and opening agree with each other alone
//! proves nothing.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_kms::config::{Credentials, SharedCredentialsProvider};
use esdk::SealOptions;
use local::aws::EmbeddedAws;
use local::cognito::UserPool;
use local::{Ending, Pipeline};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{KeyArn, SealedCode, TriggerSource, UserPoolId};
use witnesses::{Missing, Trial, node, python, run};
use worker::{KeyService as _, KmsKeys, WrappedDataKey, kms_config, open_with_esdk};

const CASES: &str = include_str!("../../witnesses/ciphertexts/cases.json");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../witnesses/ciphertexts");
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    run([Witness::Python, Witness::JavaScript].into_iter().flat_map(|witness| {
        let trial = |name: &str, body: fn(Witness) -> Result<(), Missing>| {
            Trial::outside(format!("{}::{name}", witness.name()), move || body(witness))
        };
        [
            trial("codes_that_it_seals_against_our_kms_open_here", codes_open_here),
            trial("codes_that_we_seal_open_there", codes_open_there),
            trial("codes_that_it_seals_reach_the_phone", codes_reach_the_phone),
        ]
    }))
}

/// An Encryption SDK of AWS, and the script of ours that uses it.
#[derive(Clone, Copy)]
enum Witness {
    Python,
    JavaScript,
}

/// What the script answers.
#[derive(Deserialize)]
struct Answer {
    /// Base64, in the order of the request.
    sealed: Vec<String>,
    opened: Vec<Opened>,
}

#[derive(Deserialize)]
struct Opened {
    clear: String,
    context: Value,
}

impl Witness {
    fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
        }
    }

    fn command(self) -> Result<Command, Missing> {
        let (mut command, script) = match self {
            Self::Python => (python()?.command(), "seal.py"),
            Self::JavaScript => (node()?.command(), "seal.mjs"),
        };
        command.arg(format!("{SCRIPTS}/{script}")).arg("kms");
        Ok(command)
    }

    /// The cases that it can seal.
    fn cases(self) -> Vec<Value> {
        let mut cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
        match self {
            Self::Python => {}
            // It opens single blocks, and cannot make them.
            Self::JavaScript => cases.retain(|case| case["frame_length"] != 0),
        }
        cases
    }
}

/// Has the script seal these cases and open these codes under the pool's key.
async fn ask(mut script: Command, endpoint: &str, pool: &UserPool, seal: &[Value], open: &[String]) -> Answer {
    let request = json!({ "endpoint": endpoint, "key_arn": pool.key.as_str(), "seal": seal, "open": open }).to_string();
    // In a thread of its own: KMS answers in this one.
    let run = move || {
        let script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = script.spawn().unwrap();
        running.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
        running.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}

/// An embedded AWS with a user pool.
fn aws_with_pool() -> (EmbeddedAws, UserPool) {
    let aws = EmbeddedAws::start(([127, 0, 0, 1], 0).into()).unwrap();
    let kms = aws.kms().model().clone();
    let key = kms.create_key("codes", sqs::Timestamp::from_unix_millis(0)).unwrap();
    let id = UserPoolId::parse("eu-west-1_EXAMPLE01").unwrap();
    (aws, UserPool { id, key: KeyArn::parse(&key.arn).unwrap(), kms })
}

/// The worker's own KMS client, asking this endpoint.
fn kms_keys(endpoint: &str) -> KmsKeys {
    let credentials = Credentials::new("worker", "none", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials));
    KmsKeys::new(aws_sdk_kms::Client::from_conf(kms_config(&config.build())))
}

fn codes_open_here(witness: Witness) -> Result<(), Missing> {
    let script = witness.command()?;
    block_on(async {
        let (aws, pool) = aws_with_pool();
        let keys = kms_keys(&aws.endpoint());
        let cases = witness.cases();
        let Answer { sealed, .. } = ask(script, &aws.endpoint(), &pool, &cases, &[]).await;
        assert_eq!(sealed.len(), cases.len());
        for (case, sealed) in cases.iter().zip(&sealed) {
            let code = SealedCode::parse(sealed).unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(case["suite"], code.message().suite.to_string());
            let wrapped = WrappedDataKey::find(code.message(), std::slice::from_ref(&pool.key)).unwrap();
            let data_key = keys.unwrap(&wrapped).await.unwrap_or_else(|error| panic!("{case}: {error}"));
            let clear = open_with_esdk(&code, &data_key).unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(case["clear"], clear.expose_secret(), "{case}");
        }
    });
    Ok(())
}

fn codes_open_there(witness: Witness) -> Result<(), Missing> {
    let script = witness.command()?;
    block_on(async {
        let (aws, pool) = aws_with_pool();
        let password = "&lt;Pa55&amp;w0rd&gt;".repeat(12);
        let mut asked = Vec::new();
        for clear in ["407166", "27183645", "äß漢🔑", &password] {
            for (committed_suite, without_pool) in [(false, false), (false, true), (true, false), (true, true)] {
                let options = SealOptions { committed_suite, without_pool };
                asked.push((clear, options, pool.seal_with(clear, options).unwrap()));
            }
        }
        let sealed: Vec<_> = asked.iter().map(|(.., sealed)| sealed.clone()).collect();
        let Answer { opened, .. } = ask(script, &aws.endpoint(), &pool, &[], &sealed).await;
        assert_eq!(opened.len(), asked.len());
        for ((clear, options, _), opened) in asked.iter().zip(&opened) {
            assert_eq!(opened.clear, *clear, "{options:?}");
            let sealed_for = opened.context.get("userpool-id").and_then(Value::as_str);
            assert_eq!(sealed_for, (!options.without_pool).then_some(pool.id.as_str()), "{options:?}");
        }
    });
    Ok(())
}

fn codes_reach_the_phone(witness: Witness) -> Result<(), Missing> {
    let script = witness.command()?;
    block_on(async {
        let mut pipeline = Pipeline::start(0).await.unwrap();
        let messages = [
            (TriggerSource::SignUp, "407166", "407166"),
            (TriggerSource::Authentication, "27183645", "27183645"),
            (TriggerSource::AdminCreateUser, "&lt;Pa55&amp;w0rd&gt;&quot;&#39;", "<Pa55&w0rd>\"'"),
        ];
        let case = |clear: &str| {
            let context = json!({ "userpool-id": pipeline.pool.id.as_str() });
            json!({ "suite": "0x0378", "context": context, "frame_length": 4096, "clear": clear })
        };
        let cases = messages.map(|(_, clear, _)| case(clear));
        let Answer { sealed, .. } = ask(script, &pipeline.aws_endpoint(), &pipeline.pool, &cases, &[]).await;
        for ((source, _, shown), sealed) in messages.into_iter().zip(&sealed) {
            let event = pipeline.pool.event(source, "+12065550100", Some(sealed));
            pipeline.invoke(&event).await;
            let journey = tokio::time::timeout(PATIENCE, pipeline.next_journey()).await.expect("news of the message");
            let Ending::Arrived(sms) = journey.ending else { panic!("{source}: {:?}", journey.ending) };
            assert!(sms.body.contains(shown), "{source}: {}", sms.body);
        }
    });
    Ok(())
}
