//! The memory sizes that Lambda offers: what a start, a message and a batch take at each, and what a million messages
//! then cost. Larger is quicker, since the share of a processor grows with the memory; the best size is the cheapest
//! beyond which nothing becomes much quicker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::ensure;
use local::fake_twilio::Script;

use crate::figures::{Bar, Figure, Row, Unit, milliseconds};
use crate::payload::payload;
use crate::price;
use crate::share::Share;
use crate::subject::{Programs, Running, Subject};
use crate::world::{Away, World};

const SIZES_MB: [u32; 7] = [128, 192, 256, 384, 512, 1024, 1769];
const LARGEST_MB: u32 = 1769;
/// Assumed: AWS promises no times.
const IN_THE_REGION: Away =
    Away { sqs: Duration::from_millis(10), kms: Duration::from_millis(10), state_table: Duration::from_millis(5) };
const TO_PROVIDER: Duration = Duration::from_millis(100);
const BATCH: usize = 10;
/// Longer than a start without a limit.
const READY: Duration = Duration::from_millis(200);

/// Where everything is that a program calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Distance {
    /// On this machine, so that only the program itself takes time.
    Near,
    /// As for a function on AWS.
    InTheRegion,
}

/// How much of everything.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Per round and size.
    pub(crate) messages: usize,
    /// Per round and size, of the worker.
    pub(crate) batches: usize,
}

/// One program with what has been measured of it.
struct Course {
    subject: Subject,
    launcher: PathBuf,
    world: World,
    /// By memory size, and without a limit.
    seen: BTreeMap<Option<u32>, Seen>,
}

/// What was measured at one size: milliseconds, mebibytes.
#[derive(Default)]
struct Seen {
    starts: Vec<f64>,
    first_messages: Vec<f64>,
    messages: Vec<f64>,
    batches: Vec<f64>,
    memory: Vec<f64>,
}

/// Takes producer and worker through all sizes in turn: whatever disturbs this machine disturbs all of them.
///
/// # Errors
/// When a program fails.
pub(crate) async fn measure(programs: &Programs, plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let share = match Share::unlimited("memory") {
        Ok(share) => share,
        Err(reason) => {
            eprintln!("memory sizes are not measured: {reason:#}");
            return Ok(Vec::new());
        }
    };
    let mut courses = Vec::new();
    for (subject, program) in [(Subject::Producer, &programs.producer), (Subject::Worker, &programs.worker)] {
        let (launcher, world) = (share.launcher(program)?, World::as_deployed().await?);
        courses.push(Course { subject, launcher, world, seen: BTreeMap::new() });
    }
    // The first round only brings the programs into memory.
    for round in 0..=plan.rounds {
        for course in &mut courses {
            for size in std::iter::once(None).chain(SIZES_MB.map(Some)) {
                course.round(&share, size, plan).await?;
            }
            if round == 0 {
                course.seen.clear();
            }
        }
    }
    Ok(courses.iter().flat_map(Course::rows).collect())
}

impl Course {
    async fn round(&mut self, share: &Share, size: Option<u32>, plan: &Plan) -> anyhow::Result<()> {
        let mut seen = self.seen.remove(&size).unwrap_or_default();
        seen.first_messages.push(self.first_message(share, size).await?);
        share.set(size)?;
        let began = Instant::now();
        let running = self.start(size).await?;
        self.pass(&running, 1, Distance::Near).await?;
        seen.starts.push(milliseconds(began.elapsed()));
        // The first ones open connections.
        for messages in [1, self.largest_batch(), 1] {
            self.pass(&running, messages, Distance::InTheRegion).await?;
        }
        for number in 0..plan.messages {
            pause(number).await;
            seen.messages.push(self.pass(&running, 1, Distance::InTheRegion).await?);
        }
        if self.subject == Subject::Worker {
            for number in 0..plan.batches {
                pause(number).await;
                seen.batches.push(self.pass(&running, BATCH, Distance::InTheRegion).await?);
            }
        }
        seen.memory.push(running.peak_memory()? as f64 / f64::from(1 << 20));
        running.end().await;
        self.seen.insert(size, seen);
        Ok(())
    }

