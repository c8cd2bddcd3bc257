//! Ten thousand letters of every shape, and two operators.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use shared::TriggerSource;

use crate::world::{DEAD_LETTERS, MAIN, Put, World, id};

const LETTERS: u64 = 10_000;
const COUNTRIES: [(&str, &str); 3] = [("+12065550100", "US"), ("+61491570156", "AU"), ("+33639980001", "FR")];
const SOURCES: [TriggerSource; 3] =
    [TriggerSource::SignUp, TriggerSource::ForgotPassword, TriggerSource::UpdateUserAttribute];
const REASONS: [&str; 4] = ["providers_exhausted", "outcome_unknown", "recipient_rejected", "key_unavailable"];

/// What each letter is follows from its number.
fn letter(number: u64) -> Put {
    let pick = |among: usize| usize::try_from(number).expect("small") / among;
    let mut put =
        Put::new(number).reason(REASONS[pick(1) % 4]).attribute("provider", format!("provider-{}", pick(4) % 5));
    put.to = COUNTRIES[pick(20) % 3].0;
    put.source = SOURCES[pick(60) % 3];
    put.age = Duration::from_secs(60 + 30 * (number % 100));
    if number.is_multiple_of(7) {
        put = put.expired();
    }
    if number.is_multiple_of(11) {
        put.sender = "AROASTRANGER";
    }
    put
}

fn is_moved_by_sqs(number: u64) -> bool {
    number.is_multiple_of(13)
}

fn world_of_ten_thousand() -> World {
    let world = World::new();
    for number in 0..LETTERS {
        let put = letter(number);
        if is_moved_by_sqs(number) {
            world.put(&Put { sender: put.sender, ..put.moved_by_sqs() });
        } else if number.is_multiple_of(17) {
            world.put_failed_invocation(&Put { source: TriggerSource::SignUp, ..put }, "RetriesExhausted");
        } else {
            world.put(&put);
        }
    }
    world
}

/// Whether the number's letter has a reason that the worker gave.
fn is_the_workers(number: u64) -> bool {
    !is_moved_by_sqs(number) && !number.is_multiple_of(17)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_select_exactly_among_ten_thousand_and_a_redrive_moves_exactly_these() {
    let world = world_of_ten_thousand();
    let ids = |meant: &dyn Fn(u64) -> bool| -> BTreeSet<String> {
        (0..LETTERS).filter(|number| meant(*number)).map(|number| id(number).to_string()).collect()
    };
    let stats = world.json(&["stats"]).await;
    assert_eq!(stats["letters"], json!(LETTERS));
    assert_eq!(
        stats["reason"]["receive_limit"]["letters"],
        json!((0..LETTERS).filter(|n| is_moved_by_sqs(*n)).count())
    );

    let listed = world.says(&["list", "--country", "AU", "--provider", "provider-2", "--json"]).await;
    let listed: BTreeSet<String> = listed
        .lines()
        .map(|line| {
            let letter: Value = serde_json::from_str(line).expect("JSON");
            letter["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    let meant = |n: u64| is_the_workers(n) && n / 20 % 3 == 1 && n / 4 % 5 == 2;
    assert_eq!(listed, ids(&meant));

    let filters = ["--reason", "providers_exhausted", "--country", "US,FR", "--source", "SignUp,ForgotPassword"];
    let run = world.run(&[&["redrive", "--rate", "unlimited", "--yes", "--json"], &filters[..]].concat()).await;
    let summary: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let meant = |n: u64| is_the_workers(n) && n.is_multiple_of(4) && n / 20 % 3 != 1 && n / 60 % 3 != 2;
    let moved = |n: u64| meant(n) && !n.is_multiple_of(7) && !n.is_multiple_of(11);
    assert_eq!(world.id_set(MAIN), ids(&moved));
    assert_eq!(world.messages(MAIN).len(), ids(&moved).len());
    assert_eq!(summary["held_back"]["untrusted_sender"], json!(ids(&|n| meant(n) && n.is_multiple_of(11)).len()));
    assert_eq!(
        summary["held_back"]["expired"],
        json!(ids(&|n| meant(n) && !n.is_multiple_of(11) && n.is_multiple_of(7)).len())
    );
    assert_eq!(world.id_set(DEAD_LETTERS), ids(&|n| !moved(n)));
    assert_eq!(world.counts(), (ids(&|n| !moved(n)).len(), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_operators_at_once_move_each_letter_once() {
    let world = World::new();
    for number in 0..2_000 {
        world.put(&Put::new(number));
    }
    let (one, other) = tokio::join!(
        world.run(&["redrive", "--rate", "unlimited", "--yes", "--json", "--audit", "one.json"]),
        world.run(&["redrive", "--rate", "unlimited", "--yes", "--json", "--audit", "other.json"]),
    );
    let moved = |output: &std::process::Output| -> u64 {
        let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        summary["moved"].as_u64().expect("a count")
    };
    assert_eq!(moved(&one) + moved(&other), 2_000);
    assert_eq!((world.messages(MAIN).len(), world.id_set(MAIN).len()), (2_000, 2_000));
    assert_eq!(world.counts(), (0, 0));
}
