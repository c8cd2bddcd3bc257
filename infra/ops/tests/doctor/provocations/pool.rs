//! The user pool.

use serde_json::{Value, json};

use super::Remedied::{Command, Hand};
use super::{AS_MINISTACK, Provocation, provocation};
use crate::world::World;

pub(super) const POOL: [Provocation; 16] = [
    provocation(
        "trigger",
        "wrong",
        "CustomSMSSender is not set",
        |world| {
            world.update_pool(&json!({ "LambdaConfig": { "KMSKeyID": world.output("KeyArn") } }));
        },
        Command,
    ),
    provocation(
        "trigger",
        "wrong",
        "which is no function",
        |world| world.trigger(world.output("KeyArn"), "V1_0"),
        Command,
    ),
    provocation(
        "trigger",
        "wrong",
        "names version 1 of",
        |world| {
            world.cloud.call("lambda", "publish_version", &json!({ "FunctionName": world.resource("Producer") }));
            world.trigger(&format!("{}:1", world.output("ProducerArn")), "V1_0");
        },
        Command,
    ),
    provocation(
        "trigger",
        "wrong",
        "LambdaVersion V2_0",
        |world| world.trigger(world.output("ProducerArn"), "V2_0"),
        Command,
    ),
    provocation(
        "trigger",
        "wrong",
        "not the stack's producer",
        |world| {
            world.trigger(&world.output("ProducerArn").replace("Producer", "Another"), "V1_0");
        },
        Command,
    ),
    provocation(
        "other-triggers",
        "wrong",
        "the producer is also CustomMessage",
        |world| {
            let (producer, key) = (world.output("ProducerArn"), world.output("KeyArn"));
            let sender = json!({ "LambdaArn": producer, "LambdaVersion": "V1_0" });
            let triggers = json!({ "CustomSMSSender": sender, "KMSKeyID": key, "CustomMessage": producer });
            world.update_pool(&json!({ "LambdaConfig": triggers }));
        },
        Hand(World::attach),
    ),
    provocation(
        "sms-settings",
        "wrong",
        "no SmsConfiguration",
        |world| {
            world.update_pool(&json!({ "SmsConfiguration": {} }));
        },
        Hand(|world| {
            world.update_pool(&json!({ "SmsConfiguration": { "SnsCallerArn": "arn:aws:iam::123456789012:role/sms" } }))
        }),
    ),
    provocation(
        "sms-settings",
        "warning",
        "SNSSandbox",
        |world| {
            world.answer("DescribeUserPool", |pool| pool["UserPool"]["SmsConfigurationFailure"] = json!("SNSSandbox"));
        },
        AS_MINISTACK,
    ),
    provocation(
        "phone-in-use",
        "warning",
        "for invitations only",
        |world| {
            world.update_pool(&json!({ "AutoVerifiedAttributes": ["email"] }));
        },
        Hand(|world| world.update_pool(&json!({ "AutoVerifiedAttributes": ["phone_number"] }))),
    ),
    provocation(
        "account-recovery",
        "warning",
        "a forgotten password never sends an SMS",
        |world| {
            world.recover_by(&["verified_email"]);
        },
        Hand(|world| world.recover_by(&[])),
    ),
    provocation(
        "account-recovery",
        "warning",
        "get an e-mail, or nothing",
        |world| {
            world.recover_by(&["verified_phone_number", "verified_email"]);
            world.answer("GetUserPoolMfaConfig", has_sms_mfa);
            world.update_pool(&json!({ "MfaConfiguration": "OPTIONAL" }));
        },
        Hand(|world| {
            world.recover_by(&[]);
            world.proxy.set(&[]);
            world.update_pool(&json!({ "MfaConfiguration": "OFF" }));
        }),
    ),
    provocation(
        "sign-in-lifetime",
        "warning",
        "gives codes up before",
        |world| world.session_minutes(10),
        Hand(|world| {
            world.configure(|text| {
                text.push_str(&format!("\n[lifetime.client.{}]\nauthentication = \"10m\"\n", world.client))
            });
        }),
    ),
    provocation(
        "sign-in-lifetime",
        "wrong",
        "cannot be used any more",
        |world| world.session_minutes(3),
        Hand(|world| {
            world.configure(|text| {
                text.push_str(&format!("\n[lifetime.client.{}]\nauthentication = \"3m\"\n", world.client))
            });
        }),
    ),
    provocation(
        "password-lifetime",
        "wrong",
        "TemporaryPasswordValidityDays is 1",
        |world| {
            world.update_pool(&json!({ "Policies": { "PasswordPolicy": { "TemporaryPasswordValidityDays": 1 } } }));
        },
        Hand(|world| world.configure(|text| text.push_str("\n[lifetime]\nadmin_create_user = \"1d\"\n"))),
    ),
    provocation(
        "password-lifetime",
        "warning",
        "TemporaryPasswordValidityDays is 9",
        |world| {
            world.configure(|_| {});
            world.update_pool(&json!({ "Policies": { "PasswordPolicy": { "TemporaryPasswordValidityDays": 9 } } }));
        },
        Hand(|world| world.configure(|text| text.push_str("\n[lifetime]\nadmin_create_user = \"9d\"\n"))),
    ),
    provocation(
        "trigger",
        "wrong",
        "has no LambdaVersion",
        |world| {
            let triggers = json!({ "CustomSMSSender": { "LambdaArn": world.output("ProducerArn") }, "KMSKeyID": world.output("KeyArn") });
            world.update_pool(&json!({ "LambdaConfig": triggers }));
        },
        Command,
    ),
];

fn has_sms_mfa(config: &mut Value) {
    *config = json!({ "MfaConfiguration": "OPTIONAL", "SmsMfaConfiguration": { "SmsConfiguration": {} } });
}
