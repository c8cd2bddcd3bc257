//! Who may do what. A right more, a right less or another condition fails here, and is to be meant.

use std::collections::BTreeSet;

use deployment::{Right, Template, rights};
use serde_json::json;

const RIGHTS: &str = "
ProducerRole: allow logs:CreateLogStream on ProducerLogs.Arn
ProducerRole: allow logs:PutLogEvents on ProducerLogs.Arn
ProducerRole: allow sqs:SendMessage on FailedInvocations.Arn
ProducerRole: allow sqs:SendMessage on Queue.Arn

WorkerRole: allow dynamodb:GetItem on StateTable.Arn
WorkerRole: allow dynamodb:PutItem on StateTable.Arn
WorkerRole: allow dynamodb:UpdateItem on StateTable.Arn
WorkerRole: allow kms:Decrypt on SecondKeyArn if StringEquals kms:EncryptionContext:userpool-id UserPoolId
WorkerRole: allow kms:Decrypt on Key.Arn if StringEquals kms:EncryptionContext:userpool-id UserPoolId
WorkerRole: allow logs:CreateLogStream on WorkerLogs.Arn
WorkerRole: allow logs:PutLogEvents on WorkerLogs.Arn
WorkerRole: allow secretsmanager:GetSecretValue on ProviderSecret.Id
WorkerRole: allow sqs:ChangeMessageVisibility on Queue.Arn
WorkerRole: allow sqs:DeleteMessage on Queue.Arn
WorkerRole: allow sqs:GetQueueAttributes on Queue.Arn
WorkerRole: allow sqs:ReceiveMessage on Queue.Arn
WorkerRole: allow sqs:SendMessage on DeadLetterQueue.Arn

RedriveRole: allow cloudformation:DescribeStacks on {STACK}
RedriveRole: allow dynamodb:GetItem on StateTable.Arn if ForAllValues:StringEquals dynamodb:LeadingKeys switches
RedriveRole: allow dynamodb:UpdateItem on StateTable.Arn if ForAllValues:StringEquals dynamodb:LeadingKeys switches
RedriveRole: allow sqs:ChangeMessageVisibility on DeadLetterQueue.Arn
RedriveRole: allow sqs:ChangeMessageVisibility on FailedInvocations.Arn
RedriveRole: allow sqs:DeleteMessage on DeadLetterQueue.Arn
RedriveRole: allow sqs:DeleteMessage on FailedInvocations.Arn
RedriveRole: allow sqs:GetQueueAttributes on DeadLetterQueue.Arn
RedriveRole: allow sqs:GetQueueAttributes on FailedInvocations.Arn
RedriveRole: allow sqs:GetQueueAttributes on Queue.Arn
RedriveRole: allow sqs:GetQueueUrl on DeadLetterQueue.Arn
RedriveRole: allow sqs:GetQueueUrl on FailedInvocations.Arn
RedriveRole: allow sqs:GetQueueUrl on Queue.Arn
RedriveRole: allow sqs:ReceiveMessage on DeadLetterQueue.Arn
RedriveRole: allow sqs:ReceiveMessage on FailedInvocations.Arn
RedriveRole: allow sqs:SendMessage on DeadLetterQueue.Arn
RedriveRole: allow sqs:SendMessage on FailedInvocations.Arn
RedriveRole: allow sqs:SendMessage on Queue.Arn

SendRole: allow cloudformation:DescribeStacks on {STACK}
SendRole: allow kms:GenerateDataKey on Key.Arn if StringEquals kms:EncryptionContext:userpool-id UserPoolId
SendRole: allow kms:GenerateDataKey on SecondKeyArn if StringEquals kms:EncryptionContext:userpool-id UserPoolId
SendRole: allow lambda:InvokeFunction on Producer.Arn
SendRole: allow logs:FilterLogEvents on WorkerLogs.Arn

