//! What is measured: three programs that run as Lambda functions, each a process of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use local::lambda::{Function, FunctionSettings, Invocation, Outcome};

use crate::process;
use crate::world::World;

const FUNCTION_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// The AWS documentation's function, which decrypts and sends within the trigger.
    Sample,
    Producer,
    Worker,
}

/// Where the programs are.
pub(crate) struct Programs {
    pub(crate) producer: PathBuf,
    pub(crate) worker: PathBuf,
    /// The operators' tool.
    pub(crate) sealpost: PathBuf,
    /// None where Node.js or its packages cannot be had.
    pub(crate) sample: Option<PathBuf>,
}

/// A started function.
pub(crate) struct Running {
    subject: Subject,
    function: Function,
    process: u32,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Producer => "producer",
            Self::Worker => "worker",
        }
    }
}

impl From<Subject> for &'static str {
    fn from(subject: Subject) -> Self {
        subject.name()
    }
}

impl Programs {
    /// The subjects that can be measured, the sample first.
    pub(crate) fn subjects(&self) -> Vec<(Subject, &Path)> {
        let sample = self.sample.as_deref().map(|program| (Subject::Sample, program));
        let own = [(Subject::Producer, self.producer.as_path()), (Subject::Worker, self.worker.as_path())];
        sample.into_iter().chain(own).collect()
    }
}

impl Running {
    /// Starts the process; the first answer waits until it is ready.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub(crate) async fn start(subject: Subject, program: &Path, world: &World) -> anyhow::Result<Self> {
        Self::start_sized(subject, program, world, 256).await
    }

    /// As [`Running::start`], but the process is told of so much memory.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub(crate) async fn start_sized(
        subject: Subject,
        program: &Path,
        world: &World,
        memory_mib: u32,
    ) -> anyhow::Result<Self> {
        let settings = FunctionSettings {
            name: subject.name().to_owned(),
            binary: program.to_owned(),
            environment: world.environment(subject),
            memory_mib,
        };
        let function = Function::start(settings).await?;
        let process = function.process_id().context("a process that was just started has an id")?;
        Ok(Self { subject, function, process })
    }

    /// Invokes the function and waits for its answer, which must be a good one; how long that took.
    ///
    /// # Errors
    /// When the function fails, or leaves a message in the queue.
    pub(crate) async fn answer(&self, payload: &[u8]) -> anyhow::Result<Duration> {
        let (answer, took) = self.any_answer(payload).await?;
        if self.subject == Subject::Worker && answer != br#"{"batchItemFailures":[]}"# {
            bail!("the worker left messages in the queue; it printed:\n{}", self.function.output());
        }
        Ok(took)
    }

    /// As [`Running::answer`], but the worker may leave messages in the queue.
    ///
    /// # Errors
    /// When the function fails.
    pub(crate) async fn any_answer(&self, payload: &[u8]) -> anyhow::Result<(Vec<u8>, Duration)> {
        let began = Instant::now();
        let outcome = self.function.invoke(payload, Invocation::within(FUNCTION_TIMEOUT)).await;
        let took = began.elapsed();
        match outcome {
            Outcome::Answered(answer) => Ok((answer, took)),
            failed @ (Outcome::Failed { .. } | Outcome::Exited { .. } | Outcome::TimedOut) => {
                let name = self.subject.name();
                bail!("the {name} did not answer: {failed:?}; it printed:\n{}", self.function.output())
            }
        }
    }

    /// Ends the process; when this returns it is gone.
    pub(crate) async fn end(self) {
        self.function.kill().await;
    }

    /// # Errors
    /// When the process has ended.
    pub(crate) fn cpu_time(&self) -> anyhow::Result<Duration> {
        process::cpu_time(self.process)
    }

    /// In bytes.
    ///
    /// # Errors
    /// When the process has ended.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<u64> {
        process::peak_memory(self.process)
    }
}
