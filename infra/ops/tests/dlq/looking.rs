//! `stats`, `list` and `show`.

use std::time::Duration;

use serde_json::{Value, json};
use shared::TriggerSource;

use crate::world::{DEAD_LETTERS, MAIN, PRODUCER, Put, World, id};

fn some_of_everything(world: &World) {
    for number in 0..3 {
        world.put(&Put::new(number));
    }
    world.put(&Put {
        source: TriggerSource::Authentication,
        to: "+61491570156",
        ..Put::new(3).reason("expired").expired()
    });
    world.put(&Put { to: "+33639980001", ..Put::new(4).reason("outcome_unknown").attribute("provider", "infobip-eu") });
    world.put(&Put::new(5).moved_by_sqs());
    world.put_failed_invocation(&Put::new(6), "RetriesExhausted");
    world.put_body("junk".to_owned(), &[("reason", "malformed".to_owned())], "AROAWORKER");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stats_count_by_every_side_and_say_what_is_within_its_lifetime() {
    let world = World::new();
    some_of_everything(&world);
    let stats = world.json(&["stats"]).await;
    let tally = |letters: u64, alive: u64| json!({ "letters": letters, "within_lifetime": alive });
    assert_eq!((&stats["letters"], &stats["within_lifetime"]), (&json!(8), &json!(6)));
    assert_eq!((&stats["complete"], &stats["in_flight"]), (&json!(true), &json!(0)));
    assert_eq!(
        stats["reason"],
        json!({
            "providers_exhausted": tally(3, 3), "expired": tally(1, 0), "outcome_unknown": tally(1, 1),
            "receive_limit": tally(1, 1), "producer_failed": tally(1, 1), "malformed": tally(1, 0),
        })
    );
    assert_eq!(stats["source"], json!({ "SignUp": tally(6, 6), "Authentication": tally(1, 0), "-": tally(1, 0) }));
    assert_eq!(stats["country"], json!({ "US": tally(5, 5), "AU": tally(1, 0), "FR": tally(1, 1), "-": tally(1, 0) }));
    assert_eq!(stats["provider"], json!({ "twilio-main": tally(4, 3), "infobip-eu": tally(1, 1), "-": tally(3, 2) }));
    assert_eq!(stats["sender"], json!({ "AROAWORKER": tally(6, 4), PRODUCER: tally(2, 2) }));

    let shown = world.says(&["stats"]).await;
    assert!(shown.contains("sealpost-dead-letters: 8 dead letters, 6 within their lifetime"), "{shown}");
    assert!(shown.contains("the oldest was accepted 2 h ago"), "{shown}");
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["providers_exhausted", "3", "3"])), "{shown}");
    let filtered = world.says(&["stats", "--reason", "outcome_unknown,expired"]).await;
    assert!(filtered.contains("2 dead letters, 1 within their lifetime"), "{filtered}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_gives_back_at_once_what_it_took_out_of_sight_and_counts_as_one_receive() {
    let world = World::new();
    for number in 0..45 {
        world.put(&Put::new(number));
    }
    for looks in 1..=2 {
        world.says(&["stats"]).await;
        assert_eq!(world.counts(), (45, 0), "look {looks}");
    }
    let listed = world.says(&["list", "--json"]).await;
    let counts: Vec<_> = listed.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect();
    assert_eq!(counts.len(), 45);
    assert!(counts.iter().all(|letter| letter["receive_count"] == 3), "{listed}");
    assert_eq!(world.counts(), (45, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_letters_are_received_than_are_wanted_but_for_those_of_the_calls_under_way() {
    let world = World::new();
    for number in 0..200 {
        world.put(&Put::new(number));
    }
    assert_eq!(world.says(&["list", "--limit", "5", "--json"]).await.lines().count(), 5);
    let listed = world.says(&["list", "--json"]).await;
    let letters = listed.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let received_before = letters.filter(|letter| letter["receive_count"] == 2).count();
    assert!((10..=30).contains(&received_before), "{received_before} were received for a list of five");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_says_that_it_is_one() {
    let world = World::new();
    for number in 0..150 {
        world.put(&Put::new(number));
    }
    let stats = world.json(&["stats", "--sample", "20"]).await;
    assert_eq!((&stats["letters"], &stats["complete"], &stats["about"]), (&json!(20), &json!(false), &json!(150)));
    assert!(world.says(&["stats", "--sample", "20"]).await.contains("a sample: the queue holds about 150"));
    assert_eq!(world.counts(), (150, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_shows_a_letter_a_line_and_no_number_whole() {
    let world = World::new();
    some_of_everything(&world);
    let shown = world.says(&["list", "--country", "FR"]).await;
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 2, "{shown}");
    let cells: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!(cells[..6], ["c0c0c0c0c0c0", "outcome_unknown", "SignUp", "FR", "+33…01", "infobip-eu"], "{shown}");
    let everything = world.says(&["list"]).await;
    assert_eq!(everything.lines().count(), 9, "{everything}");
    for number in ["+12065550100", "+61491570156", "+33639980001"] {
        assert!(!everything.contains(number), "{everything}");
    }
    assert_eq!(world.says(&["list", "--reason", "superseded"]).await, "no such dead letter\n");
    assert_eq!(world.says(&["list", "--reason", "superseded", "--json"]).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_is_shown_with_its_sealed_code_explained() {
    let world = World::new();
    some_of_everything(&world);
    let whole = world.says(&["show", id(4).as_str()]).await;
    for expected in [
        "reason          outcome_unknown",
        "detail          twilio-main: http_503",
        "provider        infobip-eu (tried last)",
        "trigger source  SignUp",
        "user pool       eu-west-1_OPERATED1",
        "to              +33…01 (FR)",
        "0x0378 (AES-256-GCM, HKDF-SHA-384, signed with ECDSA P-384; Cognito's)",
        "  KMS key       arn:aws:kms:eu-west-1:123456789012:key/",
        "  context       userpool-id = eu-west-1_OPERATED1",
        "sent by         AROAWORKER",
    ] {
        assert!(whole.contains(expected), "{expected}: {whole}");
    }
    let sqs_id = &world.messages(DEAD_LETTERS)[6].id;
    let failed = world.json(&["show", sqs_id]).await;
    assert_eq!((&failed["reason"], &failed["detail"]), (&json!("producer_failed"), &json!("RetriesExhausted")));
    assert_eq!(failed["id"], json!(id(6).as_str()));
    let junk = world.says(&["show", &world.messages(DEAD_LETTERS)[7].id]).await;
    assert!(junk.contains("cannot be read: the body is not JSON"), "{junk}");

    let unknown = world.run(&["show", "ffffffff"]).await;
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no dead letter has the id ffffffff"));
    assert_eq!(world.counts(), (8, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_sqs_would_move_messages_out_of_is_not_looked_at() {
    let world = World::new();
    let output = world.run(&["stats", "--queue", MAIN]).await;
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("more than 3 times, and looking is receiving"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_or_wrong_is_told_with_what_to_give() {
    let world = World::new();
    for (arguments, code, expected) in [
        (&["stats", "--reason", "lost"][..], 2, "there is no such reason; there are malformed, untrusted_sender"),
        (&["stats", "--source", "SignDown"], 2, "there is no such trigger source; there are SignUp, "),
        (&["stats", "--country", "UK"], 2, "give its ISO 3166 code in capitals, such as GB"),
        (&["stats", "--older-than", "yesterday"], 2, "must be a duration such as"),
        (&["redrive", "--rate", "0"], 2, "must be 1 to 100000, or `unlimited`"),
        (&["redrive", "--yes", "--dry-run"], 2, "cannot be used with"),
        (&["stats", "--queue", "nowhere"], 1, "queue nowhere: GetQueueUrl: "),
    ] {
        let output = world.run(arguments).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    for (missing, arguments, expected) in [
        ("DEAD_LETTER_QUEUE_URL", &["stats"][..], "which queue? Give --queue or --stack, or set DEAD_LETTER_QUEUE_URL"),
        ("QUEUE_URL", &["redrive"], "which is the main queue? Give --to or --stack, or set QUEUE_URL"),
        ("TRUSTED_SENDER_IDS", &["redrive", "--yes"], "whose messages may be sent? Give --stack, or --trusted-sender"),
    ] {
        let mut command = world.command(arguments);
        command.env_remove(missing);
        let output = crate::world::output(command).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_invocations_are_a_stacks_and_no_queue_of_the_environment_stands_against_them() {
    const NO_STACK: &str = "whose failed invocations? Give --stack; without a stack, --queue names any queue";
    const TWO_QUEUES: &str = "--queue names another one: give one of them";
    // Here is no CloudFormation: that it is asked says that nothing was wrong with the flags.
    const ASKS_THE_STACK: &str = "asking CloudFormation for stack sealpost";
    let world = World::new();
    for (arguments, code, expected) in [
        (&["stats", "--failed-invocations"][..], 2, NO_STACK),
        (&["--failed-invocations", "redrive", "--yes"], 2, NO_STACK),
        (&["stats", "--failed-invocations", "--queue", DEAD_LETTERS], 2, TWO_QUEUES),
        (&["--queue", DEAD_LETTERS, "--stack", "sealpost", "list", "--failed-invocations"], 2, TWO_QUEUES),
        (&["--failed-invocations", "drop", "--queue", DEAD_LETTERS, "--stack", "sealpost"], 2, TWO_QUEUES),
        (&["--stack", "sealpost", "--failed-invocations", "stats"], 1, ASKS_THE_STACK),
        (&["--stack", "sealpost", "stats", "--failed-invocations"], 1, ASKS_THE_STACK),
        (&["--failed-invocations", "stats", "--stack", "sealpost"], 1, ASKS_THE_STACK),
    ] {
        let output = world.run(arguments).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_by_age_count_from_when_the_message_was_accepted() {
    let world = World::new();
    for (number, minutes) in [(0, 1), (1, 20), (2, 90)] {
        world.put(&Put { age: Duration::from_secs(minutes * 60), ..Put::new(number) });
    }
    for (filters, expected) in [
        (&["--older-than", "10m"][..], 2),
        (&["--newer-than", "1h"], 2),
        (&["--older-than", "10m", "--newer-than", "1h"], 1),
        (&["--older-than", "2h"], 0),
    ] {
        let stats = world.json(&[&["stats"], filters].concat()).await;
        assert_eq!(stats["letters"], json!(expected), "{filters:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_reads_to_its_end_ends_quietly_and_holds_nothing() {
    let world = World::new();
    for number in 0..500 {
        world.put(&Put::new(number));
    }
    for arguments in [&["list", "--json"][..], &["stats"]] {
        let mut command = world.command(arguments);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        drop(child.stdout.take());
        let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("no panic");
        let output = output.expect("our child");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
        assert_eq!(world.counts(), (500, 0));
    }
}
