//! `sealpost local`.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::display::Display;
use crate::events;
use crate::pipeline::Pipeline;

/// How long one event is followed before the run goes on without it.
const PATIENCE: Duration = Duration::from_secs(15);

/// What `sealpost local` is asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// End after the events instead of staying up.
    pub once: bool,
    /// Of the AWS endpoint; 0 for any.
    pub port: u16,
    /// Events to send instead of one of every trigger source.
    pub events: Option<PathBuf>,
}

/// Sends the events through the whole pipeline and shows what happens; whether all of them arrived.
///
/// # Errors
/// When the pipeline cannot be started or the events cannot be read.
pub async fn run(options: &Options, out: &mut (dyn Write + Send)) -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut display = Display::new(out);
    display.title()?;
    let mut pipeline = Pipeline::start(options.port).await?;
    display.endpoint(&pipeline.aws_endpoint(), &pipeline.pool.key)?;
    let events = match &options.events {
        None => events::of_every_source(&pipeline.pool)?,
        Some(path) => events::of_file(path, &pipeline.pool)?,
    };
    pipeline.warmed_up().await;
    let mut journeys = Vec::new();
    for event in &events {
        let mut stages = Vec::new();
        let journey = pipeline.send(event, PATIENCE, |stage| stages.push(stage.clone())).await;
        display.journey(event, &stages, &journey)?;
        journeys.push(journey);
    }
    let all_arrived = journeys.iter().all(|journey| journey.ending.has_arrived());
    display.summary(&journeys, began.elapsed())?;
    if !options.once {
        // Listened for before it is promised.
        let interrupted = signal(SignalKind::interrupt())?;
        display.what_to_try(&pipeline)?;
        stay(&pipeline, &mut display, interrupted).await?;
    }
    Ok(all_arrived)
}

/// Shows what arrives until Ctrl-C.
async fn stay(pipeline: &Pipeline, display: &mut Display<'_>, mut interrupted: Signal) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            _ = interrupted.recv() => {
                display.stopped()?;
                return Ok(());
            }
            message = pipeline.next_message() => display.phone(&message)?,
        }
    }
}
