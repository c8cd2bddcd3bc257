//! The state table that all processes share, as one life of a process reaches it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use shared::{MessageId, Timestamp};
use tokio::time::sleep;
use worker::{
    Claim, ClaimUpdate, Claimed, Counted, MemoryState, MessageState, Progress, Standing, State, StateError, Switch,
    Switchboard, SwitchedOff, Switches, UserCode, Window,
};

use crate::life::Life;
use crate::plan::TableTrouble;
use crate::table_call::{Asked, Did, TableCall};
use crate::trace::Event;

pub(crate) struct SimulatedTable {
    pub(crate) life: Arc<Life>,
    pub(crate) table: Arc<MemoryState>,
}

/// The client gives up then, as the real one does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);
/// The SDK makes a call again when it has waited for so long.
const PATIENCE_OF_ONE_ATTEMPT: Duration = Duration::from_millis(400);

/// What a call answers, and what it did.
type Done<T> = (T, Did);

impl SimulatedTable {
    /// Carries a call out, with what may become of it. `effect` is what the table does, at once.
    async fn call<T: Send>(
        &self,
        message: Option<u32>,
        asked: Asked,
        effect: impl Fn() -> Done<T> + Send + Sync + 'static,
    ) -> Result<T, StateError> {
        let Self { life, table: _ } = self;
        let (world, work, kind) = (&life.world, life.world.work(), asked.name());
        let whose = message.unwrap_or(life.who.process);
        let nth = world.count(kind, whose);
        let trouble = world.table_trouble(kind, whose, nth);
        let call = life.begin_call().await;
        let began = world.now();
        let note = move |life: &Life, did, is_heard| {
            life.world.note(Event::Table(TableCall {
                who: life.who,
                work,
                message,
                asked,
                began,
                did,
                is_heard,
                trouble,
            }));
        };
        let draws = world.draws.of(kind).nth(u64::from(whose)).nth(u64::from(nth));
        let latency = Duration::from_millis(draws.between(2, 15));
        sleep(latency).await;
        match trouble {
            None | Some(TableTrouble::Slow) => {
                let more = if trouble.is_some() { draws.of("more").between(200, 450) } else { 0 };
                sleep(Duration::from_millis(more)).await;
                let (answer, did) = effect();
                note(life, Some(did), true);
                life.took_effect(&call).await;
                sleep(latency + Duration::from_millis(more)).await;
                Ok(answer)
            }
            Some(TableTrouble::MadeTwice) => {
                let (_, did) = effect();
                note(life, Some(did), false);
                life.took_effect(&call).await;
                sleep(PATIENCE_OF_ONE_ATTEMPT).await;
                let again = life.begin_call().await;
                let (answer, did) = effect();
                note(life, Some(did), true);
                life.took_effect(&again).await;
                sleep(latency).await;
                Ok(answer)
            }
            Some(TableTrouble::AnswerLost) => {
                let (_, did) = effect();
                note(life, Some(did), false);
                life.took_effect(&call).await;
                sleep(PATIENCE.saturating_sub(latency)).await;
                Err(StateError::of_code("timeout"))
            }
            Some(TableTrouble::Throttled) => {
                note(life, None, false);
                sleep(latency).await;
                Err(StateError::of_code("ThrottlingException"))
            }
            Some(TableTrouble::TimesOut) => {
                note(life, None, false);
                sleep(PATIENCE.saturating_sub(latency)).await;
                Err(StateError::of_code("timeout"))
            }
            Some(TableTrouble::ArrivesLate) => {
                note(life, None, false);
                let arrives = world.now() + draws.of("late").between(500, 5_000);
                if arrives < world.plan.heals_at {
                    let life = Arc::clone(life);
                    tokio::spawn(async move {
                        life.world.sleep_until(arrives).await;
                        note(&life, Some(effect().1), false);
                    });
                }
                sleep(PATIENCE.saturating_sub(latency)).await;
                Err(StateError::of_code("timeout"))
            }
        }
    }

