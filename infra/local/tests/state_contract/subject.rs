//! The implementations under the contract, and what its checks ask them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shared::{Clock, MessageId, Timestamp};
use witnesses::MiniStack;
use worker::{
    Claim, ClaimUpdate, Claimed, KEPT_FOR, LeaseOwner, MemoryState, MessageState, OnAbandoned, Progress, State, Status,
    Switchboard,
};

use crate::table::Table;

/// How long a claim lasts in these checks.
pub(crate) const LEASE: Duration = Duration::from_secs(25);

/// Where the state is.
#[derive(Clone, Copy)]
pub(crate) enum World {
    Memory,
    Embedded,
    MiniStack(&'static MiniStack),
}

/// A state in which there is nothing yet.
pub(crate) enum Subject {
    Memory(Arc<MemoryState>),
    Table(Box<Table>),
}

/// Both halves of what workers know together.
pub(crate) trait Whole: State + Switchboard {}
impl<T: State + Switchboard> Whole for T {}

impl Subject {
    pub(crate) async fn fresh(world: World) -> Self {
        match world {
            World::Memory => Self::Memory(Arc::default()),
            World::Embedded => Self::Table(Box::new(Table::embedded().await)),
            World::MiniStack(stack) => Self::Table(Box::new(Table::in_ministack(stack).await)),
        }
    }

    /// The state as one of several workers has it.
    pub(crate) fn worker(&self) -> Arc<dyn Whole> {
        match self {
            Self::Memory(memory) => Arc::clone(memory) as Arc<dyn Whole>,
            Self::Table(table) => Arc::new(table.state()),
        }
    }

    pub(crate) fn table(&self) -> &Table {
        match self {
            Self::Table(table) => table,
            Self::Memory(_) => panic!("this check is about tables"),
        }
    }
}

/// The time of this machine, in whole milliseconds: an emulator may delete by it what has expired.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millisecond(Clock::system().now().as_millisecond()).unwrap()
}

/// When what is known now is forgotten.
pub(crate) fn after_its_end(now: Timestamp) -> Timestamp {
    now + KEPT_FOR + Duration::from_secs(1)
}

/// An id, key or owner that nothing else has.
fn unique() -> u128 {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    u128::from(COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn some_message() -> MessageId {
    MessageId::from_bytes(&unique().to_be_bytes())
}

pub(crate) fn some_key() -> String {
    format!("{:064x}", unique())
}

/// A first claim of a message that nobody has redriven; where it is abandoned, it is sent again.
pub(crate) fn claim(id: &MessageId, now: Timestamp) -> Claim {
    let owner = LeaseOwner::parse(&format!("{:032x}", unique())).unwrap();
    let (id, lease_until) = (id.clone(), now + LEASE);
    Claim { id, owner, now, lease_until, redriven: 0, on_abandoned: OnAbandoned::Resend }
}

/// What a claim makes of a message that nobody has claimed before.
pub(crate) fn fresh(claim: &Claim) -> MessageState {
    MessageState {
        status: Status::InFlight,
        lease_owner: claim.owner.clone(),
        lease_until: claim.lease_until,
        counted_at: Some(claim.owner.clone()),
        redriven: claim.redriven,
        attempts: 0,
        unknowns: 0,
    }
}

/// The holder's word on how far it came, the message being counted.
pub(crate) fn update(claim: &Claim, status: Status, attempts: u32, unknowns: u32) -> ClaimUpdate {
    let progress = Some(Progress { attempts, unknowns, is_counted: true });
    ClaimUpdate { id: claim.id.clone(), owner: claim.owner.clone(), now: claim.now, status, progress }
}

/// Claims a message that must be granted.
pub(crate) async fn granted(worker: &dyn Whole, claim: &Claim) -> MessageState {
    match worker.claim(claim).await.unwrap() {
        Claimed::Granted(state) => state,
        Claimed::Refused(refusal) => panic!("{refusal:?}"),
    }
}
