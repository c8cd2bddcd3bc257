//! Tests that need parts of the outside, and what becomes of them where those cannot be had.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use libtest_mimic::{Arguments, Completion};

use crate::fetch::Missing;
use crate::{node, python};

/// One test of a target that has `harness = false`.
pub struct Trial {
    name: String,
    body: Box<dyn FnOnce() -> Result<(), Missing> + Send>,
    of_the_outside: bool,
}

impl Trial {
    /// A test that needs nothing. It fails by a panic.
    pub fn plain(name: impl Into<String>, body: impl FnOnce() + Send + 'static) -> Self {
        let body = || {
            body();
            Ok(())
        };
        Self { name: name.into(), body: Box::new(body), of_the_outside: false }
    }

    /// A test that needs parts of the outside: it asks for them first and hands on their absence. It fails by a panic.
    /// It runs only with `--include-ignored` or `--ignored`.
    pub fn outside(name: impl Into<String>, body: impl FnOnce() -> Result<(), Missing> + Send + 'static) -> Self {
        Self { name: name.into(), body: Box::new(body), of_the_outside: true }
    }
}

/// Tests that were not run, by the missing part.
type NotRun = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// Runs the trials that the command line asks for, as any other test target would.
#[expect(clippy::print_stdout, reason = "this is a test harness")]
pub fn run(trials: impl IntoIterator<Item = Trial>) -> ExitCode {
    let arguments = Arguments::from_args();
    let not_run = NotRun::default();
    let trials: Vec<_> = trials.into_iter().map(|trial| trial.noting(&not_run)).collect();
    let goes_outside = !arguments.list
        && trials
            .iter()
            .any(|trial| trial.has_ignored_flag() && !arguments.is_ignored(trial) && !arguments.is_filtered_out(trial));
    let conclusion = thread::scope(|scope| {
        if goes_outside {
            // Both at once: what this target does not need the next one will. Moto and the linters are for few.
            scope.spawn(python);
            scope.spawn(node);
        }
        libtest_mimic::run(&arguments, trials)
    });
    for (reason, tests) in &*not_run.lock().unwrap_or_else(PoisonError::into_inner) {
        println!("NOT RUN: {} because {reason}", summary(tests));
    }
    conclusion.exit_code()
}

impl Trial {
    fn noting(self, not_run: &NotRun) -> libtest_mimic::Trial {
        let (not_run, name) = (Arc::clone(not_run), self.name.clone());
        let runner = move || match (self.body)() {
            Ok(()) => Ok(Completion::Completed),
            Err(missing) => {
                let mut not_run = not_run.lock().unwrap_or_else(PoisonError::into_inner);
                not_run.entry(missing.to_string()).or_default().push(name);
                Ok(Completion::ignored_with(format!("without {}", missing.part())))
            }
        };
        libtest_mimic::Trial::ignorable_test(self.name, runner).with_ignored_flag(self.of_the_outside)
    }
}

/// The tests by module: those of one together, by their number.
fn summary(tests: &[String]) -> String {
    let mut modules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for test in tests {
        let module = test.rsplit_once("::").map_or("", |(module, _)| module);
        modules.entry(module).or_default().push(test);
    }
    let parts = modules.into_iter().map(|(module, tests)| match tests.as_slice() {
        several @ [_, _, ..] if !module.is_empty() => format!("{module} ({} tests)", several.len()),
        names => names.join(", "),
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn what_was_not_run_is_told_by_module() {
        let tests = ["b::c::one", "alone", "a::only", "b::c::two", "other"].map(str::to_owned);
        assert_eq!(summary(&tests), "alone, other, a::only, b::c (2 tests)");
    }
}
