//! The table on the screen, which is Markdown, and the raw numbers.

use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};

use crate::figures::{Bar, Figure, Row, Unit};
use crate::machine::Machine;

const HEAD: [&str; 7] = ["measure", "subject", "value", "beside", "ratio", "bar", ""];

const LEGEND: &str = "\
sample: the function of the Amazon Cognito developer guide for this trigger, with the AWS SDK for JavaScript v3, under a
minimal runtime; AWS's own Node.js runtime adds its start to this. It decrypts and sends without a queue or retries.
start: from spawning the process to its first answer, program files in memory; the producer has queued, sample and
worker have delivered. TLS: through a local terminator, with this system's root certificates to load.
8 at once: a batch of eight for the worker; for the sample eight events in one process, which Lambda never gives it.
redrive: from spawning the process to the deletion of the last of 10,000 dead letters; the bare calls are a process that
makes the same calls with the AWS client and looks at nothing. Each then waits a second for more before it ends.
memory sizes: in a control group with size/1769 of one processor, dealt out every 20 ms; over TLS, the worker with a
state table. Starts have everything near, and include about a millisecond of the shell that joins the group; for warm
messages SQS and KMS are 10 ms away, the state table 5 ms, the provider 100 ms. Costs are arm64's, for the time of warm
functions; requests, the same for all sizes, are not in them.
Values are medians with the range of all; processor time is that of the measured process alone. SQS, KMS, provider and
Lambda's Runtime API run on the same cores, in the measuring process.
";

const BUSY: &str = "\
The machine was busy with something else: processor times hold, other times and throughputs are worth little.
";

/// Everything that one run measured.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Whether this was the shorter run.
    pub(crate) quick: bool,
    #[serde(serialize_with = "judged")]
    pub(crate) rows: Vec<Row>,
}

/// A row with what is concluded from it.
#[derive(Serialize)]
struct Judged<'r> {
    #[serde(flatten)]
    row: &'r Row,
    ratio: Option<f64>,
    /// Whether the bar holds.
    holds: Option<bool>,
}

fn judged<S: Serializer>(rows: &[Row], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(|row| Judged { row, ratio: row.ratio(), holds: row.holds() }))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { date, processor, cores, memory_gib, load_average, system, rust, node } = &self.machine;
        let node = node.as_deref().map_or_else(|| "no Node.js".to_owned(), |version| format!("Node.js {version}"));
        writeln!(f, "{date}, {processor}, {cores} cores, {memory_gib} GiB, load {load_average} before, {system},")?;
        writeln!(f, "{rust}, {node}{}\n", if self.quick { ", the shorter run" } else { "" })?;
        if *load_average > *cores as f64 / 2.0 {
            writeln!(f, "{BUSY}")?;
        }
        let lines: Vec<_> = std::iter::once(HEAD.map(str::to_owned)).chain(self.rows.iter().map(line)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 7] = std::array::from_fn(width);
        for (number, line) in lines.iter().enumerate() {
            let cells = line.iter().zip(widths).fold("|".to_owned(), |mut cells, (cell, width)| {
                // Writing to a string cannot fail.
                let _ = write!(cells, " {cell:width$} |");
                cells
            });
            writeln!(f, "{cells}")?;
            if number == 0 {
                writeln!(f, "|{}", widths.map(|width| "-".repeat(width + 2) + "|").concat())?;
            }
        }
        write!(f, "\n{LEGEND}")
    }
}

fn line(row: &Row) -> [String; 7] {
    let beside = row.reference.as_ref().map(|(name, figure)| format!("{} ({name})", shown(figure)));
    let verdict = row.holds().map(|holds| if holds { "met" } else { "MISSED" });
    [
        row.measure.clone(),
        row.subject.to_owned(),
        shown(&row.figure),
        beside.unwrap_or_default(),
        row.ratio().map(ratio).unwrap_or_default(),
        row.bar.map(|bar| self::bar(bar, row.figure.unit)).unwrap_or_default(),
        verdict.unwrap_or_default().to_owned(),
    ]
}

