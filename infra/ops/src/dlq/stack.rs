//! What a deployed stack says of itself, in its outputs.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::DisplayErrorContext;

/// The main queue.
pub(crate) const QUEUE_URL: &str = "QueueUrl";
pub(crate) const DEAD_LETTER_QUEUE_URL: &str = "DeadLetterQueueUrl";
/// The unique ids of the roles of producer, worker and redrive, with commas between.
pub(crate) const TRUSTED_SENDER_IDS: &str = "TrustedSenderIds";

/// The outputs of a CloudFormation stack.
pub(crate) struct Stack {
    name: String,
    outputs: HashMap<String, String>,
}

impl Stack {
    /// # Errors
    /// When there is no such stack, or CloudFormation does not say.
    pub(crate) async fn read(aws: &SdkConfig, name: &str) -> anyhow::Result<Self> {
        let described = aws_sdk_cloudformation::Client::new(aws).describe_stacks().stack_name(name).send().await;
        let described = described.map_err(|error| anyhow::anyhow!("{}", DisplayErrorContext(error)));
        let stacks = described.with_context(|| format!("asking CloudFormation for stack {name}"))?.stacks;
        let stack =
            stacks.unwrap_or_default().into_iter().next().with_context(|| format!("there is no stack {name}"))?;
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let outputs = outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect();
        Ok(Self { name: name.to_owned(), outputs })
    }

    /// # Errors
    /// When the stack has no such output: it is none of Sealpost's.
    pub(crate) fn output(&self, key: &str) -> anyhow::Result<&str> {
        let output = self.outputs.get(key).with_context(|| format!("stack {} has no output {key}", self.name))?;
        Ok(output)
    }
}
