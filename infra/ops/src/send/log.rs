//! The worker's log in CloudWatch Logs.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{MessageId, Timestamp};

use super::logged_fact::LoggedFact;
use super::missing_right::or_missing_right;
use crate::untyped::{CallError, Service, Untyped};

/// This machine's clock may be ahead of the worker's by so much.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5 * 60);

/// The log of the worker since a message was about to be sent.
pub(super) struct WorkerLog<'a> {
    aws: &'a Untyped<'a>,
    group: &'a str,
    since: Timestamp,
}

impl<'a> WorkerLog<'a> {
    pub(super) fn new(aws: &'a Untyped<'a>, group: &'a str, now: Timestamp) -> Self {
        Self { aws, group, since: now.checked_sub(CLOCKS_DIFFER).unwrap_or(now) }
    }

    /// Whether it can be read: nothing, or why there is none to be read at this endpoint.
    ///
    /// # Errors
    /// When there is no such group, or no right to read it.
    pub(super) async fn check(&self) -> anyhow::Result<Option<String>> {
        let Err(error) = self.page("no line holds this", None).await else { return Ok(None) };
        match error.refusal().map(|refusal| refusal.code.as_str()) {
            // Emulators have no CloudWatch Logs.
            Some("UnknownOperationException" | "UnknownOperation" | "NotImplemented") => {
                Ok(Some("the endpoint has no CloudWatch Logs".to_owned()))
            }
            Some("ResourceNotFoundException") => anyhow::bail!(
                "there is no log group {}: name the worker's with --worker-log-group. A function that has never run has none \
                 yet (aws lambda invoke it with the payload {{\"Records\":[]}} once). Nothing was sent",
                self.group
            ),
            Some(_) | None => {
                Err(or_missing_right(error, "logs:FilterLogEvents", &format!("log group {}", self.group)))
            }
        }
    }

    /// Everything that the log says of a message so far. It comes in pages, empty ones among them, until there are no more:
    /// a busy log has many, and whoever asks decides how long they wait.
    ///
    /// # Errors
    /// When CloudWatch Logs refuses or does not answer.
    pub(super) async fn facts_about(&self, id: &MessageId) -> Result<Vec<LoggedFact>, CallError> {
        let (mut facts, mut token) = (Vec::new(), None);
        loop {
            let page = self.page(id.as_str(), token.as_deref()).await?;
            let lines = page["events"].as_array().into_iter().flatten().filter_map(|event| event["message"].as_str());
            facts.extend(lines.filter_map(LoggedFact::read).filter(|fact| fact.id == id.as_str()));
            token = page["nextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                return Ok(facts);
            }
        }
    }

    /// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>
    async fn page(&self, term: &str, token: Option<&str>) -> Result<Value, CallError> {
        let mut request = json!({
            "logGroupName": self.group,
            "startTime": self.since.as_millisecond(),
            "filterPattern": format!("\"{term}\""),
        });
        if let Some(token) = token {
            request["nextToken"] = json!(token);
        }
        self.aws.json(Service::Logs, "FilterLogEvents", &request).await
    }
}
