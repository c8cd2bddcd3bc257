//! Who may do what, by all policies of a template.

use std::fmt;

use serde_json::Value;

use crate::Template;

/// One right that a policy gives or takes: a line when displayed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The role that has it, or, of a resource's own policy, the resource and its principals.
    pub holder: String,
    /// `allow` or `deny`.
    pub effect: String,
    pub action: String,
    pub resource: String,
    /// What must hold, empty if nothing must.
    pub condition: String,
}

/// All rights of a template, one for each action and resource, with what it makes or is given if there is a choice.
pub fn rights(template: &Template) -> Vec<Right> {
    let mut rights = Vec::new();
    for (role, properties) in template.resources_of("AWS::IAM::Role") {
        for policy in items(&properties["Policies"]) {
            collect(&policy["PolicyDocument"], |_| role.to_owned(), &mut rights);
        }
        for policy in items(&properties["ManagedPolicyArns"]) {
            let all = Value::from("everything in it");
            rights.push(Right::new(role.to_owned(), &Value::from("Allow"), policy, &all, &Value::Null));
        }
    }
    for (_, properties) in template.resources_of("AWS::IAM::Policy") {
        for role in items(&properties["Roles"]) {
            collect(&properties["PolicyDocument"], |_| shown(role), &mut rights);
        }
    }
    for (_, properties) in template.resources_of("AWS::SQS::QueuePolicy") {
        for queue in items(&properties["Queues"]) {
            collect(&properties["PolicyDocument"], |by| format!("{} for {}", shown(queue), shown(by)), &mut rights);
        }
    }
    for (key, properties) in template.resources_of("AWS::KMS::Key") {
        collect(&properties["KeyPolicy"], |by| format!("{key} for {}", shown(by)), &mut rights);
    }
    rights
}

fn collect(document: &Value, holder: impl Fn(&Value) -> String, rights: &mut Vec<Right>) {
    for statement in items(&document["Statement"]) {
        for action in items(&statement["Action"]) {
            for resource in items(&statement["Resource"]) {
                let holder = holder(&statement["Principal"]);
                rights.push(Right::new(holder, &statement["Effect"], action, resource, &statement["Condition"]));
            }
        }
    }
}

impl Right {
    fn new(holder: String, effect: &Value, action: &Value, resource: &Value, condition: &Value) -> Self {
        let effect = shown(effect).to_lowercase();
        Self { holder, effect, action: shown(action), resource: shown(resource), condition: shown(condition) }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holder, effect, action, resource, condition } = self;
        write!(f, "{holder}: {effect} {action} on {resource}")?;
        if condition.is_empty() { Ok(()) } else { write!(f, " if {condition}") }
    }
}

/// One or many, as policies have it.
fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => std::slice::from_ref(value),
    }
}

/// A value for people: of an `Fn::If` its first branch, of functions their arguments.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(" or "),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| match (name.as_str(), value) {
                ("Ref" | "Fn::Sub", value) => shown(value),
                ("Fn::GetAtt", Value::Array(path)) => path.iter().map(shown).collect::<Vec<_>>().join("."),
                ("Fn::If", Value::Array(branches)) => shown(&branches[1]),
                (name, value) => format!("{name} {}", shown(value)),
            });
            members.collect::<Vec<_>>().join(" and ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
