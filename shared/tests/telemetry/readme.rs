//! What the README says about metrics is what the programs say.

use serde::Serialize;
use shared::telemetry::{Dimension, Metric, MetricsNamespace};

const README: &str = include_str!("../../../README.md");

fn section() -> &'static str {
    let (_, from_section) = README.split_once("\n## Metrics and logs\n").expect("the README has the section");
    from_section.split_once("\n## ").expect("the section ends").0
}

fn name(of: impl Serialize) -> String {
    serde_json::to_value(of).expect("serialises").as_str().expect("a text").to_owned()
}

/// A set of dimensions as the table spells it.
fn spelled(set: &[Dimension]) -> String {
    let names: Vec<_> = set.iter().copied().map(name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(" and ") }
}

#[test]
fn the_table_of_metrics_is_that_of_the_programs() {
    let rows = section().lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<_> = rows.map(|row| row.split('|').skip(1).take(3).map(str::trim).collect::<Vec<_>>()).collect();
    let expected: Vec<_> = Metric::ALL
        .into_iter()
        .map(|metric| {
            let sets: Vec<_> = metric.dimension_sets().iter().map(|set| spelled(set)).collect();
            vec![format!("`{}`", name(metric)), name(metric.unit()), sets.join("; ")]
        })
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_namespace_is_the_default_one_unless_the_environment_names_another() {
    let default = MetricsNamespace::default();
    assert!(section().contains(&format!("namespace `{}`", default.as_str())));
    let row = "| `METRICS_NAMESPACE` | optional | optional |";
    let row = README.lines().find(|line| line.starts_with(row)).expect("the table of variables has it");
    assert!(row.contains(&format!("Unset: `{}`", default.as_str())), "{row}");
}

#[test]
fn the_lines_that_are_shown_are_whole() {
    let (_, from_line) = section().split_once("```json\n").expect("the section shows a line");
    let (line, _) = from_line.split_once("\n```").expect("the line ends");
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    for member in ["time", "level", "event", "id", "_aws"] {
        assert!(line.get(member).is_some(), "{member}");
    }
}
