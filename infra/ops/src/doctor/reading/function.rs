//! A Lambda function: its configuration, and what surrounds it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use shared::Environment;

use super::ask::Call;
use super::gather::Aws;
use super::unread::{Reading, Unread};
use crate::function_arn::QualifiedArn;
use crate::untyped::Service;

/// What Lambda says of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) arn: QualifiedArn,
    pub(crate) role: String,
    /// Of `State` and `LastUpdateStatus`, with the reason that Lambda gives.
    pub(crate) state: String,
    pub(crate) last_update: String,
    pub(crate) state_reason: Option<String>,
    /// None for a container image.
    pub(crate) runtime: Option<String>,
    pub(crate) timeout_seconds: u64,
    pub(crate) memory_mb: u64,
    /// The classic dead-letter target, besides which an OnFailure destination can stand.
    pub(crate) dead_letter_target: Option<String>,
    pub(crate) variables: Variables,
}

/// A function's environment variables. Some may be credentials: none is shown, and the checks read by name what they
/// know.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Variables(serde_json::Map<String, Value>);

/// `FunctionEventInvokeConfig` of one qualifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AsyncInvocation {
    pub(crate) retries: u64,
    pub(crate) most_age_seconds: u64,
    pub(crate) on_failure: Option<String>,
}

impl Function {
    /// Reads what `GetFunctionConfiguration` answers.
    ///
    /// # Errors
    /// When Lambda could not read the environment for whoever asks, who lacks a right on its key.
    pub(crate) fn of(arn: QualifiedArn, configuration: &Value) -> Reading<Self> {
        let text = |name: &str| configuration[name].as_str().map(str::to_owned);
        if !configuration["Environment"]["Error"].is_null() {
            return Err(Unread::NoRight {
                right: "kms:Decrypt",
                on: text("KMSKeyArn").unwrap_or_else(|| arn.to_string()),
            });
        }
        let variables = configuration["Environment"]["Variables"].as_object().cloned().unwrap_or_default();
        Ok(Self {
            arn,
            role: text("Role").unwrap_or_default(),
            state: text("State").unwrap_or_default(),
            last_update: text("LastUpdateStatus").unwrap_or_default(),
            state_reason: text("StateReason").or_else(|| text("LastUpdateStatusReason")).filter(|why| !why.is_empty()),
            runtime: text("Runtime").filter(|runtime| !runtime.is_empty()),
            timeout_seconds: configuration["Timeout"].as_u64().unwrap_or_default(),
            memory_mb: configuration["MemorySize"].as_u64().unwrap_or_default(),
            dead_letter_target: configuration["DeadLetterConfig"]["TargetArn"]
                .as_str()
                .filter(|target| !target.is_empty())
                .map(str::to_owned),
            variables: Variables(variables),
        })
    }
}

impl Variables {
    pub(crate) fn environment(&self) -> Environment<'_> {
        Environment::from_lookup(|name| self.0.get(name)?.as_str().map(str::to_owned))
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl AsyncInvocation {
    /// Reads what `GetFunctionEventInvokeConfig` answers. What is absent has Lambda's defaults.
    pub(crate) fn of(configuration: &Value) -> Self {
        let on_failure = configuration["DestinationConfig"]["OnFailure"]["Destination"].as_str();
        Self {
            retries: configuration["MaximumRetryAttempts"].as_u64().unwrap_or(2),
            most_age_seconds: configuration["MaximumEventAgeInSeconds"].as_u64().unwrap_or(21_600),
            on_failure: on_failure.filter(|destination| !destination.is_empty()).map(str::to_owned),
        }
    }
}

impl Aws {
    pub(super) async fn function(&self, arn: &QualifiedArn) -> Reading<Function> {
        let path = format!("/2015-03-31/functions/{}/configuration{}", encoded(&arn.name), arn.query());
        let configuration =
            self.lambda("lambda:GetFunctionConfiguration", "GetFunctionConfiguration", arn, &path).await?;
        Function::of(arn.clone(), &configuration)
    }

    /// The function's resource policy. An alias has one of its own.
    pub(super) async fn policy(&self, arn: &QualifiedArn) -> Reading<Option<String>> {
        let path = format!("/2015-03-31/functions/{}/policy{}", encoded(&arn.name), arn.query());
        let policy = optional(self.lambda("lambda:GetPolicy", "GetPolicy", arn, &path).await)?;
        Ok(policy.and_then(|policy| policy["Policy"].as_str().map(str::to_owned)))
    }

    pub(super) async fn async_invocation(&self, arn: &QualifiedArn) -> Reading<Option<AsyncInvocation>> {
        let path = format!("/2019-09-25/functions/{}/event-invoke-config{}", encoded(&arn.name), arn.query());
        let right = "lambda:GetFunctionEventInvokeConfig";
        let configuration = optional(self.lambda(right, "GetFunctionEventInvokeConfig", arn, &path).await)?;
        Ok(configuration.map(|configuration| AsyncInvocation::of(&configuration)))
    }

    /// The function's reserved concurrency, which all its versions share.
    pub(super) async fn concurrency(&self, arn: &QualifiedArn) -> Reading<Option<u64>> {
        let path = format!("/2019-09-30/functions/{}/concurrency", encoded(&arn.name));
        let concurrency = self.lambda("lambda:GetFunctionConcurrency", "GetFunctionConcurrency", arn, &path).await?;
        Ok(concurrency["ReservedConcurrentExecutions"].as_u64())
    }

    async fn lambda(
        &self,
        right: &'static str,
        operation: &'static str,
        arn: &QualifiedArn,
        path: &str,
    ) -> Reading<Value> {
        let call = Call::new(right, "function", arn.to_string());
        call.untyped(self.untyped().rest(Service::Lambda, operation, "GET", path, None)).await
    }
}

/// What may be absent.
fn optional(reading: Reading<Value>) -> Reading<Option<Value>> {
    match reading {
        Ok(value) => Ok(Some(value)),
        Err(unread) if unread.is_not_there() => Ok(None),
        Err(unread) => Err(unread),
    }
}

/// As a part of a path, or a value in a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
