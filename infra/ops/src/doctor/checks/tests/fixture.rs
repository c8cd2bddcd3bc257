//! A sound deployment, as AWS describes it.

use crate::function_arn::QualifiedArn;
use std::collections::HashMap;
use std::path::PathBuf;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use shared::UserPoolId;
use worker::SecretMembers;

use super::super::super::reading::{
    AppClient, AppClients, AsyncInvocation, Configuration, Function, Grant, Key, Mapping, Pool, Queue, Reached,
    Readings, Secret, Stack, Table, TimeToLive, Unread, WorkersRight,
};

pub(super) const POOL: &str = "eu-west-1_Example01";
pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/8a23102c-9b68-4fed-82ce-523c5363539e";
pub(super) const PRODUCER: &str = "arn:aws:lambda:eu-west-1:123456789012:function:sealpost-Producer";
const WORKER: &str = "arn:aws:lambda:eu-west-1:123456789012:function:sealpost-Worker";
pub(super) const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/sealpost";
const TOKEN: &str = "hush-token-of-the-provider";

pub(super) fn sound() -> Readings {
    let mut readings = Readings {
        stack: Some(Ok(stack())),
        pool: Ok(Pool::of(UserPoolId::parse(POOL).expect("a pool"), &pool())),
        sms_mfa: Ok(false),
        clients: Ok(AppClients { looked_at: vec![AppClient::of("web".to_owned(), &json!({}))], is_cut: false }),
        key: Ok(key()),
        grants: Ok(vec![grant()]),
        workers_right: Ok(WorkersRight::Allowed),
        producer: Ok(function(PRODUCER, "ProducerRole", 5, 256, &producers_variables())),
        policy: Ok(Some(policy().to_string())),
        async_invocation: Ok(Some(AsyncInvocation::of(&asynchronous()))),
        producer_concurrency: Ok(None),
        failed_invocations: Ok(queue("sealpost-failed-invocations", "ProducerRole", &json!({}))),
        queue: Ok(queue("sealpost", "ProducerRole", &json!({ "VisibilityTimeout": "30", "RedrivePolicy": redrive() }))),
        mappings: Ok(vec![Mapping::of(&mapping())]),
        worker: Ok(function(WORKER, "WorkerRole", 20, 512, &workers_variables())),
        worker_concurrency: Ok(None),
        table: Ok(Some(Table {
            name: "sealpost-state".to_owned(),
            status: "ACTIVE".to_owned(),
            key: vec![("pk".to_owned(), "HASH".to_owned(), "S".to_owned())],
        })),
        time_to_live: Ok(Some(TimeToLive { status: "ENABLED".to_owned(), attribute: Some("expires_at".to_owned()) })),
        secret: Ok(Some(Secret { members: SecretMembers::parse(&secret().to_string(), "v1") })),
        dead_letters: Ok(queue("sealpost-dead-letters", "WorkerRole", &json!({ "RedriveAllowPolicy": sources() }))),
        configuration: Some(configuration("")),
        providers: Ok(vec![Reached { name: "twilio-main".to_owned(), base_url: String::new(), failure: None }]),
        stack_name: Some("sealpost".to_owned()),
        pool_id: UserPoolId::parse(POOL).ok(),
        ..Readings::unread(&Unread::NotThere { what: "fixture", name: String::new() })
    };
    look_as_worker(&mut readings);
    readings
}

pub(super) fn look_as_worker(readings: &mut Readings) {
    let configuration = readings.configuration.as_mut().expect("there is one");
    configuration.look_as_worker(&readings.worker, &readings.secret);
}

/// Our sample, with more text.
pub(super) fn configuration(more: &str) -> Configuration {
    let sample = include_str!("../../../../../aws/sealpost.toml");
    Configuration::of(PathBuf::from("sealpost.toml"), format!("{sample}{more}"))
}

fn stack() -> Stack {
    let map = |members: &[(&str, &str)]| members.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Stack {
        status: "UPDATE_COMPLETE".to_owned(),
        outputs: map(&[
            ("ProducerArn", PRODUCER),
            ("KeyArn", KEY),
            ("QueueUrl", URL),
            ("DeadLetterQueueUrl", &format!("{URL}-dead-letters")),
            ("FailedInvocationsQueueUrl", &format!("{URL}-failed-invocations")),
            ("TrustedSenderIds", "AROAPRODUCER,AROAWORKER,AROAREDRIVE"),
            ("RedriveRoleArn", &role("RedriveRole")),
            ("StateTable", "sealpost-state"),
        ]),
        parameters: map(&[("UserPoolId", POOL)]),
    }
}

/// What `DescribeUserPool` answers.
pub(super) fn pool() -> Value {
    json!({
        "Id": POOL,
        "Arn": format!("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{POOL}"),
        "Policies": { "PasswordPolicy": { "MinimumLength": 8, "TemporaryPasswordValidityDays": 7 } },
        "AdminCreateUserConfig": { "AllowAdminCreateUserOnly": false, "UnusedAccountValidityDays": 7 },
        "LambdaConfig": { "CustomSMSSender": { "LambdaVersion": "V1_0", "LambdaArn": PRODUCER }, "KMSKeyID": KEY },
        "AutoVerifiedAttributes": ["phone_number"],
        "MfaConfiguration": "OFF",
        "SmsConfiguration": { "SnsCallerArn": role("sms"), "ExternalId": "x" },
    })
}

