//! A small run through the whole mix.

use std::ffi::OsString;
use std::path::Path;

use faults::{Plan, Programs, run};

/// With `--tests` the features are exactly those of `cargo test --workspace`: nothing is compiled a second time.
fn programs() -> Programs {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("tmp lies in the target directory");
    let arguments = ["--workspace", "--bins", "--tests", "--target-dir"].map(OsString::from);
    Programs::built(arguments.into_iter().chain([target.as_os_str().to_owned()])).expect("the programs build")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_said_or_sent_twice_without_a_cause_whatever_the_providers_do_and_whoever_is_killed() {
    let programs = programs();
    let plan = Plan { events: 400, seed: 7, pace: 25.0 };
    let report = run(&plan, &programs).await.expect("the world around the programs is well");
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.accepted, 400, "{report}");
    assert_eq!(report.missing(), [] as [String; 0], "{report}");
    assert!(report.killed.values().all(|times| *times > 0) && report.killed.len() == 2, "{report}");
    let letters = |reason| report.dead_lettered.get(reason).is_some_and(|it| it.events > 0);
    for reason in ["recipient_rejected", "fraud_blocked", "outcome_unknown", "providers_exhausted"] {
        assert!(letters(reason), "no {reason}: {report}");
    }
    assert!(report.delivered_twice > 0 && !report.causes.is_empty(), "{report}");
}
