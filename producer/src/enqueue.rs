//! SendMessage, within a budget that leaves Cognito's trigger (5 s) unharmed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::config::interceptors::InterceptorContext;
use aws_sdk_sqs::config::retry::{ClassifyRetry, RetryAction, RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sqs::operation::send_message::SendMessageError;
use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue};
use shared::{QueueMessage, TraceHeader};

/// All attempts together. The SDK's own defaults (no operation timeout, backoff from 1 s) would outlast Cognito.
const BUDGET: Duration = Duration::from_millis(2_500);
const ATTEMPT: Duration = Duration::from_millis(900);
const CONNECT: Duration = Duration::from_millis(600);
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_millis(400);
/// More than the budget ever allows: time ends the retries, not their number.
const MAX_ATTEMPTS: u32 = 20;

/// The queue that the worker consumes.
pub struct MainQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

/// Why a message did not reach the queue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnqueueError {
    #[error("SQS did not answer within {BUDGET:?}")]
    TimedOut,
    #[error("SQS cannot be reached (connection refused, reset or not resolved)")]
    Unreachable,
    #[error("SQS answered with an error for {BUDGET:?}: {code}")]
    Unavailable { code: String },
    #[error(
        "SQS refuses the message: {code}; check QUEUE_URL, the function's right sqs:SendMessage and the queue's \
         encryption key"
    )]
    Refused { code: String },
}

impl EnqueueError {
    /// The error type that Lambda reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TimedOut | Self::Unreachable | Self::Unavailable { .. } => "QueueUnavailable",
            Self::Refused { .. } => "QueueMisconfigured",
        }
    }
}

/// The SQS configuration that keeps SendMessage within its budget.
pub fn sqs_config(aws: &SdkConfig) -> aws_sdk_sqs::Config {
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(BUDGET)
        .build();
    // The default bucket of retry tokens runs dry in a long outage, and then nothing would be retried.
    let retry_partition = RetryPartition::custom("producer").token_bucket(TokenBucket::unlimited()).build();
    aws_sdk_sqs::config::Builder::from(aws)
        .retry_config(retries)
        .retry_partition(retry_partition)
        .retry_classifier(KmsThrottling)
        .timeout_config(timeouts)
        .build()
}

impl MainQueue {
    pub fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends `body`, the JSON of `message`, trying again as long as the budget lasts.
    ///
    /// # Errors
    /// When the budget is spent, or SQS refuses the message.
    pub async fn send(
        &self,
        message: &QueueMessage,
        body: String,
        trace: Option<&TraceHeader>,
    ) -> Result<(), EnqueueError> {
        let event = &message.event;
        let mut request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .message_attributes("trigger_source", text_attribute(event.trigger_source().as_str()))
            .message_attributes("user_pool_id", text_attribute(event.user_pool().as_str()));
        if let Some(trace) = trace {
            let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace.as_str()).build();
            let value = value.expect("the data type is set");
            request = request.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
        }
        let last_failure = LastFailure::default();
        let remember = aws_sdk_sqs::config::Builder::new().retry_classifier(last_failure.clone());
        let sent = request.customize().config_override(remember).send().await;
        sent.map(drop).map_err(|error| match classify(&error) {
            // Time ends the retries: what ended the attempts is what an operator needs to know.
            EnqueueError::TimedOut => last_failure.take().unwrap_or(EnqueueError::TimedOut),
            other @ (EnqueueError::Unreachable | EnqueueError::Unavailable { .. } | EnqueueError::Refused { .. }) => {
                other
            }
        })
    }
}

fn text_attribute(value: &str) -> MessageAttributeValue {
    let attribute = MessageAttributeValue::builder().data_type("String").string_value(value).build();
    attribute.expect("the data type is set")
}

fn classify<R>(error: &SdkError<SendMessageError, R>) -> EnqueueError {
    match error {
        SdkError::TimeoutError(_) => EnqueueError::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => EnqueueError::TimedOut,
        SdkError::DispatchFailure(_) => EnqueueError::Unreachable,
        SdkError::ResponseError(_) => EnqueueError::Unavailable { code: "unreadable answer".to_owned() },
        SdkError::ServiceError(answer) => {
            let code = error_code(answer.err().code());
            if is_passing(answer.err()) { EnqueueError::Unavailable { code } } else { EnqueueError::Refused { code } }
        }
        // A request that cannot be built, and what later versions of the SDK may add.
        SdkError::ConstructionFailure(_) | _ => EnqueueError::Refused { code: "request not built".to_owned() },
    }
}

/// Whether SQS may answer otherwise later. Errors outside its model are its own faults or throttling.
fn is_passing(error: &SendMessageError) -> bool {
    match error.code() {
        Some(code) => {
            let throttled = ["RequestThrottled", "KMS.ThrottlingException", "ThrottlingException", "Throttling"];
            let faulty = ["InternalFailure", "InternalError", "ServiceUnavailable", "RequestTimeout"];
            throttled.contains(&code) || faulty.contains(&code)
        }
        None => true,
    }
}

/// Error codes are words of letters and dots; anything else stays out of logs.
fn error_code(code: Option<&str>) -> String {
    let is_word = |code: &&str| code.len() <= 80 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    code.filter(is_word).unwrap_or("unknown error").to_owned()
}

/// The SDK retries throttling by SQS, but not throttling of a queue's encryption key (its list has
/// `ThrottlingException`, the queue says `KMS.ThrottlingException`).
#[derive(Debug)]
struct KmsThrottling;

impl ClassifyRetry for KmsThrottling {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let operation_error = error.as_operation_error().and_then(|error| error.downcast_ref::<SendMessageError>());
        match operation_error.and_then(|error| error.code()) {
            Some("KMS.ThrottlingException") => RetryAction::throttling_error(),
            Some(_) | None => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "KMS throttling of an encrypted queue"
    }
}

/// Why the last whole attempt of one SendMessage failed: the error of a spent budget says only that it is spent.
#[derive(Clone, Debug, Default)]
struct LastFailure(Arc<Mutex<Option<EnqueueError>>>);

impl LastFailure {
    fn take(&self) -> Option<EnqueueError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClassifyRetry for LastFailure {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        if let Some(Err(error)) = context.output_or_error() {
            let answer = error.as_operation_error().and_then(|error| error.downcast_ref::<SendMessageError>());
            let failure = match answer {
                Some(answer) => EnqueueError::Unavailable { code: error_code(answer.code()) },
                None if error.is_connector_error() => EnqueueError::Unreachable,
                None if error.is_response_error() => EnqueueError::Unavailable { code: "unreadable answer".to_owned() },
                None => EnqueueError::TimedOut,
            };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "the last failure"
    }
}
