//! What holds for both functions.

use super::super::finding::{Judgement, Remedy};
use super::super::reading::{Function, Reading, Readings, known};

/// The runtime that the binaries are built for.
const RUNTIME: &str = "provided.al2023";

pub(super) fn state(function: &Reading<Function>) -> Reading<Judgement> {
    let function = match function {
        Ok(function) => function,
        Err(unread) if unread.is_not_there() => {
            let remedy = Remedy::by_hand("deploy it (README, \"Deploy\"), or correct what names it");
            return Ok(Judgement::wrong(unread.to_string(), remedy));
        }
        Err(unread) => return Err(unread.clone()),
    };
    let (state, update) = (function.state.as_str(), function.last_update.as_str());
    let why = function.state_reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let found = format!("{} is {state}, its last update {update}{why}", function.arn.name);
    Ok(match (state, update) {
        ("Active", "Successful") => Judgement::sound(found),
        ("Failed", _) | (_, "Failed") => {
            Judgement::wrong(found, Remedy::by_hand("deploy it again, or roll back (runbook, \"Roll back\")"))
        }
        ("Inactive", _) => Judgement::warning(
            found,
            Remedy::by_hand("invoke it once: the first message would wait until it is Active"),
        ),
        _ => Judgement::warning(found, Remedy::by_hand("look again when its update is done")),
    })
}

pub(super) fn runtime(readings: &Readings, function: &Reading<Function>) -> Reading<Judgement> {
    let function = known(function)?;
    Ok(match function.runtime.as_deref() {
        None => Judgement::sound("a container image"),
        Some(RUNTIME) => Judgement::sound(RUNTIME),
        Some(other) => {
            let sentence = format!("the program is built for {RUNTIME}, and may not start elsewhere");
            Judgement::wrong(other, update(readings, function, sentence, &["--runtime", RUNTIME]))
        }
    })
}

/// Less memory than README recommends makes each start slower.
pub(super) fn memory(readings: &Readings, function: &Reading<Function>, recommended: u64) -> Reading<Judgement> {
    let function = known(function)?;
    let found = format!("{} MB", function.memory_mb);
    if function.memory_mb >= recommended {
        return Ok(Judgement::sound(found));
    }
    let sentence = format!("each start is slower than with {recommended} MB (README, \"Memory sizes\")");
    let remedy = update(readings, function, sentence, &["--memory-size", &recommended.to_string()]);
    Ok(Judgement::warning(found, remedy))
}

/// Changes a setting of a function.
pub(super) fn update(readings: &Readings, function: &Function, sentence: String, settings: &[&str]) -> Remedy {
    let update = ["lambda", "update-function-configuration", "--function-name", &function.arn.name];
    // Its answer shows the environment.
    let quiet = ["--query", "LastUpdateStatus"];
    Remedy::by(sentence, readings.command_line.aws(&[&update[..], settings, &quiet].concat()))
}

/// Sets environment variables of a function.
pub(super) fn set(
    readings: &Readings,
    function: &Function,
    sentence: impl Into<String>,
    to: &[(&str, &str)],
) -> Remedy {
    Remedy::by(sentence, readings.command_line.set_variables(&function.arn.name, to))
}

/// `USER_POOL_IDS` of one of them.
pub(super) fn pool(readings: &Readings, function: &Reading<Function>) -> Reading<Judgement> {
    let function = known(function)?;
    let pool = &known(&readings.pool)?.id;
    Ok(match function.variables.environment().user_pools() {
        Err(fault) => Judgement::wrong(
            fault.to_string(),
            set(readings, function, "name the pool", &[("USER_POOL_IDS", pool.as_str())]),
        ),
        Ok(None) => Judgement::sound("USER_POOL_IDS is not set: every pool is taken"),
        Ok(Some(pools)) if pools.contains(pool) => Judgement::sound(format!("USER_POOL_IDS holds {pool}")),
        Ok(Some(pools)) => {
            let all: Vec<_> = pools.iter().chain([pool]).map(|pool| pool.as_str()).collect();
            Judgement::wrong(
                format!("USER_POOL_IDS does not hold {pool}: its codes are refused"),
                set(readings, function, "add the pool", &[("USER_POOL_IDS", &all.join(","))]),
            )
        }
    })
}
