//! Checks on values, with what is sound as AWS answers it.

mod documented;
mod fixture;
mod found;

use super::super::finding::{Finding, Verdict};
use super::super::reading::Readings;
use super::all;

fn finding(readings: &Readings, check: &str) -> Finding {
    all(readings).into_iter().find(|finding| finding.check == check).unwrap_or_else(|| panic!("no check {check}"))
}

/// Verdict and what was found.
fn told(readings: &Readings, check: &str) -> (&'static str, String) {
    let finding = finding(readings, check);
    (finding.judgement.verdict.name(), finding.judgement.found)
}

/// The command that is offered, if any.
fn command(readings: &Readings, check: &str) -> Option<String> {
    finding(readings, check).judgement.verdict.remedy().and_then(|remedy| remedy.command.clone())
}

#[test]
fn what_is_sound_is_found_sound() {
    let findings = all(&fixture::sound());
    let others: Vec<_> = findings.iter().filter(|finding| finding.judgement.verdict != Verdict::Sound).collect();
    assert!(others.is_empty(), "{others:#?}");
}
