//! `sealpost local`.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::dead_letters;
use crate::display::Display;
use crate::events;
use crate::journey::Journey;
use crate::outage::{OutageLength, live_through};
use crate::pipeline::{PROVIDER, Pipeline};
use crate::samples::Samples;

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
    /// Let the provider refuse everything for so long, from the first event on.
    pub outage: Option<OutageLength>,
    /// Leave dead letters of an outage behind instead, for an operator's commands to be tried on, and stay up.
    pub dead_letters: bool,
}

/// Sends the events through the whole pipeline and shows what happens; whether all of them arrived but for those that
/// a newer code took the place of, or are left behind where dead letters are asked for.
///
/// # Errors
/// When the pipeline cannot be started or the events cannot be read.
pub async fn run(options: &Options, out: &mut (dyn Write + Send)) -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut display = Display::new(out);
    display.title()?;
    if options.dead_letters {
        return leave_dead_letters(options, &mut display).await;
    }
    let mut pipeline = Pipeline::start(options.port).await?;
    display.endpoint(&pipeline.aws_endpoint(), &pipeline.pool.key)?;
    let events = match &options.events {
        None => events::of_every_source(&pipeline.pool)?,
        Some(path) => events::of_file(path, &pipeline.pool)?,
    };
    pipeline.warmed_up().await;
    let journeys = match options.outage {
        None => {
            let journeys = one_after_another(&events, &mut pipeline, &mut display).await?;
            display.summary(&journeys, began.elapsed())?;
            journeys
        }
        Some(length) => {
            let outage = live_through(length, &events, &mut pipeline, &mut display).await?;
            display.outage_summary(&outage, PROVIDER)?;
            outage.journeys
        }
    };
    let all_arrived = journeys.iter().all(|journey| journey.ending.has_arrived() || journey.ending.is_superseded());
    if !options.once {
        // Listened for before it is promised.
        let interrupted = signal(SignalKind::interrupt())?;
        let samples = Samples::write(&events::of_every_source(&pipeline.pool)?)?;
        display.what_to_try(&pipeline, samples.folder())?;
        stay(&mut pipeline, &mut display, interrupted).await?;
    }
    Ok(all_arrived)
}

async fn leave_dead_letters(options: &Options, display: &mut Display<'_>) -> anyhow::Result<bool> {
    let length = options.outage.unwrap_or(dead_letters::USUAL_OUTAGE);
    let retry = dead_letters::retries_within(length);
    let mut pipeline = Pipeline::start_with(options.port, retry).await?;
    display.endpoint(&pipeline.aws_endpoint(), &pipeline.pool.key)?;
    pipeline.warmed_up().await;
    let (ended, all) = dead_letters::leave_behind(length, &mut pipeline, display).await?;
    display.left_behind(&ended, retry.horizon)?;
    // Listened for before it is promised.
    let interrupted = signal(SignalKind::interrupt())?;
    display.operators_commands(&pipeline)?;
    stay(&mut pipeline, display, interrupted).await?;
    Ok(all)
}

async fn one_after_another(
    events: &[Value],
    pipeline: &mut Pipeline,
    display: &mut Display<'_>,
) -> anyhow::Result<Vec<Journey>> {
    let mut journeys = Vec::new();
    for event in events {
        journeys.push(follow(event, pipeline, display).await?);
    }
    Ok(journeys)
}

/// Invokes the trigger with one event and shows everything that happens until its message has ended.
async fn follow(event: &Value, pipeline: &mut Pipeline, display: &mut Display<'_>) -> anyhow::Result<Journey> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let invocation = pipeline.invoke(event).await;
    while let Ok(journey) = tokio::time::timeout_at(deadline, pipeline.next_journey()).await {
        display.journey(&journey)?;
        if journey.invocation.as_ref() == Some(&invocation) && !journey.ending.is_waiting() {
            return Ok(journey);
        }
    }
    let journey = pipeline.journey_so_far(&invocation);
    display.still_waiting(&journey)?;
    Ok(journey)
}

/// Shows what others send until Ctrl-C.
async fn stay(pipeline: &mut Pipeline, display: &mut Display<'_>, mut interrupted: Signal) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            _ = interrupted.recv() => {
                display.stopped()?;
                return Ok(());
            }
            journey = pipeline.next_journey() => display.journey(&journey)?,
        }
    }
}