Queue for *: deny sqs:* on Queue.Arn if Bool aws:SecureTransport false
Queue for *: deny sqs:SendMessage on Queue.Arn if ArnNotEquals aws:PrincipalArn ProducerRole.Arn or RedriveRole.Arn
DeadLetterQueue for *: deny sqs:* on DeadLetterQueue.Arn if Bool aws:SecureTransport false
DeadLetterQueue for *: deny sqs:SendMessage on DeadLetterQueue.Arn if ArnNotEquals aws:PrincipalArn WorkerRole.Arn or RedriveRole.Arn
FailedInvocations for *: deny sqs:* on FailedInvocations.Arn if Bool aws:SecureTransport false
FailedInvocations for *: deny sqs:SendMessage on FailedInvocations.Arn if ArnNotEquals aws:PrincipalArn ProducerRole.Arn or RedriveRole.Arn

Key for AWS SendRole.Arn: allow kms:GenerateDataKey on * if StringEquals kms:EncryptionContext:userpool-id UserPoolId
Key for AWS WorkerRole.Arn: allow kms:Decrypt on * if StringEquals kms:EncryptionContext:userpool-id UserPoolId
Key for AWS {ROOT}: allow kms:CreateGrant on * if StringEquals kms:EncryptionContext:userpool-id UserPoolId
Key for Service cognito-idp.amazonaws.com: allow kms:CreateGrant on * if ArnEquals aws:SourceArn {POOL} and StringEquals aws:SourceAccount AWS::AccountId
";

/// What the account's own principals may do with the key where their policies say so, beyond the grant for Cognito.
const KEY_ADMINISTRATION: &str = "CancelKeyDeletion DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation \
     GetKeyPolicy GetKeyRotationStatus ListGrants ListKeyPolicies ListKeyRotations ListResourceTags PutKeyPolicy \
     RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription";

const ROOT: &str = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root";
const STACK: &str = "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/${AWS::StackName}/*";
const POOL: &str = "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${UserPoolId}";

#[test]
fn everybody_holds_exactly_these_rights() {
    let mut expected: BTreeSet<String> = RIGHTS.lines().filter(|line| !line.is_empty()).map(named).collect();
    let administers = |action: &str| named(&format!("Key for AWS {{ROOT}}: allow kms:{action} on *"));
    expected.extend(KEY_ADMINISTRATION.split(' ').map(administers));
    let actual: BTreeSet<String> = rights(&Template::sealpost()).iter().map(Right::to_string).collect();
    let missing: Vec<_> = expected.difference(&actual).collect();
    let further: Vec<_> = actual.difference(&expected).collect();
    assert!(missing.is_empty() && further.is_empty(), "missing: {missing:#?}\nfurther: {further:#?}");
}

fn named(line: &str) -> String {
    line.replace("{ROOT}", ROOT).replace("{POOL}", POOL).replace("{STACK}", STACK)
}

#[test]
fn no_role_has_a_right_on_everything_nor_every_right_on_something() {
    for right in rights(&Template::sealpost()).iter().filter(|right| right.effect == "allow") {
        let is_of_key = right.holder.starts_with("Key for ");
        assert!(is_of_key || right.resource != "*", "{right}");
        assert!(!right.action.contains('*'), "{right}");
    }
}

#[test]
fn only_lambda_becomes_producer_or_worker() {
    let template = Template::sealpost();
    for role in ["ProducerRole", "WorkerRole"] {
        let trust = template.properties(role)["AssumeRolePolicyDocument"]["Statement"].as_array().expect("statements");
        let [statement] = trust.as_slice() else { panic!("one statement of {role}") };
        assert_eq!(statement["Principal"]["Service"], "lambda.amazonaws.com");
        assert_eq!(statement["Action"], "sts:AssumeRole");
    }
}

#[test]
fn whoever_becomes_redrive_or_send_role_is_the_named_operator_or_of_this_account() {
    let template = Template::sealpost();
    for role in ["RedriveRole", "SendRole"] {
        let trust = template.properties(role)["AssumeRolePolicyDocument"]["Statement"].as_array().expect("statements");
        let [statement] = trust.as_slice() else { panic!("one statement of {role}") };
        let operator = json!({ "Fn::If": ["HasOperator", { "Ref": "OperatorArn" }, { "Fn::Sub": ROOT }] });
        assert_eq!(statement["Principal"]["AWS"], operator);
        assert_eq!(statement["Action"], "sts:AssumeRole");
    }
}
