//! What `sealpost config check` prints.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use shared::Environment;

use super::check::{ProducerStart, Provider, Report, Routes};

pub(super) fn as_json(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let faults = report.faults.iter();
    let faults = faults.map(|it| json!({ "line": it.line, "column": it.column, "message": it.message }));
    let providers = report.providers.iter();
    let providers = providers.map(|it| json!({ "name": it.name, "kind": it.kind, "base_url": it.base_url }));
    let Routes { default, countries } = &report.routes;
    let countries: Map<_, _> = countries.iter().map(|(country, names)| (country.clone(), json!(names))).collect();
    let object = json!({
        "file": report.path.display().to_string(),
        "faults": faults.collect::<Value>(),
        "does_not_start": does_not_start(report),
        "providers": providers.collect::<Value>(),
        "routes": { "default": default, "countries": countries },
        "environment": report.needed.environment,
        "secret": report.needed.secret,
        "notes": report.notes,
    });
    writeln!(out, "{object}")
}

fn does_not_start(report: &Report) -> &'static [&'static str] {
    match report.producer {
        _ if report.faults.is_empty() => &[],
        ProducerStart::Starts | ProducerStart::StartsWithDefaults => &["worker"],
        ProducerStart::DoesNotStart => &["worker", "producer"],
    }
}

/// Of the variables in `environment` it is told that they were checked.
pub(super) fn as_text(report: &Report, environment: &Environment<'_>, out: &mut impl Write) -> io::Result<()> {
    let path = report.path.display();
    for fault in &report.faults {
        writeln!(out, "{path}:{}:{}: {}", fault.line, fault.column, fault.message)?;
    }
    if !report.faults.is_empty() {
        let count = report.faults.len();
        let faults = if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") };
        let who = match report.producer {
            ProducerStart::Starts => {
                "the worker does not start with this file; the producer does, since it reads nothing of that"
            }
            ProducerStart::StartsWithDefaults => {
                "the worker does not start with this file; the producer does, with the default of whatever faults of \
                 syntax hide"
            }
            ProducerStart::DoesNotStart => "neither worker nor producer starts with this file",
        };
        return writeln!(out, "{faults}: {who}");
    }
    writeln!(out, "{path} is sound")?;
    let longest = |length: fn(&Provider) -> usize| report.providers.iter().map(length).max().unwrap_or(0);
    let (name_width, kind_width) = (longest(|it| it.name.len()), longest(|it| it.kind.len()));
    for (index, provider) in report.providers.iter().enumerate() {
        let title = if index == 0 { "providers" } else { "" };
        let (name, kind, base_url) = (&provider.name, provider.kind, &provider.base_url);
        writeln!(out, "{title:<13}{name:<name_width$}  {kind:<kind_width$}  {base_url}")?;
    }
    writeln!(out, "{:<13}{}", "route", listed(&report.routes.default, "refused"))?;
    for (country, names) in &report.routes.countries {
        writeln!(out, "  {country:<11}{}", listed(names, "refused"))?;
    }
    let marked = |name: &String| match environment.get(name) {
        Some(_) => format!("{name} (set here, and checked)"),
        None => name.clone(),
    };
    let variables: Vec<_> = report.needed.environment.iter().map(marked).collect();
    let members: Vec<_> = report.needed.secret.iter().cloned().collect();
    writeln!(out, "{:<13}{}", "environment", listed(&variables, "nothing"))?;
    writeln!(out, "{:<13}{}", "secret", listed(&members, "nothing"))?;
    for note in &report.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

/// The names, or what it means that there are none.
fn listed(names: &[String], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}
