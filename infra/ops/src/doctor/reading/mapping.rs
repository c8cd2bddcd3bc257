use serde_json::Value;

use super::ask::Call;
use super::function::encoded;
use super::gather::Aws;
use super::unread::Reading;
use crate::function_arn::QualifiedArn;
use crate::untyped::Service;

/// An event source mapping: how Lambda takes messages from the queue to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) uuid: String,
    pub(crate) function: Option<QualifiedArn>,
    pub(crate) state: String,
    pub(crate) reports_batch_item_failures: bool,
    pub(crate) window_seconds: u64,
    pub(crate) filters: bool,
    pub(crate) maximum_concurrency: Option<u64>,
    pub(crate) is_provisioned: bool,
    pub(crate) last_result: Option<String>,
}

impl Mapping {
    /// Reads one of what `ListEventSourceMappings` answers.
    pub(crate) fn of(mapping: &Value) -> Self {
        let text = |name: &str| mapping[name].as_str().map(str::to_owned);
        let has_members = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
        let types = mapping["FunctionResponseTypes"].as_array().into_iter().flatten();
        Self {
            uuid: text("UUID").unwrap_or_default(),
            function: text("FunctionArn").and_then(|arn| QualifiedArn::parse(&arn)),
            state: text("State").unwrap_or_default(),
            reports_batch_item_failures: types.into_iter().any(|kind| kind == "ReportBatchItemFailures"),
            window_seconds: mapping["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or_default(),
            // Encrypted criteria are not shown, but their key is.
            filters: has_members(&mapping["FilterCriteria"]["Filters"]) || mapping["KMSKeyArn"].is_string(),
            maximum_concurrency: mapping["ScalingConfig"]["MaximumConcurrency"].as_u64(),
            is_provisioned: mapping["ProvisionedPollerConfig"].is_object(),
            last_result: text("LastProcessingResult").filter(|result| !result.is_empty()),
        }
    }
}

impl Aws {
    pub(super) async fn mappings(&self, queue_arn: &str) -> Reading<Vec<Mapping>> {
        let path = format!("/2015-03-31/event-source-mappings?EventSourceArn={}", encoded(queue_arn));
        let call = Call::new("lambda:ListEventSourceMappings", "queue", queue_arn);
        let lambda = self.untyped();
        let listed = call.untyped(lambda.rest(Service::Lambda, "ListEventSourceMappings", "GET", &path, None)).await?;
        let mappings = listed["EventSourceMappings"].as_array().into_iter().flatten();
        Ok(mappings.map(Mapping::of).filter(|mapping| mapping.state != "Deleting").collect())
    }
}
