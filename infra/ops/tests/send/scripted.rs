//! An AWS whose producer answers, and whose worker logs, what a test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use local::aws::{
    Answer, Caller, EmbeddedAws, FunctionError, InvocationContext, LambdaFunction, LogsService, Service, Settings,
};
use local::cognito::UserPool;
use serde_json::Value;
use shared::{SealedCode, UserPoolId};

use crate::tool::{Said, TO, send};

const LOG_GROUP: &str = "worker-log";

/// Lines of the worker about the message, without time and id.
pub(crate) type Lines = &'static [&'static str];

pub(crate) struct Scripted {
    aws: EmbeddedAws,
    pool: UserPool,
    producer: Arc<Producer>,
}

struct Producer {
    error: Option<FunctionError>,
    worker_says: Lines,
    logs: Arc<LogsService>,
    invocations: AtomicUsize,
}

/// CloudWatch Logs that refuses.
struct Refusing(&'static str);

impl Scripted {
    /// The producer accepts what comes, and the worker logs these lines about it.
    pub(crate) fn worker_says(worker_says: Lines) -> Self {
        Self::start(None, worker_says, Settings::default())
    }

    /// The producer fails.
    pub(crate) fn producer_fails(error_type: &str, message: &str) -> Self {
        let error = FunctionError { error_type: error_type.to_owned(), message: message.to_owned() };
        Self::start(Some(error), &[], Settings::default())
    }

    /// CloudWatch Logs answers everything with this error.
    pub(crate) fn logs_refuse(code: &'static str) -> Self {
        let services = [("Logs_20140328".to_owned(), Arc::new(Refusing(code)) as Arc<dyn Service>)].into();
        Self::start(None, &[], Settings { services, ..Settings::default() })
    }

    fn start(error: Option<FunctionError>, worker_says: Lines, settings: Settings) -> Self {
        let aws = EmbeddedAws::start_with(([127, 0, 0, 1], 0).into(), settings).expect("a free port");
        let id = UserPoolId::parse("eu-west-1_EXAMPLE01").expect("sound");
        let pool = UserPool::with_new_key(id, Arc::clone(aws.kms().model())).expect("a key");
        let (logs, invocations) = (Arc::clone(aws.logs()), AtomicUsize::new(0));
        let producer = Arc::new(Producer { error, worker_says, logs, invocations });
        aws.lambda().set_function("my-producer", producer.clone());
        aws.logs().write(LOG_GROUP, "another line\n");
        Self { aws, pool, producer }
    }

    pub(crate) fn aws(&self) -> &EmbeddedAws {
        &self.aws
    }

    pub(crate) fn invocations(&self) -> usize {
        self.producer.invocations.load(Ordering::SeqCst)
    }

    /// Sends a sign-up code, and follows it for a second.
    pub(crate) async fn send(&self, arguments: &[&str]) -> Said {
        let (pool, key) = (self.pool.id.as_str(), self.pool.key.as_str());
        let function = if arguments.contains(&"--function") { &[][..] } else { &["--function", "my-producer"] };
        let group =
            if arguments.contains(&"--worker-log-group") { &[][..] } else { &["--worker-log-group", LOG_GROUP] };
        let rest = ["--user-pool", pool, "--key", key, "--to", TO, "--wait", "1s", "--yes"];
        send(&self.aws.endpoint(), &[&rest[..], function, group, arguments].concat()).await
    }
}

#[async_trait]
impl LambdaFunction for Producer {
    async fn invoke(&self, payload: &[u8], _: &InvocationContext) -> Result<Vec<u8>, FunctionError> {
        self.invocations.fetch_add(1, Ordering::SeqCst);
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let event: Value = serde_json::from_slice(payload).expect("an event");
        if let Some(code) = event["request"]["code"].as_str() {
            let code = SealedCode::parse(code).expect("sealed");
            for (second, line) in self.worker_says.iter().enumerate() {
                let head = format!("{{\"time\":\"2026-11-26T14:32:0{second}.000Z\",\"id\":\"{}\",", code.message_id());
                self.logs.write(LOG_GROUP, &format!("{head}{line}}}\n"));
            }
        }
        Ok(b"null".to_vec())
    }
}

#[async_trait]
impl Service for Refusing {
    async fn call(&self, operation: &str, _: &[u8], _: &Caller) -> Answer {
        Answer::error(400, self.0, &format!("User is not authorized to perform: logs:{operation}"))
    }
}
