//! The parts of the outside: they can be had, they start, they end; and their absence is told.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

use std::process::{Command, ExitCode, Output};

use witnesses::{CognitoLocal, MiniStack, Missing, Moto, Trial, linters, moto, node, python, run};

fn main() -> ExitCode {
    run([
        Trial::plain("a_part_that_cannot_be_had_is_named_with_the_tests_that_did_not_run", absence_is_told),
        Trial::outside("ministack_starts_and_ends", ministack_starts_and_ends),
        Trial::outside("ministack_with_iam_refuses_whoever_has_no_right", ministack_with_iam_refuses),
        Trial::outside("the_aws_cli_deploys_a_sam_template_on_ministack", aws_cli_deploys),
        Trial::outside("moto_starts_and_ends", moto_starts_and_ends),
        Trial::outside("cognito_local_starts_and_ends", cognito_local_starts_and_ends),
        Trial::outside("the_encryption_sdk_for_python_is_there", python_sdk),
        Trial::outside("the_encryption_sdk_for_node_is_there", node_sdk),
        Trial::outside("the_linters_are_there", linters_are_there),
    ])
}

fn absence_is_told() {
    let tests = ["ministack_starts_and_ends", "the_linters_are_there", "the_encryption_sdk_for_node_is_there"];
    for (test, program) in tests.into_iter().zip(["python3 3.11", "python3 3.11", "node 20.19"]) {
        let mut this = Command::new(std::env::current_exe().unwrap());
        let output = this.args(["--include-ignored", "--exact", test]).env("PATH", "/nowhere").output().unwrap();
        let shown = successful(&output);
        let line = shown.lines().find(|line| line.starts_with("NOT RUN:")).unwrap_or_else(|| panic!("{shown}"));
        assert!(line.contains(test) && line.contains(&format!("{program} or later is needed on the PATH")), "{line}");
        assert!(shown.contains("0 passed; 0 failed; 1 ignored"), "{shown}");
    }
}

