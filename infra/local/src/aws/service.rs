//! What the listener and the services agree on.

use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Serialize, de::DeserializeOwned};
use sqs::Timestamp;

/// One AWS service: everything behind one `X-Amz-Target` prefix.
#[async_trait]
pub trait Service: Send + Sync {
    /// Carries out one operation. The future is dropped when the client goes away, and must take nothing with it: what
    /// it takes out of a queue, say, it takes without an await between that and its answer.
    async fn call(&self, operation: &str, body: &[u8], caller: &Caller) -> Answer;
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The access key id of the request's credentials, `ANONYMOUS` without any. On AWS the SenderId is an `AIDA…` or
    /// `AROA…:session` id that belongs to the key; here it is the key id itself.
    pub sender_id: String,
}

/// What a service answers. The listener adds the content type, in the JSON version that the request came in, unless it
/// is among the headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
    /// Further headers, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// Success.
    pub fn ok(body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self { status: 200, body, headers: Vec::new() },
            Err(error) => Self::error(500, "InternalFailure", &format!("the answer cannot be written: {error}")),
        }
    }

    /// Failure, named by `__type`.
    pub fn error(status: u16, error_type: &str, message: &str) -> Self {
        let body = serde_json::json!({ "__type": error_type, "message": message }).to_string().into_bytes();
        Self { status, body, headers: Vec::new() }
    }

    /// Adds the name of the error as services that once spoke the query protocol give it:
    /// `AWS.SimpleQueueService.NonExistentQueue;Sender`.
    #[must_use]
    pub fn with_query_error(self, error: &str) -> Self {
        self.with_header("x-amzn-query-error", error)
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The answer to an operation that the service does not have.
    pub fn unknown_operation(target: &str) -> Self {
        let shown: String = target.chars().take(100).collect();
        let message = format!("the embedded AWS has no operation `{shown}`");
        Self::error(400, "com.amazon.coral.service#UnknownOperationException", &message)
    }
}

/// Reads a request, or says why it cannot be read. Positions only: a request may hold what must not be repeated.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Answer> {
    // A request without members may come without a body.
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "has a member of the wrong type",
            serde_json::error::Category::Syntax | serde_json::error::Category::Eof => "is not JSON",
            serde_json::error::Category::Io => "cannot be read",
        };
        let message = format!("the request body {what} (line {}, column {})", error.line(), error.column());
        Answer::error(400, "com.amazon.coral.service#SerializationException", &message)
    })
}

/// Bytes as JSON carries them.
pub(super) fn from_base64(member: &str, text: &str) -> Result<Vec<u8>, Answer> {
    let refuse = |_| Answer::error(400, "SerializationException", &format!("{member} is not base64"));
    BASE64.decode(text).map_err(refuse)
}

/// Times on the wire are seconds with a fraction.
pub(super) fn seconds(moment: Timestamp) -> f64 {
    moment.unix_millis() as f64 / 1000.0
}

/// The wall clock, read at this edge and nowhere deeper.
pub(super) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::default() + since_epoch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_cannot_be_read_is_not_repeated_in_the_error() {
        #[derive(Debug, serde::Deserialize)]
        struct Request {
            #[serde(rename = "Count")]
            _count: i64,
        }
        for body in ["{\"Count\": \"secret\"}", "secret", "{\"secret", "{}"] {
            let answer = read::<Request>(body.as_bytes()).unwrap_err();
            assert_eq!(answer.status, 400);
            let text = String::from_utf8(answer.body).unwrap();
            assert!(text.contains("SerializationException") && !text.contains("secret"), "{text}");
        }
    }
}
