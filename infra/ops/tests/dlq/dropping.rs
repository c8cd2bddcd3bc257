//! `drop` and `restore`: out of the queue into a file, and back.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::world::{DEAD_LETTERS, Put, World};

fn five_letters(world: &World) {
    for number in 0..4 {
        world.put(&Put::new(number).attribute("redriven", number));
    }
    world.put(&Put::new(4).reason("expired").expired());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_is_in_a_file_of_its_owners_alone_and_comes_back_as_it_was() {
    let world = World::new();
    five_letters(&world);
    world.put_body("junk".to_owned(), &[("reason", "malformed".to_owned())], "AROAWORKER");
    let essence = |world: &World| {
        let messages = world.messages(DEAD_LETTERS);
        let mut all: Vec<_> =
            messages.iter().map(|one| (one.body.clone(), format!("{:?}", one.attributes.keys()))).collect();
        all.sort();
        all
    };
    let before = essence(&world);
    let would = world.says(&["drop"]).await;
    assert!(would.starts_with("6 dead letters would be written into a file and taken out of the queue\n"), "{would}");
    assert_eq!((world.counts(), world.files("").len()), ((6, 0), 0));

    let shown = world.says(&["drop", "--yes"]).await;
    assert!(shown.starts_with("6 dead letters dropped into sealpost-dropped-"), "{shown}");
    assert_eq!(world.counts(), (0, 0));
    let [file] = &world.files("sealpost-dropped-")[..] else { panic!("one file") };
    assert_eq!(file.metadata().expect("exists").permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file).expect("readable");
    let head: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&head["type"], &head["by"]["user"]), (&json!("sealpost.dropped.v1"), &json!("mary")));

    let file = file.to_str().expect("UTF-8");
    assert!(
        world.says(&["restore", file]).await.starts_with("6 dead letters would be put back into sealpost-dead-letters")
    );
    assert_eq!(world.counts(), (0, 0));
    assert!(
        world.says(&["restore", file, "--yes"]).await.starts_with("6 dead letters put back into sealpost-dead-letters")
    );
    assert_eq!(essence(&world), before);
    let again = world.says(&["restore", file, "--yes"]).await;
    assert!(again.starts_with("0 dead letters put back"), "{again}");
    assert!(again.contains("6 were put back before"), "{again}");
    assert_eq!(world.counts(), (6, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_the_filters_mean_is_dropped() {
    let world = World::new();
    five_letters(&world);
    let dropped = world.json(&["drop", "--reason", "expired", "--into", "expired.jsonl", "--yes"]).await;
    assert_eq!((&dropped["dropped"], &dropped["not_meant"]), (&json!(1), &json!(4)));
    assert_eq!(world.counts(), (4, 0));
    let none = world.says(&["drop", "--reason", "superseded", "--yes"]).await;
    assert!(none.starts_with("no dead letters were dropped\n"), "{none}");
    assert_eq!(world.files("sealpost-dropped-").len(), 0, "a file without a letter is not left");
    assert_eq!(world.json(&["drop", "--limit", "3", "--into", "three.jsonl", "--yes"]).await["dropped"], json!(3));
    assert_eq!(world.counts(), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_is_written_over() {
    let world = World::new();
    five_letters(&world);
    std::fs::write(world.folder.path().join("there.jsonl"), "mine").expect("written");
    let output = world.run(&["drop", "--into", "there.jsonl", "--yes"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("creating there.jsonl; nothing was changed"));
    assert_eq!(world.counts(), (5, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_breaks_off_gives_back_what_it_has_and_says_so() {
    let world = World::new();
    five_letters(&world);
    world.says(&["drop", "--into", "dropped.jsonl", "--yes"]).await;
    let path = world.folder.path().join("dropped.jsonl");
    let text = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, &text[..text.len() - 100]).expect("written");
    let shown = world.says(&["restore", "dropped.jsonl", "--yes"]).await;
    assert!(shown.starts_with("4 dead letters put back"), "{shown}");
    assert!(shown.contains("the file's last line breaks off"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_file_of_dropped_letters_is_refused_before_anything_is_sent() {
    let world = World::new();
    five_letters(&world);
    world.says(&["drop", "--into", "dropped.jsonl", "--yes"]).await;
    let head = "{\"type\":\"sealpost.dropped.v1\"}\n";
    for (text, expected) in [
        ("", "is no file of `sealpost dlq drop`"),
        ("[]\n", "is no file of `sealpost dlq drop`"),
        ("{\"type\":\"sealpost.redrive.v1\"}\n", "is no file of `sealpost dlq drop`"),
        (&format!("{head}{{\"body\":\"+12065550100\"}}\n"), "line 2 is no dropped letter"),
    ] {
        std::fs::write(world.folder.path().join("other.jsonl"), text).expect("written");
        let output = world.run(&["restore", "other.jsonl", "--yes"]).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains(expected) && !error.contains("+1206"), "{error}");
    }
    assert_eq!(world.counts(), (0, 0));
}
