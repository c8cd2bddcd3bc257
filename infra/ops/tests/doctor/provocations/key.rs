//! The key.

use serde_json::json;

use super::Remedied::{Command, CommandAnd, Hand};
use super::{AS_MINISTACK, Provocation, provocation};
use crate::proxy::{Answer, Rule};
use crate::world::World;

pub(super) const KEY: [Provocation; 11] = [
    provocation("pool-key", "wrong", "no KMSKeyID", |world| world.seal_with(None), Command),
    provocation(
        "pool-key",
        "wrong",
        "is an alias",
        |world| {
            world.seal_with(Some("arn:aws:kms:eu-west-1:123456789012:alias/codes"));
        },
        Command,
    ),
    provocation(
        "pool-key",
        "wrong",
        "is in us-east-1",
        |world| {
            world.seal_with(Some(&world.output("KeyArn").replace("eu-west-1", "us-east-1")));
        },
        Command,
    ),
    provocation(
        "pool-key",
        "warning",
        "the stack's KeyArn another one",
        |world| {
            world.seal_with(Some(&world.make_key(&json!({}))));
        },
        Hand(World::attach),
    ),
    provocation(
        "key-kind",
        "wrong",
        "RSA_2048",
        |world| {
            let asymmetric = json!({ "KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT" });
            world.seal_with(Some(&world.make_key(&asymmetric)));
        },
        Hand(World::attach),
    ),
    provocation(
        "key-kind",
        "wrong",
        "AWS's own",
        |world| {
            world.answer("DescribeKey", |key| key["KeyMetadata"]["KeyManager"] = json!("AWS"));
        },
        AS_MINISTACK,
    ),
    provocation(
        "key-kind",
        "warning",
        "whose material expires",
        |world| {
            world.answer("DescribeKey", |key| {
                key["KeyMetadata"]["Origin"] = json!("EXTERNAL");
                key["KeyMetadata"]["ValidTo"] = json!(1_900_000_000);
            });
        },
        AS_MINISTACK,
    ),
    provocation(
        "key-state",
        "wrong",
        "the key is Disabled",
        |world| {
            world.cloud.call("kms", "disable_key", &json!({ "KeyId": world.output("KeyArn") }));
        },
        Command,
    ),
    provocation(
        "key-state",
        "wrong",
        "the key is PendingDeletion",
        |world| {
            let schedule = json!({ "KeyId": world.output("KeyArn"), "PendingWindowInDays": 7 });
            world.cloud.call("kms", "schedule_key_deletion", &schedule);
        },
        Command,
    ),
    provocation(
        "cognito-grant",
        "unknown",
        "no grant names Cognito",
        |world| {
            let grants = world.cloud.call("kms", "list_grants", &json!({ "KeyId": world.output("KeyArn") }));
            let revoke = json!({ "KeyId": world.output("KeyArn"), "GrantId": grants["Grants"][0]["GrantId"] });
            world.cloud.call("kms", "revoke_grant", &revoke);
        },
        Hand(World::grant_to_cognito),
    ),
    provocation(
        "worker-decrypts",
        "wrong",
        "may not decrypt",
        |world| {
            world.proxy.set(&[Rule { call: "Decrypt", answer: Answer::Refused("AccessDeniedException") }]);
        },
        CommandAnd(|world| world.proxy.set(&[])),
    ),
];
