//! What is there, as AWS says it. Each reading is one call, made once, and comes with why it could not be had, if so.

mod ask;
mod clients;
mod configuration;
mod function;
mod gather;
mod key;
mod mapping;
mod pool;
mod providers;
mod queue;
mod secret;
mod stack;
mod table;
mod unread;

pub(crate) use clients::{AppClient, AppClients};
pub(crate) use configuration::Configuration;
pub(crate) use function::{AsyncInvocation, Function};
pub(crate) use gather::{Asked, Aws, gather, gather_offline};
pub(crate) use key::{Grant, Key, WorkersRight};
pub(crate) use mapping::Mapping;
pub(crate) use pool::{Mfa, Pool, Recovery};
pub(crate) use providers::Reached;
pub(crate) use queue::{Queue, SourcesAllowed, end_of_arn, is_same_queue, name_of_arn, url_beside};
pub(crate) use secret::Secret;
pub(crate) use stack::Stack;
pub(crate) use table::{Table, TimeToLive};
pub(crate) use unread::{NotNamed, Reading, Unread, known};

use shared::UserPoolId;

use super::command_line::CommandLine;

/// Everything that was read. The checks look at nothing else.
pub(crate) struct Readings {
    pub(crate) stack: Option<Reading<Stack>>,
    pub(crate) pool: Reading<Pool>,
    /// Whether users of the pool can have SMS as their second factor.
    pub(crate) sms_mfa: Reading<bool>,
    pub(crate) clients: Reading<AppClients>,
    pub(crate) key: Reading<Key>,
    pub(crate) grants: Reading<Vec<Grant>>,
    pub(crate) workers_right: Reading<WorkersRight>,
    /// The function that the pool names, or would name.
    pub(crate) producer: Reading<Function>,
    /// The producer's resource policy, if it has one.
    pub(crate) policy: Reading<Option<String>>,
    pub(crate) async_invocation: Reading<Option<AsyncInvocation>>,
    /// Of the producer: its reserved concurrency, if any.
    pub(crate) producer_concurrency: Reading<Option<u64>>,
    pub(crate) failed_invocations: Reading<Queue>,
    pub(crate) queue: Reading<Queue>,
    pub(crate) mappings: Reading<Vec<Mapping>>,
    pub(crate) worker: Reading<Function>,
    pub(crate) worker_concurrency: Reading<Option<u64>>,
    /// None where the worker has none.
    pub(crate) table: Reading<Option<Table>>,
    pub(crate) time_to_live: Reading<Option<TimeToLive>>,
    /// None where the worker has none.
    pub(crate) secret: Reading<Option<Secret>>,
    pub(crate) dead_letters: Reading<Queue>,
    pub(crate) configuration: Option<Configuration>,
    pub(crate) providers: Reading<Vec<Reached>>,
    /// For remedies: how the same AWS is reached.
    pub(crate) command_line: CommandLine,
    /// For remedies: as the command line names it.
    pub(crate) stack_name: Option<String>,
    pub(crate) pool_id: Option<UserPoolId>,
}

impl Readings {
    /// What the stack says of itself, if there is one.
    pub(crate) fn output(&self, name: &str) -> Option<&str> {
        self.stack.as_ref()?.as_ref().ok()?.output(name)
    }

    /// Nothing was read of AWS, and why.
    pub(crate) fn unread(because: &Unread) -> Self {
        fn none<T>(because: &Unread) -> Reading<T> {
            Err(because.clone())
        }
        Self {
            stack: None,
            pool: none(because),
            sms_mfa: none(because),
            clients: none(because),
            key: none(because),
            grants: none(because),
            workers_right: none(because),
            producer: none(because),
            policy: none(because),
            async_invocation: none(because),
            producer_concurrency: none(because),
            failed_invocations: none(because),
            queue: none(because),
            mappings: none(because),
            worker: none(because),
            worker_concurrency: none(because),
            table: none(because),
            time_to_live: none(because),
            secret: none(because),
            dead_letters: none(because),
            configuration: None,
            providers: none(because),
            command_line: CommandLine::default(),
            stack_name: None,
            pool_id: None,
        }
    }
}
