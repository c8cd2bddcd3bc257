//! `redrive`: exactly what is still worth sending.

use std::collections::BTreeSet;
use std::time::Duration;

use local::aws::SqsFault;
use serde_json::{Value, json};
use shared::{MessageId, QueueMessage, Timestamp, TriggerSource};
use sqs::AttributeValue;

use crate::world::{DEAD_LETTERS, MAIN, OPERATOR, PRODUCER, Put, WORKER, World, id};

fn text(message: &sqs::Message, attribute: &str) -> Option<String> {
    match &message.attributes.get(attribute)?.value {
        AttributeValue::Text(text) => Some(text.clone()),
        AttributeValue::Binary(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_yes_nothing_is_done_but_to_count_and_estimate() {
    let world = World::new();
    for number in 0..30 {
        world.put(&Put::new(number));
    }
    world.put(&Put { age: Duration::from_secs(30), lifetime: Duration::from_secs(50), ..Put::new(30) });
    world.put(&Put::new(31).expired());
    let shown = world.says(&["redrive", "--rate", "1"]).await;
    assert!(shown.starts_with("31 dead letters would be sent again, within 31 s at 1 per second\n"), "{shown}");
    assert!(shown.contains("      31  providers_exhausted\n"), "{shown}");
    assert!(shown.contains("1 of them expire within that time"), "{shown}");
    assert!(shown.contains("       1  expired: their codes cannot be used any more; --include-expired"), "{shown}");
    assert!(
        shown.contains(
            "aws sqs start-message-move-task --source-arn arn:aws:sqs:eu-west-1:123456789012:sealpost-dead-letters \
             --destination-arn arn:aws:sqs:eu-west-1:123456789012:sealpost --max-number-of-messages-per-second 1\n"
        ),
        "{shown}"
    );
    assert!(shown.ends_with("nothing is done yet: say it again with --yes\n"), "{shown}");
    assert_eq!(world.messages(MAIN).len(), 0);
    assert_eq!(world.counts(), (32, 0));
    assert_eq!(world.files("").len(), 0, "a rehearsal leaves no file");
    let filtered = world.json(&["redrive", "--reason", "providers_exhausted"]).await;
    assert_eq!((&filtered["would_move"], &filtered["native_command"]), (&json!(31), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_goes_back_as_it_was_with_its_identity_and_counted_once_more() {
    let world = World::new();
    let put = Put::new(7).attribute("redriven", 1);
    world.put(&put);
    let before = world.messages(DEAD_LETTERS)[0].body.clone();
    let shown = world.says(&["redrive", "--yes"]).await;
    assert!(shown.starts_with("1 dead letter sent again in "), "{shown}");
    assert_eq!(world.messages(DEAD_LETTERS).len(), 0);
    let sent = &world.messages(MAIN)[0];
    assert_eq!(sent.body, before, "age and expiry are those of the first time");
    assert_eq!(sent.sender_id, OPERATOR);
    assert_eq!(text(sent, "redriven").as_deref(), Some("2"));
    assert_eq!(sent.attributes["redriven"].data_type, "Number");
    assert_eq!(text(sent, "trigger_source").as_deref(), Some("SignUp"));
    assert_eq!(text(sent, "user_pool_id").as_deref(), Some("eu-west-1_OPERATED1"));
    assert_eq!(sent.attributes.len(), 3, "what the worker said of it stays behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_record_says_who_moved_what() {
    let world = World::new();
    for number in 0..12 {
        world.put(&Put::new(number));
    }
    world.put(&Put::new(12).reason("outcome_unknown"));
    let arguments =
        ["redrive", "--reason", "providers_exhausted", "--rate", "unlimited", "--audit", "audit.json", "--yes"];
    let shown = world.says(&arguments).await;
    assert!(shown.contains("audit record: audit.json"), "{shown}");
    let record = std::fs::read_to_string(world.folder.path().join("audit.json")).expect("written");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!((&record["type"], &record["by"]["user"]), (&json!("sealpost.redrive.v1"), &json!("mary")));
    assert_eq!((&record["filter"], &record["outcome"]), (&json!(["--reason providers_exhausted"]), &json!("done")));
    let counts = json!({ "moved": 12, "in_both_queues": 0, "refused": 0, "held_back": {}, "not_meant": 1 });
    assert_eq!(record["counts"], counts);
    let ids: BTreeSet<_> =
        record["ids"].as_array().expect("a list").iter().map(|id| id.as_str().expect("text")).collect();
    assert_eq!(ids, (0..12).map(id).collect::<Vec<_>>().iter().map(MessageId::as_str).collect());
    let again = world.run(&arguments).await;
    assert!(String::from_utf8_lossy(&again.stderr).contains("creating audit.json; nothing was changed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_to_be_sent_is_held_back_with_the_flag_that_sends_it() {
    for (put, remedy, held_back) in [
        (Put::new(0).expired(), "--include-expired", "expired"),
        (Put::new(0).reason("outcome_unknown"), "--resend-unknown", "may_send_twice"),
        (Put::new(0).reason("untrusted_sender"), "--force", "untrusted_before_the_worker"),
        (Put::new(0).reason("of_a_later_version"), "--force", "unknown_reason"),
        (Put::new(0).reason("recipient_rejected"), "--reason=recipient_rejected", "reason_stands"),
        (Put::new(0).reason("country_not_allowed"), "--reason=country_not_allowed,expired", "reason_stands"),
        (Put::new(0).attribute("redriven", 3), "--max-redrives=4", "redriven_too_often"),
        (Put::new(0).attribute("redriven", 4), "--max-redrives=5", "redriven_too_often"),
    ] {
        let world = World::new();
        world.put(&put);
        let held = world.json(&["redrive", "--yes"]).await;
        assert_eq!(held["held_back"], json!({ held_back: 1 }));
        assert_eq!((world.messages(MAIN).len(), world.counts()), (0, (1, 0)), "{held_back}");
        let moved = world.json(&["redrive", "--yes", remedy]).await;
        assert_eq!(moved["moved"], json!(1), "{held_back}");
        assert_eq!((world.messages(MAIN).len(), world.counts()), (1, (0, 0)), "{held_back}");
    }
    let world = World::new();
    world.put_body("junk".to_owned(), &[("reason", "malformed".to_owned())], WORKER);
    let everything = ["redrive", "--yes", "--force", "--include-expired", "--resend-unknown"];
    assert_eq!(world.json(&everything).await["held_back"], json!({ "unreadable": 1 }));
    assert_eq!(world.counts(), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_invocation_becomes_the_message_that_the_producer_would_have_sent() {
    let world = World::new();
    let put = Put { age: Duration::from_secs(600), ..Put::new(9) };
    world.put_failed_invocation(&put, "EventAgeExceeded");
    let record: Value = serde_json::from_str(&world.messages(DEAD_LETTERS)[0].body).expect("JSON");
    world.says(&["redrive", "--yes"]).await;
    let message = QueueMessage::parse(&world.messages(MAIN)[0].body).expect("a queue message");
    assert_eq!(message.id, id(9));
    let given_up: Timestamp = record["timestamp"].as_str().expect("text").parse().expect("a time");
    assert_eq!(message.accepted_at, given_up - Duration::from_secs(180), "never now");
    assert_eq!(message.expires_at, message.accepted_at + Duration::from_secs(86_400));
    assert_eq!(message.event.attribute("email"), None, "only what delivery needs is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sign_in_is_found_expired_and_the_lifetimes_are_those_of_the_configuration() {
    let world = World::new();
    let put = Put { source: TriggerSource::Authentication, age: Duration::from_secs(30), ..Put::new(1) };
    world.put_failed_invocation(&put, "RetriesExhausted");
    assert_eq!(world.json(&["redrive"]).await["held_back"], json!({ "expired": 1 }));
    std::fs::write(world.folder.path().join("sealpost.toml"), "[lifetime]\nauthentication = \"15m\"\n")
        .expect("written");
    assert_eq!(world.json(&["redrive", "--config", "sealpost.toml"]).await["would_move"], json!(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_invoked_in_vain_without_a_code_has_the_id_that_the_producer_gives_it() {
    let world = World::new();
    let event = local::cognito::event(
        &shared::UserPoolId::parse("eu-west-1_OPERATED1").expect("a pool id"),
        TriggerSource::AccountTakeOverNotification,
        "+12065550100",
        None,
    );
    let (payload, timestamp) = (event.to_string(), shared::rfc3339_millis(crate::world::now()));
    let body = format!(
        "{{\"timestamp\":\"{timestamp}\",\"requestContext\":{{\"requestId\":\"r-1\",\"condition\":\"RetriesExhausted\"}},\
         \"requestPayload\":{payload}}}"
    );
    world.put_body(body, &[], PRODUCER);
    world.says(&["redrive", "--yes"]).await;
    let sent = QueueMessage::parse(&world.messages(MAIN)[0].body).expect("a queue message");
    assert_eq!(sent.id, MessageId::of_event_without_code(payload.as_bytes(), "r-1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_are_moved_as_asked_for_and_copies_of_one_only_once() {
    let world = World::new();
    for number in 0..40 {
        world.put(&Put::new(number));
    }
    assert_eq!(world.json(&["redrive", "--limit", "13", "--yes"]).await["moved"], json!(13));
    assert_eq!((world.messages(MAIN).len(), world.counts()), (13, (27, 0)));
    let world = World::new();
    for _ in 0..3 {
        world.put(&Put::new(1));
    }
    let moved = world.json(&["redrive", "--yes"]).await;
    assert_eq!((&moved["moved"], &moved["held_back"]), (&json!(1), &json!({ "moved_in_this_run": 2 })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_that_do_not_fit_into_one_call_go_in_several() {
    let world = World::new();
    for number in 0..8 {
        let mut body: Value = serde_json::from_str(&world.body(&Put::new(number))).expect("JSON");
        body["event"]["padding"] = "x".repeat(400_000).into();
        world.put_body(body.to_string(), &[("reason", "providers_exhausted".to_owned())], WORKER);
    }
    assert_eq!(world.json(&["redrive", "--yes"]).await["moved"], json!(8));
    assert_eq!((world.id_set(MAIN).len(), world.counts()), (8, (0, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_has_no_room_for_the_count_of_its_redrives_stays_and_holds_up_no_other() {
    let world = World::new();
    let mut body: Value = serde_json::from_str(&world.body(&Put::new(0))).expect("JSON");
    let room = 1024 * 1024 - body.to_string().len() - 20;
    body["event"]["padding"] = "x".repeat(room).into();
    world.put_body(body.to_string(), &[], PRODUCER);
    world.put(&Put::new(1));
    let output = world.run(&["redrive", "--yes"]).await;
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("1 were not taken by the main queue, and stay here: the message is larger than"), "{shown}");
    assert_eq!((world.ids(MAIN), world.counts()), (vec![id(1).to_string()], (1, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_main_queue_that_takes_nothing_stops_the_run_and_loses_nothing() {
    let world = World::new();
    for number in 0..25 {
        world.put(&Put::new(number));
    }
    world.aws.sqs().set_fault(Some(SqsFault::OperationUnavailable("SendMessageBatch")));
    let output = world.run(&["redrive", "--yes"]).await;
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("0 dead letters sent again"), "{shown}");
    assert!(shown.contains("stopped: SendMessageBatch: "), "{shown}");
    assert_eq!((world.messages(MAIN).len(), world.counts()), (0, (25, 0)));
    world.aws.sqs().set_fault(None);
    assert_eq!(world.json(&["redrive", "--yes"]).await["moved"], json!(25));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_deleted_is_in_both_queues_under_one_id_and_the_record_says_so() {
    let world = World::new();
    for number in 0..5 {
        world.put(&Put::new(number));
    }
    world.aws.sqs().set_fault(Some(SqsFault::OperationUnavailable("DeleteMessageBatch")));
    let output = world.run(&["redrive", "--yes", "--audit", "audit.json"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("5 were sent but could not be deleted here"));
    let record = std::fs::read_to_string(world.folder.path().join("audit.json")).expect("written");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!((&record["counts"]["in_both_queues"], &record["counts"]["moved"]), (&json!(5), &json!(0)));
    assert_eq!(world.id_set(MAIN), world.id_set(DEAD_LETTERS));
    world.aws.sqs().set_fault(None);
    world.says(&["redrive", "--yes"]).await;
    assert_eq!((world.messages(MAIN).len(), world.id_set(MAIN).len(), world.counts()), (10, 5, (0, 0)));
}
