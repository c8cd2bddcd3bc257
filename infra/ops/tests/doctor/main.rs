//! `sealpost doctor` on a deployment: what it finds, that its remedies are remedies, and that it shows no secret. The
//! deployment is our own template's, on MiniStack; what is to be answered otherwise than MiniStack does is ([`proxy`]).

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

mod calls;
mod changes;
mod cloud;
mod fresh;
mod offline;
mod provocations;
mod proxy;
mod remedies;
mod rights;
mod world;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use cloud::REGION;
use witnesses::{MiniStack, Missing, Trial, python, run};
use world::World;

fn main() -> ExitCode {
    let remedies = provocations::STEPS.map(|(step, provocations)| {
        trial(&format!("remedies::of_{step}_clear_what_was_found"), move |world| remedies::clear(world, provocations))
    });
    let others = [
        Trial::plain("offline::the_file_and_the_providers_are_looked_at", || {
            offline::the_file_and_the_providers_are_looked_at();
        }),
        Trial::plain("offline::what_is_to_be_put_into_the_secret_is_looked_at", || {
            offline::what_is_to_be_put_into_the_secret_is_looked_at();
        }),
        Trial::plain("offline::a_file_that_is_no_secret_is_refused", || {
            offline::a_file_that_is_no_secret_is_refused();
        }),
        Trial::plain("offline::a_command_without_its_subject_is_wrong_usage", || {
            offline::a_command_without_its_subject_is_wrong_usage();
        }),
        trial("remedies::every_check_is_provoked", remedies::every_check_is_provoked),
        trial_with(
            || Ok(World::deployed(ministack()?, account())),
            "fresh::a_deployment_as_in_readme_is_sound",
            fresh::a_deployment_as_in_readme_is_sound,
        ),
        trial("calls::each_is_made_once", calls::each_is_made_once),
        trial("calls::one_that_never_ends_holds_nothing_up", calls::one_that_never_ends_holds_nothing_up),
        trial("calls::without_an_answer_it_fails", calls::without_an_answer_it_fails),
        trial("calls::without_a_stack_all_is_found_by_the_pool", calls::without_a_stack_all_is_found_by_the_pool),
        trial("rights::a_missing_right_is_named", rights::a_missing_right_is_named),
        trial_with(
            || Ok(World::on(iam()?, account())),
            "rights::the_statement_in_readme_is_enough",
            rights::the_statement_in_readme_is_enough,
        ),
    ];
    run(remedies.into_iter().chain(others))
}

fn trial(name: &str, scene: impl FnOnce(&World) + Send + 'static) -> Trial {
    trial_with(|| Ok(World::on(ministack()?, account())), name, scene)
}

fn trial_with(world: fn() -> Result<World, Missing>, name: &str, scene: impl FnOnce(&World) + Send + 'static) -> Trial {
    Trial::outside(name, move || {
        scene(&world()?);
        Ok(())
    })
}

/// One that nobody else has.
fn account() -> String {
    static ACCOUNT: AtomicU64 = AtomicU64::new(200_000_000_000);
    ACCOUNT.fetch_add(1, Ordering::Relaxed).to_string()
}

/// One for all tests, each of which has an account of its own.
fn ministack() -> Result<&'static MiniStack, Missing> {
    static MINISTACK: OnceLock<MiniStack> = OnceLock::new();
    let python = python()?;
    Ok(MINISTACK.get_or_init(|| MiniStack::start(python, REGION).unwrap_or_else(|error| panic!("{error}"))))
}

/// One that asks IAM who may do what.
fn iam() -> Result<&'static MiniStack, Missing> {
    static MINISTACK: OnceLock<MiniStack> = OnceLock::new();
    let python = python()?;
    Ok(MINISTACK.get_or_init(|| MiniStack::start_with_iam(python, REGION).unwrap_or_else(|error| panic!("{error}"))))
}
