//! A function that cannot start says everything that is wrong, and ends.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;

use local::lambda::{Function, Invocation, Outcome};
use tokio::process::Command;

use crate::binaries::binaries;
use crate::mapping::Named;
use crate::world::{LONG, World, write_configuration};

/// Expects the function to end by itself before any work, and gives what it printed.
async fn refuses_to_start(function: &Function) -> String {
    let outcome = function.invoke(b"{}", Invocation::within(LONG)).await;
    let Outcome::Exited { code: Some(1), output } = outcome else { panic!("not refused: {outcome:?}") };
    output
}

fn names_all(output: &str, expected: &[&str]) {
    for fault in expected {
        assert!(output.contains(fault), "{fault} is missing from\n{output}");
    }
}

#[tokio::test]
async fn a_producer_without_its_environment_says_what_is_missing() {
    let world = World::new().await;
    for (change, expected) in [
        (("QUEUE_URL", ""), ["QUEUE_URL is not set", "get-queue-url"]),
        (("QUEUE_URL", "arn:aws:sqs:eu-west-1:123456789012:sealpost"), ["QUEUE_URL is not a URL", "not its ARN"]),
        (("USER_POOL_IDS", "eu-west-1"), ["USER_POOL_IDS has a member", "user pool id"]),
        (("METRICS_NAMESPACE", "AWS/Lambda"), ["METRICS_NAMESPACE is not a namespace", "give 1 to 255 letters"]),
        (("SEALPOST_CONFIG", "/nowhere/sealpost.toml"), ["/nowhere/sealpost.toml", "cannot be read"]),
    ] {
        let producer = world.producer_with(&[change]).await;
        names_all(&refuses_to_start(&producer).await, &["producer cannot start", expected[0], expected[1]]);
    }
}

#[tokio::test]
async fn a_producer_starts_in_spite_of_faults_in_a_providers_block() {
    let world = World::new().await;
    let path = write_configuration("[[provider]]\nkind = \"twilo\"\nauth_token = \"hush\"\n[routes]\n");
    let producer = world.producer_with(&[("SEALPOST_CONFIG", path.to_str().expect("UTF-8"))]).await;
    crate::world::accept(&producer, &world.sign_up("739214")).await;
    std::fs::remove_file(path).expect("it was just written");
}

#[tokio::test]
async fn a_worker_without_its_environment_says_what_is_missing() {
    let world = World::new().await;
    let alias = "arn:aws:kms:eu-west-1:123456789012:alias/codes";
    /// Variables changed, and what is then said.
    type Case<'c> = (&'c [(&'c str, &'c str)], &'c [&'c str]);
    let cases: [Case<'_>; 9] = [
        (&[("QUEUE_URL", "")], &["QUEUE_URL is not set"]),
        (&[("DEAD_LETTER_QUEUE_URL", "")], &["DEAD_LETTER_QUEUE_URL is not set"]),
        (&[("KMS_KEY_ARNS", "")], &["KMS_KEY_ARNS is not set", "KMSKeyID"]),
        (&[("KMS_KEY_ARNS", alias)], &["KMS_KEY_ARNS has a member that is an alias", "ARN of the key itself"]),
        (&[("STATE_TABLE", "table/state")], &["STATE_TABLE is not a table", "name or the ARN"]),
        (&[("METRICS_NAMESPACE", "AWS/Lambda")], &["METRICS_NAMESPACE is not a namespace", "give 1 to 255 letters"]),
        (&[("TWILIO_AUTH_TOKEN", "")], &["environment variable TWILIO_AUTH_TOKEN, which is not set"]),
        (&[("SEALPOST_CONFIG", "/nowhere/sealpost.toml")], &["/nowhere/sealpost.toml", "cannot be read"]),
        (
            &[("QUEUE_URL", ""), ("DEAD_LETTER_QUEUE_URL", ""), ("KMS_KEY_ARNS", ""), ("TWILIO_AUTH_TOKEN", "")],
            &["QUEUE_URL is not set", "DEAD_LETTER_QUEUE_URL", "KMS_KEY_ARNS is not set", "TWILIO_AUTH_TOKEN"],
        ),
    ];
    for (changes, expected) in cases {
        let output = refuses_to_start(&world.worker_with(changes).await).await;
        names_all(&output, &["worker cannot start"]);
        names_all(&output, expected);
    }
}

