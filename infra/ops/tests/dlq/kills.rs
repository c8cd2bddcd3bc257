//! `kill -9` in the middle: nothing is lost, and what is there twice has one id.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{DEAD_LETTERS, MAIN, Put, World, id};

const LETTERS: u64 = 600;
/// Kills of each command.
const ROUNDS: u64 = 5;

fn everything() -> BTreeSet<String> {
    (0..LETTERS).map(|number| id(number).to_string()).collect()
}

fn world_of_letters() -> World {
    let world = World::new();
    for number in 0..LETTERS {
        world.put(&Put::new(number));
    }
    world
}

/// Starts a command, and kills it once `progress` has come as far as a random point; whether that was before its end.
async fn kill_midway(
    world: &World,
    arguments: &[&str],
    random: &mut fastrand::Rng,
    progress: impl Fn() -> usize,
) -> bool {
    let mut command = world.command(arguments);
    let mut child: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
    let point = random.usize(1..500);
    let later = Duration::from_millis(random.u64(0..20));
    while progress() < point && child.try_wait().expect("our child").is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(later).await;
    let was_running = child.try_wait().expect("our child").is_none();
    child.kill().expect("killed");
    child.wait().expect("our child");
    hidden_letters_come_back(world);
    was_running
}

/// What a killed command held comes back by itself.
fn hidden_letters_come_back(world: &World) {
    world.aws.sqs().pass_time(Duration::from_secs(121));
}

/// Runs a command until the queue is empty, under a new file name each time: calls that the killed one had under way may
/// reach SQS after its end, and take letters out of sight once more.
async fn until_empty<const N: usize>(world: &World, command: impl Fn(&str) -> [&str; N]) -> Vec<String> {
    let mut files = Vec::new();
    while !world.messages(DEAD_LETTERS).is_empty() {
        assert!(files.len() < 3, "it empties the queue");
        let file = format!("again-{}", files.len());
        world.says(&command(&file)).await;
        hidden_letters_come_back(world);
        files.push(file);
    }
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redrive_loses_nothing_and_the_same_command_goes_on() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut killed_midway = 0;
    for round in 0..ROUNDS {
        let world = world_of_letters();
        let arguments = ["redrive", "--rate", "400", "--yes"];
        let moved = || world.messages(MAIN).len();
        killed_midway += u64::from(kill_midway(&world, &arguments, &mut random, moved).await);
        let both = &world.id_set(MAIN) | &world.id_set(DEAD_LETTERS);
        assert_eq!(both, everything(), "round {round}");
        until_empty(&world, |file| ["redrive", "--rate", "unlimited", "--audit", file, "--yes"]).await;
        assert_eq!((world.id_set(MAIN), world.messages(DEAD_LETTERS).len()), (everything(), 0), "round {round}");
    }
    assert!(killed_midway >= ROUNDS - 1, "only {killed_midway} were still running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_drop_has_everything_in_its_file_that_is_no_longer_in_the_queue() {
    let mut random = fastrand::Rng::with_seed(2);
    let mut killed_midway = 0;
    for round in 0..ROUNDS {
        let world = world_of_letters();
        world.aws.sqs().set_fault(Some(local::aws::SqsFault::Latency(Duration::from_millis(10))));
        let gone = || usize::try_from(LETTERS).expect("small") - world.messages(DEAD_LETTERS).len();
        killed_midway +=
            u64::from(kill_midway(&world, &["drop", "--into", "a.jsonl", "--yes"], &mut random, gone).await);
        world.aws.sqs().set_fault(None);
        let mut files = until_empty(&world, |file| ["drop", "--into", file, "--yes"]).await;
        files.push("a.jsonl".to_owned());
        for file in files {
            if world.folder.path().join(&file).exists() {
                world.says(&["restore", &file, "--yes"]).await;
            }
        }
        assert_eq!(world.id_set(DEAD_LETTERS), everything(), "round {round}");
    }
    assert!(killed_midway >= ROUNDS - 1, "only {killed_midway} were still running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_restore_goes_on_where_it_was() {
    let mut random = fastrand::Rng::with_seed(3);
    let mut killed_midway = 0;
    for round in 0..ROUNDS {
        let world = world_of_letters();
        world.says(&["drop", "--into", "dropped.jsonl", "--yes"]).await;
        world.aws.sqs().set_fault(Some(local::aws::SqsFault::Latency(Duration::from_millis(10))));
        let back = || world.messages(DEAD_LETTERS).len();
        let restore = ["restore", "dropped.jsonl", "--yes"];
        killed_midway += u64::from(kill_midway(&world, &restore, &mut random, back).await);
        world.aws.sqs().set_fault(None);
        world.says(&restore).await;
        let letters = world.ids(DEAD_LETTERS);
        assert_eq!(letters.iter().cloned().collect::<BTreeSet<_>>(), everything(), "round {round}");
        let twice = letters.len() as u64 - LETTERS;
        assert!(twice <= 100, "round {round}: {twice} are there twice, more than are noted together");
    }
    assert!(killed_midway >= ROUNDS - 1, "only {killed_midway} were still running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_redrive_gives_back_what_it_holds_and_records_how_far_it_came() {
    let world = world_of_letters();
    let mut command = world.command(&["redrive", "--rate", "200", "--yes", "--json", "--audit", "audit.json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
    while world.messages(MAIN).len() < 50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let going_on: Value = serde_json::from_str(&audit(&world)).expect("JSON");
    assert_eq!((&going_on["outcome"], &going_on["by"]["user"]), (&json!("going on"), &json!("mary")));
    let process = nix::unistd::Pid::from_raw(child.id().try_into().expect("a process id"));
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGINT).expect("sent");
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("no panic").expect("our child");
    assert_eq!(output.status.code(), Some(1));
    let moved = world.messages(MAIN).len();
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&summary["outcome"], &summary["moved"]), (&json!("interrupted"), &json!(moved)));
    assert_eq!(world.counts(), (usize::try_from(LETTERS).expect("small") - moved, 0), "nothing stays out of sight");
    let record: Value = serde_json::from_str(&audit(&world)).expect("JSON");
    assert_eq!(record["ids"].as_array().map(Vec::len), Some(moved));
}

fn audit(world: &World) -> String {
    std::fs::read_to_string(world.folder.path().join("audit.json")).expect("written before anything is moved")
}
