//! The worker's processes: each life has a worker of its own, the worker's real code, until it stops or crashes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::Clock;
use tokio::time::timeout;
use worker::config::Config;
use worker::{KillSwitches, Ledger, OpenCode, Provider, Providers, State, Switchboard, Worker, serve};

use crate::life::Life;
use crate::outside::{NEVER, Outside};
use crate::plan::{LifesEnd, Millis, Process, ProcessKind};
use crate::providers::SimulatedProvider;
use crate::receives::Handed;
use crate::table::SimulatedTable;
use crate::trace::Event;
use crate::world::World;

/// How long a process is away if nothing else is planned.
const AWAY: Millis = 2_000;

/// All lives of a process, one after the other.
pub(crate) async fn run(world: Arc<World>, process: Process, config: Arc<Config>, open: OpenCode) {
    world.sleep_until(process.starts).await;
    for life in 0.. {
        let (stops, crashes) = ends(&world, process);
        let life = Arc::new(Life::new(Arc::clone(&world), process, life, stops));
        world.note(Event::Started { who: life.who, kind: process.kind });
        let worker = Arc::new(worker(&life, &config, open));
        let body = async {
            worker.connect().await;
            match process.kind {
                ProcessKind::Lambda => live_as_function(&life, &worker).await,
                ProcessKind::Service => live_as_service(&life, &worker).await,
            }
        };
        tokio::select! {
            biased;
            () = life.death() => {}
            () = world.sleep_until(crashes.unwrap_or(NEVER)) => life.crash(None),
            left = body => {
                life.retire();
                world.note(Event::Stopped { who: life.who, left });
            }
        }
        drop(worker);
        world.sleep_until(world.now() + away(&world, &life)).await;
    }
}

/// The next stop and the next crash at a certain time.
fn ends(world: &World, process: Process) -> (Option<Millis>, Option<Millis>) {
    let is_ahead = |at: &Millis| *at > world.now() && *at < world.plan.heals_at;
    let of_process = || world.plan.incidents.iter().filter(|incident| incident.process == process.number);
    let stops = of_process().filter_map(|i| if let LifesEnd::StopAt(at) = i.end { Some(at) } else { None });
    let crashes = of_process().filter_map(|i| if let LifesEnd::CrashAt(at) = i.end { Some(at) } else { None });
    (stops.filter(is_ahead).min(), crashes.filter(is_ahead).min())
}

/// How long the process is away after this life.
fn away(world: &World, life: &Life) -> Millis {
    let draws = world.draws.of("away").nth(u64::from(life.who.process)).nth(u64::from(life.who.life));
    let planned: Vec<_> = world.plan.incidents.iter().filter(|i| i.process == life.who.process).collect();
    if planned.is_empty() { AWAY } else { planned[draws.index(planned.len())].back_after }
}

fn worker(life: &Arc<Life>, config: &Config, open: OpenCode) -> Worker {
    let outside = || Arc::new(Outside(Arc::clone(life)));
    let table = || {
        let table = Arc::clone(life.world.table.as_ref()?);
        Some(Arc::new(SimulatedTable { life: Arc::clone(life), table }))
    };
    let providers = (0..life.world.plan.providers)
        .map(|index| Arc::new(SimulatedProvider { life: Arc::clone(life), index }) as Arc<dyn Provider>);
    let clock = {
        let life = Arc::clone(life);
        Clock::from_fn(move || life.clock())
    };
    let seed = life.world.draws.of("worker").nth(u64::from(life.who.process)).nth(u64::from(life.who.life)).number();
    Worker {
        config: config.clone(),
        keys: outside(),
        open,
        providers: Providers::new(providers.collect()),
        queue: outside(),
        clock,
        random: Mutex::new(fastrand::Rng::with_seed(seed)),
        ledger: Ledger::new(table().map(|table| table as Arc<dyn State>)),
        kill_switches: KillSwitches::new(table().map(|table| table as Arc<dyn Switchboard>)),
        telemetry: outside(),
    }
}

async fn live_as_service(life: &Life, worker: &Arc<Worker>) -> usize {
    let stop = async {
        life.world.sleep_until(life.stops.unwrap_or(NEVER)).await;
        life.world.note(Event::StopAsked { who: life.who });
    };
    serve(Arc::clone(worker), stop).await.left
}

/// An execution environment, and that part of the event source mapping that feeds it.
async fn live_as_function(life: &Life, worker: &Arc<Worker>) -> usize {
    let world = &life.world;
    let until = life.stops.unwrap_or(NEVER);
    while world.now() < until {
        match world.receive(life, 10, until).await {
            Ok(batch) if batch.is_empty() => {}
            Ok(batch) => invoke(life, worker, &batch).await,
            Err(_) => world.sleep_until(world.now() + 1_000).await,
        }
    }
    0
}

async fn invoke(life: &Life, worker: &Arc<Worker>, batch: &[Handed]) {
    let (world, who) = (&life.world, life.who);
    let draws = world.draws.of("invocation").nth(u64::from(who.process));
    let draws = draws.nth(u64::from(world.count("invocation", who.process)));
    let cold = if draws.happens(10) { 1_500 } else { 0 };
    world.sleep_until(world.now() + draws.between(1, 50) + cold).await;
    let records: Vec<&Value> = batch.iter().map(|handed| &handed.record).collect();
    let event = json!({ "Records": records }).to_string();
    let time = world.plan.function_timeout;
    let messages: Vec<u32> = batch.iter().map(|handed| handed.message).collect();
    world.note(Event::Invoked { who, batch: messages.clone() });
    let answer = match timeout(time, worker.handle_batch(event.as_bytes(), time)).await {
        Ok(answer) => answer.expect("the event is sound"),
        Err(_elapsed) => {
            world.note(Event::Killed { who });
            life.crash(None);
            return std::future::pending().await;
        }
    };
    let is_named =
        |handed: &&Handed| answer.batch_item_failures.iter().any(|failure| failure.item_identifier == handed.sqs_id);
    let named = batch.iter().filter(is_named).map(|handed| handed.message).collect();
    world.note(Event::Answered { who, batch: messages, named });
    let lag = Duration::from_millis(if draws.of("lag").happens(3) { 9_000 } else { 10 });
    tokio::time::sleep(lag).await;
    let deletions = batch.iter().filter(|handed| !is_named(handed)).map(|h| world.delete(life, &h.receipt_handle));
    join_all(deletions).await;
}
