//! A worker between doubles, and a queue that hands it records.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use shared::{Clock, Environment, KeyArn, UserPoolId};
use tokio::time::{Instant, sleep};
use worker::config::{Config, File};
use worker::{Drained, KillSwitches, Ledger, Provider, Providers, Worker, serve};

use crate::doubles::{Facts, Keys, Queues, opens};
use crate::messages::{batch, beginning};
use crate::provider_double::ScriptedProvider;
use crate::sealed::{KEY, POOL};
use crate::table::Table;

/// The time of an invocation, unless the test says otherwise.
pub(crate) const TIME_LEFT: Duration = Duration::from_secs(20);

pub(crate) struct Scene {
    worker: Arc<Worker>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) providers: Vec<Arc<ScriptedProvider>>,
    pub(crate) queue: Arc<Queues>,
    pub(crate) facts: Arc<Facts>,
}

impl Scene {
    /// These providers, asked in this order for every country.
    pub(crate) fn of<const N: usize>(providers: [ScriptedProvider; N]) -> Self {
        Self::configured("", providers)
    }

    /// These providers and further sections of the configuration file.
    pub(crate) fn configured<const N: usize>(sections: &str, providers: [ScriptedProvider; N]) -> Self {
        let names = providers.each_ref().map(|provider| provider.name());
        let (config, _) = file(sections, &names).into_config(vec![KeyArn::parse(KEY).expect("a key ARN")]);
        let allowed_pools = Some([UserPoolId::parse(POOL).expect("a pool id")].into());
        let config = Config { allowed_pools, ..config };
        let (keys, queue, facts) = (Arc::new(Keys::new()), Arc::new(Queues::default()), Arc::new(Facts::default()));
        let providers: Vec<_> = providers.into_iter().map(Arc::new).collect();
        let worker = Arc::new(Worker {
            config,
            keys: keys.clone(),
            open: opens,
            providers: Providers::new(
                providers.iter().map(|provider| Arc::clone(provider) as Arc<dyn Provider>).collect(),
            ),
            queue: queue.clone(),
            clock: paused_clock(),
            random: Mutex::new(fastrand::Rng::with_seed(7)),
            ledger: Ledger::new(None),
            kill_switches: KillSwitches::new(None),
            telemetry: facts.clone(),
        });
        Self { worker, keys, providers, queue, facts }
    }

    /// Gives the worker a state table, which others may have too, their clock, and chances of its own.
    pub(crate) fn share(&mut self, table: &Arc<Table>) {
        let (state, board) = (Arc::clone(table), Arc::clone(table));
        self.change(|worker| {
            worker.clock = table.clock();
            worker.random = Mutex::new(fastrand::Rng::with_seed(table.next_seed()));
            worker.ledger = Ledger::new(Some(state));
            worker.kill_switches = KillSwitches::new(Some(board));
        });
    }

    /// Changes the worker before it has received anything.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Worker)) {
        change(Arc::get_mut(&mut self.worker).expect("nothing runs yet"));
    }

    /// Starts as the programs do.
    pub(crate) async fn connect(&self) {
        self.worker.connect().await;
    }

    /// Hands the records over; what comes back are the ids that stay in the queue.
    pub(crate) async fn receive(&self, records: &[Value]) -> Vec<String> {
        self.receive_within(TIME_LEFT, records).await
    }

    pub(crate) async fn receive_within(&self, time_left: Duration, records: &[Value]) -> Vec<String> {
        let answer = self.handle(&batch(records), time_left).await.expect("an SQS event");
        let failures = answer["batchItemFailures"].as_array().expect("a list").iter();
        failures.map(|failure| failure["itemIdentifier"].as_str().expect("a text").to_owned()).collect()
    }

    /// Hands any event over; what comes back is the answer's JSON, or the error's text.
    pub(crate) async fn handle(&self, event: &[u8], time_left: Duration) -> Result<Value, String> {
        let answer = self.worker.handle_batch(event, time_left).await;
        answer.map(|answer| serde_json::to_value(answer).expect("serialises")).map_err(|error| error.to_string())
    }

    /// Runs the worker as a service that is told to stop after this time, and says what was then left.
    pub(crate) async fn serve_for(&self, time: Duration) -> Drained {
        serve(Arc::clone(&self.worker), sleep(time)).await
    }

    /// How many requests each provider got.
    pub(crate) fn requests(&self) -> Vec<usize> {
        self.providers.iter().map(|provider| provider.requests().len()).collect()
    }
}

/// Wall time that passes exactly as tokio's time does.
pub(crate) fn paused_clock() -> Clock {
    let began = Instant::now();
    Clock::from_fn(move || beginning().checked_add(began.elapsed()).expect("in range"))
}

/// The configuration of a scene with providers of these names.
pub(crate) fn file(sections: &str, names: &[&str]) -> File {
    let blocks: String = names.iter().copied().map(block).collect();
    let environment = Environment::from_lookup(|_| Some("token".to_owned()));
    File::parse(&format!("{blocks}{sections}"), &environment).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A block that makes the name known to `[route]`; its settings are not used.
fn block(name: &str) -> String {
    format!(
        "[[provider]]\nname = \"{name}\"\nkind = \"twilio\"\naccount_sid = \"AC{}\"\n\
         auth_token = \"${{env:TOKEN}}\"\nfrom = \"Example\"\n",
        "0".repeat(32)
    )
}
