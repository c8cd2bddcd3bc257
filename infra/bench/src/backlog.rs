//! What a message costs when many are waiting behind it.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use sqs::NewMessage;

use crate::figures::{Bar, Figure, Row, Unit, milliseconds};
use crate::mapping::Mapping;
use crate::payload::body;
use crate::subject::{Programs, Running, Subject};
use crate::world::{PRODUCER_ID, QUEUE, Transport, World};

const DEPTHS: [usize; 3] = [100, 10_000, 100_000];
const BATCH: usize = 10;
/// The worst that may pass for the same.
const SAME: f64 = 1.1;

/// How much of everything, at each depth.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Per round; a multiple of ten.
    pub(crate) messages: usize,
}

/// One of the costs of a queue's messages, of each round.
type Part = fn(&Queue) -> &[f64];

/// A queue of one depth, and the worker that works on it.
struct Queue {
    depth: usize,
    world: World,
    mapping: Mapping,
    worker: Running,
    supply: Supply,
    /// Per message, of each round.
    around: Vec<f64>,
    handling: Vec<f64>,
    cpu: Vec<f64>,
}

/// Bodies for one queue. What the worker gets is all different; what only waits repeats itself.
struct Supply {
    worked_on: VecDeque<String>,
    waiting: Vec<String>,
}

/// Works on some messages of each queue, which are replaced as they go: the backlogs stay as deep as they are. The
/// rounds of the three depths alternate.
///
/// # Errors
/// When the stand-ins or the worker fail.
pub(crate) async fn measure(programs: &Programs, plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let mut queues = Vec::new();
    for depth in DEPTHS {
        queues.push(Queue::fill(depth, &programs.worker, plan).await?);
    }
    // The first round opens connections and fills caches.
    for round in 0..=plan.rounds {
        for queue in &mut queues {
            queue.round(plan.messages, round > 0).await?;
        }
    }
    Ok(rows(&queues))
}

impl Queue {
    async fn fill(depth: usize, program: &Path, plan: &Plan) -> anyhow::Result<Self> {
        let world = World::start(Transport::Http).await?;
        let events = world.events((plan.rounds + 1) * plan.messages)?;
        let worked_on: VecDeque<_> = events.iter().map(body).collect::<Result<_, _>>()?;
        let waiting = worked_on.iter().take(BATCH).cloned().collect();
        let worker = Running::start(Subject::Worker, program, &world).await?;
        let (mapping, supply) = (Mapping::of(&world), Supply { worked_on, waiting });
        let (around, handling, cpu) = (Vec::new(), Vec::new(), Vec::new());
        let mut queue = Self { depth, world, mapping, worker, supply, around, handling, cpu };
        queue.send(depth)?;
        Ok(queue)
    }

    /// Straight into the model: what is measured is not the sending.
    fn send(&mut self, messages: usize) -> anyhow::Result<()> {
        self.world.aws.sqs().with_account(|account, now| {
            (0..messages).try_for_each(|number| {
                let message = NewMessage::new(self.supply.next(number));
                account.send(QUEUE, message, PRODUCER_ID, now).map(drop)
            })
        })?;
        Ok(())
    }

    async fn round(&mut self, messages: usize, counts: bool) -> anyhow::Result<()> {
        let (mut around, mut handling, mut cpu) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let arrived = self.world.arrived(Subject::Worker);
        for _batch in 0..messages / BATCH {
            let cpu_before = self.worker.cpu_time()?;
            let batch = self.mapping.pass_on(&self.worker, Duration::ZERO).await?;
            cpu += self.worker.cpu_time()?.saturating_sub(cpu_before);
            (around, handling) = (around + batch.around, handling + batch.handling);
            ensure!(batch.messages == BATCH, "a deep queue gave {} messages instead of ten", batch.messages);
            self.send(BATCH)?;
        }
        let arrived = self.world.arrived(Subject::Worker) - arrived;
        ensure!(arrived == messages, "{arrived} of {messages} messages reached the provider");
        if counts {
            for (all, total) in [(&mut self.around, around), (&mut self.handling, handling), (&mut self.cpu, cpu)] {
                all.push(milliseconds(total) / messages as f64);
            }
        }
        Ok(())
    }
}

impl Supply {
    fn next(&mut self, number: usize) -> String {
        self.worked_on.pop_front().unwrap_or_else(|| self.waiting[number % self.waiting.len()].clone())
    }
}

fn rows(queues: &[Queue]) -> Vec<Row> {
    let same = Some(Bar::TimesAtMost(SAME));
    let parts: [(&str, Part, Option<Bar>); 3] = [
        ("worker's time per message", |queue| &queue.handling, same),
        ("worker's processor time per message", |queue| &queue.cpu, same),
        // SQS's part, here the stand-in's.
        ("receive and delete per message", |queue| &queue.around, None),
    ];
    let mut rows = Vec::new();
    for (name, part, bar) in parts {
        let mut shallowest = None;
        for queue in queues {
            let figure = Figure::median(part(queue).to_vec(), Unit::Milliseconds);
            let row = Row::new(format!("{name}, {} waiting", queue.depth), Subject::Worker, figure.clone());
            match &shallowest {
                Some(reference) => rows.push(Row { bar, ..row.beside("100 waiting", reference) }),
                None => {
                    rows.push(row);
                    shallowest = Some(figure);
                }
            }
        }
    }
    rows
}
