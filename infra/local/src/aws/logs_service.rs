//! CloudWatch Logs as far as somebody looks for lines: FilterLogEvents
//! (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>). What is in the groups
//! is written in this process.
//!
//! Of filter patterns it knows none and one term in quotes. Each group has one stream.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::service::{Answer, Caller, Service, now, read};

/// Of each group the latest lines are kept.
const MOST_LINES: usize = 10_000;
const STREAM: &str = "local";

/// Log groups by name.
#[derive(Default)]
pub struct LogsService {
    groups: Mutex<BTreeMap<String, Group>>,
}

#[derive(Default)]
struct Group {
    lines: VecDeque<Line>,
    /// Lines ever written.
    written: u64,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    event_id: String,
    log_stream_name: &'static str,
    timestamp: u64,
    ingestion_time: u64,
    message: String,
}

/// Whatever is written here stands in a log group, line by line. Each write must end with a line.
pub struct LogWriter {
    logs: Arc<LogsService>,
    group: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FilterLogEvents {
    log_group_name: String,
    #[serde(default)]
    start_time: u64,
    #[serde(default)]
    filter_pattern: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    events: Vec<Line>,
    searched_log_streams: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl LogsService {
    /// Writes lines into a group, which is made if it is not there.
    pub fn write(&self, group: &str, text: &str) {
        let timestamp = now().unix_millis();
        let mut groups = self.groups();
        let group = groups.entry(group.to_owned()).or_default();
        for message in text.lines() {
            group.written += 1;
            let (event_id, message) = (format!("{:020}", group.written), message.to_owned());
            let line = Line { event_id, log_stream_name: STREAM, timestamp, ingestion_time: timestamp, message };
            group.lines.push_back(line);
            if group.lines.len() > MOST_LINES {
                group.lines.pop_front();
            }
        }
    }

    /// A writer into a group, which is there from now on.
    pub fn writer(self: &Arc<Self>, group: &str) -> LogWriter {
        self.write(group, "");
        LogWriter { logs: Arc::clone(self), group: group.to_owned() }
    }

    fn filter(&self, request: &FilterLogEvents) -> Answer {
        let FilterLogEvents { log_group_name, start_time, filter_pattern, limit, next_token } = request;
        let Some(term) = term(filter_pattern) else {
            let message = "the embedded CloudWatch Logs knows one filter pattern: a term in quotes";
            return Answer::error(400, "InvalidParameterException", message);
        };
        let groups = self.groups();
        let Some(group) = groups.get(log_group_name) else {
            return Answer::error(400, "ResourceNotFoundException", "The specified log group does not exist.");
        };
        let is_meant = |line: &&Line| {
            let is_later = next_token.as_ref().is_none_or(|token| line.event_id > *token);
            is_later && line.timestamp >= *start_time && line.message.contains(term)
        };
        let mut meant = group.lines.iter().filter(is_meant);
        let events: Vec<_> = meant.by_ref().take(limit.unwrap_or(MOST_LINES).clamp(1, MOST_LINES)).cloned().collect();
        let is_last = meant.next().is_none();
        let next_token = events.last().filter(|_| !is_last).map(|line| line.event_id.clone());
        Answer::ok(&Page { events, searched_log_streams: [], next_token })
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<String, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a line must hold.
fn term(pattern: &str) -> Option<&str> {
    if pattern.is_empty() {
        return Some("");
    }
    pattern.strip_prefix('"')?.strip_suffix('"').filter(|term| !term.contains('"'))
}

#[async_trait]
impl Service for LogsService {
    async fn call(&self, operation: &str, body: &[u8], _: &Caller) -> Answer {
        match operation {
            "FilterLogEvents" => read(body).map_or_else(|refusal| refusal, |request| self.filter(&request)),
            _ => Answer::unknown_operation(&format!("Logs_20140328.{operation}")),
        }
    }
}

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.logs.write(&self.group, &String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    async fn filtered(logs: &LogsService, request: Value) -> (u16, Value) {
        let caller = Caller { sender_id: String::new() };
        let answer = logs.call("FilterLogEvents", request.to_string().as_bytes(), &caller).await;
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    fn messages(page: &Value) -> Vec<&str> {
        page["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn lines_are_found_by_a_term_and_page_by_page() {
        let logs = LogsService::default();
        logs.write("worker", "one a\ntwo b\nthree a\n");
        logs.write("worker", "four a\n");
        let pattern = json!({ "logGroupName": "worker", "filterPattern": "\"a\"" });
        let (status, all) = filtered(&logs, pattern.clone()).await;
        assert_eq!((status, messages(&all)), (200, vec!["one a", "three a", "four a"]));
        assert_eq!(all["nextToken"], Value::Null);
        let mut request = pattern;
        request["limit"] = json!(2);
        let (_, first) = filtered(&logs, request.clone()).await;
        request["nextToken"] = first["nextToken"].clone();
        let (_, second) = filtered(&logs, request).await;
        assert_eq!([messages(&first), messages(&second)].concat(), ["one a", "three a", "four a"]);
        assert_eq!(second["nextToken"], Value::Null);
        let later = json!({ "logGroupName": "worker", "startTime": now().unix_millis() + 60_000 });
        assert!(messages(&filtered(&logs, later).await.1).is_empty());
    }

    #[tokio::test]
    async fn what_is_not_there_and_what_is_not_known_is_refused() {
        let logs = Arc::new(LogsService::default());
        let (status, error) = filtered(&logs, json!({ "logGroupName": "worker" })).await;
        assert_eq!((status, &error["__type"]), (400, &json!("ResourceNotFoundException")));
        let _writer = logs.writer("worker");
        assert_eq!(filtered(&logs, json!({ "logGroupName": "worker" })).await.0, 200);
        let request = json!({ "logGroupName": "worker", "filterPattern": "{ $.id = \"a\" }" });
        let (status, error) = filtered(&logs, request).await;
        assert_eq!((status, &error["__type"]), (400, &json!("InvalidParameterException")));
    }

    #[test]
    fn the_oldest_lines_go_first() {
        let logs = LogsService::default();
        for number in 0..=MOST_LINES {
            logs.write("worker", &number.to_string());
        }
        let groups = logs.groups();
        assert_eq!((groups["worker"].lines.len(), groups["worker"].lines[0].message.as_str()), (MOST_LINES, "1"));
    }
}
