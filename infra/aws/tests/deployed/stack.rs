//! A CloudFormation stack, deployed with the AWS CLI.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cloud::Cloud;

pub(crate) struct Stack {
    name: String,
    outputs: BTreeMap<String, String>,
}

impl Stack {
    /// Makes a stack, or changes it, with parameters as `Name=value`.
    pub(crate) fn deploy(cloud: &Cloud, name: String, template: &str, parameters: &[&str]) -> Self {
        let deploy = ["cloudformation", "deploy", "--stack-name", &name, "--template-file", template];
        let with = ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--parameter-overrides"];
        let with = if parameters.is_empty() { &with[..3] } else { &with[..] };
        cloud.aws(&[&deploy[..], with, parameters].concat());
        let described = cloud.json(&["cloudformation", "describe-stacks", "--stack-name", &name]);
        let outputs = described["Stacks"][0]["Outputs"].as_array().unwrap().iter();
        let text = |output: &Value, name: &str| output[name].as_str().unwrap().to_owned();
        let outputs = outputs.map(|output| (text(output, "OutputKey"), text(output, "OutputValue"))).collect();
        Self { name, outputs }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }

    /// The names of its resources in the template, with those that they got.
    pub(crate) fn resources(&self, cloud: &Cloud) -> BTreeMap<String, String> {
        let described = cloud.json(&["cloudformation", "describe-stack-resources", "--stack-name", &self.name]);
        let text = |resource: &Value, name: &str| resource[name].as_str().unwrap().to_owned();
        let resources = described["StackResources"].as_array().unwrap().iter();
        resources.map(|one| (text(one, "LogicalResourceId"), text(one, "PhysicalResourceId"))).collect()
    }

    /// The environment variables of one of its functions.
    pub(crate) fn environment(&self, cloud: &Cloud, function: &str) -> Value {
        let name = &self.resources(cloud)[function];
        let ask = ["lambda", "get-function-configuration", "--function-name", name];
        cloud.json(&ask)["Environment"]["Variables"].clone()
    }

    pub(crate) fn delete(self, cloud: &Cloud) {
        cloud.aws(&["cloudformation", "delete-stack", "--stack-name", &self.name]);
        cloud.aws(&["cloudformation", "wait", "stack-delete-complete", "--stack-name", &self.name]);
    }
}
