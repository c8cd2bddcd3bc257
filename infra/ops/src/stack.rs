//! A deployed stack: what it says of itself, in its outputs, need not be given.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::DisplayErrorContext;

use crate::aws::AwsArguments;

/// The main queue.
pub(crate) const QUEUE_URL: &str = "QueueUrl";
pub(crate) const DEAD_LETTER_QUEUE_URL: &str = "DeadLetterQueueUrl";
/// Where Lambda puts the events that the producer failed on.
pub(crate) const FAILED_INVOCATIONS_QUEUE_URL: &str = "FailedInvocationsQueueUrl";
/// The unique ids of the roles of producer, worker and redrive, with commas between.
pub(crate) const TRUSTED_SENDER_IDS: &str = "TrustedSenderIds";
/// The function that a pool has as its trigger.
pub(crate) const PRODUCER_ARN: &str = "ProducerArn";
/// The key that a pool seals its codes with.
pub(crate) const KEY_ARN: &str = "KeyArn";
/// Where the worker's log lines are.
#[cfg(feature = "local")]
pub(crate) const WORKER_LOG_GROUP: &str = "WorkerLogGroup";
/// Who unseals codes.
pub(crate) const WORKER_ROLE_ARN: &str = "WorkerRoleArn";
/// Who sends dead letters again.
pub(crate) const REDRIVE_ROLE_ARN: &str = "RedriveRoleArn";
/// What the providers' credentials are in.
pub(crate) const PROVIDER_SECRET_ARN: &str = "ProviderSecretArn";
/// The table that the workers share.
pub(crate) const STATE_TABLE: &str = "StateTable";

/// Which stack is meant, if any, and where AWS is.
#[derive(clap::Args)]
pub(crate) struct StackArguments {
    /// CloudFormation stack whose outputs say what is not given otherwise.
    #[arg(long, global = true, value_name = "NAME")]
    stack: Option<String>,
    #[command(flatten)]
    aws: AwsArguments,
}

/// AWS as the operator reaches it, with the stack that they have named, if any.
pub(crate) struct Deployment {
    pub(crate) aws: SdkConfig,
    stack: Option<Stack>,
}

/// The outputs of a CloudFormation stack.
struct Stack {
    name: String,
    outputs: HashMap<String, String>,
}

impl StackArguments {
    pub(crate) fn names_one(&self) -> bool {
        self.stack.is_some()
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.stack.as_deref()
    }

    pub(crate) fn aws(&self) -> &AwsArguments {
        &self.aws
    }

    /// # Errors
    /// When there is no such stack, or CloudFormation does not say.
    pub(crate) async fn reach(&self) -> anyhow::Result<Deployment> {
        let aws = self.aws.load().await?;
        let stack = match &self.stack {
            None => None,
            Some(name) => Some(Stack::read(&aws, name).await?),
        };
        Ok(Deployment { aws, stack })
    }
}

impl Deployment {
    /// What was given, or else what the stack says.
    ///
    /// # Errors
    /// When the stack has no such output: it is none of Sealpost's.
    pub(crate) fn given_or_of_stack<'d>(
        &'d self,
        given: Option<&'d str>,
        output: &str,
    ) -> anyhow::Result<Option<&'d str>> {
        match (given, &self.stack) {
            (Some(given), _) => Ok(Some(given)),
            (None, Some(stack)) => stack.output(output).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Stack {
    async fn read(aws: &SdkConfig, name: &str) -> anyhow::Result<Self> {
        let described = aws_sdk_cloudformation::Client::new(aws).describe_stacks().stack_name(name).send().await;
        let described = described.map_err(|error| anyhow::anyhow!("{}", DisplayErrorContext(error)));
        let stacks = described.with_context(|| format!("asking CloudFormation for stack {name}"))?.stacks;
        let stack =
            stacks.unwrap_or_default().into_iter().next().with_context(|| format!("there is no stack {name}"))?;
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let outputs = outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect();
        Ok(Self { name: name.to_owned(), outputs })
    }

    fn output(&self, key: &str) -> anyhow::Result<&str> {
        let output = self.outputs.get(key).with_context(|| format!("stack {} has no output {key}", self.name))?;
        Ok(output)
    }
}
