//! An account of MiniStack, and the AWS CLI for it.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use serde_json::Value;
use witnesses::{MiniStack, python};

pub(crate) const REGION: &str = "eu-west-1";

/// The root of an account that nobody else has.
pub(crate) struct Cloud {
    pub(crate) ministack: &'static MiniStack,
    pub(crate) account: String,
}

impl Cloud {
    pub(crate) fn new(ministack: &'static MiniStack) -> Self {
        static ACCOUNT: AtomicU64 = AtomicU64::new(100_000_000_000);
        Self { ministack, account: ACCOUNT.fetch_add(1, Ordering::Relaxed).to_string() }
    }

    /// What a command of the AWS CLI prints.
    pub(crate) fn aws(&self, arguments: &[&str]) -> String {
        let output = self.ministack.aws_cli(python().unwrap(), &self.account).args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "aws {}: {error}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What a command of the AWS CLI prints, as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.aws(&[arguments, &["--output", "json"]].concat())).unwrap()
    }

    /// The credentials of a session of this role.
    pub(crate) fn session(&self, role_arn: &str) -> Credentials {
        let assumed = ["sts", "assume-role", "--role-session-name", "operator", "--role-arn", role_arn];
        let assumed = self.json(&assumed);
        let member = |name: &str| assumed["Credentials"][name].as_str().unwrap().to_owned();
        let token = Some(member("SessionToken"));
        Credentials::new(member("AccessKeyId"), member("SecretAccessKey"), token, None, "session")
    }

    pub(crate) fn root(&self) -> Credentials {
        Credentials::new(&self.account, "test", None, None, "root")
    }

    pub(crate) fn sqs(&self, who: Credentials) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::Config::builder().behavior_version(BehaviorVersion::latest());
        let config =
            config.region(Region::new(REGION)).endpoint_url(self.ministack.endpoint()).credentials_provider(who);
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    pub(crate) fn kms(&self, who: Credentials) -> aws_sdk_kms::Client {
        let config = aws_sdk_kms::Config::builder().behavior_version(BehaviorVersion::latest());
        let config =
            config.region(Region::new(REGION)).endpoint_url(self.ministack.endpoint()).credentials_provider(who);
        aws_sdk_kms::Client::from_conf(config.build())
    }
}
