//! How DynamoDB is asked, and what its errors are.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Builder, Config};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::state::StateError;

/// A DynamoDB configuration whose calls end soon: several lie between a message and its SMS, and a table that does not
/// answer within a second is out of reach.
pub fn dynamodb_config(aws: &SdkConfig) -> Config {
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(25))
        .with_max_backoff(Duration::from_millis(100));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(300))
        .operation_attempt_timeout(Duration::from_millis(400))
        .operation_timeout(Duration::from_secs(1))
        .build();
    Builder::from(aws).retry_config(retries).timeout_config(timeouts).build()
}

/// Lets a call be tried again only if DynamoDB has refused it (it throttles with 400), for a call that does its work
/// twice if it is made twice.
#[derive(Debug)]
pub(super) struct OnlyAfterRefusal;

impl ClassifyRetry for OnlyAfterRefusal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let was_refused = context.response().is_some_and(|response| response.status().is_client_error());
        if was_refused { RetryAction::NoActionIndicated } else { RetryAction::RetryForbidden }
    }

    fn name(&self) -> &'static str {
        "only after a refusal"
    }
}

/// DynamoDB's own error code, or what happened on the way.
pub(super) fn state_error<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> StateError {
    let code = match error {
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "unreachable",
        SdkError::ResponseError(_) => "unreadable_answer",
        SdkError::ServiceError(answer) => answer.err().code().unwrap_or("unknown_error"),
        // A request that cannot be built, and what later versions of the SDK may add.
        SdkError::ConstructionFailure(_) | _ => "request_not_built",
    };
    StateError::of_code(code)
}
