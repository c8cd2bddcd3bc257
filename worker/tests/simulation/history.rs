//! A plan carried out: one history, on a runtime of its own whose time is paused.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use shared::{Environment, KeyArn, UserPoolId};
use tokio::task::JoinSet;
use worker::config::{Config, File};

use crate::bodies::{COUNTRY_OF_ONE_PROVIDER, Letter, REFUSED_COUNTRY, TRUSTED};
use crate::codes::Codes;
use crate::invariants::Tries;
use crate::panics;
use crate::plan::{Millis, Plan};
use crate::processes;
use crate::providers::NAMES;
use crate::sealed::{KEY, POOL};
use crate::trace::{Entry, Event};
use crate::world::{DEAD, World, text_attribute};

/// What came of a plan.
pub(crate) struct History {
    pub(crate) plan: Plan,
    pub(crate) trace: Vec<Entry>,
    /// By number.
    pub(crate) letters: BTreeMap<u32, Letter>,
    /// Messages that are still in the main queue.
    pub(crate) queued: usize,
    /// The bodies in the dead-letter queue, with their reasons.
    pub(crate) dead: Vec<(String, Option<String>)>,
    /// Panics that nobody planned.
    pub(crate) panics: Vec<String>,
    tries: OnceCell<BTreeMap<u32, Tries>>,
}

/// So long after the last horizon nothing can be under way any more.
const LEEWAY: Millis = 60 * 60 * 1_000;
/// Until whatever is still at work has ended.
const AFTERMATH: Millis = 60_000;

impl History {
    pub(crate) fn of(plan: &Plan, codes: &Codes) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime needs nothing of the machine");
        let (world, panics) = panics::noted(|| runtime.block_on(carry_out(plan, codes)));
        drop(runtime);
        let queued = world.queued();
        let (dead, trace) = {
            let mut state = world.state();
            let dead = state.account.messages(DEAD).expect("it exists");
            let reason = |message| text_attribute(message, "reason").map(str::to_owned);
            let dead = dead.map(|message| (message.body.clone(), reason(message))).collect();
            (dead, std::mem::take(&mut state.trace))
        };
        let world = Arc::into_inner(world).expect("every process is gone");
        Self { plan: plan.clone(), trace, letters: world.letters, queued, dead, panics, tries: OnceCell::new() }
    }

    /// The attempts at each message.
    pub(crate) fn tries(&self) -> &BTreeMap<u32, Tries> {
        self.tries.get_or_init(|| Tries::of(self))
    }
}

async fn carry_out(plan: &Plan, codes: &Codes) -> Arc<World> {
    let world = World::new(plan, codes);
    let config = Arc::new(config(plan));
    let mut processes = JoinSet::new();
    for process in &plan.processes {
        processes.spawn(processes::run(Arc::clone(&world), *process, Arc::clone(&config), codes.open));
    }
    let healing = Arc::clone(&world);
    processes.spawn(async move {
        healing.sleep_until(healing.plan.heals_at).await;
        healing.note(Event::Healed);
    });
    if let Some(table) = &world.table {
        for shutdown in &plan.shutdowns {
            processes.spawn(Arc::clone(&world).shut_down(Arc::clone(table), shutdown.clone()));
        }
    }
    world.produce().await;
    world.sleep_until(plan.heals_at).await;
    let horizon = u64::try_from(plan.horizon.as_millis()).expect("days at most");
    let bound = world.now() + horizon + LEEWAY;
    while world.queued() > 0 && world.now() < bound {
        world.sleep_until(world.now() + 5_000).await;
    }
    world.sleep_until(world.now() + AFTERMATH).await;
    processes.shutdown().await;
    world
}

fn config(plan: &Plan) -> Config {
    let blocks: String = NAMES.iter().take(plan.providers).map(|name| block(name)).collect();
    let sections = format!(
        "[route.country]\n{REFUSED_COUNTRY} = []\n{COUNTRY_OF_ONE_PROVIDER} = [\"second\"]\n\
         [retry]\nhorizon = \"{}s\"\ntime_to_type = \"{}s\"\n\
         [limits]\nper_number = \"{}\"\nin_all = \"{}\"\nnumber_key = \"${{env:NUMBER_KEY}}\"\n",
        plan.horizon.as_secs(),
        plan.time_to_type.as_secs(),
        rate(plan.limits.per_number),
        rate(plan.limits.in_all),
    );
    let environment = Environment::from_lookup(|_| Some("s".repeat(40)));
    let file = File::parse(&format!("{blocks}{sections}"), &environment);
    let file = file.unwrap_or_else(|faults| panic!("{faults}"));
    let (config, _) = file.into_config(vec![KeyArn::parse(KEY).expect("a key ARN")]);
    Config {
        allowed_pools: Some([UserPoolId::parse(POOL).expect("a pool id")].into()),
        trusted_senders: Some([TRUSTED.to_owned()].into()),
        state: plan.state,
        ..config
    }
}

fn rate(limit: Option<u32>) -> String {
    limit.map_or_else(|| "off".to_owned(), |messages| format!("{messages}/10m"))
}

/// A block that makes the name known to `[route]`; its settings are not used.
fn block(name: &str) -> String {
    format!(
        "[[provider]]\nname = \"{name}\"\nkind = \"twilio\"\naccount_sid = \"AC{}\"\n\
         auth_token = \"${{env:TOKEN}}\"\nfrom = \"Example\"\n",
        "0".repeat(32)
    )
}
