//! The order of the readings: each is made as soon as what names it is known, and all that can be are made at once.

use aws_config::SdkConfig;
use shared::UserPoolId;
use worker::config::{provider_secret_arn, state_table};

use super::Readings;
use super::configuration::Configuration;
use super::function::{AsyncInvocation, Function};
use super::mapping::Mapping;
use super::pool::Pool;
use super::providers::{Reached, reach};
use super::queue::{Queue, end_of_arn, url_beside};
use super::secret::Secret;
use super::stack::Stack;
use super::unread::{NotNamed, Reading, Unread, known};
use crate::doctor::command_line::CommandLine;
use crate::function_arn::QualifiedArn;
use crate::stack::{
    DEAD_LETTER_QUEUE_URL, FAILED_INVOCATIONS_QUEUE_URL, KEY_ARN, PRODUCER_ARN, QUEUE_URL, WORKER_ROLE_ARN,
};
use crate::untyped::Untyped;

/// The clients of all services that are asked.
pub(crate) struct Aws {
    config: SdkConfig,
    pub(super) cloudformation: aws_sdk_cloudformation::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) kms: aws_sdk_kms::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) secrets: aws_sdk_secretsmanager::Client,
    pub(super) sts: aws_sdk_sts::Client,
}

/// What the command line names.
pub(crate) struct Asked {
    pub(crate) pool: Option<UserPoolId>,
    pub(crate) stack: Option<String>,
    /// The producer, where neither the pool nor a stack names it.
    pub(crate) function: Option<QualifiedArn>,
    pub(crate) worker_role: Option<String>,
    pub(crate) configuration: Option<Configuration>,
    pub(crate) command_line: CommandLine,
}

/// What surrounds the producer.
struct Producer {
    function: Reading<Function>,
    policy: Reading<Option<String>>,
    async_invocation: Reading<Option<AsyncInvocation>>,
    concurrency: Reading<Option<u64>>,
}

impl Aws {
    pub(crate) fn new(config: SdkConfig) -> Self {
        Self {
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            kms: aws_sdk_kms::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            config,
        }
    }

    pub(super) fn untyped(&self) -> Untyped<'_> {
        Untyped::new(&self.config)
    }

    async fn producer(&self, arn: &Reading<QualifiedArn>) -> Producer {
        let (function, policy, async_invocation, concurrency) = tokio::join!(
            after(arn, async |arn| self.function(arn).await),
            after(arn, async |arn| self.policy(arn).await),
            after(arn, async |arn| self.async_invocation(arn).await),
            after(arn, async |arn| self.concurrency(arn).await),
        );
        Producer { function, policy, async_invocation, concurrency }
    }
}

