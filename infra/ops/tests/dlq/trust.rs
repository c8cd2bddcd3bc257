//! A redrive launders nothing: whoever can write to the dead-letter queue must not get an operator to send for them.

use serde_json::{Value, json};

use crate::world::{MAIN, OPERATOR, PRODUCER, Put, WORKER, World, id, output};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_dead_letter_is_refused_whatever_is_allowed() {
    let world = World::new();
    world.put(&Put::new(0));
    world.put(&Put { sender: "AROASTRANGER", ..Put::new(1) });
    world.put(&Put { sender: "AROASTRANGER", ..Put::new(2).moved_by_sqs() });
    world.put(&Put { sender: "AROAWORKERS", ..Put::new(3) });
    let everything = ["redrive", "--force", "--include-expired", "--resend-unknown", "--yes", "--json"];
    let output = world.run(&everything).await;
    assert_eq!(output.status.code(), Some(1), "somebody should look into it");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&summary["moved"], &summary["held_back"]), (&json!(1), &json!({ "untrusted_sender": 3 })));
    assert_eq!(world.ids(MAIN), [id(0).as_str()]);
    assert_eq!(world.counts(), (3, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_shows_who_has_sent_what_is_there_while_nobody_is_trusted_yet() {
    let world = World::new();
    world.put(&Put::new(0));
    world.put(&Put::new(1));
    world.put(&Put { sender: "AROASTRANGER", ..Put::new(2) });
    let mut command = world.command(&["redrive"]);
    command.env_remove("TRUSTED_SENDER_IDS");
    let output = output(command).await;
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        shown.contains("whose messages may be sent. They were sent by\n  AROASTRANGER (1)\n  AROAWORKER (2)\n"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trusted_can_be_named_with_their_sessions() {
    let world = World::new();
    world.put(&Put::new(0));
    world.put(&Put { sender: PRODUCER, ..Put::new(1).moved_by_sqs() });
    let trusted = format!("{WORKER}:worker-function,{OPERATOR}");
    let mut command = world.command(&["redrive", "--yes", "--json", "--trusted-sender", &trusted]);
    command.env_remove("TRUSTED_SENDER_IDS");
    let summary: Value = serde_json::from_slice(&output(command).await.stdout).expect("JSON");
    assert_eq!((&summary["moved"], &summary["held_back"]), (&json!(1), &json!({ "untrusted_sender": 1 })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_restored_from_a_file_is_theirs() {
    let world = World::new();
    world.put(&Put::new(0));
    world.says(&["drop", "--into", "dropped.jsonl", "--yes"]).await;
    world.says(&["restore", "dropped.jsonl", "--yes"]).await;
    let run_as_before = ["redrive", "--json", "--trusted-sender", WORKER];
    let mut command = world.command(&run_as_before);
    command.env_remove("TRUSTED_SENDER_IDS");
    let summary: Value = serde_json::from_slice(&output(command).await.stdout).expect("JSON");
    assert_eq!(summary["held_back"], json!({ "untrusted_sender": 1 }));
    assert_eq!(world.json(&["redrive"]).await["would_move"], json!(1), "the operator's own id is trusted here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_says_who_redrives() {
    let world = World::new();
    world.put(&Put::new(0));
    std::fs::write(
        world.folder.path().join("credentials"),
        "[night-shift]\naws_access_key_id = AROANIGHTSHIFT\naws_secret_access_key = x\n",
    )
    .expect("written");
    let mut command = world.command(&["redrive", "--profile", "night-shift", "--yes"]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    assert_eq!(output(command).await.status.code(), Some(0));
    assert_eq!(world.messages(MAIN)[0].sender_id, "AROANIGHTSHIFT");
}
