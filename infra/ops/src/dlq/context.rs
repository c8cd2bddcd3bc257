//! What each command on dead letters works with: a queue, and how to get at it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use shared::{Clock, Settings};

use super::queue::{Queue, QueueFacts, sqs_client};
use crate::stack::{self, Deployment, StackArguments};
use crate::usage::WrongUsage;

/// Names the queue where `--queue` does not. It is not clap's to read: what is set for every command must neither stand
/// against `--failed-invocations` nor win over it.
const QUEUE_VARIABLE: &str = "DEAD_LETTER_QUEUE_URL";

/// Where the dead letters are, and how to get at them.
#[derive(clap::Args)]
pub(crate) struct QueueArguments {
    /// The dead-letter queue, by URL or name; by default what DEAD_LETTER_QUEUE_URL holds.
    #[arg(long, global = true, value_name = "QUEUE")]
    queue: Option<String>,
    /// The stack's queue of events that the producer failed on, instead of its dead-letter queue. Needs --stack.
    #[arg(long, global = true)]
    failed_invocations: bool,
    #[command(flatten)]
    stack: StackArguments,
    /// The configuration file of the producer: its lifetimes and its privacy decide what a failed invocation becomes.
    #[arg(long, global = true, env = "SEALPOST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON: one object, or one a line where there are many.
    #[arg(long, global = true)]
    json: bool,
}

pub(crate) struct Context {
    pub(crate) deployment: Deployment,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) settings: Arc<Settings>,
    pub(crate) clock: Clock,
    pub(crate) json: bool,
    pub(crate) failed_invocations: bool,
    queue: Option<String>,
}

/// The dead-letter queue as it was when the command began.
pub(crate) struct DeadLetterQueue {
    pub(crate) queue: Queue,
    pub(crate) facts: QueueFacts,
}

impl QueueArguments {
    /// The queue that was named, by the flag or the environment; nothing where the stack is to name it.
    fn named_queue(&self) -> Result<Option<String>, WrongUsage> {
        // Not clap's to check either: it would not see one flag before the command's name and the other behind it.
        match (self.failed_invocations, &self.queue) {
            (true, Some(_)) => Err(WrongUsage(
                "--failed-invocations is a queue of the stack, and --queue names another one: give one of them",
            )),
            (true, None) if !self.stack.names_one() => Err(WrongUsage(
                "whose failed invocations? Give --stack; without a stack, --queue names any queue, such as theirs",
            )),
            (true, None) => Ok(None),
            (false, Some(queue)) => Ok(Some(queue.clone())),
            (false, None) => Ok(std::env::var(QUEUE_VARIABLE).ok().filter(|queue| !queue.is_empty())),
        }
    }
}

impl Context {
    pub(crate) async fn of(arguments: QueueArguments) -> anyhow::Result<Self> {
        let queue = arguments.named_queue()?;
        let settings = match &arguments.config {
            None => Settings::default(),
            Some(path) => read_settings(path)?,
        };
        let deployment = arguments.stack.reach().await?;
        Ok(Self {
            sqs: sqs_client(&deployment.aws),
            deployment,
            settings: Arc::new(settings),
            clock: Clock::system(),
            json: arguments.json,
            failed_invocations: arguments.failed_invocations,
            queue,
        })
    }

    /// The queue that the command is about, if it may be looked at: a look is a receive, and where a queue has a
    /// dead-letter queue of its own, receives move messages there
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>).
    pub(crate) async fn dead_letter_queue(&self) -> anyhow::Result<DeadLetterQueue> {
        const MISSING: WrongUsage = WrongUsage("which queue? Give --queue or --stack, or set DEAD_LETTER_QUEUE_URL");
        let output =
            if self.failed_invocations { stack::FAILED_INVOCATIONS_QUEUE_URL } else { stack::DEAD_LETTER_QUEUE_URL };
        let queue = self.deployment.given_or_of_stack(self.queue.as_deref(), output)?.ok_or(MISSING)?;
        let queue = Queue::find(&self.sqs, queue).await?;
        let facts = queue.facts().await.with_context(|| queue.url.clone())?;
        if let Some(count) = facts.max_receive_count {
            bail!(
                "{} has a dead-letter queue of its own: SQS moves what was received more than {count} times, and looking is \
                 receiving. Name the dead-letter queue itself",
                queue.url
            );
        }
        Ok(DeadLetterQueue { queue, facts })
    }
}

fn read_settings(path: &std::path::Path) -> anyhow::Result<Settings> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    match Settings::parse(&text) {
        Ok((settings, _)) => Ok(settings),
        Err(faults) => bail!("{}:\n{faults}", path.display()),
    }
}
