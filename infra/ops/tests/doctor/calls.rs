//! What is asked of AWS.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::proxy::{Answer, Rule};
use crate::world::World;

/// As few calls as there are things to look at.
pub(crate) fn each_is_made_once(world: &World) {
    world.proxy.calls();
    world.doctor();
    let mut calls = BTreeMap::new();
    for call in world.proxy.calls() {
        *calls.entry(call).or_insert(0) += 1;
    }
    // Three queues, asked by one name.
    assert_eq!(calls.remove("GetQueueAttributes"), Some(3));
    assert!(calls.values().all(|count| *count == 1), "{calls:#?}");
    assert_eq!(calls.len(), 19, "{calls:#?}");
}

/// A call that is never answered costs its own line, and some seconds.
pub(crate) fn one_that_never_ends_holds_nothing_up(world: &World) {
    world.proxy.set(&[Rule { call: "ListGrants", answer: Answer::Never }]);
    let began = Instant::now();
    let said = world.doctor();
    let grants = "cognito-grant: unknown: not looked at: kms:ListGrants on ";
    let not_sound = said.not_sound();
    assert!(not_sound.len() == 1 && not_sound[0].starts_with(grants), "{not_sound:#?}");
    assert!(not_sound[0].ends_with("no answer within 20 seconds"), "{not_sound:#?}");
    assert!(began.elapsed() < Duration::from_secs(40));
    world.proxy.set(&[]);
}

/// Without an answer to the first call there is nothing to say.
pub(crate) fn without_an_answer_it_fails(world: &World) {
    world.proxy.set(&[Rule { call: "DescribeUserPool", answer: Answer::Refused("UnrecognizedClientException") }]);
    let mut command = world.cloud.sealpost();
    command.args(["doctor", "--user-pool-id", &world.pool, "--endpoint-url", &world.proxy.endpoint()]);
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{error}");
    assert!(error.contains("cognito-idp:DescribeUserPool") && error.contains("UnrecognizedClientException"), "{error}");
    world.proxy.set(&[]);
}

/// The pool's trigger names the function, its environment the queue, and so on.
pub(crate) fn without_a_stack_all_is_found_by_the_pool(world: &World) {
    let said = world.doctor_with(&["--user-pool-id", &world.pool, "--config", world.config.to_str().unwrap()]);
    assert_eq!((said.code, said.not_sound()), (Some(0), Vec::new()));
    assert!(said.findings.iter().all(|finding| finding["check"] != "stack"));
    // With a stack that there is not, and with one of another pool.
    let said = world.doctor_with(&["--user-pool-id", &world.pool, "--stack", "nowhere"]);
    assert_eq!((said.code, said.finding("stack")["found"].as_str()), (Some(1), Some("there is no stack nowhere")));
    let said = world.doctor_with(&["--user-pool-id", "eu-west-1_Another01", "--stack", &world.stack]);
    let expected = format!("was made for user pool {}, not for eu-west-1_Another01", world.pool);
    assert!(said.finding("stack")["found"].as_str().unwrap().ends_with(&expected), "{}", said.whole);
}
