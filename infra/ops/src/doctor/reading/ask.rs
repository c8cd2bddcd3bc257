//! One call: how long it may take, and what its refusal means.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::unread::{Reading, Unread};
use crate::printable::shortened;
use crate::untyped::{CallError, in_words, is_missing_right};

/// With all attempts: the command ends, whatever AWS does.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of another program's words.
const LONGEST_CAUSE: usize = 200;

/// A call that is about to be made.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The IAM action that it needs.
    pub(super) right: &'static str,
    /// What kind of thing it asks for.
    pub(super) what: &'static str,
    /// Its name or ARN.
    pub(super) on: String,
}

impl Call {
    pub(super) fn new(right: &'static str, what: &'static str, on: impl Into<String>) -> Self {
        Self { right, what, on: on.into() }
    }

    /// Makes a call of a client with types.
    pub(super) async fn typed<T, E, R>(self, call: impl Future<Output = Result<T, SdkError<E, R>>>) -> Reading<T>
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug,
    {
        let answer = match tokio::time::timeout(PATIENCE, call).await {
            Ok(answer) => answer,
            Err(_) => return Err(self.too_late()),
        };
        answer.map_err(|error| {
            let service_error = error.as_service_error();
            let code = service_error.and_then(ProvideErrorMetadata::code).unwrap_or_default().to_owned();
            let message = service_error.and_then(ProvideErrorMetadata::message).unwrap_or_default();
            let cause = match code.as_str() {
                "" => in_words(&error),
                code => format!("{code}: {message}"),
            };
            self.unread(&code, message, &cause)
        })
    }

    /// Makes a call without types.
    pub(super) async fn untyped<T>(self, call: impl Future<Output = Result<T, CallError>>) -> Reading<T> {
        let answer = match tokio::time::timeout(PATIENCE, call).await {
            Ok(answer) => answer,
            Err(_) => return Err(self.too_late()),
        };
        answer.map_err(|error| {
            let (code, message) = match error.refusal() {
                Some(refusal) => (refusal.code.as_str(), refusal.message.as_str()),
                None => ("", ""),
            };
            self.unread(code, message, &error.to_string())
        })
    }

    /// An answer without what was asked for.
    pub(super) fn not_there(&self) -> Unread {
        Unread::NotThere { what: self.what, name: self.on.clone() }
    }

    fn unread(&self, code: &str, message: &str, cause: &str) -> Unread {
        let Self { right, on, .. } = self;
        if is_missing_right(code) {
            return Unread::NoRight { right, on: on.clone() };
        }
        if is_not_there(code, message) {
            return self.not_there();
        }
        Unread::NoAnswer { right, on: on.clone(), cause: shortened(cause, LONGEST_CAUSE) }
    }

    fn too_late(&self) -> Unread {
        let cause = format!("no answer within {} seconds", PATIENCE.as_secs());
        Unread::NoAnswer { right: self.right, on: self.on.clone(), cause }
    }
}

fn is_not_there(code: &str, message: &str) -> bool {
    match code {
        "ResourceNotFoundException" | "NotFoundException" => true,
        "AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist" => true,
        // CloudFormation has no name of its own for it.
        "ValidationError" => message.contains("does not exist"),
        _ => false,
    }
}
