//! Ten records at once, with KMS and the provider as far away as they are in life: whether the records wait for one
//! another.

use std::time::Duration;

use local::fake_twilio::Script;

use crate::figures::{Bar, Figure, Row, Unit, milliseconds};
use crate::payload::payload;
use crate::subject::{Programs, Running, Subject};
use crate::world::{Transport, World};

const RECORDS: usize = 10;
const TO_KMS: Duration = Duration::from_millis(50);
const TO_PROVIDER: Duration = Duration::from_millis(100);

/// # Errors
/// When a subject fails.
pub(crate) async fn measure(programs: &Programs, rounds: usize) -> anyhow::Result<Vec<Row>> {
    let mut sample = None;
    let mut rows = Vec::new();
    for (subject, program) in programs.subjects() {
        match subject {
            Subject::Producer => {}
            Subject::Sample => {
                sample = Some(Figure::median(batches(subject, program, rounds).await?, Unit::Milliseconds))
            }
            Subject::Worker => {
                let times = batches(subject, program, rounds).await?;
                let most = milliseconds(TO_KMS + TO_PROVIDER) * 1.3;
                let median = Figure::median(times, Unit::Milliseconds);
                let row = Row::new("batch of ten, KMS 50 ms and provider 100 ms away", subject, median);
                rows.push(row.beside_sample(sample.as_ref()).with_bar(Bar::Limit(most)));
            }
        }
    }
    Ok(rows)
}

/// What each batch takes in a warm process.
async fn batches(subject: Subject, program: &std::path::Path, rounds: usize) -> anyhow::Result<Vec<f64>> {
    let world = World::start(Transport::Http).await?;
    let running = Running::start(subject, program, &world).await?;
    world.put_kms_away(TO_KMS);
    let mut times = Vec::new();
    for round in 0..=rounds {
        world.provider_will(RECORDS, || Script::Delay(TO_PROVIDER, Box::new(Script::Accept)));
        let took = running.answer(&payload(subject, &world.events(RECORDS)?)?).await?;
        // The first one opens the connections.
        if round > 0 {
            times.push(milliseconds(took));
        }
    }
    Ok(times)
}
