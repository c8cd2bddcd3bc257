//! One list of what the pipeline relies on in SQS, KMS and Secrets Manager, and in which stand-ins for AWS are known to
//! go wrong. It is held against the embedded AWS, and with `--include-ignored` against MiniStack, which others wrote:
//! so ours cannot drift from AWS in a way that only our own tests find right.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

/// A list of checks, each named by its module and function.
macro_rules! checks {
    ($($check:ident,)*) => {
        &[$($crate::check::Check {
            name: concat!(module_path!(), "::", stringify!($check)),
            run: |world| Box::pin($check(world)),
        },)*]
    };
}

mod check;
mod deviations;
mod kms_ciphertexts;
mod kms_keys;
mod long_polls;
mod redrive;
mod secrets;
mod secrets_versions;
mod sqs_messages;
mod sqs_queues;
mod sqs_receiving;
mod world;

use std::process::ExitCode;

use check::Check;
use witnesses::{MiniStack, Trial, python, run};
use world::World;

const ALL: [&[Check]; 9] = [
    kms_ciphertexts::CHECKS,
    kms_keys::CHECKS,
    long_polls::CHECKS,
    redrive::CHECKS,
    secrets::CHECKS,
    secrets_versions::CHECKS,
    sqs_messages::CHECKS,
    sqs_queues::CHECKS,
    sqs_receiving::CHECKS,
];

fn main() -> ExitCode {
    let checks = || ALL.into_iter().flatten();
    deviations::are_of_checks(checks());
    let embedded = checks().map(|check| {
        let hold = || check.hold_against(World::embedded, deviations::of_embedded(check));
        Trial::plain(format!("embedded::{}", check.short_name()), hold)
    });
    let ministack = checks().map(|check| {
        Trial::outside(format!("ministack::{}", check.short_name()), || {
            let python = python()?;
            check.hold_against(|| World::ministack(ministack(python)), deviations::of_ministack(check));
            Ok(())
        })
    });
    run(embedded.chain(ministack))
}

/// One for all checks, each of which has an account of its own.
fn ministack(python: &witnesses::Python) -> &'static MiniStack {
    static STACK: std::sync::OnceLock<MiniStack> = std::sync::OnceLock::new();
    STACK.get_or_init(|| MiniStack::start(python, world::REGION).unwrap_or_else(|error| panic!("{error}")))
}
