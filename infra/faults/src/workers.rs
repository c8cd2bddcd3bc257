//! The workers: processes that are killed, and others that take their places.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use local::lambda::{Function, FunctionSettings};
use local::process::Process;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::programs::Programs;
use crate::world::World;

/// How a worker is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// As a Lambda function, fed by an event source mapping.
    Function,
    /// By itself.
    Service,
}

/// A place where a worker runs at all times: when one ends, the next one starts.
pub(crate) struct Post {
    pub(crate) kind: Kind,
    shared: Arc<Shared>,
    keeping: JoinHandle<()>,
}

struct Shared {
    name: &'static str,
    current: watch::Sender<Option<Arc<Worker>>>,
    /// Everything that the ones before have printed.
    printed: Mutex<String>,
}

/// One process.
pub(crate) struct Worker {
    pub(crate) name: String,
    running: Running,
}

pub(crate) enum Running {
    Function(Function),
    Service(Process),
}

impl Post {
    /// Starts the first worker there. `pauses` are the times until the next one starts, each time.
    pub(crate) fn new(
        name: &'static str,
        kind: Kind,
        programs: &Programs,
        world: &Arc<World>,
        pauses: fastrand::Rng,
    ) -> Self {
        let (current, _) = watch::channel(None);
        let shared = Arc::new(Shared { name, current, printed: Mutex::default() });
        let keeping = tokio::spawn(keep(Arc::clone(&shared), kind, programs.clone(), Arc::clone(world), pauses));
        Self { kind, shared, keeping }
    }

    /// The worker that runs there now; waits for it.
    pub(crate) async fn worker(&self) -> Arc<Worker> {
        self.seat().worker().await
    }

    pub(crate) fn seat(&self) -> Seat {
        Seat { current: self.shared.current.subscribe() }
    }

    /// Ends the worker that runs there now, as `kill -9` does.
    pub(crate) async fn kill(&self) {
        self.worker().await.kill().await;
    }

    /// Ends the last worker; everything that all of them have printed.
    pub(crate) async fn close(self) -> String {
        self.keeping.abort();
        let last = self.shared.current.borrow().clone();
        if let Some(worker) = last {
            worker.kill().await;
            self.shared.keep(&worker.output());
        }
        let mut printed = self.shared.printed.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *printed)
    }
}

/// A look at who runs at a post.
pub(crate) struct Seat {
    current: watch::Receiver<Option<Arc<Worker>>>,
}

impl Seat {
    pub(crate) async fn worker(&self) -> Arc<Worker> {
        let mut current = self.current.clone();
        loop {
            match current.wait_for(Option::is_some).await.map(|worker| worker.clone()) {
                Ok(Some(worker)) => return worker,
                Ok(None) => {}
                // The post is being closed.
                Err(_) => std::future::pending().await,
            }
        }
    }
}

impl Shared {
    fn keep(&self, output: &str) {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).push_str(output);
    }
}

/// Starts workers, one after the other, each when the one before has ended.
async fn keep(shared: Arc<Shared>, kind: Kind, programs: Programs, world: Arc<World>, mut pauses: fastrand::Rng) {
    for number in 1_u32.. {
        let name = format!("{}{number}", shared.name);
        let worker = match Worker::start(name, kind, &programs, &world).await {
            Ok(worker) => Arc::new(worker),
            Err(error) => {
                shared.keep(&format!("a worker could not be started: {error:#}\n"));
                let name = format!("{}{number}, which did not start", shared.name);
                world.ledger.died(name, false, world.queued());
                return;
            }
        };
        shared.current.send_replace(Some(Arc::clone(&worker)));
        let code = worker.ended().await;
        shared.current.send_replace(None);
        let (name, queued) = (worker.name.clone(), world.queued());
        world.ledger.died(name, code.is_none(), queued);
        shared.keep(&worker.output());
        tokio::time::sleep(Duration::from_millis(pauses.u64(100..800))).await;
    }
}

impl Worker {
    async fn start(name: String, kind: Kind, programs: &Programs, world: &World) -> anyhow::Result<Self> {
        let (binary, environment) = (programs.worker.clone(), world.worker_environment(&name)?);
        let running = match kind {
            Kind::Function => {
                let settings = FunctionSettings { name: "worker".to_owned(), binary, environment, memory_mib: 256 };
                Running::Function(Function::start(settings).await?)
            }
            Kind::Service => {
                let mut command = Command::new(&binary);
                command.env_clear().envs(environment);
                Running::Service(Process::start(command).context("starting a worker")?)
            }
        };
        Ok(Self { name, running })
    }

    pub(crate) fn function(&self) -> Option<&Function> {
        match &self.running {
            Running::Function(function) => Some(function),
            Running::Service(_) => None,
        }
    }

    async fn ended(&self) -> Option<i32> {
        match &self.running {
            Running::Function(function) => function.ended().await,
            Running::Service(process) => process.ended().await,
        }
    }

    async fn kill(&self) {
        match &self.running {
            Running::Function(function) => function.kill().await,
            Running::Service(process) => process.kill().await,
        }
    }

    fn output(&self) -> String {
        match &self.running {
            Running::Function(function) => function.output(),
            Running::Service(process) => process.output(),
        }
    }
}
