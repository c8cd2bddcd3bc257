//! Dead letters that are left behind, so that a person can try the operator's commands on them.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout_at};
use worker::RetrySettings;

use crate::display::Display;
use crate::events;
use crate::journey::{Ending, Journey};
use crate::outage::OutageLength;
use crate::pipeline::{PROVIDER, Pipeline};

/// Of the outage that nobody has said the length of.
pub(crate) const USUAL_OUTAGE: OutageLength = OutageLength(Duration::from_secs(5));
/// Each sends one event during the outage.
const USERS: u8 = 20;
/// For the work itself.
const MARGIN: Duration = Duration::from_secs(15);

/// Retries that end in the middle of an outage.
pub(crate) fn retries_within(OutageLength(length): OutageLength) -> RetrySettings {
    RetrySettings { horizon: length / 2, ..RetrySettings::default() }
}

/// Sends what can never be sent, then has an outage during which the worker gives every message up. The journeys that
/// have ended, and whether each of them ended as a dead letter.
pub(crate) async fn leave_behind(
    OutageLength(length): OutageLength,
    pipeline: &mut Pipeline,
    display: &mut Display<'_>,
) -> anyhow::Result<(Vec<Journey>, bool)> {
    // A stranger's message is nobody's invocation.
    let mut sent = HashSet::from([None]);
    pipeline.send_as_stranger().await?;
    for event in events::never_sent(&pipeline.pool)? {
        sent.insert(Some(pipeline.invoke(&event).await));
    }
    let (mut ended, none_waits) = until_ended(sent, MARGIN, pipeline, display).await?;

    let ends = tokio::time::Instant::now() + length;
    pipeline.twilio().set_outage(true);
    display.outage_begins(Instant::now(), PROVIDER, length)?;
    let mut sent = HashSet::new();
    for event in events::of_users(USERS, &pipeline.pool)? {
        sent.insert(Some(pipeline.invoke(&event).await));
    }
    // On a slow machine the outage lasts longer: until the last message is given up.
    let (of_outage, none_of_them_waits) = until_ended(sent, length + MARGIN, pipeline, display).await?;
    sleep_until(ends).await;
    pipeline.twilio().set_outage(false);
    display.outage_ends(Instant::now(), PROVIDER)?;

    ended.extend(of_outage);
    let are_dead = ended.iter().all(|journey| matches!(journey.ending, Ending::DeadLettered { .. }));
    Ok((ended, none_waits && none_of_them_waits && are_dead))
}

/// Shows how the messages of these invocations end; their journeys, and whether none waits any more.
async fn until_ended(
    mut sent: HashSet<Option<String>>,
    patience: Duration,
    pipeline: &mut Pipeline,
    display: &mut Display<'_>,
) -> anyhow::Result<(Vec<Journey>, bool)> {
    let gives_up = tokio::time::Instant::now() + patience;
    let mut ended = Vec::new();
    while !sent.is_empty() {
        let Ok(mut journey) = timeout_at(gives_up, pipeline.next_journey()).await else { break };
        if !journey.ending.is_waiting() {
            // The way there is what `--outage` alone shows.
            journey.stages = journey.stages.pop().into_iter().collect();
            display.journey(&journey)?;
            if sent.remove(&journey.invocation) {
                ended.push(journey);
            }
        }
    }
    for invocation in sent.iter().flatten() {
        display.still_waiting(&pipeline.journey_so_far(invocation))?;
    }
    Ok((ended, sent.is_empty()))
}
