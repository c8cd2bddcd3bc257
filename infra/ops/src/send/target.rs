//! What the message is sent through.

use shared::{KeyArn, KeyArnError, UserPoolId, UserPoolIdError};

use crate::stack::{self, Deployment, StackArguments};
use crate::usage::WrongUsage;

#[derive(clap::Args)]
pub(super) struct TargetArguments {
    /// The user pool to act for.
    #[arg(long, alias = "user-pool-id", value_name = "POOL", value_parser = user_pool, required_unless_present = "provider")]
    user_pool: Option<UserPoolId>,
    /// The producer, by name or ARN; by default the stack's.
    #[arg(long, value_name = "PRODUCER", value_parser = function)]
    function: Option<String>,
    /// ARN of the key to seal with: the pool's KMSKeyID; by default the stack's.
    #[arg(long, value_name = "KEY_ARN", value_parser = key)]
    key: Option<KeyArn>,
    /// Log group that tells what becomes of the message; by default the stack's.
    #[arg(long, value_name = "GROUP")]
    worker_log_group: Option<String>,
    #[command(flatten)]
    pub(super) stack: StackArguments,
}

/// Everything that a message passes.
pub(super) struct Target {
    pub(super) pool: UserPoolId,
    pub(super) key: KeyArn,
    /// Name or ARN of the function.
    pub(super) producer: String,
    pub(super) worker_log_group: String,
    /// How commands name the stack, if there is one.
    pub(super) stack: Option<String>,
}

impl Target {
    /// # Errors
    /// When neither a flag nor the stack says something.
    pub(super) fn find(arguments: &TargetArguments, deployment: &Deployment) -> anyhow::Result<Self> {
        let find = |given: Option<&str>, output, missing: &'static str| {
            let found = deployment.given_or_of_stack(given, output)?.map(str::to_owned);
            found.ok_or_else(|| anyhow::Error::from(WrongUsage(missing)))
        };
        let key = arguments.key.as_ref().map(KeyArn::as_str);
        let key = find(key, stack::KEY_ARN, "sealed with which key? Give --key, or --stack")?;
        let group = arguments.worker_log_group.as_deref();
        Ok(Self {
            pool: arguments.user_pool.clone().ok_or(WrongUsage("which user pool? Give --user-pool"))?,
            key: KeyArn::parse(&key)
                .map_err(|error| anyhow::anyhow!("the stack's output {} {error}", stack::KEY_ARN))?,
            producer: find(
                arguments.function.as_deref(),
                stack::PRODUCER_ARN,
                "which producer is to be invoked? Give --function, or --stack",
            )?,
            worker_log_group: find(
                group,
                stack::WORKER_LOG_GROUP,
                "which log tells what becomes of the message? Give --worker-log-group, such as \
                 /aws/lambda/NAME-OF-THE-WORKER, or --stack",
            )?,
            stack: arguments.stack.name().map(str::to_owned),
        })
    }
}

fn user_pool(text: &str) -> Result<UserPoolId, UserPoolIdError> {
    UserPoolId::parse(text)
}

fn key(text: &str) -> Result<KeyArn, KeyArnError> {
    KeyArn::parse(text)
}

/// A name, an ARN, or either with a version or alias behind it.
fn function(text: &str) -> Result<String, &'static str> {
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'$');
    let sound = (1..=256).contains(&text.len()) && text.bytes().all(is_sound);
    if sound { Ok(text.to_owned()) } else { Err("is neither the name nor the ARN of a function") }
}
