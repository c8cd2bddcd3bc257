//! A stack of our own template and a user pool that is attached to it. No function runs: the doctor only looks.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use deployment::Template;
use serde_json::{Value, json};
use witnesses::MiniStack;

use crate::cloud::{Cloud, REGION};
use crate::proxy::Proxy;

pub(crate) const TOKEN: &str = "hush-auth-token-of-the-account";
pub(crate) const NUMBER_KEY: &str = "hush-number-key-of-this-very-deployment";
/// In the worker's environment, where it would be a credential.
pub(crate) const VARIABLE: &str = "hush-variable-of-the-worker";

pub(crate) struct World {
    pub(crate) cloud: Cloud,
    /// What the doctor takes for AWS.
    pub(crate) proxy: Proxy,
    pub(crate) stack: String,
    pub(crate) pool: String,
    pub(crate) client: String,
    pub(crate) outputs: Value,
    pub(crate) resources: Value,
    pub(crate) config: PathBuf,
    /// Where the provider of the configuration answers.
    pub(crate) provider: String,
    _folder: tempfile::TempDir,
}

/// What the doctor said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) findings: Vec<Value>,
    pub(crate) whole: String,
}

impl World {
    /// The steps 2 to 4 of README, "Deploy": the demonstration pool, the stack, the secret.
    pub(crate) fn deployed(ministack: &'static MiniStack, account: String) -> Self {
        let cloud = Cloud::of(ministack, account);
        let folder = tempfile::tempdir().unwrap();
        // MiniStack confuses functions of one name in two accounts.
        let (stack, demo) = (format!("sealpost-{}", cloud.account), format!("demo-{}", cloud.account));
        let pool = create(&cloud, &demo, Template::demo_pool().json(), &[]);
        let text = |output: &str| pool.outputs[output].as_str().unwrap().to_owned();
        let (pool, client) = (text("UserPoolId"), text("AppClientId"));
        let made = create(&cloud, &stack, &template(&cloud), &[("UserPoolId", &pool)]);
        let (proxy, provider) = (Proxy::before(&ministack.endpoint()), provider());
        let config = folder.path().join("sealpost.toml");
        let Made { outputs, resources } = made;
        let world = Self { cloud, proxy, stack, pool, client, outputs, resources, config, provider, _folder: folder };
        world.configure(|_| {});
        world.put_secret(&sound_secret());
        world.set_variables("Worker", &[("GATEWAY_TOKEN", Some(VARIABLE))]);
        // What MiniStack's CloudFormation leaves out.
        world.invoke_later(2, 180, true);
        world.time_to_live(true, "expires_at");
        world
    }

    /// Attached, and without what is to be warned of in the demonstration pool.
    pub(crate) fn on(ministack: &'static MiniStack, account: String) -> Self {
        let world = Self::deployed(ministack, account);
        world.attach();
        // Cognito's own doing.
        world.grant_to_cognito();
        world.recover_by(&[]);
        world.update_pool(&json!({ "MfaConfiguration": "OFF" }));
        world
    }

    /// Runs a command that was printed, as it is.
    pub(crate) fn paste(&self, command: &str) {
        let done = self.cloud.paste(command);
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
        let shown = String::from_utf8_lossy(&done.stdout);
        assert!(!shown.contains("hush"), "{command} shows a secret: {shown}");
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap()
    }

    pub(crate) fn resource(&self, name: &str) -> &str {
        self.resources[name].as_str().unwrap()
    }

    pub(crate) fn doctor(&self) -> Said {
        self.doctor_with(&["--stack", &self.stack, "--config", self.config.to_str().unwrap()])
    }

    pub(crate) fn doctor_with(&self, arguments: &[&str]) -> Said {
        let mut command = self.cloud.sealpost();
        // The AWS CLI of these tests takes no endpoint for SQS from the environment.
        command.args(["doctor", "--json", "--endpoint-url", &self.proxy.endpoint()]).args(arguments);
        let output = command.output().unwrap();
        Said::of(&output)
    }
}

impl Said {
    pub(crate) fn of(output: &std::process::Output) -> Self {
        let error = String::from_utf8_lossy(&output.stderr);
        let whole = String::from_utf8_lossy(&output.stdout).into_owned();
        let json: Value = serde_json::from_str(&whole).unwrap_or_else(|_| panic!("{error}{whole}"));
        assert_eq!(error, "");
        assert!(!whole.contains("hush"), "a secret is shown: {whole}");
        Self { code: output.status.code(), findings: json["findings"].as_array().unwrap().clone(), whole }
    }