pub(super) fn key() -> Key {
    Key {
        arn: KEY.to_owned(),
        state: "Enabled".to_owned(),
        spec: "SYMMETRIC_DEFAULT".to_owned(),
        usage: "ENCRYPT_DECRYPT".to_owned(),
        is_customer_managed: true,
        origin: "AWS_KMS".to_owned(),
        expires: false,
    }
}

pub(super) fn grant() -> Grant {
    Grant {
        grantees: vec!["cognito-idp.eu-west-1.amazonaws.com".to_owned()],
        encrypts: true,
        pools: vec![POOL.to_owned()],
    }
}

/// What `GetFunctionConfiguration` answers.
pub(super) fn function(arn: &str, role_name: &str, timeout: u64, memory: u64, variables: &Value) -> Function {
    let configuration = json!({
        "FunctionArn": arn,
        "Runtime": "provided.al2023",
        "Role": role(role_name),
        "Timeout": timeout,
        "MemorySize": memory,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "Environment": { "Variables": variables },
    });
    Function::of(QualifiedArn::parse(arn).expect("an ARN"), &configuration).expect("its environment is read")
}

pub(super) fn producers_variables() -> Value {
    json!({ "QUEUE_URL": URL, "USER_POOL_IDS": POOL, "METRICS_NAMESPACE": "Sealpost" })
}

pub(super) fn workers_variables() -> Value {
    json!({
        "QUEUE_URL": URL,
        "DEAD_LETTER_QUEUE_URL": format!("{URL}-dead-letters"),
        "USER_POOL_IDS": POOL,
        "KMS_KEY_ARNS": format!("{KEY},"),
        "STATE_TABLE": "sealpost-state",
        "PROVIDER_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:sealpost-AbCdEf",
        "TRUSTED_SENDER_IDS": "AROAPRODUCER,AROAREDRIVE",
    })
}

pub(super) fn worker(variables: &Value) -> Function {
    function(WORKER, "WorkerRole", 20, 512, variables)
}

pub(super) fn policy() -> Value {
    json!({ "Version": "2012-10-17", "Id": "default", "Statement": [{
        "Sid": "cognito",
        "Effect": "Allow",
        "Principal": { "Service": "cognito-idp.amazonaws.com" },
        "Action": "lambda:InvokeFunction",
        "Resource": PRODUCER,
        "Condition": {
            "StringEquals": { "AWS:SourceAccount": "123456789012" },
            "ArnLike": { "AWS:SourceArn": pool()["Arn"] },
        },
    }] })
}

fn asynchronous() -> Value {
    json!({
        "FunctionArn": format!("{PRODUCER}:$LATEST"),
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 180,
        "DestinationConfig": { "OnSuccess": {}, "OnFailure": { "Destination": arn("sealpost-failed-invocations") } },
    })
}

pub(super) fn mapping() -> Value {
    json!({
        "UUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2",
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "EventSourceArn": arn("sealpost"),
        "FunctionArn": WORKER,
        "State": "Enabled",
        "StateTransitionReason": "USER_INITIATED",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": { "MaximumConcurrency": 10 },
    })
}

/// What `GetQueueAttributes` answers for `All`, with some attributes otherwise.
pub(super) fn queue(name: &str, owner: &str, changes: &Value) -> Queue {
    let mut attributes = json!({
        "QueueArn": arn(name),
        "VisibilityTimeout": "30",
        "MessageRetentionPeriod": if name == "sealpost" { "345600" } else { "1209600" },
        "MaximumMessageSize": "1048576",
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "Policy": lock(&[&role(owner), &role("RedriveRole")]).to_string(),
    });
    for (attribute, value) in changes.as_object().expect("attributes") {
        attributes[attribute] = value.clone();
    }
    let attributes = attributes.as_object().expect("attributes").iter();
    let attributes: HashMap<_, _> = attributes
        .map(|(attribute, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (QueueAttributeName::from(attribute.as_str()), text)
        })
        .collect();
    Queue::of(URL.replace("/sealpost", &format!("/{name}")), &attributes)
}

/// As in the template.
pub(super) fn lock(roles: &[&str]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        {
            "Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*",
            "Condition": { "ArnNotEquals": { "aws:PrincipalArn": roles } },
        },
        {
            "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*",
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        },
    ] })
}

fn redrive() -> Value {
    json!({ "deadLetterTargetArn": arn("sealpost-dead-letters"), "maxReceiveCount": "746" })
}

fn sources() -> Value {
    json!({ "redrivePermission": "byQueue", "sourceQueueArns": [arn("sealpost")] })
}

pub(super) fn secret() -> Value {
    json!({
        "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
        "TWILIO_AUTH_TOKEN": TOKEN,
        "NUMBER_KEY": "hush-number-key-of-this-very-deployment",
    })
}

pub(super) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:eu-west-1:123456789012:{queue}")
}

pub(super) fn role(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}
