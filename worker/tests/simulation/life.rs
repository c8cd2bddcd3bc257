//! One life of a worker process: its clock, and its death at any call to the outside.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;
use shared::Timestamp;
use tokio::sync::Notify;

use crate::bodies::moment;
use crate::plan::{Incident, LifesEnd, Millis, Process};
use crate::trace::{Event, Who};
use crate::world::World;

pub(crate) struct Life {
    pub(crate) world: Arc<World>,
    pub(crate) process: Process,
    pub(crate) who: Who,
    /// When it is told to stop.
    pub(crate) stops: Option<Millis>,
    is_alive: AtomicBool,
    death: Notify,
}

/// A call to the outside, by its number among those of the process.
pub(crate) struct Call(u32);

impl Life {
    pub(crate) fn new(world: Arc<World>, process: Process, life: u32, stops: Option<Millis>) -> Self {
        let who = Who { process: process.number, life };
        Self { world, process, who, stops, is_alive: AtomicBool::new(true), death: Notify::new() }
    }

    /// The time by the clock of this process.
    pub(crate) fn clock(&self) -> Timestamp {
        let skew = SignedDuration::from_millis(self.process.skew_millis);
        moment(self.world.now()).checked_add(skew).expect("in range")
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.is_alive.load(Ordering::Relaxed)
    }

    /// Waits for the crash.
    pub(crate) async fn death(&self) {
        self.death.notified().await;
    }

    /// The process crashes. What is left of its tasks reaches the outside no more.
    pub(crate) fn crash(&self, after_effect: Option<bool>) {
        if self.is_alive.swap(false, Ordering::Relaxed) {
            self.world.note(Event::Crashed { who: self.who, after_effect });
            self.death.notify_one();
        }
    }

    /// The process has ended in good order.
    pub(crate) fn retire(&self) {
        self.is_alive.store(false, Ordering::Relaxed);
    }

    /// To be called before anything that reaches the outside.
    pub(crate) async fn begin_call(&self) -> Call {
        if !self.is_alive() {
            return pending().await;
        }
        let call = Call(self.world.count("call of a process", self.process.number));
        self.crash_if_planned(&call, false).await;
        call
    }

    /// To be called when it has taken effect, before the worker hears of that.
    pub(crate) async fn took_effect(&self, call: &Call) {
        self.crash_if_planned(call, true).await;
    }

    async fn crash_if_planned(&self, Call(number): &Call, after_effect: bool) {
        let planned = LifesEnd::CrashAtCall { n: *number, after_effect };
        if !self.world.is_healed() && self.incidents().any(|incident| incident.end == planned) {
            self.crash(Some(after_effect));
        }
        if !self.is_alive() {
            pending::<()>().await;
        }
    }

    fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.world.plan.incidents.iter().filter(|incident| incident.process == self.process.number)
    }
}
