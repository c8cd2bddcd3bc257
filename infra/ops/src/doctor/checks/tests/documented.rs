use std::collections::BTreeSet;

use super::super::CHECKS;

/// The names are an interface: people look for them, and programs.
#[test]
fn every_check_is_in_the_runbook_and_nothing_else() {
    let runbook = include_str!("../../../../../aws/RUNBOOK.md");
    let (_, section) = runbook.split_once("\n## What the doctor finds\n").expect("the runbook has that section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<_> = rows.collect();
    let checks: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(documented, checks);
    assert_eq!(checks.len(), CHECKS.len(), "a name stands for one check");
}
