//! Warm processes: memory, processor time per message, and messages per second.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;

use crate::figures::{Bar, Figure, Row, Unit, milliseconds};
use crate::payload::payload;
use crate::subject::{Programs, Running, Subject};
use crate::world::{Transport, World};

/// Messages before the first measurement: connections, caches, and the sample's just-in-time compiler.
const WARM_UP: usize = 200;

/// How much of everything.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Of the producer and the worker, per round and load; a multiple of 8.
    pub(crate) messages: usize,
    /// Of the sample, which takes longer.
    pub(crate) sample_messages: usize,
}

/// One subject with what has been measured of it.
struct Course {
    subject: Subject,
    running: Running,
    world: World,
    messages: usize,
    loads: HashMap<AtOnce, Load>,
}

/// How many messages one invocation brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum AtOnce {
    One,
    Eight,
}

/// What each round took.
#[derive(Default)]
struct Load {
    /// Milliseconds per message.
    cpu: Vec<f64>,
    /// Messages per second.
    throughput: Vec<f64>,
}

/// Lets all subjects work in turn, one message per invocation and then eight at once, and looks at what they used.
///
/// # Errors
/// When a subject fails.
pub(crate) async fn measure(programs: &Programs, plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let mut courses = Vec::new();
    for (subject, program) in programs.subjects() {
        courses.push(Course::begin(subject, program, plan).await?);
    }
    for _round in 0..plan.rounds {
        for course in &mut courses {
            course.round().await?;
        }
    }
    rows(&courses)
}

impl Course {
    async fn begin(subject: Subject, program: &Path, plan: &Plan) -> anyhow::Result<Self> {
        let world = World::start(Transport::Http).await?;
        let running = Running::start(subject, program, &world).await?;
        let messages = match subject {
            Subject::Sample => plan.sample_messages,
            Subject::Producer | Subject::Worker => plan.messages,
        };
        let mut course = Self { subject, running, world, messages, loads: HashMap::new() };
        for at_once in course.brings() {
            course.work(WARM_UP, *at_once).await?;
        }
        Ok(course)
    }

    /// The producer's trigger brings one event per invocation, and a Lambda process has one invocation at a time.
    fn brings(&self) -> &'static [AtOnce] {
        match self.subject {
            Subject::Producer => &[AtOnce::One],
            Subject::Sample | Subject::Worker => &[AtOnce::One, AtOnce::Eight],
        }
    }

    async fn round(&mut self) -> anyhow::Result<()> {
        for at_once in self.brings() {
            let (cpu, took) = self.work(self.messages, *at_once).await?;
            self.loads.entry(*at_once).or_default().add(self.messages, cpu, took);
        }
        Ok(())
    }

    /// Processor time and time of so many messages, so many of them at once.
    async fn work(&mut self, messages: usize, at_once: AtOnce) -> anyhow::Result<(Duration, Duration)> {
        let events = self.world.events(messages)?;
        let payloads: Result<Vec<_>, _> =
            events.chunks(at_once.messages()).map(|events| payload(self.subject, events)).collect();
        let (payloads, arrived) = (payloads?, self.world.arrived(self.subject));
        let (cpu, mut took) = (self.running.cpu_time()?, Duration::ZERO);
        for payload in &payloads {
            took += self.running.answer(payload).await?;
        }
        let cpu = self.running.cpu_time()?.saturating_sub(cpu);
        let arrived = self.world.arrived(self.subject) - arrived;
        ensure!(arrived == messages, "{arrived} of {messages} messages came through the {}", self.subject.name());
        Ok((cpu, took))
    }
}

impl Load {
    fn add(&mut self, messages: usize, cpu: Duration, took: Duration) {
        self.cpu.push(milliseconds(cpu) / messages as f64);
        self.throughput.push(messages as f64 / took.as_secs_f64());
    }

    fn cpu_per_message(&self) -> Figure {
        Figure::median(self.cpu.clone(), Unit::Milliseconds)
    }

    fn throughput(&self) -> Figure {
        Figure::median(self.throughput.clone(), Unit::MessagesPerSecond)
    }
}

impl AtOnce {
    fn messages(self) -> usize {
        match self {
            Self::One => 1,
            Self::Eight => 8,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::One => "1 at a time",
            Self::Eight => "8 at once",
        }
    }
}

fn rows(courses: &[Course]) -> anyhow::Result<Vec<Row>> {
    let sample = courses.iter().find(|course| course.subject == Subject::Sample);
    let own = || courses.iter().filter(|course| course.subject != Subject::Sample);
    let loads = |at_once| own().filter_map(move |course| Some((course.subject, course.loads.get(&at_once)?)));
    let mut rows = Vec::new();
    for course in own() {
        let bar = if course.subject == Subject::Producer { Bar::OneIn(15.0) } else { Bar::OneIn(5.0) };
        let row = Row::new("peak resident memory", course.subject, memory(course)?).with_bar(bar);
        rows.push(row.beside_sample(sample.map(memory).transpose()?.as_ref()));
    }
    for at_once in [AtOnce::One, AtOnce::Eight] {
        let reference = sample.and_then(|sample| sample.loads.get(&at_once)).map(Load::cpu_per_message);
        for (subject, load) in loads(at_once) {
            let bar = if subject == Subject::Producer { Bar::Limit(0.3) } else { Bar::OneIn(8.0) };
            let measure = format!("processor time per message, {}", at_once.in_words());
            let row = Row::new(measure, subject, load.cpu_per_message()).with_bar(bar);
            rows.push(row.beside_sample(reference.as_ref()));
        }
    }
    for at_once in [AtOnce::One, AtOnce::Eight] {
        let reference = sample.and_then(|sample| sample.loads.get(&at_once)).map(Load::throughput);
        for (subject, load) in loads(at_once) {
            let row = Row::new(format!("throughput, {}", at_once.in_words()), subject, load.throughput());
            let row = row.beside_sample(reference.as_ref());
            rows.push(match at_once {
                AtOnce::One => row,
                AtOnce::Eight => row.with_bar(Bar::TimesAtLeast(6.0)),
            });
        }
    }
    Ok(rows)
}

fn memory(course: &Course) -> anyhow::Result<Figure> {
    Ok(Figure::once(course.running.peak_memory()? as f64 / f64::from(1 << 20), Unit::Mebibytes))
}
