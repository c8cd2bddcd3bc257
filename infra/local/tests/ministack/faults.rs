//! Functions that die, stand still, or do not start.

use std::fs;
use std::process::Command;
use std::time::Duration;

use local::fake_twilio::Script;
use serde_json::{Value, json};

use crate::deployment::WORKER;
use crate::world::World;

const PHONE: &str = "+12065550100";
const TEXT: &str = "Your Example sign-up code is 7392140658. Do not share it.";

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(600);

/// A worker that has one record at the provider, which does not answer.
async fn worker_at_the_provider(world: &World) {
    world.deploy_producer().await;
    world.phones.script(Script::Delay(NEVER, Box::new(Script::Accept)));
    world.deploy_worker().await;
    world.accept(&world.sign_up(PHONE, "7392140658").await).await;
    world.eventually("the provider is asked", async || world.phones.requests() == 1).await;
}

/// Expects that the message comes back and is delivered, once.
async fn is_delivered_after_all(world: &World) {
    let sms = world.phone().await;
    assert_eq!((sms.to.as_str(), sms.body.as_str()), (PHONE, TEXT));
    world.is_drained().await;
    assert_eq!((world.phones.requests(), world.phones.messages()), (2, 1));
    assert_eq!(world.messages(&world.dead_letter_queue_url).await, 0);
    world.shows_nothing_of(&["7392140658"]);
}

pub(crate) async fn a_killed_worker_loses_nothing(world: World) {
    worker_at_the_provider(&world).await;
    signal("-KILL", &worker_processes(&world));
    is_delivered_after_all(&world).await;
    assert!(world.stack.output().contains("Runtime exited before returning a response"));
}

pub(crate) async fn a_frozen_worker_loses_nothing(world: World) {
    worker_at_the_provider(&world).await;
    // It can neither answer in time nor do anything else.
    let frozen = worker_processes(&world);
    signal("-STOP", &frozen);
    is_delivered_after_all(&world).await;
    let timed_out = format!("Task timed out after {}.00 seconds", world.timing.function_timeout);
    assert!(world.stack.output().contains(&timed_out));
    let gone = async || worker_processes(&world).iter().all(|process| !frozen.contains(process));
    world.eventually("the frozen process is gone", gone).await;
}

pub(crate) async fn a_silent_provider(world: World) {
    worker_at_the_provider(&world).await;
    let before = worker_processes(&world);
    is_delivered_after_all(&world).await;
    assert_eq!(worker_processes(&world), before, "it answered in time, and works on");
}

pub(crate) async fn what_no_worker_can_take_is_moved(world: World) {
    world.deploy_producer().await;
    world.accept(&world.sign_up(PHONE, "7392140658").await).await;
    world.deploy_worker_with(json!({ "KMS_KEY_ARNS": null })).await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 1);
    // SQS moved it, so it has no reason; the attributes are the producer's.
    let attributes = letters[0].message_attributes.as_ref().unwrap();
    let mut names: Vec<_> = attributes.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["trigger_source", "user_pool_id"]);
    let body: Value = serde_json::from_str(letters[0].body.as_deref().unwrap()).unwrap();
    assert_eq!(body["type"], "sms.v1");
    assert!(world.stack.output().contains("KMS_KEY_ARNS is not set"), "the operator is told why");
    assert_eq!((world.messages(&world.queue_url).await, world.phones.connections()), (0, 0));
}

/// The ids of the worker's processes, which MiniStack has started for this account.
fn worker_processes(world: &World) -> Vec<String> {
    let mine = |environment: &str| {
        let has = |variable: &str| environment.split('\0').any(|line| line == variable);
        has(&format!("QUEUE_URL={}", world.queue_url)) && has(&format!("AWS_LAMBDA_FUNCTION_NAME={WORKER}"))
    };
    let processes = fs::read_dir("/proc").expect("Lambda functions run on Linux").filter_map(Result::ok);
    let ids = processes.filter_map(|process| {
        let environment = fs::read(process.path().join("environ")).ok()?;
        mine(&String::from_utf8_lossy(&environment)).then(|| process.file_name().to_string_lossy().into_owned())
    });
    ids.collect()
}

fn signal(signal: &str, processes: &[String]) {
    assert!(!processes.is_empty(), "the worker runs");
    assert!(Command::new("kill").arg(signal).args(processes).status().unwrap().success());
}