    /// The first message of a program that Lambda let start at full speed, as it is said to do.
    async fn first_message(&self, share: &Share, size: Option<u32>) -> anyhow::Result<f64> {
        share.set(None)?;
        let running = self.start(size).await?;
        tokio::time::sleep(READY).await;
        share.set(size)?;
        let took = self.pass(&running, 1, Distance::Near).await?;
        running.end().await;
        Ok(took)
    }

    async fn start(&self, size: Option<u32>) -> anyhow::Result<Running> {
        Running::start_sized(self.subject, &self.launcher, &self.world, size.unwrap_or(LARGEST_MB)).await
    }

    /// The milliseconds of one invocation that brings so many messages.
    async fn pass(&self, running: &Running, messages: usize, distance: Distance) -> anyhow::Result<f64> {
        let payload = payload(self.subject, &self.world.events(messages)?)?;
        match distance {
            Distance::Near => self.world.put_aws_away(None),
            Distance::InTheRegion => {
                self.world.put_aws_away(Some(IN_THE_REGION));
                let requests = if self.subject == Subject::Worker { messages } else { 0 };
                self.world.provider_will(requests, || Script::Delay(TO_PROVIDER, Box::new(Script::Accept)));
            }
        }
        let before = self.world.arrived(self.subject);
        let took = running.answer(&payload).await?;
        let arrived = self.world.arrived(self.subject) - before;
        ensure!(arrived == messages, "{arrived} of {messages} messages came through the {}", self.subject.name());
        Ok(milliseconds(took))
    }

    fn largest_batch(&self) -> usize {
        if self.subject == Subject::Worker { BATCH } else { 1 }
    }

    fn rows(&self) -> Vec<Row> {
        let all = [
            self.times("start to first answer at the share", |seen| &seen.starts),
            self.times("first message after a start at full speed", |seen| &seen.first_messages),
            self.times("warm message", |seen| &seen.messages),
            self.times("warm batch of ten", |seen| &seen.batches),
            vec![self.memory()],
            self.costs("one per invocation", 1, |seen| &seen.messages),
            self.costs("ten per invocation", BATCH, |seen| &seen.batches),
        ];
        all.concat()
    }

    /// At each size, beside what it takes without a limit.
    fn times(&self, measure: &str, of: fn(&Seen) -> &Vec<f64>) -> Vec<Row> {
        let median = |times: &Vec<f64>| Figure::median(times.clone(), Unit::Milliseconds);
        let unlimited = self.seen.get(&None).map(|seen| median(of(seen)));
        let row = |(size, times): (u32, &Vec<f64>)| {
            let row = Row::new(format!("{measure}, {size} MB"), self.subject, median(times));
            match &unlimited {
                Some(unlimited) => row.beside("no limit", unlimited),
                None => row,
            }
        };
        self.sizes(of).map(row).collect()
    }

    /// It does not depend on the size: all must do with the smallest.
    fn memory(&self) -> Row {
        let all = self.seen.values().flat_map(|seen| seen.memory.clone()).collect();
        let figure = Figure::median(all, Unit::Mebibytes);
        Row::new("peak resident memory, all sizes", self.subject, figure).with_bar(Bar::Limit(SIZES_MB[0].into()))
    }

    fn costs(&self, invocations: &str, messages_each: usize, of: fn(&Seen) -> &Vec<f64>) -> Vec<Row> {
        let row = |(size, times): (u32, &Vec<f64>)| {
            let cost = price::of_a_million(times, messages_each, size);
            let measure = format!("a million messages, {invocations}, {size} MB");
            Row::new(measure, self.subject, Figure::once(cost, Unit::Dollars))
        };
        self.sizes(of).map(row).collect()
    }

    /// The sizes at which this was measured.
    fn sizes(&self, of: fn(&Seen) -> &Vec<f64>) -> impl Iterator<Item = (u32, &Vec<f64>)> {
        let measured = self.seen.iter().filter_map(move |(size, seen)| Some(((*size)?, of(seen))));
        measured.filter(|(_, times)| !times.is_empty())
    }
}

/// As between the messages of a function that is not overrun: what the one before took of the share is made up for.
/// Pauses differ, so that messages begin anywhere in the period in which the share is dealt out.
async fn pause(number: usize) {
    let millis = 40 + 7 * number as u64 % 20;
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
