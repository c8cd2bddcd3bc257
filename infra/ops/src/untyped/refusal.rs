//! Why a call has no result.

use std::error::Error;

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use serde_json::Value;

use super::Service;
use crate::printable::shortened;

/// Of a refusal's message: it is another program's text.
const LONGEST_MESSAGE: usize = 300;

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{operation} was refused: {refusal}{}", needed(.service, operation, refusal))]
    Refused { service: Service, operation: &'static str, refusal: Refusal },
    #[error("{operation} was not answered: {cause}")]
    NotAnswered { operation: &'static str, cause: String },
}

/// What a service says when it does not do it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}{}{message}", if message.is_empty() { "" } else { ": " })]
pub(crate) struct Refusal {
    /// The error's name, such as `ResourceNotFoundException`.
    pub(crate) code: String,
    /// The service's own words, cut to a bearable length.
    pub(crate) message: String,
    is_server_error: bool,
    metadata: ErrorMetadata,
}

impl Refusal {
    /// Reads what an answer other than a success says.
    pub(super) fn of(response: &HttpResponse, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |names: &[&str]| names.iter().find_map(|name| body[*name].as_str());
        let code = response.headers().get("x-amzn-errortype").or_else(|| text(&["__type", "code", "Code"]));
        // `com.amazonaws.cognito#NotAuthorizedException`, `ResourceNotFoundException:http://…`
        let code = code.and_then(|code| code.split(':').next()?.rsplit('#').next());
        let code = code.map_or_else(|| format!("HTTP status {}", response.status()), |code| shortened(code, 80));
        let message = shortened(text(&["message", "Message", "errorMessage"]).unwrap_or_default(), LONGEST_MESSAGE);
        let metadata = ErrorMetadata::builder().code(&code).build();
        Self { code, message, is_server_error: response.status().is_server_error(), metadata }
    }

    /// Whether the fault is the service's own (5xx): what was asked for may have been done all the same.
    pub(crate) fn is_server_error(&self) -> bool {
        self.is_server_error
    }

    /// Whether whoever asked has no right to.
    pub(crate) fn is_missing_right(&self) -> bool {
        is_missing_right(&self.code)
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.code == "ResourceNotFoundException"
    }
}

/// Whether an error's name says that whoever asked has no right to: each service has its own word.
pub(crate) fn is_missing_right(code: &str) -> bool {
    matches!(code, "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorizedException")
}

/// The right that a refusal for want of one asks for. IAM's actions are named like the operations, but for one.
fn needed(service: &Service, operation: &str, refusal: &Refusal) -> String {
    let action = if operation == "Invoke" { "InvokeFunction" } else { operation };
    match refusal.is_missing_right() {
        true => format!(" (it needs the right {}:{action})", service.signing_name()),
        false => String::new(),
    }
}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

impl CallError {
    /// Whether the same call may be answered a little later.
    #[cfg_attr(not(feature = "local"), expect(dead_code, reason = "only `send` asks again for long"))]
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => {
                refusal.is_server_error() || THROTTLING_ERRORS.contains(&refusal.code.as_str())
            }
            Self::NotAnswered { .. } => true,
        }
    }

    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            Self::NotAnswered { .. } => None,
        }
    }
}

/// An error with all that caused it, in their words alone: their `Debug` may show an answer, and what it holds.
pub(crate) fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[cfg(test)]
impl CallError {
    /// What a service says with this status and error name.
    pub(crate) fn refused(operation: &'static str, status: u16, code: &str) -> Self {
        let mut response = HttpResponse::new(status.try_into().expect("a status"), Vec::new().into());
        response.headers_mut().insert("x-amzn-errortype", code.to_owned());
        Self::Refused { service: Service::Logs, operation, refusal: Refusal::of(&response, b"") }
    }
}