/// The value, and the range of what it is the median of.
fn shown(figure: &Figure) -> String {
    let number = |value: f64| match figure.unit {
        Unit::MessagesPerSecond => format!("{value:.0}"),
        Unit::Dollars => format!("{value:.3}"),
        Unit::Milliseconds | Unit::Mebibytes if value < 1.0 => format!("{value:.3}"),
        Unit::Milliseconds | Unit::Mebibytes if value < 10.0 => format!("{value:.2}"),
        Unit::Milliseconds | Unit::Mebibytes => format!("{value:.1}"),
    };
    let least = figure.all.iter().copied().reduce(f64::min).unwrap_or_default();
    let most = figure.all.iter().copied().reduce(f64::max).unwrap_or_default();
    let range = if figure.all.len() > 1 { format!(", {}–{}", number(least), number(most)) } else { String::new() };
    format!("{} {}{range}", number(figure.value), unit(figure.unit))
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Milliseconds => "ms",
        Unit::MessagesPerSecond => "/s",
        Unit::Mebibytes => "MiB",
        Unit::Dollars => "USD",
    }
}

fn ratio(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.5 { format!("1/{:.1}", 1.0 / ratio) } else { format!("{ratio:.2}×") }
}

fn bar(bar: Bar, of: Unit) -> String {
    match bar {
        Bar::OneIn(parts) => format!("at most 1/{parts}"),
        Bar::TimesAtMost(times) => format!("at most {times}×"),
        Bar::TimesAtLeast(times) => format!("at least {times}×"),
        Bar::Limit(most) => format!("at most {most} {}", unit(of)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Subject;

    fn machine() -> Machine {
        let text = || "x".to_owned();
        let (date, processor, system, rust) = (text(), text(), text(), text());
        Machine { date, processor, cores: 2, memory_gib: 4, load_average: 0.5, system, rust, node: None }
    }

    #[test]
    fn the_table_says_what_was_measured_beside_what_and_whether_the_bar_holds() {
        let sample = Figure::once(200.0, Unit::Milliseconds);
        let figure = Figure::median(vec![9.0, 4.0, 5.0], Unit::Milliseconds);
        let start = Row::new("start", Subject::Producer, figure).beside("sample", &sample);
        let rate = Row::new("rate", Subject::Worker, Figure::once(1234.5, Unit::MessagesPerSecond));
        let rows = vec![start.clone().with_bar(Bar::OneIn(25.0)), start.with_bar(Bar::Limit(4.5)), rate];
        let text = Report { machine: machine(), quick: false, rows }.to_string();
        let table: Vec<_> = text.lines().skip(3).take(5).collect();
        assert_eq!(
            table,
            [
                "| measure | subject  | value              | beside            | ratio  | bar            |        |",
                "|---------|----------|--------------------|-------------------|--------|----------------|--------|",
                "| start   | producer | 5.00 ms, 4.00–9.00 | 200.0 ms (sample) | 1/40.0 | at most 1/25   | met    |",
                "| start   | producer | 5.00 ms, 4.00–9.00 | 200.0 ms (sample) | 1/40.0 | at most 4.5 ms | MISSED |",
                "| rate    | worker   | 1234 /s            |                   |        |                |        |",
            ]
        );
    }

    #[test]
    fn the_raw_numbers_say_whether_the_bar_holds() {
        let figure = |value| Figure::median(vec![value], Unit::MessagesPerSecond);
        let row = |value| Row::new("rate", Subject::Worker, figure(value)).beside("sample", &figure(100.0));
        let rows = [79.0, 81.0].map(|value| row(value).with_bar(Bar::TimesAtLeast(0.8)));
        let rows = rows.into_iter().chain([row(100.0)]).collect();
        let report = serde_json::to_value(Report { machine: machine(), quick: true, rows }).expect("JSON");
        let told = |row: usize| (report["rows"][row]["ratio"].as_f64(), report["rows"][row]["holds"].as_bool());
        assert_eq!(
            [told(0), told(1), told(2)],
            [(Some(0.79), Some(false)), (Some(0.81), Some(true)), (Some(1.0), None)]
        );
        assert_eq!(report["rows"][0]["figure"]["all"], serde_json::json!([79.0]));
        assert_eq!(report["rows"][0]["bar"], serde_json::json!({ "times_at_least": 0.8 }));
    }
}
