//! From the spawning of a process to its first answer: what a cold start takes beyond Lambda's own part, and what it
//! costs.

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
    let (plain, tls) = (World::start(Transport::Http).await?, World::start(Transport::Tls).await?);
    let (mut times, mut cpu_times) = (HashMap::<_, Vec<f64>>::new(), HashMap::<_, Vec<f64>>::new());
    // The first round only brings the programs into memory.
    for round in 0..=rounds {
        for (transport, world) in [(Transport::Http, &plain), (Transport::Tls, &tls)] {
            for (subject, program) in programs.subjects() {
                let (took, cpu_time) = first_answer(subject, program, world).await?;
                if round > 0 {
                    times.entry((transport, subject)).or_default().push(milliseconds(took));
                    cpu_times.entry((transport, subject)).or_default().push(milliseconds(cpu_time));
                }
            }
        }
    }
    let row = |measure, all: &HashMap<_, Vec<f64>>, transport: Transport, subject| {
        let figure = |subject| Some(Figure::median(all.get(&(transport, subject))?.clone(), Unit::Milliseconds));
        let measured = figure(subject).unwrap_or_else(|| Figure::median(Vec::new(), Unit::Milliseconds));
        let row = Row::new(format!("{measure}, {}", transport.in_words()), subject, measured);
        row.beside_sample(figure(Subject::Sample).as_ref())
    };
    let start = |transport, subject| row("start to first answer", &times, transport, subject);
    let cost = |transport, subject| row("processor time of the start", &cpu_times, transport, subject);
    Ok(vec![
        start(Transport::Http, Subject::Producer).with_bar(Bar::OneIn(25.0)),
        start(Transport::Tls, Subject::Producer).with_bar(Bar::OneIn(12.0)),
        start(Transport::Http, Subject::Worker).with_bar(Bar::OneIn(10.0)),
        start(Transport::Tls, Subject::Worker),
        cost(Transport::Http, Subject::Producer),
        cost(Transport::Tls, Subject::Producer),
        cost(Transport::Http, Subject::Worker),
        cost(Transport::Tls, Subject::Worker),
    ])
}

/// Time and processor time of one start.
async fn first_answer(subject: Subject, program: &Path, world: &World) -> anyhow::Result<(Duration, Duration)> {
    let payload = payload(subject, &world.events(1)?)?;
    let before = world.arrived(subject);
    let began = Instant::now();
    let running = Running::start(subject, program, world).await?;
    running.answer(&payload).await?;
    let (took, cpu_time) = (began.elapsed(), running.cpu_time()?);
    ensure!(world.arrived(subject) == before + 1, "the {} answered, but its message is nowhere", subject.name());
    Ok((took, cpu_time))
}
