//! What is there already is used, and not made again.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use crate::world::World;

/// The parameter that gives what another stack has made, with the output that names it.
const GIVEN: [(&str, &str); 3] =
    [("KeyArn", "KeyArn"), ("StateTableName", "StateTable"), ("ProviderSecretArn", "ProviderSecretArn")];
/// What a second stack must not make.
const MADE_ALREADY: [&str; 7] =
    ["Key", "Queue", "QueuePolicy", "DeadLetterQueue", "DeadLetterQueuePolicy", "StateTable", "ProviderSecret"];

pub(crate) async fn a_second_stack_takes_what_the_first_has_made(world: World) {
    let queue = async |output: &str| world.attributes(output).await[&QueueAttributeName::QueueArn].clone();
    let mut parameters: Vec<_> =
        GIVEN.iter().map(|(name, output)| format!("{name}={}", world.output(output))).collect();
    parameters.push(format!("QueueArn={}", queue("QueueUrl").await));
    parameters.push(format!("DeadLetterQueueArn={}", queue("DeadLetterQueueUrl").await));
    let second = world.deploy_another("second", &parameters);
    let [first, other] = [&world.stack, &second].map(|stack| stack.environment(&world.cloud, "Worker"));
    for name in ["KMS_KEY_ARNS", "STATE_TABLE", "PROVIDER_SECRET_ARN"] {
        assert_eq!(first[name], other[name], "{name}");
    }
    // Made of the ARN, so it is as AWS has it.
    let name = |url: &Value| url.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    for variable in ["QUEUE_URL", "DEAD_LETTER_QUEUE_URL"] {
        let url = other[variable].as_str().unwrap();
        assert!(url.starts_with(&format!("https://sqs.eu-west-1.amazonaws.com/{}/", world.cloud.account)), "{url}");
        assert_eq!(name(&first[variable]), name(&other[variable]));
    }
    let made = second.resources(&world.cloud);
    assert!(made.contains_key("FailedInvocations"), "{made:?}");
    assert!(MADE_ALREADY.iter().all(|name| !made.contains_key(*name)), "{made:?}");

    second.delete(&world.cloud);
    assert_eq!(world.messages("QueueUrl").await, 0, "the first stack's queue is still there");
    world.cloud.aws(&["dynamodb", "describe-table", "--table-name", world.output("StateTable")]);
}
