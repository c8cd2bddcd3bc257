//! How quickly `sealpost dlq redrive` empties a long dead-letter queue, beside a process that makes the same calls and
//! does nothing else.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use local::process::Process;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::bare_calls;
use crate::dead_letters;
use crate::figures::{Bar, Figure, Row, Unit, milliseconds};
use crate::subject::Programs;
use crate::world::{QUEUE, Transport, World};

const LETTERS: usize = 10_000;
/// The least part of what the calls alone would allow.
const LEAST: f64 = 0.8;
/// Between two looks at the queue.
const LOOKS_EVERY: Duration = Duration::from_millis(3);
/// More than any machine needs.
const PATIENCE: Duration = Duration::from_secs(300);

/// Who moves the letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mover {
    Sealpost,
    BareCalls,
}

/// What one run of a mover took, from the spawning of its process.
struct Run {
    /// Until the last letter was deleted.
    emptied: Duration,
    /// Until the process had ended. Before that it waits for a second for letters that do not come.
    ended: Duration,
}

/// Lets both movers work in turn, each time on a new queue.
///
/// # Errors
/// When a mover fails, or a letter does not arrive.
pub(crate) async fn measure(programs: &Programs, rounds: usize) -> anyhow::Result<Vec<Row>> {
    let bodies = dead_letters::bodies(&World::start(Transport::Http).await?.pool, LETTERS)?;
    let (mut sealpost, mut bare_calls) = (Vec::new(), Vec::new());
    // The first round only brings the programs into memory.
    for round in 0..=rounds {
        for (mover, runs) in [(Mover::Sealpost, &mut sealpost), (Mover::BareCalls, &mut bare_calls)] {
            let run = mover.run(&programs.sealpost, &bodies).await?;
            if round > 0 {
                runs.push(run);
            }
        }
    }
    let row = |measure, figure: fn(&[Run]) -> Figure| {
        Row::new(measure, "sealpost", figure(&sealpost)).beside("bare calls", &figure(&bare_calls))
    };
    Ok(vec![
        row("redrive of 10,000 dead letters", Run::rate).with_bar(Bar::TimesAtLeast(LEAST)),
        row("redrive of 10,000 dead letters, until the process ends", Run::whole_time),
    ])
}

impl Run {
    fn rate(runs: &[Self]) -> Figure {
        let rates = runs.iter().map(|run| LETTERS as f64 / run.emptied.as_secs_f64());
        Figure::median(rates.collect(), Unit::MessagesPerSecond)
    }

    fn whole_time(runs: &[Self]) -> Figure {
        Figure::median(runs.iter().map(|run| milliseconds(run.ended)).collect(), Unit::Milliseconds)
    }
}

impl Mover {
    fn name(self) -> &'static str {
        match self {
            Self::Sealpost => "sealpost dlq redrive",
            Self::BareCalls => "the process with the bare calls",
        }
    }

    fn command(self, sealpost: &Path, audit: &Path) -> anyhow::Result<Command> {
        match self {
            Self::Sealpost => {
                let mut command = Command::new(sealpost);
                command.args(["dlq", "redrive", "--rate", "unlimited", "--yes", "--json", "--audit"]).arg(audit);
                Ok(command)
            }
            Self::BareCalls => {
                let mut command = Command::new(std::env::current_exe().context("finding this program")?);
                command.arg(bare_calls::PART);
                Ok(command)
            }
        }
    }

    async fn run(self, sealpost: &Path, bodies: &[String]) -> anyhow::Result<Run> {
        let world = World::start(Transport::Http).await?;
        let folder = tempfile::tempdir().context("making a temporary folder")?;
        dead_letters::put(bodies, &world)?;
        let mut command = self.command(sealpost, &folder.path().join("audit.json"))?;
        command.env_clear().envs(world.operators_environment()).current_dir(folder.path());
        let began = Instant::now();
        let process = Process::start(command).with_context(|| format!("starting {}", self.name()))?;
        let emptied = async {
            while dead_letters::count(&world)? > 0 {
                sleep(LOOKS_EVERY).await;
            }
            anyhow::Ok(began.elapsed())
        };
        let done = async {
            let emptied = tokio::select! {
                biased;
                emptied = emptied => emptied?,
                // Between two looks it can have deleted the last one.
                code = process.ended() => match dead_letters::count(&world)? {
                    0 => began.elapsed(),
                    left => bail!("it left {left} of {LETTERS} dead letters and ended with {code:?}"),
                }
            };
            let code = process.ended().await;
            ensure!(code == Some(0), "it ended with {code:?}");
            Ok(Run { emptied, ended: began.elapsed() })
        };
        let run = timeout(PATIENCE, done).await.unwrap_or_else(|_| bail!("it does not end"));
        let run = run.with_context(|| format!("{} printed:\n{}", self.name(), process.output()))?;
        dead_letters::check(bodies, QUEUE, &world)?;
        Ok(run)
    }
}
