//! That the Cognito of these tests is as strict as it is meant to be: what it would not notice nobody would.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::cognito::{Messages, Request};
use crate::generator;
use crate::world::World;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// So whatever an attachment leaves out of its update is missed.
    #[test]
    fn an_update_that_says_nothing_leaves_nothing_of_any_pool(pool in generator::pool()) {
        let world = World::new();
        let bare = world.create_with(json!({}));
        let id = world.create(&pool);
        world.api.pools("UpdateUserPool", &json!({ "UserPoolId": id })).expect("no member is required");
        let (left, bare) = (world.snapshot(&id), world.snapshot(&bare));
        let of_pool = ["Id", "Arn", "Name", "SchemaAttributes", "AliasAttributes", "UsernameAttributes",
            "UsernameConfiguration", "DcrConfiguration", "second factors"];
        let mut differences = left.differences(&bare);
        differences.retain(|path| !of_pool.iter().any(|kept| path.starts_with(kept)));
        prop_assert!(differences.is_empty(), "{:?}", differences);
    }
}

#[test]
fn every_setting_of_a_pool_is_generated() {
    let (mut runner, pools) = (TestRunner::deterministic(), generator::pool());
    let pools = (0..200).map(|_| pools.new_tree(&mut runner).expect("nothing is filtered").current());
    let names = |value: &Value| -> Vec<String> { value.as_object().expect("an object").keys().cloned().collect() };
    let generated: BTreeSet<_> = pools.flat_map(|pool| names(&pool.creation)).collect();
    let model = names(&Request::CreateUserPool.model());
    assert_eq!(generated, model.into_iter().collect());
}

#[test]
fn requests_that_any_source_says_are_refused_are_refused() {
    let function = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    let other = "arn:aws:lambda:eu-west-1:123456789012:function:g";
    let email =
        json!({ "EmailSendingAccount": "DEVELOPER", "SourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/a" });
    let both = json!({ "EmailMessage": "{####}", "EmailMessageByLink": "{##here##}" });
    let measured = [
        ("there is no member SchemaAttributes", json!({ "SchemaAttributes": [] })),
        ("there is no member LambdaConfig.PostMortem", json!({ "LambdaConfig": { "PostMortem": function } })),
        ("'SmsVerificationMessage'", json!({ "SmsVerificationMessage": "" })),
        ("'EmailVerificationSubject'", json!({ "EmailVerificationSubject": "" })),
        (
            "'AccountRecoverySetting.RecoveryMechanisms'",
            json!({ "AccountRecoverySetting": { "RecoveryMechanisms": [] } }),
        ),
        ("'UserPoolAddOns.AdvancedSecurityMode'", json!({ "UserPoolAddOns": {} })),
        ("SnsCallerArn or EumsSms", json!({ "SmsConfiguration": {} })),
        ("aws: prefixed tag", json!({ "UserPoolTags": { "aws:cloudformation:stack-name": "x" } })),
        (
            "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays",
            json!({ "AdminCreateUserConfig": { "UnusedAccountValidityDays": 7 } }),
        ),
        (
            "name different functions",
            json!({ "LambdaConfig": { "PreTokenGeneration": function,
                "PreTokenGenerationConfig": { "LambdaVersion": "V2_0", "LambdaArn": other } } }),
        ),
        (
            "KMSKeyID is required",
            json!({ "LambdaConfig": { "CustomSMSSender": { "LambdaVersion": "V1_0", "LambdaArn": function } } }),
        ),
        ("'LambdaConfig.KMSKeyID'", json!({ "LambdaConfig": { "KMSKeyID": "2b9c4d5e-6f70-4181-92a3-b4c5d6e7f809" } })),
        (
            "SmsVerificationMessage differs from",
            json!({ "SmsVerificationMessage": "1 {####}", "VerificationMessageTemplate": { "SmsMessage": "2 {####}" } }),
        ),
        ("can't turn on MFA", json!({ "MfaConfiguration": "OPTIONAL" })),
        ("a default", json!({ "AcrConfiguration": { "Level1": { "AcrValue": "urn:cognito:loa:1" } } })),
        ("ACR Levels", json!({ "UserPoolTier": "LITE", "AcrConfiguration": {} })),
        ("Threat Protection", json!({ "UserPoolAddOns": { "AdvancedSecurityMode": "AUDIT" } })),
    ];
    for (message, request) in measured {
        refuses(Messages::AsMeasured, &request, message);
    }
    let documented = [
        (
            "Both EmailMessage and EmailMessageByLink",
            json!({ "EmailConfiguration": email, "VerificationMessageTemplate": both }),
        ),
        ("Cannot use custom email messages", json!({ "EmailVerificationSubject": "a code" })),
    ];
    for (message, request) in documented {
        refuses(Messages::AsDocumented, &request, message);
        let world = World::new();
        let id = world.create_with(json!({}));
        let request = with_id(&request, &id);
        world.api.pools("UpdateUserPool", &request).expect("AWS has taken such");
    }
}

fn refuses(messages: Messages, request: &Value, message: &str) {
    let world = World::with(messages);
    let id = world.create_with(json!({}));
    let before = world.snapshot(&id);
    let (status, refusal) = world.api.pools("UpdateUserPool", &with_id(request, &id)).expect_err(message);
    assert!(status == 400 && refusal.contains(message), "{message}: {refusal}");
    assert_eq!(before.differences(&world.snapshot(&id)), [""; 0]);
}

fn with_id(request: &Value, id: &str) -> Value {
    let mut request = request.clone();
    request["UserPoolId"] = json!(id);
    request
}

#[test]
fn client_registration_is_kept_when_it_is_left_out_and_turned_on_by_what_was_described() {
    let world = World::new();
    let id = world.create_with(json!({ "DcrConfiguration": { "EnableStatus": "Disabled", "OpenDcrEnabled": true } }));
    let before = world.snapshot(&id);
    assert_eq!(before.get("DcrConfiguration"), json!({ "OpenDcrEnabled": true }));
    world.api.pools("UpdateUserPool", &json!({ "UserPoolId": id })).expect("taken");
    assert_eq!(world.snapshot(&id).get("DcrConfiguration"), before.get("DcrConfiguration"));
    let sent_back = json!({ "UserPoolId": id, "DcrConfiguration": before.get("DcrConfiguration") });
    world.api.pools("UpdateUserPool", &sent_back).expect("taken");
    assert_eq!(world.snapshot(&id).get("DcrConfiguration.EnableStatus"), "Enabled");
}
