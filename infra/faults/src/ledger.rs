//! What the world knows: every request that reached a provider, what the provider did with it, and every worker that
//! was killed.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use local::fake_twilio::ReceivedSms;
use shared::{Clock, Timestamp};

use crate::behaviour::{Behaviour, Performance};
use crate::event::Event;
use crate::mix::{Mix, Phase};
use crate::providers::Provider;

/// A request that reached a provider.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) provider: Provider,
    pub(crate) behaviour: Behaviour,
    /// The names under which a worker may report it.
    pub(crate) codes: Vec<String>,
    /// The worker process; not known where the connection was reset before anything was read.
    pub(crate) worker: Option<String>,
    /// The provider's id for the message, likewise.
    pub(crate) sid: Option<String>,
    /// When the message was taken, if it was.
    pub(crate) taken_at: Option<Timestamp>,
    /// Whether the text was the event's own.
    pub(crate) is_own_text: bool,
}

#[cfg(test)]
impl Request {
    pub(crate) fn sample(provider: Provider, behaviour: Behaviour, worker: &str, taken_at: Option<Timestamp>) -> Self {
        let worker = Some(worker.to_owned());
        Self { provider, behaviour, codes: Vec::new(), worker, sid: None, taken_at, is_own_text: true }
    }
}

/// A worker process that ended.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    pub(crate) worker: String,
    pub(crate) was_killed: bool,
    pub(crate) at: Timestamp,
    /// The events whose messages were in the queue just then, in whosever hands.
    pub(crate) queued: BTreeSet<usize>,
}

pub(crate) struct Ledger {
    pub(crate) events: Vec<Event>,
    mix: Mix,
    clock: Clock,
    by_number: HashMap<String, usize>,
    /// Events sent so far.
    sent: AtomicUsize,
    /// By event.
    requests: Mutex<Vec<Vec<Request>>>,
    deaths: Mutex<Vec<Death>>,
}

impl Ledger {
    pub(crate) fn new(events: Vec<Event>, mix: Mix, clock: Clock) -> Self {
        let by_number = events.iter().map(|event| (event.number.clone(), event.index)).collect();
        let requests = Mutex::new(vec![Vec::new(); events.len()]);
        Self { events, mix, clock, by_number, sent: AtomicUsize::new(0), requests, deaths: Mutex::default() }
    }

    /// One event more was sent; the phase that this begins or continues.
    pub(crate) fn sent_one(&self) -> Phase {
        Phase::of(self.sent.fetch_add(1, Ordering::SeqCst), self.events.len())
    }

    pub(crate) fn event_of(&self, number: &str) -> Option<usize> {
        self.by_number.get(number).copied()
    }

    /// What a provider will do with the next request for an event.
    pub(crate) fn behaviour(&self, event: usize, provider: Provider) -> (Behaviour, Rng) {
        let nth = self.requests()[event].len();
        let phase = Phase::of(self.sent.load(Ordering::SeqCst), self.events.len());
        self.mix.behaviour(event, nth, provider, phase)
    }

    /// Notes a request, and what a provider does with it. Of one that was not read there is no message.
    pub(crate) fn perform(&self, event: usize, provider: Provider, sms: Option<&ReceivedSms>) -> Performance {
        let (behaviour, mut rng) = self.behaviour(event, provider);
        let performance = behaviour.perform(&mut rng, sms, self.clock.now());
        self.requests()[event].push(Request {
            provider,
            behaviour,
            codes: performance.codes.clone(),
            worker: sms.map(|sms| sms.from.clone()),
            sid: sms.map(|sms| sms.sid.clone()),
            taken_at: None,
            is_own_text: sms.is_none_or(|sms| self.events[event].is_told_by(&sms.body)),
        });
        performance
    }

    /// Notes that a provider has taken a message.
    pub(crate) fn took(&self, provider: Provider, sms: &ReceivedSms) {
        let Some(event) = self.event_of(&sms.to) else { return };
        let mut requests = self.requests();
        let is_it = |request: &&mut Request| request.provider == provider && request.sid.as_ref() == Some(&sms.sid);
        if let Some(request) = requests[event].iter_mut().find(is_it) {
            request.taken_at = Some(self.clock.now());
        }
    }

    /// Notes that a worker process has just ended.
    pub(crate) fn died(&self, worker: String, was_killed: bool, queued: BTreeSet<usize>) {
        let death = Death { worker, was_killed, at: self.clock.now(), queued };
        self.deaths.lock().unwrap_or_else(PoisonError::into_inner).push(death);
    }

    pub(crate) fn deaths(&self) -> Vec<Death> {
        self.deaths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All requests so far, by event.
    pub(crate) fn all_requests(&self) -> Vec<Vec<Request>> {
        self.requests().clone()
    }

    fn requests(&self) -> MutexGuard<'_, Vec<Vec<Request>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
