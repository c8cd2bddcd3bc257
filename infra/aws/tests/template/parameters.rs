//! What an operator can choose, and what is there already.

use std::collections::BTreeSet;

use deployment::Template;
use serde_json::Value;

/// Every text in a value.
fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_parameter_is_explained_grouped_and_used() {
    let template = Template::sealpost();
    let mut grouped = Vec::new();
    texts(&template.section("Metadata")["AWS::CloudFormation::Interface"], &mut grouped);
    let mut used = Vec::new();
    for section in ["Globals", "Conditions", "Resources", "Outputs"] {
        texts(&template.json()[section], &mut used);
    }
    for (name, parameter) in template.section("Parameters") {
        assert!(parameter["Description"].as_str().is_some_and(|text| text.len() > 15), "{name}");
        assert!(grouped.contains(&name.as_str()), "{name}");
        let inside = format!("${{{name}}}");
        assert!(used.iter().any(|text| text == name || text.contains(&inside)), "{name}");
    }
}

#[test]
fn only_the_user_pool_must_be_given() {
    let template = Template::sealpost();
    let without_default = template.section("Parameters").iter().filter(|(_, parameter)| parameter["Default"].is_null());
    assert_eq!(without_default.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["UserPoolId"]);
}

#[test]
fn what_is_given_is_not_made() {
    let template = Template::sealpost();
    let conditional = template.section("Resources").iter();
    let made = conditional.filter_map(|(name, resource)| Some((resource["Condition"].as_str()?, name.as_str())));
    let expected = [
        ("MakesKey", "Key"),
        ("MakesQueues", "DeadLetterQueue"),
        ("MakesQueues", "DeadLetterQueuePolicy"),
        ("MakesQueues", "Queue"),
        ("MakesQueues", "QueuePolicy"),
        ("MakesSecret", "ProviderSecret"),
        ("MakesTable", "StateTable"),
    ];
    assert_eq!(made.collect::<BTreeSet<_>>(), BTreeSet::from(expected));
}

#[test]
fn a_stack_says_what_the_operators_tool_asks_it_for() {
    let template = Template::sealpost();
    let outputs = template.section("Outputs");
    let queues = ["QueueUrl", "DeadLetterQueueUrl", "FailedInvocationsQueueUrl"];
    for name in queues.into_iter().chain(["TrustedSenderIds", "RedriveRoleArn", "ProducerArn", "KeyArn"]) {
        assert!(outputs.contains_key(name), "{name}");
    }
    let trusted = "${ProducerRole.RoleId},${WorkerRole.RoleId},${RedriveRole.RoleId}";
    assert_eq!(outputs["TrustedSenderIds"]["Value"]["Fn::Sub"], trusted);
}
