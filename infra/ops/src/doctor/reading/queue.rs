//! A queue, with all of its attributes.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use super::ask::Call;
use super::gather::Aws;
use super::unread::Reading;

/// What SQS says of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) url: String,
    pub(crate) arn: String,
    pub(crate) is_fifo: bool,
    pub(crate) visibility_seconds: u64,
    pub(crate) retention_seconds: u64,
    pub(crate) delay_seconds: u64,
    pub(crate) most_bytes: u64,
    pub(crate) redrive: Option<RedrivePolicy>,
    pub(crate) sources: SourcesAllowed,
    /// SSE-SQS.
    pub(crate) has_own_encryption: bool,
    /// SSE-KMS.
    pub(crate) kms_key: Option<String>,
    /// The queue's policy, a JSON text.
    pub(crate) policy: Option<String>,
}

/// Where SQS moves what was received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    pub(crate) target_arn: String,
    pub(crate) max_receive_count: u64,
}

/// `RedriveAllowPolicy`: which queues may have this one as their dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourcesAllowed {
    All,
    None,
    These(Vec<String>),
}

impl Queue {
    /// Reads what `GetQueueAttributes` answers for `All`. What is absent has SQS's defaults.
    pub(crate) fn of(url: String, attributes: &HashMap<QueueAttributeName, String>) -> Self {
        let text = |name: QueueAttributeName| attributes.get(&name).filter(|text| !text.is_empty()).cloned();
        let number = |name, default| text(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        let json = |name| text(name).and_then(|text| serde_json::from_str::<Value>(&text).ok());
        Self {
            url,
            arn: text(QueueAttributeName::QueueArn).unwrap_or_default(),
            is_fifo: text(QueueAttributeName::FifoQueue).as_deref() == Some("true"),
            visibility_seconds: number(QueueAttributeName::VisibilityTimeout, 30),
            retention_seconds: number(QueueAttributeName::MessageRetentionPeriod, 345_600),
            delay_seconds: number(QueueAttributeName::DelaySeconds, 0),
            most_bytes: number(QueueAttributeName::MaximumMessageSize, 1_048_576),
            redrive: json(QueueAttributeName::RedrivePolicy).and_then(|policy| RedrivePolicy::of(&policy)),
            sources: json(QueueAttributeName::RedriveAllowPolicy)
                .map_or(SourcesAllowed::All, |policy| SourcesAllowed::of(&policy)),
            has_own_encryption: text(QueueAttributeName::SqsManagedSseEnabled).as_deref() == Some("true"),
            kms_key: text(QueueAttributeName::KmsMasterKeyId),
            policy: text(QueueAttributeName::Policy),
        }
    }
}

impl RedrivePolicy {
    fn of(policy: &Value) -> Option<Self> {
        let count = &policy["maxReceiveCount"];
        let max_receive_count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
        Some(Self { target_arn: policy["deadLetterTargetArn"].as_str()?.to_owned(), max_receive_count })
    }
}

impl SourcesAllowed {
    fn of(policy: &Value) -> Self {
        match policy["redrivePermission"].as_str() {
            Some("denyAll") => Self::None,
            Some("byQueue") => {
                let sources = policy["sourceQueueArns"].as_array().into_iter().flatten();
                Self::These(sources.filter_map(|arn| arn.as_str().map(str::to_owned)).collect())
            }
            Some(_) | None => Self::All,
        }
    }
}

impl Aws {
    pub(super) async fn queue(&self, url: &str) -> Reading<Queue> {
        let call = Call::new("sqs:GetQueueAttributes", "queue", url);
        let asked = self.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
        let attributes = call.typed(asked.send()).await?.attributes.unwrap_or_default();
        Ok(Queue::of(url.to_owned(), &attributes))
    }
}

/// Account and name, which every URL of a queue ends with.
fn account_and_name(url: &str) -> Option<(&str, &str)> {
    let (rest, name) = url.trim_end_matches('/').rsplit_once('/')?;
    let (_, account) = rest.rsplit_once('/')?;
    (!account.is_empty() && !name.is_empty()).then_some((account, name))
}

/// Whether two URLs name the same queue: it has several hosts.
pub(crate) fn is_same_queue(one: &str, other: &str) -> bool {
    account_and_name(one).is_some_and(|queue| Some(queue) == account_and_name(other))
}

/// Account and name, with a colon between, as an ARN ends.
pub(crate) fn end_of_arn(url: &str) -> Option<String> {
    account_and_name(url).map(|(account, name)| format!("{account}:{name}"))
}

/// The URL of the queue with this ARN, in the Region of the queue with that URL; nothing if it is of another kind.
pub(crate) fn url_beside(url: &str, arn: &str) -> Option<String> {
    let ["arn", _, "sqs", _, account, name] = arn.split(':').collect::<Vec<_>>()[..] else { return None };
    let (own_account, own_name) = account_and_name(url)?;
    let host = url.trim_end_matches('/').strip_suffix(&format!("{own_account}/{own_name}"))?;
    Some(format!("{host}{account}/{name}"))
}

/// The last part.
pub(crate) fn name_of_arn(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}
