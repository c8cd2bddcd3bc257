//! A Lambda function on this machine: a bootstrap binary in a process of its own, and the Runtime API from which it
//! gets its work (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).
//!
//! A [`Function`] is what AWS calls one execution environment. It ends with its process: after a crash or a timeout
//! the next one is started as the first one was.

mod runtime_api;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use runtime_api::RuntimeApi;
use tokio::process::Command;

use crate::process::Process;

/// How long a process may take to ask for its first work, as on AWS.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// What is run, and how.
#[derive(Clone, Debug)]
pub struct FunctionSettings {
    /// In the function's ARN and in the name of its log group.
    pub name: String,
    /// A Lambda `bootstrap`, under whatever name.
    pub binary: PathBuf,
    /// The whole environment of the process besides the variables of Lambda itself. Region and credentials belong
    /// here: on AWS the role gives them.
    pub environment: Vec<(String, String)>,
    /// What the process is told it may use. Nothing holds it to that.
    pub memory_mib: u32,
}

/// What the function is told about one invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// A UUID on AWS. Letters, digits and hyphens only.
    pub request_id: String,
    /// How much time the function has, from the moment in which it takes the invocation.
    pub timeout: Duration,
    /// The X-Ray trace header.
    pub trace: Option<String>,
}

impl Invocation {
    /// An invocation with an id of its own and no trace.
    pub fn within(timeout: Duration) -> Self {
        let id = format!("{:032x}", fastrand::u128(..));
        let request_id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        Self { request_id, timeout, trace: None }
    }
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function answered this.
    Answered(Vec<u8>),
    /// The function answered with an error.
    Failed { error_type: String, error_message: String },
    /// The process ended without an answer: before this invocation, perhaps before any, or during it. A process that
    /// a signal ended has no exit code.
    Exited { code: Option<i32>, output: String },
    /// There was no answer in time, and the process was killed for it, as on AWS.
    TimedOut,
}

/// Why a function could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("no port of 127.0.0.1 can be had for the Runtime API: {0}")]
    Port(io::Error),
    #[error("{} cannot be run: {cause}", binary.display())]
    Binary { binary: PathBuf, cause: io::Error },
}

/// A running function. Its process is killed when this is dropped.
pub struct Function {
    process: Process,
    api: RuntimeApi,
}

impl Function {
    /// Starts the process and returns at once; the first invocation waits until it is ready.
    ///
    /// # Errors
    /// When there is no port for the Runtime API, or the binary cannot be run.
    pub async fn start(settings: FunctionSettings) -> Result<Self, StartError> {
        let FunctionSettings { name, binary, environment, memory_mib } = settings;
        let api = RuntimeApi::start(&name).await.map_err(StartError::Port)?;
        let mut command = Command::new(&binary);
        command
            .env_clear()
            .envs(environment)
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory_mib.to_string())
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("[$LATEST]{:032x}", fastrand::u128(..)))
            .env("AWS_LAMBDA_FUNCTION_NAME", name);
        let process = Process::start(command).map_err(|cause| StartError::Binary { binary, cause })?;
        Ok(Self { process, api })
    }

    /// Invokes the function and waits for the end of it. As on AWS one invocation is worked on at a time; others wait.
    pub async fn invoke(&self, payload: &[u8], invocation: Invocation) -> Outcome {
        let timeout = invocation.timeout;
        let handed_in = self.api.hand_in(payload, invocation);
        let answered = async {
            tokio::time::timeout(INIT_TIMEOUT, handed_in.taken).await.ok()?.ok()?;
            tokio::time::timeout(timeout, handed_in.outcome).await.ok()?.ok()
        };
        let outcome = tokio::select! {
            biased;
            outcome = answered => outcome,
            code = self.process.ended() => {
                let exited = Outcome::Exited { code, output: self.output() };
                return self.api.init_error().unwrap_or(exited);
            }
        };
        match outcome {
            Some(outcome) => outcome,
            None => {
                self.kill().await;
                Outcome::TimedOut
            }
        }
    }

    /// The operating system's id of the process, which may have ended since.
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Waits for the process to end by itself; its exit code, if no signal ended it.
    pub async fn ended(&self) -> Option<i32> {
        self.process.ended().await
    }

    /// Ends the process as `kill -9` does. When this returns it is gone, and all that it printed is in
    /// [`Function::output`].
    pub async fn kill(&self) {
        self.process.kill().await;
    }

    /// Everything that the process has printed so far to standard output and standard error, line by line as the lines
    /// came; of what is more than 64 MiB, the beginning.
    pub fn output(&self) -> String {
        self.process.output()
    }
}
