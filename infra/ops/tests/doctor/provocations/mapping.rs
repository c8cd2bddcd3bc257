//! The event source mapping.

use serde_json::json;

use super::Remedied::{Command, Hand};
use super::{AS_MINISTACK, Provocation, provocation};
use crate::world::World;

pub(super) const MAPPING: [Provocation; 10] = [
    provocation("mapping", "wrong", "Disabled", |world| world.update_mapping(&json!({ "Enabled": false })), Command),
    provocation("mapping", "wrong", "2 mappings have the queue", World::map_twice, Hand(World::map_once)),
    provocation(
        "mapping",
        "wrong",
        "nothing receives from it",
        |world| {
            world.answer("GET event-source-mappings", |answer| answer["EventSourceMappings"] = json!([]));
        },
        AS_MINISTACK,
    ),
    provocation(
        "mapping-batch-failures",
        "wrong",
        "is not set",
        |world| world.update_mapping(&json!({ "FunctionResponseTypes": [] })),
        Command,
    ),
    provocation(
        "mapping-window",
        "wrong",
        "wait for 20 seconds",
        |world| world.update_mapping(&json!({ "MaximumBatchingWindowInSeconds": 20 })),
        Command,
    ),
    provocation(
        "mapping-filter",
        "wrong",
        "there are FilterCriteria",
        |world| {
            let filters = json!({ "Filters": [{ "Pattern": "{\"body\":{\"type\":[\"x\"]}}" }] });
            world.update_mapping(&json!({ "FilterCriteria": filters }));
        },
        Command,
    ),
    provocation(
        "mapping-concurrency",
        "warning",
        "no MaximumConcurrency",
        |world| world.update_mapping(&json!({ "ScalingConfig": {} })),
        Command,
    ),
    provocation("mapping-concurrency", "wrong", "reserved concurrency 5", |world| world.reserve("Worker", 5), Command),
    provocation("mapping-concurrency", "wrong", "reserved concurrency 0", |world| world.reserve("Worker", 0), Command),
    provocation(
        "mapping-result",
        "wrong",
        "PROBLEM",
        |world| {
            world.answer("GET event-source-mappings", |answer| {
                answer["EventSourceMappings"][0]["LastProcessingResult"] = json!("PROBLEM: Function call failed");
            });
        },
        AS_MINISTACK,
    ),
];
