//! What the README says about metrics is what the programs say.

use serde::Serialize;
use shared::telemetry::{Metric, NAMESPACE};

const README: &str = include_str!("../../../README.md");

fn section() -> &'static str {
    let (_, from_section) = README.split_once("\n## Metrics and logs\n").expect("the README has the section");
    from_section.split_once("\n## ").expect("the section ends").0
}

fn name(of: impl Serialize) -> String {
    serde_json::to_value(of).expect("serialises").as_str().expect("a text").to_owned()
}

#[test]
fn the_table_of_metrics_is_that_of_the_programs() {
    let rows = section().lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<_> = rows.map(|row| row.split('|').skip(1).take(3).map(str::trim).collect::<Vec<_>>()).collect();
    let expected: Vec<_> = Metric::ALL
        .into_iter()
        .map(|metric| {
            let sets = metric.dimension_sets().iter();
            let sets: Vec<_> =
                sets.map(|set| set.iter().copied().map(name).collect::<Vec<_>>().join(" and ")).collect();
            vec![format!("`{}`", name(metric)), name(metric.unit()), sets.join("; ")]
        })
        .collect();
    assert_eq!(rows, expected);
    assert!(section().contains(&format!("namespace `{NAMESPACE}`")));
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