    fn number_of(&self, id: &MessageId) -> Option<u32> {
        self.life.world.number_of(id.as_str())
    }
}

/// The double's answer, which it never waits for.
fn at_once<T>(answer: impl Future<Output = Result<T, StateError>>) -> T {
    answer.now_or_never().expect("the memory answers at once").expect("the memory never fails")
}

#[async_trait]
impl State for SimulatedTable {
    async fn look(&self, id: &MessageId, now: Timestamp) -> Result<Option<MessageState>, StateError> {
        let (table, message, id) = (Arc::clone(&self.table), self.number_of(id), id.clone());
        let effect = move || {
            let known = at_once(table.look(&id, now));
            let did = Did::Found(known.as_ref().map(|known| known.status));
            (known, did)
        };
        self.call(message, Asked::Look, effect).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StateError> {
        let Claim { id, owner, now, lease_until, redriven, on_abandoned: _ } = claim;
        let number = self.life.world.number_of_claim(owner.as_str());
        let asked = Asked::Claim { claim: number, now: *now, lease_until: *lease_until, redriven: *redriven };
        let (table, message, claim) = (Arc::clone(&self.table), self.number_of(id), claim.clone());
        let (world, work) = (&self.life.world, self.life.world.work());
        world.state().claimed.extend(message.map(|message| (work, message)));
        let effect = move || {
            let claimed = at_once(table.claim(&claim));
            let did = match &claimed {
                Claimed::Granted(MessageState { redriven, unknowns, .. }) => {
                    Did::Granted { redriven: *redriven, unknowns: *unknowns }
                }
                Claimed::Refused(refusal) => Did::Refused(*refusal),
            };
            (claimed, did)
        };
        self.call(message, asked, effect).await
    }

    async fn update(&self, update: &ClaimUpdate) -> Result<bool, StateError> {
        let ClaimUpdate { id, owner, now: _, status, progress } = update;
        let claim = self.life.world.number_of_claim(owner.as_str());
        let unknowns = progress.map(|Progress { unknowns, .. }| unknowns);
        let asked = Asked::Update { claim, status: *status, unknowns };
        let (table, message, update) = (Arc::clone(&self.table), self.number_of(id), update.clone());
        let effect = move || {
            let was_held = at_once(table.update(&update));
            (was_held, Did::Updated { was_held })
        };
        self.call(message, asked, effect).await
    }

    async fn newest(&self, code: &UserCode, now: Timestamp) -> Result<Standing, StateError> {
        let (table, message, code) = (Arc::clone(&self.table), self.life.world.number_of_user_code(code), code.clone());
        let effect = move || {
            let standing = at_once(table.newest(&code, now));
            (standing, Did::Ranked(standing))
        };
        self.call(message, Asked::Newest, effect).await
    }

    async fn count(&self, window: &Window, now: Timestamp) -> Result<Counted, StateError> {
        let (table, scope, window) = (Arc::clone(&self.table), window.scope, window.clone());
        let (world, work) = (&self.life.world, self.life.world.work());
        // A window does not say for which message it is asked.
        let message = world.state().claimed.get(&work).copied();
        let effect = move || {
            let counted = at_once(table.count(&window, now));
            (counted, Did::Counted(counted))
        };
        self.call(message, Asked::Count { scope }, effect).await
    }
}

#[async_trait]
impl Switchboard for SimulatedTable {
    async fn switches(&self) -> Result<Switches, StateError> {
        let table = Arc::clone(&self.table);
        let effect = move || {
            let switches = at_once(table.switches());
            let off = switches.0.keys().map(ToString::to_string).collect();
            (switches, Did::Read(off))
        };
        self.call(None, Asked::Switches, effect).await
    }

    async fn set(&self, switch: &Switch, off: Option<&SwitchedOff>) -> Result<(), StateError> {
        self.table.set(switch, off).await
    }
}
