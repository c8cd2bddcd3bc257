//! A pool that a CloudFormation stack has made, beside the stack that has what is to be attached.

use serde_json::{Value, json};
use witnesses::{Missing, python};

use crate::cloud::Cloud;
use crate::snapshot::Snapshot;

pub(crate) fn a_stack_says_what_to_attach(cloud: &Cloud) -> Result<(), Missing> {
    let outputs = json!({
        "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } },
        "Outputs": { "ProducerArn": { "Value": cloud.function }, "KeyArn": { "Value": cloud.key } },
    });
    let identity = json!({
        "Resources": {
            "Pool": {
                "Type": "AWS::Cognito::UserPool",
                "Properties": { "UserPoolName": "customers", "AutoVerifiedAttributes": ["email"] },
            },
        },
        "Outputs": { "Pool": { "Value": { "Ref": "Pool" } } },
    });
    create(cloud, "sealpost", &outputs)?;
    create(cloud, "identity", &identity)?;
    let described = aws(cloud, &["describe-stacks", "--stack-name", "identity", "--query", "Stacks[0].Outputs[0]"])?;
    let id = described["OutputValue"].as_str().unwrap().to_owned();
    let before = Snapshot::of(&cloud.api, &id);

    let tool = cloud.tool();
    let attach = ["attach", "--user-pool-id", &id, "--stack", "sealpost", "--yes", "--json"];
    let said = tool.run(&attach).json();
    let warnings = said["warnings"].to_string();
    assert!(warnings.contains("CloudFormation owns this pool (stack identity)"), "{warnings}");
    let attached = Snapshot::of(&cloud.api, &id);
    assert_eq!(attached.get("LambdaConfig.CustomSMSSender.LambdaArn"), json!(cloud.function));
    assert_eq!(cloud.changes(&before, &attached), [""; 0]);
    tool.run(&["detach", "--user-pool-id", &id, "--yes", "--json"]).json();
    let detached = Snapshot::of(&cloud.api, &id);
    assert_eq!(cloud.changes(&before, &detached), [""; 0]);
    assert_eq!(before.get("LambdaConfig"), detached.get("LambdaConfig"));
    Ok(())
}

fn create(cloud: &Cloud, name: &str, template: &Value) -> Result<(), Missing> {
    aws(cloud, &["create-stack", "--stack-name", name, "--template-body", &template.to_string()])?;
    aws(cloud, &["wait", "stack-create-complete", "--stack-name", name])?;
    Ok(())
}

/// What the AWS CLI says about CloudFormation.
fn aws(cloud: &Cloud, arguments: &[&str]) -> Result<Value, Missing> {
    let mut aws = python()?.program("aws");
    aws.env_clear().envs([("AWS_ACCESS_KEY_ID", "123456789012"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    aws.args(["--endpoint-url", &cloud.endpoint, "--region", "eu-west-1", "--output", "json", "cloudformation"]);
    let output = aws.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
}
