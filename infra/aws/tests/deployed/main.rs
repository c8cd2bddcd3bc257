//! The stack deployed with the AWS CLI to an AWS that others wrote, MiniStack, with IAM enforced: a code's way from the
//! trigger to the phone, and what breaks without each right. All of it runs with `--include-ignored`.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

mod cloud;
mod delivery;
mod locks;
mod policies;
mod reuse;
mod rights;
mod sending;
mod stack;
mod stand_in;
mod world;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use cloud::REGION;
use stand_in::Adapted;
use witnesses::{MiniStack, Missing, Trial, lambda_binaries, python, run, test_binaries};
use world::World;

/// Far longer than anything takes; it only keeps a broken test from hanging.
const TIMEOUT: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    run([
        trial("delivery::a_code_goes_from_the_trigger_to_the_phone", delivery::a_code_arrives),
        trial("delivery::what_the_producer_failed_on_waits_for_a_redrive", delivery::a_failed_invocation_waits),
        trial("locks::a_message_that_somebody_else_sent_is_not_unsealed", locks::a_foreign_message_stays_sealed),
        trial("locks::whatever_rights_others_have_they_send_nothing_and_unseal_nothing", locks::strangers_are_kept_out),
        trial_with(
            Adapted::ToBeMade,
            "policies::each_request_is_allowed_or_refused_as_it_should_be",
            policies::requests_are_judged,
        ),
        trial(
            "reuse::a_second_stack_takes_what_the_first_has_made",
            reuse::a_second_stack_takes_what_the_first_has_made,
        ),
        trial("rights::the_producer_without_send_message_enqueues_nothing", rights::producer_without_queue),
        trial("rights::the_worker_without_decrypt_waits_and_says_so", rights::worker_without_key),
        trial(
            "rights::the_worker_without_send_message_keeps_what_it_would_dead_letter",
            rights::worker_without_dead_letters,
        ),
        trial(
            "rights::the_worker_without_change_message_visibility_loses_nothing",
            rights::worker_without_postponement,
        ),
        trial("rights::the_redrive_role_without_send_message_sends_nothing_again", rights::redrive_without_queue),
        trial("sending::the_code_that_send_makes_up_is_on_the_phone", sending::the_code_is_on_the_phone),
        trial(
            "sending::a_number_that_the_provider_refuses_is_a_dead_letter_with_its_reason",
            sending::a_refused_number_is_a_dead_letter_with_its_reason,
        ),
        trial(
            "sending::an_outage_is_told_of_for_as_long_as_it_is_waited_for",
            sending::an_outage_is_told_of_for_as_long_as_it_is_waited_for,
        ),
        trial(
            "sending::a_right_that_the_send_role_lacks_is_named_and_nothing_is_sent",
            sending::a_right_that_is_missing_is_named_and_nothing_is_sent,
        ),
        trial("rights::the_worker_without_its_table_still_delivers", rights::worker_without_table),
        trial("rights::the_worker_without_its_secret_does_not_start_and_says_why", rights::worker_without_secret),
    ])
}

fn trial<F: Future<Output = ()>>(name: &str, scene: impl FnOnce(World) -> F + Send + 'static) -> Trial {
    trial_with(Adapted::ToBeRun, name, scene)
}

fn trial_with<F: Future<Output = ()>>(
    adapted: Adapted,
    name: &str,
    scene: impl FnOnce(World) -> F + Send + 'static,
) -> Trial {
    Trial::outside(name, move || {
        let ministack = ministack()?;
        // The build must not use up the time of the test.
        lambda_binaries();
        test_binaries();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let in_time =
            async { tokio::time::timeout(TIMEOUT, async { scene(World::on(ministack, adapted).await).await }).await };
        runtime.block_on(in_time).expect("it hangs");
        Ok(())
    })
}

/// One for all tests, each of which has an account of its own.
fn ministack() -> Result<&'static MiniStack, Missing> {
    static MINISTACK: OnceLock<MiniStack> = OnceLock::new();
    let python = python()?;
    Ok(MINISTACK.get_or_init(|| MiniStack::start_with_iam(python, REGION).unwrap_or_else(|error| panic!("{error}"))))
}
