use std::path::Path;
use std::process::Command;

use crate::Python;
use crate::process::{Server, StartError};

/// A running MiniStack: SQS, KMS, Lambda and much more of AWS, all in memory. It ends when dropped, and with the test
/// process.
///
/// An access key id of twelve digits is an account of its own, so that many tests can share one MiniStack. Functions
/// run in the account that they were created in.
pub struct MiniStack {
    server: Server,
    region: String,
}

impl MiniStack {
    /// Starts one on a free port of 127.0.0.1 for this region, and waits until it is well.
    ///
    /// # Errors
    /// When it does not start within a minute.
    pub fn start(python: &Python, region: &str) -> Result<Self, StartError> {
        Self::start_with(python, region, false)
    }

    /// Starts one that does only what IAM allows to whoever signed the call, the roles of functions included. An
    /// account's root may do everything, and its signature is not looked at: `test`, or an account's twelve digits.
    ///
    /// # Errors
    /// When it does not start within a minute.
    pub fn start_with_iam(python: &Python, region: &str) -> Result<Self, StartError> {
        Self::start_with(python, region, true)
    }

    fn start_with(python: &Python, region: &str, iam: bool) -> Result<Self, StartError> {
        let server = Server::start("MiniStack", "/_ministack/health", |port, _| {
            let mut command = python.program("ministack");
            command
                .env("BIND_HOST", "127.0.0.1")
                .env("MINISTACK_HOST", "127.0.0.1")
                .env("GATEWAY_PORT", port.to_string())
                .env("MINISTACK_REGION", region)
                .env("AUTH", iam.to_string())
                // Its functions get these from its own environment, whatever theirs says.
                .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
                .env("AWS_DEFAULT_REGION", region)
                // Nor does it get whatever credentials there are here.
                .env("AWS_ACCESS_KEY_ID", "test")
                .env("AWS_SECRET_ACCESS_KEY", "test")
                .env_remove("AWS_SESSION_TOKEN")
                .env_remove("AWS_PROFILE")
                // Ports of its own, which tests that run at the same time would fight for.
                .env("SFTP_ENABLED", "0")
                .env("IOT_MTLS_ENABLED", "0");
            Ok(command)
        })?;
        Ok(Self { server, region: region.to_owned() })
    }

    /// Its URL, for all services.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// The AWS CLI as the root of an account of this one. It finds none of the settings that there are here.
    pub fn aws_cli(&self, python: &Python, account: &str) -> Command {
        let mut cli = python.program("aws");
        cli.env_clear().env("HOME", self.folder()).env("AWS_ENDPOINT_URL", self.endpoint());
        cli.env("AWS_DEFAULT_REGION", &self.region).env("AWS_PAGER", "");
        cli.env("AWS_ACCESS_KEY_ID", account).env("AWS_SECRET_ACCESS_KEY", "test");
        cli
    }

    /// What it has printed so far; of a long output, the end.
    pub fn output(&self) -> String {
        self.server.output()
    }

    /// A folder for files that go when it ends.
    pub fn folder(&self) -> &Path {
        self.server.temporary()
    }
}
