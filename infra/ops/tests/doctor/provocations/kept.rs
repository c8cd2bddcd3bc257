//! The state table, dead letters and failed invocations.

use serde_json::json;

use super::Remedied::{Command, Hand};
use super::{Provocation, provocation};
use crate::world::World;

pub(super) const KEPT: [Provocation; 14] = [
    provocation(
        "state-table",
        "warning",
        "STATE_TABLE is not set",
        |world| world.set_variables("Worker", &[("STATE_TABLE", None)]),
        Command,
    ),
    provocation(
        "state-table",
        "wrong",
        "there is no table",
        |world| world.set_variables("Worker", &[("STATE_TABLE", Some("nowhere"))]),
        Hand(World::right_table),
    ),
    provocation(
        "state-table",
        "wrong",
        "its key is id (HASH, S)",
        |world| {
            world.make_table("of-others");
            world.set_variables("Worker", &[("STATE_TABLE", Some("of-others"))]);
        },
        Hand(World::right_table),
    ),
    provocation("state-table-ttl", "wrong", "no TTL", |world| world.time_to_live(false, "expires_at"), Command),
    provocation(
        "state-table-ttl",
        "wrong",
        "TTL by gone_at",
        |world| {
            world.time_to_live(false, "expires_at");
            world.time_to_live(true, "gone_at");
        },
        Hand(|world| {
            world.time_to_live(false, "gone_at");
            world.time_to_live(true, "expires_at");
        }),
    ),
    provocation(
        "dead-letter-queue",
        "wrong",
        "RedriveAllowPolicy",
        |world| {
            let nobody = json!({ "redrivePermission": "denyAll" }).to_string();
            world.set_queue("DeadLetterQueueUrl", &json!({ "RedriveAllowPolicy": nobody }));
        },
        Command,
    ),
    provocation(
        "dead-letter-queue",
        "wrong",
        "for 1 day",
        |world| world.set_queue("DeadLetterQueueUrl", &json!({ "MessageRetentionPeriod": "86400" })),
        Command,
    ),
    provocation(
        "dead-letter-queue",
        "warning",
        "for 10 days",
        |world| world.set_queue("DeadLetterQueueUrl", &json!({ "MessageRetentionPeriod": "864000" })),
        Command,
    ),
    provocation(
        "dead-letter-queue",
        "wrong",
        "a redrive policy itself",
        |world| {
            let policy =
                json!({ "deadLetterTargetArn": world.queue_arn("FailedInvocationsQueueUrl"), "maxReceiveCount": 5 });
            world.set_queue("DeadLetterQueueUrl", &json!({ "RedrivePolicy": policy.to_string() }));
        },
        Command,
    ),
    provocation(
        "dead-letter-queue",
        "wrong",
        "not encrypted",
        |world| world.set_queue("DeadLetterQueueUrl", &json!({ "SqsManagedSseEnabled": "false" })),
        Command,
    ),
    provocation(
        "dead-letter-senders",
        "warning",
        "no policy forbids sending",
        |world| world.set_queue("DeadLetterQueueUrl", &json!({ "Policy": "" })),
        Command,
    ),
    provocation(
        "failed-invocations",
        "warning",
        "for 4 days",
        |world| world.set_queue("FailedInvocationsQueueUrl", &json!({ "MessageRetentionPeriod": "345600" })),
        Command,
    ),
    provocation(
        "failed-invocations",
        "wrong",
        "there is no queue",
        |world| world.fail_to("nowhere"),
        Hand(|world| world.invoke_later(2, 180, true)),
    ),
    provocation(
        "failed-invocation-senders",
        "warning",
        "no policy forbids sending",
        |world| world.set_queue("FailedInvocationsQueueUrl", &json!({ "Policy": "" })),
        Command,
    ),
];
