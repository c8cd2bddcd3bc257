//! The release binaries as functions of a Lambda that others wrote, MiniStack's, behind its event source mapping:
//! invoked as Cognito does, with batches that fail in part, crashes, timeouts, and SQS's own dead-letter queue.
//! Only the provider is ours. All of it runs with `--include-ignored`.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

mod batches;
mod deployment;
mod faults;
mod functions;
mod trigger;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use witnesses::{MiniStack, Missing, Trial, lambda_binaries, python, run};
use world::World;

/// Far longer than anything takes; it only keeps a broken test from hanging.
const TIMEOUT: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    run([
        trial("trigger::a_code_arrives_when_the_trigger_is_invoked", trigger::a_code_arrives),
        trial("trigger::a_code_arrives_when_the_trigger_is_invoked_asynchronously", trigger::a_code_arrives_later),
        trial("trigger::an_event_of_another_trigger_is_refused_with_its_reason", trigger::a_foreign_event_is_refused),
        trial("batches::each_record_of_a_batch_has_its_own_end", batches::each_record_has_its_own_end),
        trial("batches::a_backlog_is_delivered_without_loss_or_double", batches::a_backlog_is_delivered),
        trial("faults::a_killed_worker_loses_nothing", faults::a_killed_worker_loses_nothing),
        trial("faults::a_worker_that_lambda_times_out_loses_nothing", faults::a_frozen_worker_loses_nothing),
        trial("faults::a_provider_that_never_answers_does_not_time_the_worker_out", faults::a_silent_provider),
        trial("faults::what_no_worker_can_take_is_moved_by_sqs", faults::what_no_worker_can_take_is_moved),
    ])
}

fn trial<F: Future<Output = ()>>(name: &str, scene: impl FnOnce(World) -> F + Send + 'static) -> Trial {
    Trial::outside(name, move || {
        let stack = ministack()?;
        // The build must not use up the time of the test.
        lambda_binaries();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let in_time = async { tokio::time::timeout(TIMEOUT, async { scene(World::on(stack).await).await }).await };
        runtime.block_on(in_time).expect("it hangs");
        Ok(())
    })
}

/// One for all tests, each of which has an account of its own.
fn ministack() -> Result<&'static MiniStack, Missing> {
    static STACK: std::sync::OnceLock<MiniStack> = std::sync::OnceLock::new();
    let python = python()?;
    Ok(STACK.get_or_init(|| MiniStack::start(python, world::REGION).unwrap_or_else(|error| panic!("{error}"))))
}
