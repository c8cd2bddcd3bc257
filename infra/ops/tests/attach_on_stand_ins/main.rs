//! `sealpost attach` and `sealpost detach` on two Cognitos that others wrote, MiniStack's and moto's, and what AWS
//! publishes of its own. All of it runs with `--include-ignored`.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

#[path = "../attach/api.rs"]
mod api;
mod cloud;
mod deviations;
#[path = "../attach/generator/mod.rs"]
mod generator;
mod published;
mod rights;
#[path = "../attach/snapshot.rs"]
mod snapshot;
mod stack;
mod surviving;
#[path = "../attach/tool.rs"]
#[expect(dead_code, reason = "what only the tests of messages and files need")]
mod tool;

use std::process::ExitCode;

use cloud::{Cloud, MINISTACK, MINISTACK_WITH_IAM, MOTO, Which};
use witnesses::{Missing, Trial, run};

type Body = fn(&Cloud) -> Result<(), Missing>;

fn main() -> ExitCode {
    let of_each: [(&str, Body); 5] = [
        ("every_setting_survives", surviving::every_setting_survives),
        ("an_alias_has_a_right_of_its_own", surviving::an_alias_has_a_right),
        ("the_aws_cli_takes_the_undo_file", surviving::the_aws_cli_takes_the_undo_file),
        ("what_it_does_otherwise_is_listed", deviations::are_as_listed),
        ("what_it_does_otherwise_does_not_go_unseen", deviations::do_not_go_unseen),
    ];
    let of_each = [MINISTACK, MOTO].into_iter().flat_map(|which| of_each.map(|trial| (which, trial)));
    let of_each = of_each.map(|(which, (name, body))| on(which, name, body));
    let further = [
        on(MINISTACK_WITH_IAM, "each_right_is_needed_and_no_other", rights::each_is_needed_and_no_other),
        on(MINISTACK, "a_stack_says_what_to_attach_and_owns_its_pool", stack::a_stack_says_what_to_attach),
        Trial::outside("the_strict_cognito_has_the_model_that_aws_publishes", published::the_model_is_the_same),
    ];
    run(of_each.chain(further))
}

fn on(which: Which, name: &str, body: Body) -> Trial {
    Trial::outside(format!("{}::{name}", which.name), move || body(which.cloud()?))
}
