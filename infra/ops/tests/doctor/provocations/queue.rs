//! The main queue.

use serde_json::json;

use super::Remedied::{Command, Hand};
use super::{Provocation, provocation};

pub(super) const QUEUE: [Provocation; 15] = [
    provocation(
        "queue",
        "wrong",
        "there is no queue",
        |world| {
            let other = world.output("QueueUrl").replace("/sealpost", "/nowhere");
            world.set_variables("Producer", &[("QUEUE_URL", Some(&other))]);
        },
        Hand(|world| world.set_variables("Producer", &[("QUEUE_URL", Some(world.output("QueueUrl")))])),
    ),
    provocation(
        "queue-encryption",
        "wrong",
        "not encrypted",
        |world| world.set_queue("QueueUrl", &json!({ "SqsManagedSseEnabled": "false" })),
        Command,
    ),
    provocation(
        "queue-encryption",
        "warning",
        "SSE-KMS",
        |world| world.set_queue("QueueUrl", &json!({ "KmsMasterKeyId": "alias/aws/sqs" })),
        Command,
    ),
    provocation(
        "queue-senders",
        "warning",
        "no policy forbids sending",
        |world| world.set_queue("QueueUrl", &json!({ "Policy": "" })),
        Command,
    ),
    provocation(
        "queue-senders",
        "wrong",
        "lets others send",
        |world| {
            let open = json!({ "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "sqs:*" }] });
            world.set_queue("QueueUrl", &json!({ "Policy": open.to_string() }));
        },
        Command,
    ),
    provocation(
        "queue-senders",
        "wrong",
        "own role",
        |world| {
            let condition = json!({ "ArnNotEquals": { "aws:PrincipalArn": "arn:aws:iam::123456789012:role/another" } });
            let locked =
                json!({ "Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Condition": condition });
            world.set_queue("QueueUrl", &json!({ "Policy": json!({ "Statement": locked }).to_string() }));
        },
        Command,
    ),
    provocation(
        "queue-visibility",
        "wrong",
        "10 seconds, the worker's timeout 20",
        |world| world.set_queue("QueueUrl", &json!({ "VisibilityTimeout": "10" })),
        Command,
    ),
    provocation(
        "queue-visibility",
        "warning",
        "22 seconds",
        |world| world.set_queue("QueueUrl", &json!({ "VisibilityTimeout": "22" })),
        Command,
    ),
    provocation(
        "queue-visibility",
        "warning",
        "3600 seconds",
        |world| world.set_queue("QueueUrl", &json!({ "VisibilityTimeout": "3600" })),
        Command,
    ),
    provocation(
        "queue-delay",
        "wrong",
        "delayed by 5 seconds",
        |world| world.set_queue("QueueUrl", &json!({ "DelaySeconds": "5" })),
        Command,
    ),
    provocation(
        "queue-message-size",
        "wrong",
        "at most 1 KiB",
        |world| world.set_queue("QueueUrl", &json!({ "MaximumMessageSize": "1024" })),
        Command,
    ),
    provocation(
        "queue-message-size",
        "warning",
        "at most 256 KiB",
        |world| world.set_queue("QueueUrl", &json!({ "MaximumMessageSize": "262144" })),
        Command,
    ),
    provocation(
        "queue-redrive",
        "wrong",
        "no redrive policy",
        |world| world.set_queue("QueueUrl", &json!({ "RedrivePolicy": "" })),
        Command,
    ),
    provocation(
        "queue-redrive",
        "wrong",
        "and the worker writes to",
        |world| {
            world.redrive_to("FailedInvocationsQueueUrl", 746);
        },
        Command,
    ),
    provocation(
        "queue-receives",
        "wrong",
        "maxReceiveCount 5",
        |world| world.redrive_to("DeadLetterQueueUrl", 5),
        Command,
    ),
];