/// Asks everything that can be asked.
///
/// # Errors
/// When the first call is not answered: nothing else would be, without credentials or a network.
pub(crate) async fn gather(aws: &Aws, asked: Asked) -> Reading<Readings> {
    let Asked { pool: pool_id, stack: stack_name, function, worker_role, mut configuration, command_line } = asked;
    // The stack and the pool name all else.
    let stack = match &stack_name {
        Some(name) => Some(aws.stack(name).await),
        None => None,
    };
    if let Some(Err(unread @ Unread::NoAnswer { .. })) = &stack {
        return Err(unread.clone());
    }
    let of_stack = stack.as_ref().and_then(|stack| stack.as_ref().ok());
    let output = |name: &str| of_stack.and_then(|stack| stack.output(name));
    let pool_id = pool_id.or_else(|| UserPoolId::parse(of_stack?.pool_id()?).ok());
    let pool = match (&pool_id, &stack) {
        (Some(id), _) => aws.pool(id).await,
        (None, Some(Err(unread))) => Err(unread.clone()),
        (None, Some(Ok(_)) | None) => Err(Unread::NotNamed(NotNamed::Pool)),
    };
    if let (None, Err(unread @ Unread::NoAnswer { .. })) = (&stack, &pool) {
        return Err(unread.clone());
    }
    // What the pool names.
    let (named_pool, named_producer, named_key) =
        (named(pool_id.as_ref(), &pool), producer(&pool, of_stack, function), key(&pool, of_stack));
    let (sms_mfa, clients, key, grants, producer) = tokio::join!(
        after(&named_pool, async |pool| aws.sms_mfa(pool).await),
        after(&named_pool, async |pool| aws.clients(pool).await),
        after(&named_key, async |key| aws.key(key).await),
        after(&named_key, async |key| aws.grants(key).await),
        aws.producer(&named_producer),
    );

    // What the producer names.
    let named_queue = queue(&producer.function, output(QUEUE_URL));
    let named_source = source(&named_queue, &named_producer);
    let named_failed =
        failed_invocations(&producer.async_invocation, &named_queue, output(FAILED_INVOCATIONS_QUEUE_URL));
    let (queue, failed_invocations, mappings) = tokio::join!(
        after(&named_queue, async |url| aws.queue(url).await),
        after(&named_failed, async |url| aws.queue(url).await),
        after(&named_source, async |arn| aws.mappings(arn).await),
    );

    // What the queue names.
    let named_worker = mappings.as_ref().map_err(Clone::clone).and_then(|mappings| worker(mappings));
    let (worker, worker_concurrency) = tokio::join!(
        after(&named_worker, async |arn| aws.function(arn).await),
        after(&named_worker, async |arn| aws.concurrency(arn).await),
    );

    // What the worker names.
    let named_dead_letters = dead_letters(&worker, &queue, output(DEAD_LETTER_QUEUE_URL));
    let named_table = of_worker(&worker, |worker| state_table(&worker.variables.environment()).ok());
    let named_secret = of_worker(&worker, |worker| provider_secret_arn(&worker.variables.environment()).ok());
    let named_role = worker_role.or_else(|| output(WORKER_ROLE_ARN).map(str::to_owned));
    let role = match (named_role, &worker) {
        (Some(role), _) => Ok(role),
        (None, Ok(worker)) => Ok(worker.role.clone()),
        (None, Err(unread)) => Err(unread.clone()),
    };
    let decrypts = role.and_then(|role| Ok((role, named_key.clone()?, named_pool.clone()?)));
    let (dead_letters, table, time_to_live, secret, workers_right) = tokio::join!(
        after(&named_dead_letters, async |url| aws.queue(url).await),
        after(&named_table, async |table| optional(table.as_ref(), async |table| aws.table(table).await).await),
        after(&named_table, async |table| optional(table.as_ref(), async |table| aws.time_to_live(table).await).await),
        after(&named_secret, async |arn| optional(arn.as_ref(), async |arn| aws.secret(arn).await).await),
        after(&decrypts, async |(role, key, pool)| aws.workers_right(role, key, pool).await),
    );
    if let Some(configuration) = &mut configuration {
        configuration.look_as_worker(&worker, &secret);
    }
    let providers = reach_providers(configuration.as_ref()).await;
    Ok(Readings {
        stack,
        pool,
        sms_mfa,
        clients,
        key,
        grants,
        workers_right,
        producer: producer.function,
        policy: producer.policy,
        async_invocation: producer.async_invocation,
        producer_concurrency: producer.concurrency,
        failed_invocations,
        queue,
        mappings,
        worker,
        worker_concurrency,
        table,
        time_to_live,
        secret,
        dead_letters,
        configuration,
        providers,
        command_line,
        stack_name,
        pool_id,
    })
}

/// Asks nothing of AWS.
pub(crate) async fn gather_offline(
    mut configuration: Configuration,
    secret: Option<Secret>,
    command_line: CommandLine,
) -> Readings {
    let secret = match secret {
        None if configuration.needs_secret() => Err(Unread::NotNamed(NotNamed::SecretFile)),
        secret => Ok(secret),
    };
    configuration.look_with_secret(&secret);
    let configuration = Some(configuration);
    let providers = reach_providers(configuration.as_ref()).await;
    let unread = Readings::unread(&Unread::NotNamed(NotNamed::Offline));
    Readings { configuration, secret, providers, command_line, ..unread }
}

async fn after<A, B>(named: &Reading<A>, ask: impl AsyncFnOnce(&A) -> Reading<B>) -> Reading<B> {
    match named {
        Ok(named) => ask(named).await,
        Err(unread) => Err(unread.clone()),
    }
}

async fn optional<A, B>(named: Option<&A>, ask: impl AsyncFnOnce(&A) -> Reading<B>) -> Reading<Option<B>> {
    match named {
        Some(named) => ask(named).await.map(Some),
        None => Ok(None),
    }
}

/// The pool, if it is there: nothing more is asked of one that is not.
fn named(id: Option<&UserPoolId>, pool: &Reading<Pool>) -> Reading<UserPoolId> {
    match (pool, id) {
        (Ok(pool), _) => Ok(pool.id.clone()),
        (Err(Unread::NoRight { .. }), Some(id)) => Ok(id.clone()),
        (Err(unread), _) => Err(unread.clone()),
    }
}

