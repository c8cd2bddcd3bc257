//! What is missing is said before anything is sent.

use local::aws::KmsFault;

use crate::scripted::Scripted;
use crate::tool::{TO, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_missing_is_named() {
    let scripted = Scripted::logs_refuse("AccessDeniedException");
    let said = scripted.send(&[]).await;
    said.assert_told(
        1,
        &["the right logs:FilterLogEvents on log group worker-log is missing; the stack's send role has it"],
    );
    assert!(said.err.ends_with("nothing was sent\n") && scripted.invocations() == 0, "{}", said.err);

    let scripted = Scripted::worker_says(&[]);
    scripted.aws().kms().set_fault(Some(KmsFault::AccessDenied));
    let said = scripted.send(&[]).await;
    said.assert_told(
        1,
        &["the right kms:GenerateDataKey on arn:aws:kms:eu-west-1:123456789012:key/", "nothing was sent\n"],
    );
    assert_eq!(scripted.invocations(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_named() {
    let scripted = Scripted::worker_says(&[]);
    let said = scripted.send(&["--worker-log-group", "worker-lag"]).await;
    said.assert_told(
        1,
        &["there is no log group worker-lag: name the worker's with --worker-log-group", "Nothing was sent"],
    );
    let said = scripted.send(&["--function", "your-producer"]).await;
    said.assert_told(1, &["Invoke was refused: ResourceNotFoundException: Function not found"]);
    assert_eq!(scripted.invocations(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gives_too_little_or_too_much_is_told_what_to_give() {
    let key = "arn:aws:kms:eu-west-1:123456789012:key/8a23102c-9b68-4fed-82ce-523c5363539e";
    let pool = ["--user-pool", "eu-west-1_EXAMPLE01", "--to", TO];
    for (arguments, told) in [
        (&["--to", TO][..], "--user-pool"),
        (&pool[..2], "--to"),
        (&pool, "sealed with which key? Give --key, or --stack"),
        (&[&pool[..], &["--key", "alias/codes"]].concat(), "is an alias; give the ARN of the key itself"),
        (&[&pool[..], &["--key", key]].concat(), "which producer is to be invoked? Give --function, or --stack"),
        (
            &[&pool[..], &["--key", key, "--function", "p"]].concat(),
            "which log tells what becomes of the message? Give --worker-log-group, such as /aws/lambda/NAME-OF-THE-WORKER",
        ),
        (&[&pool[..], &["--function", "a/b"]].concat(), "is neither the name nor the ARN of a function"),
        (
            &[&pool[..], &["--source", "SignIn"]].concat(),
            "there is no such trigger source; there are SignUp, ResendCode",
        ),
        (&[&pool[..], &["--wait", "2h"]].concat(), "must lie between 1s and 3600s"),
        (&[&pool[..], &["--yes", "--dry-run"]].concat(), "cannot be used with"),
        (
            &["--user-pool", "eu-west-1_EXAMPLE01", "--to", "12065550100"],
            "the number does not begin with '+': a phone number is written as E.164",
        ),
        (&["--user-pool", "eu-west-1_EXAMPLE01", "--to", "+1 2065550100"], "something other than digits"),
        (&["--user-pool", "eu-west-1_EXAMPLE01", "--to", "+02065550100"], "the number begins with a zero"),
        (&["--user-pool", "eu-west-1_EXAMPLE01", "--to", "+1206"], "the number does not have 7 to 15 digits"),
        (&["--provider", "main", "--to", TO], "--dry-run"),
        (
            &["--provider", "main", "--dry-run", "--to", TO],
            "which configuration? Give --config, or set SEALPOST_CONFIG",
        ),
        (&[&pool[..], &["--provider", "main", "--dry-run"]].concat(), "cannot be used with"),
    ] {
        let said = send("http://127.0.0.1:9", arguments).await;
        said.assert_told(2, &[told]);
    }
}
