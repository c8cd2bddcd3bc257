//! The producer, and how Cognito invokes it.

use serde_json::{Value, json};

use super::Remedied::Command;
use super::{AS_MINISTACK, Provocation, provocation};
use crate::proxy::{Answer, Rule};
use crate::world::World;

pub(super) const PRODUCER: [Provocation; 20] = [
    provocation("invoke-right", "wrong", "may not invoke", |world| world.take_invoke_right(), Command),
    provocation(
        "invoke-right",
        "wrong",
        "other pools",
        |world| {
            world.take_invoke_right();
            world.give_invoke_right(&json!({}));
        },
        Command,
    ),
    provocation(
        "invoke-right",
        "wrong",
        "denies",
        |world| {
            world.answer("GET /policy", |answer| {
                let mut policy: Value = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
                let mut denies = policy["Statement"][0].clone();
                (denies["Sid"], denies["Effect"]) = (json!("no"), json!("Deny"));
                policy["Statement"].as_array_mut().unwrap().push(denies);
                answer["Policy"] = json!(policy.to_string());
            })
        },
        AS_MINISTACK,
    ),
    provocation(
        "producer-state",
        "wrong",
        "is Failed",
        |world| {
            world.answer("GET Producer", |function| function["State"] = json!("Failed"));
        },
        AS_MINISTACK,
    ),
    provocation(
        "producer-state",
        "warning",
        "is Inactive",
        |world| {
            world.answer("GET Producer", |function| function["State"] = json!("Inactive"));
        },
        AS_MINISTACK,
    ),
    provocation(
        "producer-runtime",
        "wrong",
        "provided.al2",
        |world| world.update("Producer", &json!({ "Runtime": "provided.al2" })),
        Command,
    ),
    provocation(
        "producer-timeout",
        "wrong",
        "2 seconds",
        |world| world.update("Producer", &json!({ "Timeout": 2 })),
        Command,
    ),
    provocation(
        "producer-timeout",
        "warning",
        "4 seconds",
        |world| world.update("Producer", &json!({ "Timeout": 4 })),
        Command,
    ),
    provocation(
        "producer-memory",
        "warning",
        "128 MB",
        |world| world.update("Producer", &json!({ "MemorySize": 128 })),
        Command,
    ),
    provocation("producer-concurrency", "wrong", "it never runs", |world| world.reserve("Producer", 0), Command),
    provocation(
        "producer-environment",
        "wrong",
        "QUEUE_URL is not set",
        |world| world.set_variables("Producer", &[("QUEUE_URL", None)]),
        Command,
    ),
    provocation(
        "producer-environment",
        "wrong",
        "and the stack's queue",
        |world| {
            world.set_variables("Producer", &[("QUEUE_URL", Some(world.output("DeadLetterQueueUrl")))]);
        },
        Command,
    ),
    provocation(
        "producer-environment",
        "wrong",
        "METRICS_NAMESPACE",
        |world| {
            world.set_variables("Producer", &[("METRICS_NAMESPACE", Some("AWS/Lambda"))]);
        },
        Command,
    ),
    provocation(
        "producer-pool",
        "wrong",
        "its codes are refused",
        |world| {
            world.set_variables("Producer", &[("USER_POOL_IDS", Some("eu-west-1_Another01"))]);
        },
        Command,
    ),
    provocation(
        "async-retries",
        "warning",
        "2 retries, for at most 21600 s",
        |world| world.invoke_later(2, 21_600, true),
        Command,
    ),
    provocation("async-retries", "warning", "0 retries", |world| world.invoke_later(0, 180, true), Command),
    provocation("async-retries", "warning", "no settings", World::forget_invoke_later, Command),
    provocation("async-destination", "wrong", "are lost", |world| world.invoke_later(2, 180, false), Command),
    provocation(
        "classic-dead-letters",
        "warning",
        "failed events are written there too",
        |world| {
            let target = json!({ "TargetArn": world.queue_arn("FailedInvocationsQueueUrl") });
            world.update("Producer", &json!({ "DeadLetterConfig": target }));
        },
        Command,
    ),
    provocation(
        "producer-state",
        "wrong",
        "there is no function",
        |world| {
            world.proxy.set(&[Rule { call: "GET Producer", answer: Answer::Refused("ResourceNotFoundException") }]);
        },
        AS_MINISTACK,
    ),
];
