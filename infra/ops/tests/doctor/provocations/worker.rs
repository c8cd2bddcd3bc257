//! The worker.

use serde_json::json;

use super::Remedied::{Command, CommandAnd};
use super::{AS_MINISTACK, Provocation, provocation};

pub(super) const WORKER: [Provocation; 14] = [
    provocation(
        "worker-state",
        "wrong",
        "its last update Failed",
        |world| {
            world.answer("GET Worker", |function| function["LastUpdateStatus"] = json!("Failed"));
        },
        AS_MINISTACK,
    ),
    provocation(
        "worker-runtime",
        "wrong",
        "provided.al2",
        |world| world.update("Worker", &json!({ "Runtime": "provided.al2" })),
        Command,
    ),
    provocation(
        "worker-timeout",
        "wrong",
        "3 seconds",
        |world| world.update("Worker", &json!({ "Timeout": 3 })),
        Command,
    ),
    provocation(
        "worker-timeout",
        "warning",
        "15 seconds",
        |world| world.update("Worker", &json!({ "Timeout": 15 })),
        Command,
    ),
    provocation(
        "worker-memory",
        "warning",
        "256 MB",
        |world| world.update("Worker", &json!({ "MemorySize": 256 })),
        Command,
    ),
    provocation(
        "worker-environment",
        "wrong",
        "DEAD_LETTER_QUEUE_URL is not set",
        |world| {
            world.set_variables("Worker", &[("DEAD_LETTER_QUEUE_URL", None)]);
        },
        Command,
    ),
    provocation(
        "worker-environment",
        "wrong",
        "STATE_TABLE is not a table",
        |world| {
            world.set_variables("Worker", &[("STATE_TABLE", Some("https://dynamodb.example.com"))]);
        },
        Command,
    ),
    provocation(
        "worker-queue",
        "wrong",
        "QUEUE_URL is",
        |world| {
            world.set_variables("Worker", &[("QUEUE_URL", Some(world.output("DeadLetterQueueUrl")))]);
        },
        Command,
    ),
    provocation(
        "worker-keys",
        "wrong",
        "does not hold the pool's key",
        |world| {
            let other = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000";
            world.set_variables("Worker", &[("KMS_KEY_ARNS", Some(other))]);
        },
        Command,
    ),
    provocation(
        "worker-keys",
        "wrong",
        "is an alias",
        |world| {
            world.set_variables("Worker", &[("KMS_KEY_ARNS", Some("alias/codes"))]);
        },
        Command,
    ),
    provocation(
        "worker-pool",
        "wrong",
        "its codes are refused",
        |world| {
            world.set_variables("Worker", &[("USER_POOL_IDS", Some("eu-west-1_Another01"))]);
        },
        Command,
    ),
    provocation(
        "trusted-senders",
        "warning",
        "is not set",
        |world| world.set_variables("Worker", &[("TRUSTED_SENDER_IDS", None)]),
        Command,
    ),
    provocation(
        "trusted-senders",
        "wrong",
        "the producer's role: nothing is sent",
        |world| {
            world.set_variables("Worker", &[("TRUSTED_SENDER_IDS", Some("AROAANOTHER"))]);
        },
        Command,
    ),
    provocation(
        "queue-senders",
        "wrong",
        "no policy forbids sending",
        |world| {
            world.set_variables("Worker", &[("TRUSTED_SENDER_IDS", None)]);
            world.set_queue("QueueUrl", &json!({ "Policy": "" }));
        },
        CommandAnd(|world| {
            world.paste(world.doctor().finding("trusted-senders")["command"].as_str().unwrap());
        }),
    ),
];