#[tokio::test]
async fn a_wrong_namespace_of_the_metrics_hides_no_other_fault() {
    let world = World::new().await;
    let changes =
        [("METRICS_NAMESPACE", ":sealpost"), ("QUEUE_URL", ""), ("SEALPOST_CONFIG", "/nowhere/sealpost.toml")];
    for program in [world.producer_with(&changes).await, world.worker_with(&changes).await] {
        let output = refuses_to_start(&program).await;
        names_all(&output, &["METRICS_NAMESPACE is not a namespace", "QUEUE_URL is not set", "/nowhere/sealpost.toml"]);
    }
}

#[tokio::test]
async fn a_worker_names_every_fault_of_its_configuration_with_its_place() {
    let world = World::new().await;
    let path = write_configuration(
        "[[provider]]\nname = \"main\"\nkind = \"twilio\"\nbase_url = \"http://example.com\"\n\
         auth_token = \"hush-in-the-file\"\nfrm = \"+12065550199\"\n[rety]\nhorizon = \"6h\"\n[retry]\nhorizon = \"soon\"\n",
    );
    let worker = world.worker_with(&[("SEALPOST_CONFIG", path.to_str().expect("UTF-8")), ("QUEUE_URL", "")]).await;
    let output = refuses_to_start(&worker).await;
    std::fs::remove_file(&path).expect("it was just written");
    names_all(
        &output,
        &[
            "QUEUE_URL is not set",
            "base_url",
            "account_sid",
            "frm",
            "from",
            "rety",
            "retry",
            "horizon",
            "line 4",
            "line 7",
        ],
    );
    assert!(!output.contains("hush-in-the-file"), "{output}");
}

#[tokio::test]
async fn a_program_that_is_run_in_a_wrong_way_explains_itself() {
    let binaries = binaries();
    let cases: [(&Path, &[&str], &str); 2] =
        [(&binaries.producer, &[], "CustomSMSSender"), (&binaries.worker, &["--help"], "AWS_LAMBDA_RUNTIME_API")];
    for (binary, arguments, expected) in cases {
        let mut command = Command::new(binary);
        let output =
            command.args(arguments).env_clear().stdin(Stdio::null()).output().await.expect("it was just built");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        names_all(&stderr, &["`bootstrap` of a provided.al2023", "cargo run -- local", expected]);
    }
}

#[tokio::test]
async fn a_worker_outside_lambda_names_what_a_service_needs() {
    let mut command = Command::new(&binaries().worker);
    let output = command.env_clear().stdin(Stdio::null()).output().await.expect("it was just built");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    names_all(&stderr, &["worker cannot start", "QUEUE_URL is not set", "KMS_KEY_ARNS is not set"]);
}

#[tokio::test]
async fn a_list_of_user_pools_that_is_not_utf_8_is_not_taken_for_unset() {
    let binaries = binaries();
    for program in [&binaries.producer, &binaries.worker] {
        let mut command = Command::new(program);
        command.env_clear().env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9").env("AWS_REGION", "eu-west-1");
        let not_utf_8 = OsStr::from_bytes(b"eu-west-1_AbCdEfGhI\xff");
        let output = command.env("USER_POOL_IDS", not_utf_8).stdin(Stdio::null()).output().await;
        let output = output.expect("it was just built");
        assert_eq!(output.status.code(), Some(1));
        names_all(&String::from_utf8_lossy(&output.stderr), &["cannot start", "USER_POOL_IDS has a member"]);
    }
}

#[tokio::test]
async fn the_connection_to_the_provider_is_opened_before_the_first_message() {
    let world = World::new().await;
    let worker = world.worker().await;
    world.until(|world| world.twilio.connections() == 1).await;
    assert_eq!(world.twilio.requests(), 0, "nothing was asked of it");

    world.forge(&world.body(world.sign_up("739214")).to_string()).await;
    let round = world.round(&worker).await;
    assert_eq!((round.messages.len(), round.names()), (1, Named::None));
    assert_eq!((world.twilio.messages(), world.twilio.connections()), (1, 1), "the first message uses it");
}
