//! `cargo faults`: sends events through the real programs while everything around them fails, and shows what became of
//! each.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use faults::{MOST_EVENTS, Plan, Programs, run};

/// Sends events through the real producer and workers while providers misbehave and workers are killed.
///
/// Exits with 1 when an event was lost or is still queued, a secret was said, an SMS came twice without a cause, or a
/// dead letter's reason is not true.
#[derive(Parser)]
#[command(name = "cargo faults", about)]
struct Arguments {
    /// How many events.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=MOST_EVENTS as u64))]
    events: u64,
    /// Decides who is called, what each provider does with each request, and when which worker is killed.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Events per second.
    #[arg(long, default_value_t = 50.0)]
    pace: f64,
    /// Run this producer instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    producer: Option<PathBuf>,
    /// Run this worker instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    worker: Option<PathBuf>,
    /// Also write everything that the table shows to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[allow(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() -> ExitCode {
    match faulty_run(Arguments::parse()) {
        Ok(report) => {
            println!("{report}");
            if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("the run failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn faulty_run(arguments: Arguments) -> anyhow::Result<faults::Report> {
    let Arguments { events, seed, pace, producer, worker, json } = arguments;
    anyhow::ensure!((0.1..=1_000.0).contains(&pace), "--pace must lie between 0.1 and 1000");
    let plan = Plan { events: usize::try_from(events)?, seed, pace };
    let programs = match (producer, worker) {
        (Some(producer), Some(worker)) => Programs { producer, worker },
        (producer, worker) => {
            // With this package among them the features are those that it was itself built with: little is compiled anew.
            let built = Programs::built(["-p", "faults", "-p", "producer", "-p", "worker", "--bins"])?;
            Programs { producer: producer.unwrap_or(built.producer), worker: worker.unwrap_or(built.worker) }
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let report = runtime.context("starting the runtime")?.block_on(run(&plan, &programs))?;
    if let Some(path) = json {
        std::fs::write(&path, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(report)
}