    pub(crate) fn finding(&self, check: &str) -> &Value {
        let found = self.findings.iter().find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("no finding of {check}"))
    }

    /// All that are not sound, as `check: verdict: found`; but for updates of functions, which take MiniStack a moment.
    pub(crate) fn not_sound(&self) -> Vec<String> {
        let findings = self.findings.iter().filter(|finding| finding["verdict"] != "sound");
        let text = |finding: &Value, member: &str| finding[member].as_str().unwrap().to_owned();
        let lines = findings.map(|it| format!("{}: {}: {}", text(it, "check"), text(it, "verdict"), text(it, "found")));
        lines.filter(|line| !line.contains("is Pending, its last update InProgress")).collect()
    }
}

pub(crate) fn sound_secret() -> String {
    let sid = "AC0123456789abcdef0123456789abcdef";
    json!({ "TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": TOKEN, "NUMBER_KEY": NUMBER_KEY }).to_string()
}

/// What a CloudFormation stack made.
struct Made {
    outputs: Value,
    resources: Value,
}

fn create(cloud: &Cloud, name: &str, template: &Value, parameters: &[(&str, &str)]) -> Made {
    let parameters = parameters.iter().map(|(name, value)| json!({ "ParameterKey": name, "ParameterValue": value }));
    let create = json!({
        "StackName": name,
        "TemplateBody": template.to_string(),
        "Parameters": parameters.collect::<Vec<_>>(),
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    });
    cloud.call("cloudformation", "create_stack", &create);
    let described = cloud.call("cloudformation", "describe_stacks", &json!({ "StackName": name }));
    let resources = cloud.call("cloudformation", "describe_stack_resources", &json!({ "StackName": name }));
    Made {
        outputs: by(&described["Stacks"][0]["Outputs"], "OutputKey", "OutputValue"),
        resources: by(&resources["StackResources"], "LogicalResourceId", "PhysicalResourceId"),
    }
}

/// Our template without what the doctor does not look at, and without what MiniStack stumbles over.
fn template(cloud: &Cloud) -> Value {
    let mut template = Template::sealpost().json().clone();
    let resources = template["Resources"].as_object_mut().unwrap();
    resources.retain(|_, resource| !resource["Type"].as_str().unwrap().starts_with("AWS::CloudWatch::"));
    let bucket = json!({ "Bucket": format!("code-{}", cloud.account), "Key": "code.zip" });
    let location = json!({ "LocationConstraint": REGION });
    cloud.call("s3", "create_bucket", &json!({ "Bucket": bucket["Bucket"], "CreateBucketConfiguration": location }));
    let mut put = bucket.clone();
    put["Body"] = json!({ "bytes": EMPTY_ZIP });
    cloud.call("s3", "put_object", &put);
    for function in ["Producer", "Worker"] {
        resources[function]["Properties"]["CodeUri"] = bucket.clone();
    }
    // It has no TLS.
    for policy in ["QueuePolicy", "DeadLetterQueuePolicy", "FailedInvocationsPolicy"] {
        let statements = resources[policy]["Properties"]["PolicyDocument"]["Statement"].as_array_mut().unwrap();
        statements.retain(|statement| statement["Sid"] != "NothingInClear");
    }
    // Its parameters are texts even where they are numbers.
    let number = template["Parameters"]["MaximumConcurrency"]["Default"].clone();
    let mapping = &mut template["Resources"]["Worker"]["Properties"]["Events"]["Queue"]["Properties"];
    mapping["ScalingConfig"]["MaximumConcurrency"] = number;
    template
}

/// An archive of nothing, in hexadecimal digits.
const EMPTY_ZIP: &str = "504b0506000000000000000000000000000000000000";

fn by(list: &Value, name: &str, value: &str) -> Value {
    let members = list.as_array().unwrap().iter();
    Value::Object(members.map(|one| (one[name].as_str().unwrap().to_owned(), one[value].clone())).collect())
}

/// Something that answers HTTP, until the process ends.
pub(crate) fn provider() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    format!("http://{address}")
}
