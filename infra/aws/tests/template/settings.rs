//! Times, limits and switches that must fit each other and the programs.

use std::time::Duration;

use deployment::Template;
use serde_json::{Value, json};
use worker::config::File;

const HORIZON: Duration = Duration::from_hours(6);

#[test]
fn a_message_is_out_of_sight_for_longer_than_its_lease_and_a_lease_outlasts_the_function() {
    let template = Template::sealpost();
    let visibility = seconds(&template.properties("Queue")["VisibilityTimeout"]);
    let timeout = seconds(&template.properties("Worker")["Timeout"]);
    assert_eq!((visibility, timeout), (worker::VISIBILITY, worker::TIME_FOR_A_RECORD));
    let lease = timeout + worker::LEASE_MARGIN;
    assert!(visibility > lease && lease > timeout);
}

#[test]
fn sqs_does_not_take_a_message_away_that_the_retry_schedule_still_means_to_send() {
    let template = Template::sealpost();
    let redrive = &template.properties("Queue")["RedrivePolicy"];
    assert_eq!(redrive["deadLetterTargetArn"], json!({ "Fn::GetAtt": ["DeadLetterQueue", "Arn"] }));
    assert_eq!(redrive["maxReceiveCount"], json!({ "Ref": "MaxReceiveCount" }));
    let parameter = &template.section("Parameters")["MaxReceiveCount"];
    let least = worker::max_receive_count(HORIZON);
    assert_eq!((&parameter["Default"], &parameter["MinValue"]), (&json!(least), &json!(least)));
    assert_eq!(parameter["MaxValue"], worker::max_receive_count(Duration::from_hours(72)));
}

#[test]
fn queues_keep_messages_for_longer_than_they_are_of_use_and_encrypt_them() {
    let template = Template::sealpost();
    let days = |queue: &str| seconds(&template.properties(queue)["MessageRetentionPeriod"]).as_secs() / 86_400;
    assert_eq!(["Queue", "DeadLetterQueue", "FailedInvocations"].map(days), [4, 14, 14]);
    for (name, queue) in template.resources_of("AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
        assert!(queue["KmsMasterKeyId"].is_null() && queue["FifoQueue"].is_null(), "{name}");
    }
    let allow = &template.properties("DeadLetterQueue")["RedriveAllowPolicy"];
    assert_eq!(allow["redrivePermission"], "byQueue");
    let named = format!("{}:{}", "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}", "${AWS::StackName}");
    assert_eq!(allow["sourceQueueArns"], json!([{ "Fn::Sub": named }]));
    assert_eq!(
        template.properties("Queue")["QueueName"],
        json!({ "Ref": "AWS::StackName" }),
        "the queue that is named"
    );
}

#[test]
fn the_mapping_reports_each_message_for_itself_and_neither_waits_nor_filters() {
    let template = Template::sealpost();
    let events = template.properties("Worker")["Events"].as_object().expect("events");
    let [mapping] = events.values().collect::<Vec<_>>()[..] else { panic!("one mapping: {events:?}") };
    let mapping = mapping["Properties"].as_object().expect("properties");
    assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert_eq!(mapping["BatchSize"], 10);
    assert_eq!(mapping["ScalingConfig"], json!({ "MaximumConcurrency": { "Ref": "MaximumConcurrency" } }));
    // SQS deletes what a filter does not match, and a window makes each code late.
    for absent in ["FilterCriteria", "MaximumBatchingWindowInSeconds", "Enabled"] {
        assert!(!mapping.contains_key(absent), "{absent}");
    }
    // Fewer than the mapping's would become throttles, each of which is a receive.
    assert!(template.properties("Worker")["ReservedConcurrentExecutions"].is_null());
}

#[test]
fn the_producer_gives_up_within_three_minutes_and_leaves_what_failed_for_a_redrive() {
    let template = Template::sealpost();
    let producer = template.properties("Producer");
    assert_eq!(producer["Timeout"], 5);
    let later = &producer["EventInvokeConfig"];
    assert_eq!((&later["MaximumEventAgeInSeconds"], &later["MaximumRetryAttempts"]), (&json!(180), &json!(2)));
    let destination = json!({ "Type": "SQS", "Destination": { "Fn::GetAtt": ["FailedInvocations", "Arn"] } });
    assert_eq!(later["DestinationConfig"]["OnFailure"], destination);
    assert!(producer["DeadLetterQueue"].is_null(), "each would be written twice");
}

