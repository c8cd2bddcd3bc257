//! What holds for every implementation of the state: one list of checks, held against the memory of a process, against
//! the table in the embedded DynamoDB, and with `--include-ignored` against the table in MiniStack, which others wrote.
//! Further checks are about the table alone: what may stand in it, what happens on the way to it, what it costs.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

/// A list of checks, each named by its module and function.
macro_rules! checks {
    ($($check:ident,)*) => {
        &[$($crate::check::Check {
            name: concat!(module_path!(), "::", stringify!($check)),
            run: |subject| Box::pin($check(subject)),
        },)*]
    };
}

mod check;
mod claims;
mod cost;
mod lost_answers;
mod newest;
mod outages;
mod races;
mod rows;
mod sent;
mod subject;
mod switches;
mod table;
mod updates;
mod windows;

use std::process::ExitCode;

use check::Check;
use subject::World;
use witnesses::{MiniStack, Python, Trial, python, run};

const OF_EACH: [&[Check]; 6] =
    [claims::CHECKS, newest::CHECKS, sent::CHECKS, switches::CHECKS, updates::CHECKS, windows::CHECKS];
const OF_TABLES: [&[Check]; 3] = [lost_answers::CHECKS, races::CHECKS, rows::CHECKS];
const OF_EMBEDDED: [&[Check]; 2] = [cost::CHECKS, outages::CHECKS];

fn main() -> ExitCode {
    let (of_each, of_tables) = (|| OF_EACH.into_iter().flatten(), || OF_TABLES.into_iter().flatten());
    let of_embedded = OF_EMBEDDED.into_iter().flatten();
    let memory = of_each().map(|check| Trial::plain(check.named("memory"), || check.hold_in(World::Memory)));
    let embedded = of_each().chain(of_tables()).chain(of_embedded);
    let embedded = embedded.map(|check| Trial::plain(check.named("embedded"), || check.hold_in(World::Embedded)));
    let ministack = of_each().chain(of_tables()).map(|check| {
        Trial::outside(check.named("ministack"), || {
            let stack = ministack(python()?);
            check.hold_in(World::MiniStack(stack));
            Ok(())
        })
    });
    run(memory.chain(embedded).chain(ministack))
}

/// One for all checks, each of which has a table of its own.
fn ministack(python: &Python) -> &'static MiniStack {
    static STACK: std::sync::OnceLock<MiniStack> = std::sync::OnceLock::new();
    STACK.get_or_init(|| MiniStack::start(python, table::REGION).unwrap_or_else(|error| panic!("{error}")))
}
