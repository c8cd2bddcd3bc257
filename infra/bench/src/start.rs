//! From the spawning of a process to its first answer: what a cold start costs beyond Lambda's own part.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::figures::{Bar, Figure, Row, Unit, milliseconds};
use crate::payload::payload;
use crate::subject::{Programs, Running, Subject};
use crate::world::{Transport, World};

/// Starts every subject once per round, over plain HTTP and over TLS, one after another: whatever disturbs this machine
/// disturbs all of them.
///
/// # Errors
/// When a subject does not start or does not answer.
pub(crate) async fn measure(programs: &Programs, rounds: usize) -> anyhow::Result<Vec<Row>> {
    let transports = [Transport::Http, Transport::Tls];
    let worlds = [World::start(Transport::Http).await?, World::start(Transport::Tls).await?];
    let mut times: HashMap<_, Vec<f64>> = HashMap::new();
    // The first round only brings the programs into memory.
    for round in 0..=rounds {
        for (transport, world) in transports.into_iter().zip(&worlds) {
            for (subject, program) in programs.subjects() {
                let took = first_answer(subject, program, world).await?;
                if round > 0 {
                    times.entry((transport, subject)).or_default().push(milliseconds(took));
                }
            }
        }
    }
    let figures: HashMap<_, _> =
        times.into_iter().map(|(what, times)| (what, Figure::median(times, Unit::Milliseconds))).collect();
    let row = |transport, subject| {
        let measure = match transport {
            Transport::Http => "start to first answer, plain HTTP",
            Transport::Tls => "start to first answer, TLS",
        };
        let row = Row::new(measure, subject, figures[&(transport, subject)].clone());
        row.beside_sample(figures.get(&(transport, Subject::Sample)))
    };
    Ok(vec![
        row(Transport::Http, Subject::Producer).with_bar(Bar::OneIn(25.0)),
        row(Transport::Tls, Subject::Producer).with_bar(Bar::OneIn(12.0)),
        row(Transport::Http, Subject::Worker).with_bar(Bar::OneIn(10.0)),
        row(Transport::Tls, Subject::Worker),
    ])
}

async fn first_answer(subject: Subject, program: &Path, world: &World) -> anyhow::Result<Duration> {
    let payload = payload(subject, &world.events(1)?)?;
    let before = world.arrived(subject);
    let began = Instant::now();
    let running = Running::start(subject, program, world).await?;
    running.answer(&payload).await?;
    let took = began.elapsed();
    ensure!(world.arrived(subject) == before + 1, "the {} answered, but its message is nowhere", subject.name());
    Ok(took)
}
