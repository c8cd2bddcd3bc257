//! The command itself.

use std::process::{Command, Output};

use local::Pipeline;
use serde_json::Value;

pub(crate) const TO: &str = "+12065550142";
/// What of it must not be shown.
const HIDDEN: &str = "2065550142";

/// What a command printed and answered.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `sealpost send` without holding up what it calls, which lives in this process.
pub(crate) async fn send(endpoint: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    command.env_clear().arg("send").args(arguments);
    command.envs([("AWS_ACCESS_KEY_ID", "AKIAOPERATOR"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    command.envs([("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", endpoint)]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    Said::of(output.expect("the binary runs"))
}

/// Sends something to [`TO`] through the whole pipeline.
pub(crate) async fn send_through(pipeline: &Pipeline, arguments: &[&str]) -> Said {
    let (pool, key) = (pipeline.pool.id.as_str(), pipeline.pool.key.as_str());
    let to = if arguments.contains(&"--to") { &[][..] } else { &["--to", TO] };
    let target = ["--function", "producer", "--key", key, "--worker-log-group", "/aws/lambda/worker"];
    let pool = if arguments.contains(&"--user-pool") { &[][..] } else { &["--user-pool", pool] };
    send(&pipeline.aws_endpoint(), &[&target[..], pool, to, arguments].concat()).await
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let said = Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert!(!said.out.contains(HIDDEN) && !said.err.contains(HIDDEN), "{}{}", said.out, said.err);
        said
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }

    /// The code that was made up, as the first line tells it.
    pub(crate) fn made_up_code(&self) -> &str {
        let told = self.out.split_once(": ").and_then(|(_, rest)| rest.split_once(", sealed as "));
        told.unwrap_or_else(|| panic!("{}{}", self.out, self.err)).0
    }

    pub(crate) fn assert_told(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        for part in parts {
            assert!(self.out.contains(part) || self.err.contains(part), "{part}: {}{}", self.out, self.err);
        }
    }
}
