//! Who attaches needs the rights that the README lists, and no more: as IAM judges that others wrote.

use serde_json::{Value, json};
use witnesses::{Missing, python};

use crate::cloud::Cloud;
use crate::surviving::bare;
use crate::tool::Said;

const POOL: [&str; 3] =
    ["cognito-idp:DescribeUserPool", "cognito-idp:GetUserPoolMfaConfig", "cognito-idp:UpdateUserPool"];
const FUNCTION: [&str; 3] = ["lambda:GetPolicy", "lambda:AddPermission", "lambda:RemovePermission"];
const KEY: [&str; 1] = ["kms:DescribeKey"];

pub(crate) fn each_is_needed_and_no_other(cloud: &Cloud) -> Result<(), Missing> {
    let (attached, detached) = attach_and_detach_without(cloud, "none")?;
    assert_eq!((&attached.json()["done"], &attached.json()["warnings"]), (&json!(true), &json!([])));
    assert_eq!(detached.json()["invoke_right"], json!("withdrawn"));

    for right in
        ["cognito-idp:DescribeUserPool", "cognito-idp:UpdateUserPool", "lambda:GetPolicy", "lambda:AddPermission"]
    {
        let (attached, _) = attach_and_detach_without(cloud, right)?;
        attached.fails(1, &["AccessDenied", right]);
    }
    for right in ["cognito-idp:GetUserPoolMfaConfig", "kms:DescribeKey"] {
        let (attached, _) = attach_and_detach_without(cloud, right)?;
        let attached = attached.json();
        assert!(attached["done"] == true && attached["warnings"].to_string().contains(right), "{attached}");
    }
    let (_, detached) = attach_and_detach_without(cloud, "lambda:RemovePermission")?;
    let detached = detached.json();
    assert!(
        detached["done"] == true && detached["warnings"].to_string().contains("lambda:RemovePermission"),
        "{detached}"
    );
    Ok(())
}

/// Attaches a new pool and detaches it again, as a role that has all rights but one.
fn attach_and_detach_without(cloud: &Cloud, missing: &str) -> Result<(Said, Said), Missing> {
    let (id, tool) = (cloud.create(&bare()), cloud.tool());
    let pool = format!("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{id}");
    let statements =
        [(&POOL[..], &pool), (&FUNCTION, &cloud.function), (&KEY, &cloud.key)].map(|(actions, resource)| {
            let actions: Vec<_> = actions.iter().filter(|action| **action != missing).collect();
            json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
        });
    let statements: Vec<_> = statements.into_iter().filter(|statement| statement["Action"] != json!([])).collect();
    let role = role(cloud, &id, &json!({ "Version": "2012-10-17", "Statement": statements }))?;
    let of_role = ["--json", "--role-arn", &role];
    let attached = tool.run(&[&cloud.attach(&id, &cloud.function)[..], &of_role].concat());
    let detached = tool.run(&[&["detach", "--user-pool-id", &id, "--yes"][..], &of_role].concat());
    Ok((attached, detached))
}

/// A role with one policy.
fn role(cloud: &Cloud, name: &str, policy: &Value) -> Result<String, Missing> {
    const ROLE: &str = "
import boto3, json, sys
endpoint, name, policy = sys.argv[1:]
iam = boto3.client('iam', endpoint_url=endpoint, region_name='eu-west-1',
                   aws_access_key_id='123456789012', aws_secret_access_key='test')
trust = {'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'AWS': '123456789012'}}]}
print(iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn'])
iam.put_role_policy(RoleName=name, PolicyName='attach', PolicyDocument=policy)";
    let policy = policy.to_string();
    let output = python()?.command().args(["-c", ROLE, &cloud.endpoint, name, &policy]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}
