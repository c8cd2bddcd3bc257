//! Messages that do not arrive: the reason is said, with what to do and where to look.

use local::Pipeline;
use local::fake_twilio::NO_MOBILE;

use crate::scripted::Scripted;
use crate::tool::send_through;

const ATTEMPTED: &str = r#""event":"attempted","provider":"main","outcome":"transient","code":"20503","took_ms":1.5"#;
const RETRIED: &str = r#""event":"retried","reason":"providers_unavailable","after_ms":2500.0,"receive_count":1"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_the_provider_refuses_ends_as_a_dead_letter_with_reason_and_remedy() {
    let pipeline = Pipeline::start(0).await.expect("a free port");
    let said = send_through(&pipeline, &["--to", NO_MOBILE, "--yes"]).await;
    said.assert_told(
        1,
        &[
            "twilio-local answered in ",
            ": recipient_permanent (21614)\n",
            "receive 1, dead-lettered as recipient_rejected: ",
            "dead letter recipient_rejected: the provider says that this number cannot be reached: try another one\n",
            "all that is known of it, by who may redrive: sealpost dlq show ",
            "to clear it away: sealpost dlq drop --id ",
        ],
    );
    let json = send_through(&pipeline, &["--to", NO_MOBILE, "--yes", "--json"]).await.json();
    assert_eq!((&json["ending"], &json["reason"]), (&"dead_lettered".into(), &"recipient_rejected".into()));
    assert!(json["remedy"].as_str().is_some_and(|remedy| remedy.contains("try another one")), "{json}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_still_retried_stands_in_the_queue_until_a_time_that_is_said() {
    let said = Scripted::worker_says(&[ATTEMPTED, RETRIED]).send(&[]).await;
    said.assert_told(
        1,
        &[
            "14:32:00.000Z  worker    main answered in 1.5 ms: transient (20503)\n",
            "14:32:01.000Z  worker    receive 1, postponed until 14:32:03.500Z: providers_unavailable\n",
            "not at its end within 1s: it waits in the queue until 14:32:03.500Z and is tried again by itself \
             (providers_unavailable)\n",
            "look later, in CloudWatch Logs Insights with both log groups chosen:\n  fields @timestamp, event, ",
            "\n  | filter id = \"",
        ],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_says_nothing_is_asked_after() {
    let said = Scripted::worker_says(&[]).send(&[]).await;
    said.assert_told(1, &["not at its end within 1s: the worker has said nothing of it. Is it running"]);
    let json = Scripted::worker_says(&[]).send(&["--json"]).await.json();
    assert_eq!((&json["ending"], json["facts"].as_array().map(Vec::len)), (&"not_yet".into(), Some(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_the_producer_has_its_reason_and_its_remedy() {
    let pipeline = Pipeline::start(0).await.expect("a free port");
    let said = send_through(&pipeline, &["--user-pool", "eu-west-1_Another01", "--yes"]).await;
    said.assert_told(
        1,
        &[
            "producer  refused as WrongUserPool: user pool eu-west-1_Another01 is not in USER_POOL_IDS; add it there",
            "not accepted, WrongUserPool: a stack serves one pool: is --user-pool the one of this stack",
        ],
    );
    // Lambda may keep its log back.
    let said = Scripted::producer_fails("QueueMisconfigured", "SQS refuses the message: AccessDenied").send(&[]).await;
    said.assert_told(
        1,
        &["not accepted, QueueMisconfigured (SQS refuses the message: AccessDenied): SQS refuses: QUEUE_URL"],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_another_function_is_named_and_not_quoted() {
    let said = Scripted::producer_fails("TypeError", "cannot send 123456 to +12065550142").send(&[]).await;
    said.assert_told(1, &["not accepted, TypeError: that is no error of the producer's own: its log says more"]);
    assert!(!said.out.contains("cannot send"), "{}", said.out);
    let said = Scripted::producer_fails("cannot send to +12065550142", "no").send(&[]).await;
    said.assert_told(1, &["not accepted, an error without a name: that is no error of the producer's own"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_followed_is_said_after_the_producer_has_accepted_it() {
    let scripted = Scripted::logs_refuse("UnknownOperationException");
    let said = scripted.send(&[]).await;
    said.assert_told(
        1,
        &[
            "accepted, and what became of it was not seen: the endpoint has no CloudWatch Logs\n",
            "look later, in CloudWatch",
        ],
    );
    assert_eq!(scripted.invocations(), 1);
    // A notice has no code whose id would be known.
    let said = Scripted::worker_says(&[]).send(&["--source", "AccountTakeOverNotification"]).await;
    said.assert_told(1, &["accepted, and what became of it was not seen: the producer did not say the message's id\n"]);
}
