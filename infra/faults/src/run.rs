//! One run from the first event to the last verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fastrand::Rng;
use local::lambda::{Function, FunctionSettings, Invocation, Outcome};
use serde_json::Value;
use shared::Clock;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::event::events;
use crate::findings::{Said, report};
use crate::ledger::Ledger;
use crate::mapping::feed;
use crate::mix::{Mix, Phase};
use crate::programs::Programs;
use crate::report::Report;
use crate::workers::{Kind, Post};
use crate::world::World;

/// Longer than the producer ever takes.
const PRODUCER_TIMEOUT: Duration = Duration::from_secs(20);
/// An outage of everything must outlast more than one step of the retries.
const SHORTEST_OUTAGE_OF_ALL: Duration = Duration::from_secs(6);
/// The horizon, a killed worker's visibility timeout and a function's timeout, twice.
const PATIENCE: Duration = Duration::from_secs(240);
/// Every so many events a worker is killed.
const KILLED_EVERY: usize = 300;
const FEWEST_KILLS: usize = 6;

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub events: usize,
    /// Decides everything but time itself.
    pub seed: u64,
    /// Events per second.
    pub pace: f64,
}

/// Sends the events through the real programs, kills workers on the way, waits for the end of every message, and judges
/// what became of them.
///
/// # Errors
/// When something around the programs fails, or the producer does not start.
pub async fn run(plan: &Plan, programs: &Programs) -> anyhow::Result<Report> {
    let began = Instant::now();
    let events = events(plan.seed, plan.events, |index| Mix::is_doomed(index, plan.events));
    let ledger = Arc::new(Ledger::new(events, Mix::new(plan.seed, plan.events), Clock::system()));
    let world = Arc::new(World::start(Arc::clone(&ledger)).await?);
    let settings = FunctionSettings {
        name: "producer".to_owned(),
        binary: programs.producer.clone(),
        environment: world.producer_environment()?,
        memory_mib: 256,
    };
    let producer = Function::start(settings).await?;
    let mut rng = Rng::with_seed(plan.seed ^ 0x6b69_6c6c);
    let posts: Vec<_> = [("F", Kind::Function), ("A", Kind::Service), ("B", Kind::Service)]
        .into_iter()
        .map(|(name, kind)| Arc::new(Post::new(name, kind, programs, &world, rng.fork())))
        .collect();
    let mut mappings = JoinSet::new();
    for post in &posts {
        if post.kind == Kind::Function {
            mappings.spawn(feed(post.seat(), Arc::clone(&world)));
        }
    }

    let refused = send_all(plan, &world, &producer, &posts, &mut rng).await?;
    let settled = async {
        while !world.is_queue_empty() {
            sleep(Duration::from_millis(200)).await;
        }
    };
    // What is still queued then is in the report.
    let _ = timeout(PATIENCE, settled).await;
    mappings.shutdown().await;
    producer.kill().await;
    let mut said = Said { producer: producer.output(), workers: BTreeMap::new() };
    for post in posts {
        let kind = post.kind;
        let post = Arc::into_inner(post).context("a post is still in use")?;
        said.workers.entry(kind).or_default().push_str(&post.close().await);
    }
    Ok(report(plan, &world, refused, &said, began.elapsed()))
}

/// Sends every event at its time; the error types of those that the producer did not take, by event.
async fn send_all(
    plan: &Plan,
    world: &Arc<World>,
    producer: &Function,
    posts: &[Arc<Post>],
    rng: &mut Rng,
) -> anyhow::Result<BTreeMap<usize, String>> {
    let mut sealed = sealed_events(world);
    let kills = kills(plan.events, posts.len(), rng);
    let (mut refused, mut killing) = (BTreeMap::new(), JoinSet::new());
    let mut pace = paced(Duration::from_secs_f64(1.0 / plan.pace));
    let mut phase = None;
    for index in 0..plan.events {
        let now = world.ledger.sent_one();
        if phase.replace(now) != Some(now) {
            pace = paced(period(plan, now));
        }
        pace.tick().await;
        let event = sealed.recv().await.context("the events ran out")??;
        let outcome = producer.invoke(event.to_string().as_bytes(), Invocation::within(PRODUCER_TIMEOUT)).await;
        match outcome {
            Outcome::Answered(_) => {}
            Outcome::Failed { error_type, .. } => {
                refused.insert(index, error_type);
            }
            Outcome::Exited { code, .. } => anyhow::bail!("the producer ended by itself with {code:?}"),
            Outcome::TimedOut => anyhow::bail!("the producer did not answer"),
        }
        if let Some(post) = kills.get(&index) {
            let (post, wait) = (Arc::clone(&posts[*post]), Duration::from_millis(rng.u64(0..200)));
            killing.spawn(async move {
                sleep(wait).await;
                post.kill().await;
            });
        }
    }
    // One that cannot be done, since no worker starts, shows in the report.
    let _ = timeout(Duration::from_secs(10), async { while killing.join_next().await.is_some() {} }).await;
    killing.shutdown().await;
    Ok(refused)
}

/// Seals the events one after the other, some ahead of the sending.
fn sealed_events(world: &Arc<World>) -> mpsc::Receiver<anyhow::Result<Value>> {
    let (sender, receiver) = mpsc::channel(100);
    let world = Arc::clone(world);
    tokio::task::spawn_blocking(move || {
        for event in &world.ledger.events {
            // Nobody listens any more when the run has failed.
            if sender.blocking_send(event.sealed(&world.pool)).is_err() {
                return;
            }
        }
    });
    receiver
}

/// After which events which post's worker is killed: every post in turn, at random points.
fn kills(events: usize, posts: usize, rng: &mut Rng) -> BTreeMap<usize, usize> {
    let count = (events / KILLED_EVERY).max(FEWEST_KILLS);
    (0..count).map(|kill| (rng.usize(events / 20..events * 9 / 10 + 1), kill % posts)).collect()
}

fn period(plan: &Plan, phase: Phase) -> Duration {
    let period = Duration::from_secs_f64(1.0 / plan.pace);
    match phase {
        Phase::AllUnavailable => {
            let events = (0..plan.events).filter(|index| Phase::of(*index, plan.events) == phase).count();
            period.max(SHORTEST_OUTAGE_OF_ALL / u32::try_from(events.max(1)).unwrap_or(u32::MAX))
        }
        Phase::Healthy
        | Phase::PartialFaults
        | Phase::FirstProviderSilent
        | Phase::SecondProviderUnavailable
        | Phase::Healed => period,
    }
}

fn paced(period: Duration) -> tokio::time::Interval {
    let mut pace = interval(period);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}
