//! The way of a code through the deployed stack.

use serde_json::Value;

use crate::rights::Policy;
use crate::world::{ACCOUNT_SID, AUTH_TOKEN, CODE, PHONE, World};

pub(crate) async fn a_code_arrives(world: World) {
    world.accept(&world.sign_up(PHONE).await);
    world.arrives().await;
    // That it was sent is in the table.
    let rows = world.cloud.json(&["dynamodb", "scan", "--table-name", world.output("StateTable")]);
    assert!(rows["Items"].as_array().unwrap().iter().any(|row| row["status"]["S"] == "sent"), "{rows}");
    let logs = world.log("ProducerLogGroup") + &world.log("WorkerLogGroup");
    for event in ["\"event\":\"accepted\"", "\"event\":\"delivered\""] {
        assert!(logs.contains(event), "{logs}");
    }
    for secret in [CODE, "65550100", ACCOUNT_SID, AUTH_TOKEN] {
        assert!(!logs.contains(secret), "{secret} is in the logs");
    }
}

pub(crate) async fn a_failed_invocation_waits(world: World) {
    let event = world.sign_up(PHONE).await;
    let policy = Policy::of(&world, "ProducerRole", "enqueues");
    policy.without("SendsToTheMainQueue");
    world.invoke_later(&event);
    let record = world.message_of("FailedInvocationsQueueUrl").await;
    let record: Value = serde_json::from_str(record.body.as_deref().unwrap()).unwrap();
    assert_eq!(record["requestPayload"], event);
    assert_eq!(record["responsePayload"]["errorType"], "QueueMisconfigured");
    assert_eq!(world.messages("QueueUrl").await, 0);
}