/// The pool's trigger; but where it is not the stack's function, the stack's, which is to be the trigger.
fn producer(pool: &Reading<Pool>, stack: Option<&Stack>, given: Option<QualifiedArn>) -> Reading<QualifiedArn> {
    let of_pool = pool.as_ref().ok().and_then(|pool| QualifiedArn::parse(&pool.sender.as_ref()?.arn));
    let of_stack = stack.and_then(|stack| QualifiedArn::parse(stack.output(PRODUCER_ARN)?)).or(given);
    match (of_pool, of_stack, pool) {
        (Some(pools), Some(stacks), _) if pools.is_same_function(&stacks) => Ok(pools),
        (_, Some(stacks), _) => Ok(stacks),
        (Some(pools), None, _) => Ok(pools),
        (None, None, Ok(_)) => Err(Unread::NotNamed(NotNamed::Producer)),
        (None, None, Err(unread)) => Err(unread.clone()),
    }
}

fn key(pool: &Reading<Pool>, stack: Option<&Stack>) -> Reading<String> {
    let of_stack = || stack.and_then(|stack| stack.output(KEY_ARN)).map(str::to_owned);
    match pool {
        Ok(pool) => pool.key.clone().or_else(of_stack).ok_or(Unread::NotNamed(NotNamed::Key)),
        Err(unread) => of_stack().ok_or_else(|| unread.clone()),
    }
}

/// What the producer sends to, or else what the stack says.
fn queue(producer: &Reading<Function>, of_stack: Option<&str>) -> Reading<String> {
    let of_producer = match producer {
        Ok(producer) => {
            producer.variables.environment().queue_url("QUEUE_URL").map_err(|_| Unread::NotNamed(NotNamed::Queue))
        }
        Err(unread) => Err(unread.clone()),
    };
    of_producer.or_else(|unread| of_stack.map(str::to_owned).ok_or(unread))
}

/// The queue's ARN, as event source mappings name it.
fn source(queue: &Reading<String>, producer: &Reading<QualifiedArn>) -> Reading<String> {
    let (url, producer) = (queue.clone()?, producer.clone()?);
    let end = end_of_arn(&url).ok_or(Unread::NotNamed(NotNamed::Queue))?;
    Ok(producer.of_other_service("sqs", &end))
}

fn failed_invocations(
    asynchronous: &Reading<Option<AsyncInvocation>>,
    queue: &Reading<String>,
    of_stack: Option<&str>,
) -> Reading<String> {
    let destination = match asynchronous {
        Ok(asynchronous) => asynchronous.as_ref().and_then(|it| it.on_failure.as_deref()),
        Err(unread) => return of_stack.map(str::to_owned).ok_or_else(|| unread.clone()),
    };
    let named = match destination {
        Some(arn) => url_beside(&queue.clone()?, arn),
        None => of_stack.map(str::to_owned),
    };
    named.ok_or(Unread::NotNamed(NotNamed::FailedInvocations))
}

/// The function of the queue's mapping; of several, the first.
fn worker(mappings: &[Mapping]) -> Reading<QualifiedArn> {
    let mut functions = mappings.iter().filter_map(|mapping| mapping.function.clone());
    functions.next().ok_or(Unread::NotNamed(NotNamed::Worker))
}

/// What the worker writes to, or else what the main queue is followed by.
fn dead_letters(worker: &Reading<Function>, queue: &Reading<Queue>, of_stack: Option<&str>) -> Reading<String> {
    let of_worker =
        worker.as_ref().ok().and_then(|worker| worker.variables.environment().queue_url("DEAD_LETTER_QUEUE_URL").ok());
    let of_queue = || {
        let queue = queue.as_ref().ok()?;
        url_beside(&queue.url, &queue.redrive.as_ref()?.target_arn)
    };
    let named = of_worker.or_else(of_queue).or_else(|| of_stack.map(str::to_owned));
    named.ok_or_else(|| match (queue, worker) {
        (Err(unread), _) | (Ok(_), Err(unread @ Unread::NoRight { .. })) => unread.clone(),
        (Ok(_), _) => Unread::NotNamed(NotNamed::DeadLetters),
    })
}

/// A variable of the worker's that may be unset; nothing where it is not well-formed.
fn of_worker<T>(worker: &Reading<Function>, read: impl FnOnce(&Function) -> Option<Option<T>>) -> Reading<Option<T>> {
    let worker = known(worker)?;
    read(worker).ok_or(Unread::NotNamed(NotNamed::WorkersOwn))
}

async fn reach_providers(configuration: Option<&Configuration>) -> Reading<Vec<Reached>> {
    let configuration = configuration.ok_or(Unread::NotNamed(NotNamed::Configuration))?;
    let providers = configuration.providers().ok_or(Unread::NotNamed(NotNamed::SoundConfiguration))?;
    Ok(reach(providers).await)
}