fn ministack_starts_and_ends() -> Result<(), Missing> {
    let stack = MiniStack::start(python()?, "eu-west-1").unwrap();
    let script = "
import boto3, sys
queues = boto3.client('sqs', endpoint_url=sys.argv[1], region_name='eu-west-1',
                      aws_access_key_id='123456789012', aws_secret_access_key='test')
url = queues.create_queue(QueueName='one')['QueueUrl']
queues.send_message(QueueUrl=url, MessageBody='hello')
print(queues.receive_message(QueueUrl=url, WaitTimeSeconds=5)['Messages'][0]['Body'])
print(queues.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn'])";
    let output = python()?.command().args(["-c", script, &stack.endpoint()]).output().unwrap();
    assert_eq!(successful(&output), "hello\narn:aws:sqs:eu-west-1:123456789012:one\n");
    let (endpoint, folder) = (stack.endpoint(), stack.folder().to_owned());
    drop(stack);
    is_gone(&endpoint);
    eventually("its folder is removed", || !folder.exists());
    Ok(())
}

fn ministack_with_iam_refuses() -> Result<(), Missing> {
    let stack = MiniStack::start_with_iam(python()?, "eu-west-1").unwrap();
    let script = "
import boto3, json, sys
from botocore.exceptions import ClientError
def client(service, key, secret, token=None):
    return boto3.client(service, endpoint_url=sys.argv[1], region_name='eu-west-1', aws_access_key_id=key,
                        aws_secret_access_key=secret, aws_session_token=token)
def sent(*signer):
    try:
        client('sqs', *signer).send_message(QueueUrl=url, MessageBody='hello')
        return 'sent'
    except ClientError as error:
        return error.response['Error']['Code']
root = ('test', 'test')
url = client('sqs', *root).create_queue(QueueName='one')['QueueUrl']
def statement(**rest):
    return json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', **rest}]})
account = client('sts', *root).get_caller_identity()['Account']
trust = statement(Action='sts:AssumeRole', Principal={'AWS': account})
arn = client('iam', *root).create_role(RoleName='sender', AssumeRolePolicyDocument=trust)['Role']['Arn']
session = client('sts', *root).assume_role(RoleArn=arn, RoleSessionName='test')['Credentials']
role = (session['AccessKeyId'], session['SecretAccessKey'], session['SessionToken'])
print('root:', sent(*root))
print('a role without rights:', sent(*role))
client('iam', *root).put_role_policy(RoleName='sender', PolicyName='send',
                                     PolicyDocument=statement(Action='sqs:SendMessage', Resource='*'))
print('with the right:', sent(*role))
print('with a signature that is wrong:', sent(role[0], 'wrong', role[2]))
print('nobody:', sent('nobody', 'test'))";
    let output = python()?.command().args(["-c", script, &stack.endpoint()]).output().unwrap();
    assert_eq!(
        successful(&output),
        "root: sent\na role without rights: AccessDenied\nwith the right: sent\n\
         with a signature that is wrong: SignatureDoesNotMatch\nnobody: InvalidClientTokenId\n"
    );
    Ok(())
}

fn aws_cli_deploys() -> Result<(), Missing> {
    let stack = MiniStack::start(python()?, "eu-west-1").unwrap();
    let python = python()?;
    let aws = |arguments: &[&str]| {
        let mut aws = stack.aws_cli(python, "123456789012");
        successful(&aws.args(arguments).args(["--output", "text"]).output().unwrap())
    };
    let template = stack.folder().join("template.yaml");
    let text = "Transform: AWS::Serverless-2016-10-31\nResources: {Table: {Type: AWS::Serverless::SimpleTable}}";
    std::fs::write(&template, text).unwrap();
    aws(&["cloudformation", "deploy", "--stack-name", "one", "--template-file", template.to_str().unwrap()]);
    let query = ["--query", "StackResources[].ResourceType"];
    let made = aws(&[&["cloudformation", "describe-stack-resources", "--stack-name", "one"], &query[..]].concat());
    assert_eq!(made, "AWS::DynamoDB::Table\n");
    Ok(())
}

fn moto_starts_and_ends() -> Result<(), Missing> {
    let stack = Moto::start(moto()?).unwrap();
    let script = "
import boto3, sys
def client(service, region='eu-west-1'):
    return boto3.client(service, endpoint_url=sys.argv[1], region_name=region,
                        aws_access_key_id='test', aws_secret_access_key='test')
pool = client('cognito-idp').create_user_pool(PoolName='one')['UserPool']['Id']
print(client('cognito-idp').describe_user_pool(UserPoolId=pool)['UserPool']['Name'])
print(len(client('cognito-idp', 'us-east-1').list_user_pools(MaxResults=9)['UserPools']), 'elsewhere')
print(len(client('lambda').list_functions()['Functions']), 'functions')
print(client('sts').get_caller_identity()['Account'])";
    let output = moto()?.command().args(["-c", script, &stack.endpoint()]).output().unwrap();
    assert_eq!(successful(&output), format!("one\n0 elsewhere\n0 functions\n{}\n", Moto::ACCOUNT));
    let endpoint = stack.endpoint();
    drop(stack);
    is_gone(&endpoint);
    Ok(())
}

fn cognito_local_starts_and_ends() -> Result<(), Missing> {
    let cognito = CognitoLocal::start(node()?, "{}").unwrap();
    let address = cognito.endpoint().strip_prefix("http://").unwrap().to_owned();
    eventually("it says where it listens", || cognito.output().contains(&address));
    let endpoint = cognito.endpoint();
    drop(cognito);
    is_gone(&endpoint);
    Ok(())
}

fn python_sdk() -> Result<(), Missing> {
    let script =
        "import aws_encryption_sdk, aws_cryptographic_material_providers; print(aws_encryption_sdk.__version__)";
    let output = python()?.command().args(["-c", script]).output().unwrap();
    assert_eq!(successful(&output), "4.0.7\n");
    Ok(())
}

fn node_sdk() -> Result<(), Missing> {
    let script = "require('@aws-crypto/client-node').buildClient; require('@aws-sdk/client-kms').KMSClient.name";
    let output = node()?.command().args(["--print", script]).output().unwrap();
    assert_eq!(successful(&output), "KMSClient\n");
    assert!(node()?.modules().join("cognito-local").is_dir());
    Ok(())
}

fn linters_are_there() -> Result<(), Missing> {
    for (linter, version) in [("cfn-lint", "cfn-lint 1.58.0\n"), ("checkov", "3.3.30\n")] {
        let mut linter = linters()?.program(linter);
        // It would ask PyPI for a newer version.
        linter.env("CKV_SKIP_PACKAGE_UPDATE_CHECK", "true");
        assert_eq!(successful(&linter.arg("--version").output().unwrap()), version);
    }
    Ok(())
}

fn successful(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Expects that nothing listens there any more.
fn is_gone(endpoint: &str) {
    let address = endpoint.strip_prefix("http://").unwrap().to_owned();
    eventually("the port is free", || std::net::TcpStream::connect(&address).is_err());
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