#[test]
fn only_the_pool_that_is_served_may_invoke_the_producer() {
    let template = Template::sealpost();
    let pool = "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${UserPoolId}";
    let permission = json!({
        "Action": "lambda:InvokeFunction",
        "FunctionName": { "Fn::GetAtt": ["Producer", "Arn"] },
        "Principal": "cognito-idp.amazonaws.com",
        "SourceAccount": { "Ref": "AWS::AccountId" },
        "SourceArn": { "Fn::Sub": pool },
    });
    let permissions: Vec<_> = template.resources_of("AWS::Lambda::Permission").collect();
    assert_eq!(permissions, [("CognitoMayInvoke", &permission)]);
}

#[test]
fn both_functions_get_the_environment_that_they_read_and_no_secret() {
    let template = Template::sealpost();
    let names = |variables: &Value| variables.as_object().expect("variables").keys().cloned().collect::<Vec<_>>();
    let both = names(&template.json()["Globals"]["Function"]["Environment"]["Variables"]);
    assert_eq!(both, ["METRICS_NAMESPACE", "QUEUE_URL", "USER_POOL_IDS"]);
    assert!(template.properties("Producer")["Environment"].is_null());
    let variables = &template.properties("Worker")["Environment"]["Variables"];
    let own = ["DEAD_LETTER_QUEUE_URL", "KMS_KEY_ARNS", "PROVIDER_SECRET_ARN", "STATE_TABLE", "TRUSTED_SENDER_IDS"];
    assert_eq!(names(variables), own);
    let trusted = json!({ "Fn::Sub": "${ProducerRole.RoleId},${RedriveRole.RoleId}" });
    assert_eq!(variables["TRUSTED_SENDER_IDS"], trusted);
}

#[test]
fn the_state_table_and_the_key_are_as_the_programs_need_them() {
    let template = Template::sealpost();
    let table = template.properties("StateTable");
    assert_eq!(table["KeySchema"], json!([{ "AttributeName": "pk", "KeyType": "HASH" }]));
    assert_eq!(table["AttributeDefinitions"], json!([{ "AttributeName": "pk", "AttributeType": "S" }]));
    assert_eq!(table["TimeToLiveSpecification"], json!({ "AttributeName": "expires_at", "Enabled": true }));
    let key = template.properties("Key");
    assert!(key["KeySpec"].is_null() && key["KeyUsage"].is_null() && key["Origin"].is_null(), "symmetric, to encrypt");
}

#[test]
fn the_secret_has_what_the_sample_configuration_reads() {
    let template = Template::sealpost();
    let secret = &template.properties("ProviderSecret")["GenerateSecretString"];
    let members: Value = serde_json::from_str(secret["SecretStringTemplate"].as_str().expect("text")).expect("JSON");
    let mut names: Vec<_> = members.as_object().expect("an object").keys().map(String::as_str).collect();
    names.push(secret["GenerateStringKey"].as_str().expect("text"));
    let sample = include_str!("../../sealpost.toml");
    for name in &names {
        assert!(sample.contains(&format!("\"${{secret:{name}}}\"")), "{name} is read");
    }
    let filled = json!({ "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef", "TWILIO_AUTH_TOKEN": "a",
        "NUMBER_KEY": "k".repeat(usize::try_from(secret["PasswordLength"].as_u64().expect("length")).expect("small")) });
    assert_eq!(filled.as_object().map(|members| members.len()), Some(names.len()));
    let secret = worker::SecretMembers::parse(&filled.to_string(), "1").expect("a secret");
    let environment = shared::Environment::from_lookup(|_| None);
    let file = File::parse_with(sample, &environment, Some(&secret));
    assert!(file.is_ok(), "{}", file.err().expect("faults"));
}

#[test]
fn the_demonstration_pool_sets_the_trigger_as_cognito_wants_it() {
    let template = Template::demo_pool();
    let pool = template.properties("UserPool");
    let [condition, set, unset] = pool["LambdaConfig"]["Fn::If"].as_array().expect("if").as_slice() else {
        panic!("three members")
    };
    assert_eq!((condition, unset), (&json!("HasTrigger"), &json!({ "Ref": "AWS::NoValue" })));
    let trigger = json!({ "LambdaArn": { "Ref": "ProducerArn" }, "LambdaVersion": "V1_0" });
    assert_eq!(set, &json!({ "CustomSMSSender": trigger, "KMSKeyID": { "Ref": "KeyArn" } }));
    assert!(pool["SmsConfiguration"]["SnsCallerArn"].is_object(), "Cognito asks for it even so");
    let outputs = Template::sealpost();
    assert!(["ProducerArn", "KeyArn"].iter().all(|name| outputs.section("Outputs").contains_key(*name)));
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs(value.as_u64().unwrap_or_else(|| panic!("{value} is no number")))
}
