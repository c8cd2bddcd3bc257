//! What each command on the dead-letter queue works with.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use aws_config::SdkConfig;
use shared::{Clock, Settings};

use super::queue::{Queue, QueueFacts, sqs_client};
use super::stack::{self, Stack};
use super::usage::WrongUsage;
use crate::aws::AwsArguments;

/// Where the dead letters are, and how to get at them.
#[derive(clap::Args)]
pub(crate) struct QueueArguments {
    /// The dead-letter queue, by URL or name.
    #[arg(long, global = true, env = "DEAD_LETTER_QUEUE_URL", value_name = "QUEUE")]
    queue: Option<String>,
    /// CloudFormation stack that says what is not given otherwise: both queues, and the trusted senders.
    #[arg(long, global = true, value_name = "NAME")]
    stack: Option<String>,
    #[command(flatten)]
    aws: AwsArguments,
    /// Role to assume, such as the one that may redrive.
    #[arg(long, global = true, value_name = "ARN")]
    role_arn: Option<String>,
    /// The configuration file of the producer: its lifetimes and its privacy decide what a failed invocation becomes.
    #[arg(long, global = true, env = "SEALPOST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON: one object, or one a line where there are many.
    #[arg(long, global = true)]
    json: bool,
}

pub(crate) struct Context {
    pub(crate) aws: SdkConfig,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) settings: Arc<Settings>,
    pub(crate) clock: Clock,
    pub(crate) json: bool,
    queue: Option<String>,
    pub(crate) stack: Option<Stack>,
}

/// The dead-letter queue as it was when the command began.
pub(crate) struct DeadLetterQueue {
    pub(crate) queue: Queue,
    pub(crate) facts: QueueFacts,
}

impl Context {
    pub(crate) async fn of(arguments: QueueArguments) -> anyhow::Result<Self> {
        let settings = match &arguments.config {
            None => Settings::default(),
            Some(path) => read_settings(path)?,
        };
        let aws = arguments.aws.load_as(arguments.role_arn.as_deref()).await?;
        let stack = match &arguments.stack {
            None => None,
            Some(name) => Some(Stack::read(&aws, name).await?),
        };
        Ok(Self {
            sqs: sqs_client(&aws),
            aws,
            settings: Arc::new(settings),
            clock: Clock::system(),
            json: arguments.json,
            queue: arguments.queue,
            stack,
        })
    }

    /// What was given, or else what the stack says.
    pub(crate) fn given_or_of_stack<'c>(
        &'c self,
        given: Option<&'c str>,
        output: &str,
    ) -> anyhow::Result<Option<&'c str>> {
        match (given, &self.stack) {
            (Some(given), _) => Ok(Some(given)),
            (None, Some(stack)) => stack.output(output).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The queue that the command is about, if it may be looked at: a look is a receive, and where a queue has a
    /// dead-letter queue of its own, receives move messages there
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>).
    pub(crate) async fn dead_letter_queue(&self) -> anyhow::Result<DeadLetterQueue> {
        const MISSING: WrongUsage = WrongUsage("which queue? Give --queue or --stack, or set DEAD_LETTER_QUEUE_URL");
        let queue = self.given_or_of_stack(self.queue.as_deref(), stack::DEAD_LETTER_QUEUE_URL)?.ok_or(MISSING)?;
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
