//! `cargo measure`: start, memory, processor time and throughput of the producer and the worker, side by side with the
//! AWS documentation's Node.js function for the same trigger, and the speed of `sealpost dlq redrive` beside its bare
//! calls; on this machine and in one run. Apart from that, what producer and worker take at each of Lambda's memory
//! sizes.

mod backlog;
mod bare_calls;
mod batch_of_ten;
mod binaries;
mod dead_letters;
mod figures;
mod machine;
mod mapping;
mod memory;
mod outage;
mod payload;
mod price;
mod process;
mod redrive;
mod report;
mod sample;
mod share;
mod start;
mod subject;
mod throughput;
mod tls;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};

use crate::binaries::Profile;
use crate::machine::Machine;
use crate::report::Report;
use crate::sample::Sample;
use crate::subject::Programs;

/// Measures producer and worker side by side with the AWS documentation's Node.js function, and the redrive of dead
/// letters beside its bare calls.
///
/// A bar that is missed is shown and does not fail the run: how quick a machine is fails no test.
#[derive(Parser)]
#[command(name = "cargo measure", about, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// A shorter run, for a first impression.
    #[arg(long)]
    quick: bool,
    /// Measure only this; may be given several times. The memory sizes are measured only when they are asked for.
    #[arg(long, value_name = "MEASURE")]
    only: Vec<Measure>,
    /// Also write every single number to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure this producer instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    producer: Option<PathBuf>,
    /// Measure this worker instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    worker: Option<PathBuf>,
    /// Measure this operators' tool instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    sealpost: Option<PathBuf>,
}

/// What this program does in a process of its own while it measures.
#[derive(Clone, Copy, Debug, Subcommand)]
enum Part {
    /// The calls of a redrive, and nothing else.
    #[command(name = bare_calls::PART, hide = true)]
    BareCalls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measure {
    Start,
    Throughput,
    BatchOfTen,
    Outage,
    Backlog,
    Redrive,
    Memory,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = runtime.context("starting the runtime").and_then(|runtime| match arguments.part {
        None => runtime.block_on(run(arguments)),
        Some(Part::BareCalls) => runtime.block_on(bare_calls::run()),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("it could not be measured: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "the table is what this program is for")]
async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { part: _, quick, only, json, producer, worker, sealpost } = arguments;
    let built = |given: Option<PathBuf>, package, program, profile| {
        given.map_or_else(|| binaries::built(package, program, profile), Ok)
    };
    let producer = built(producer, "producer", "producer", Profile::Release)?;
    let worker = built(worker, "worker", "worker", Profile::Release)?;
    let sealpost = built(sealpost, "ops", "sealpost", Profile::Harness)?;
    let sample = match witnesses::node() {
        Ok(node) => Some(Sample::beside(node.modules())?),
        Err(missing) => {
            eprintln!("the AWS documentation's sample is not measured, and nothing is compared with it: {missing}");
            None
        }
    };
    let programs = Programs { producer, worker, sealpost, sample: sample.as_ref().map(Sample::program) };
    let (machine, mut rows) = (Machine::this(), Vec::new());
    for measure in Measure::value_variants() {
        if only.contains(measure) || only.is_empty() && measure.is_usual() {
            eprintln!("measuring: {}", measure.in_words());
            rows.extend(measure.run(&programs, quick).await?);
        }
    }
    let report = Report { machine, quick, rows };
    println!("{report}");
    if let Some(path) = json {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

impl Measure {
    fn in_words(self) -> &'static str {
        match self {
            Self::Start => "start to first answer",
            Self::Throughput => "memory, processor time and throughput",
            Self::BatchOfTen => "a batch of ten with everything far away",
            Self::Outage => "the producer during a provider's outage",
            Self::Backlog => "the worker before a long queue",
            Self::Redrive => "the redrive of a long dead-letter queue",
            Self::Memory => "memory sizes",
        }
    }

    /// Whether a run includes it that asks for nothing in particular.
    fn is_usual(self) -> bool {
        match self {
            Self::Start | Self::Throughput | Self::BatchOfTen | Self::Outage | Self::Backlog | Self::Redrive => true,
            // It takes minutes, and what follows from it does not change from day to day.
            Self::Memory => false,
        }
    }

    async fn run(self, programs: &Programs, quick: bool) -> anyhow::Result<Vec<figures::Row>> {
        let often = |full, short| if quick { short } else { full };
        match self {
            Self::Start => start::measure(programs, often(15, 5)).await,
            Self::Throughput => {
                let (messages, sample_messages) = (often(400, 200), often(104, 56));
                throughput::measure(programs, &throughput::Plan { rounds: 5, messages, sample_messages }).await
            }
            Self::BatchOfTen => batch_of_ten::measure(programs, often(15, 5)).await,
            Self::Outage => outage::measure(programs, &outage::Plan { rounds: 3, messages: often(200, 50) }).await,
            Self::Backlog => backlog::measure(programs, &backlog::Plan { rounds: often(10, 3), messages: 100 }).await,
            Self::Redrive => redrive::measure(programs, often(5, 2)).await,
            Self::Memory => {
                let (rounds, messages) = (often(8, 2), often(15, 5));
                memory::measure(programs, &memory::Plan { rounds, messages, batches: 5 }).await
            }
        }
    }
}
