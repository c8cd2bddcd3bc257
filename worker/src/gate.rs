//! What stands before each provider, shared by all records at work: its circuit breaker, and a bounded number of
//! places, so that one slow provider can never hold everything that the worker has.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::join_all;
use shared::telemetry::Telemetry;
use shared::{Clock, Timestamp};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::circuit_breaker::{Admission, Change, CircuitBreaker, Pass, Sign};
use crate::destination::Way;
use crate::provider::{Provider, TestNumberProvider};
use crate::provider_secret::Rotation;

/// Attempts at one provider at once where there are several: three quarters of the records that a service works on.
/// What does not fit goes to the next provider of its route, or is postponed.
const PLACES: usize = crate::service::MOST_IN_FLIGHT / 4 * 3;

/// The providers, each behind its gate.
pub struct Providers {
    configured: Vec<GatedProvider>,
    for_test_numbers: GatedProvider,
    /// None where no secret is configured: then credentials never change.
    rotation: Option<Rotation>,
    /// Whether a provider has refused its account since the secret was read.
    was_refused: Arc<AtomicBool>,
}

/// A provider and whether it is worth asking.
pub(crate) struct GatedProvider {
    /// Replaced when its credentials change.
    provider: RwLock<Arc<dyn Provider>>,
    was_refused: Arc<AtomicBool>,
    circuit: Mutex<CircuitBreaker>,
    /// An attempt has ended that others may wait for.
    probed: Notify,
    places: Semaphore,
}

/// Why an attempt was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// Too many of its last attempts failed.
    CircuitOpen { opens_in: Duration },
    /// Another message tries whether the provider is well again, and its end was not waited for.
    ProbeUnderWay,
    /// Every place is taken.
    Busy,
}

/// An attempt that was let through. Dropped without a report, it says nothing about the provider.
pub(crate) struct Permit<'g> {
    gate: &'g GatedProvider,
    /// None once it was reported.
    pass: Option<Pass>,
    _place: SemaphorePermit<'g>,
}

impl Closed {
    /// The cause's name in logs and in a dead letter's detail.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::CircuitOpen { .. } | Self::ProbeUnderWay => "circuit_open",
            Self::Busy => "busy",
        }
    }

    /// The pause after which it is worth trying again; none is known where other attempts must end first.
    pub(crate) fn opens_in(self) -> Duration {
        match self {
            Self::CircuitOpen { opens_in } => opens_in,
            Self::ProbeUnderWay | Self::Busy => Duration::ZERO,
        }
    }
}

impl Providers {
    /// In the configuration's order; the route holds indexes into it.
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Self {
        let places = if providers.len() > 1 { PLACES } else { Semaphore::MAX_PERMITS };
        let was_refused = Arc::<AtomicBool>::default();
        let gated = |provider, places| GatedProvider::new(provider, places, Arc::clone(&was_refused));
        let configured = providers.into_iter().map(|provider| gated(provider, places)).collect();
        let for_test_numbers = gated(Arc::new(TestNumberProvider), Semaphore::MAX_PERMITS);
        Self { configured, for_test_numbers, rotation: None, was_refused }
    }

    /// The same, of which new ones take the place when their secret changes.
    pub fn rotating(providers: Vec<Arc<dyn Provider>>, rotation: Rotation) -> Self {
        Self { rotation: Some(rotation), ..Self::new(providers) }
    }

    /// Reads the secret anew if it is time to. What is known of a provider's health outlasts its credentials.
    pub(crate) async fn keep_current(&self, clock: &Clock, telemetry: &dyn Telemetry) {
        let Some(rotation) = &self.rotation else { return };
        let new = rotation.new_providers(&self.was_refused, clock, telemetry).await.unwrap_or_default();
        for (gated, provider) in self.configured.iter().zip(new) {
            *gated.provider.write().unwrap_or_else(PoisonError::into_inner) = provider;
        }
    }

    /// Opens a connection to each of them.
    pub(crate) async fn connect(&self) {
        let providers: Vec<_> = self.configured.iter().map(GatedProvider::provider).collect();
        join_all(providers.iter().map(|provider| provider.connect())).await;
    }

    /// The providers that an admitted message goes to, in this order.
    pub(crate) fn on_way(&self, way: &Way) -> Vec<&GatedProvider> {
        match way {
            Way::Route(indexes) => indexes.iter().filter_map(|index| self.configured.get(*index)).collect(),
            Way::TestNumber => vec![&self.for_test_numbers],
        }
    }
}

impl GatedProvider {
    fn new(provider: Arc<dyn Provider>, places: usize, was_refused: Arc<AtomicBool>) -> Self {
        let (provider, places) = (RwLock::new(provider), Semaphore::new(places));
        Self { provider, was_refused, circuit: Mutex::default(), probed: Notify::new(), places }
    }

    /// Takes note that the provider refuses the account, or what is sent in its name: its credentials may be old.
    pub(crate) fn note_refusal(&self) {
        self.was_refused.store(true, Ordering::Relaxed);
    }

    /// The provider with its present credentials.
    pub(crate) fn provider(&self) -> Arc<dyn Provider> {
        Arc::clone(&self.provider.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How long its circuit will refuse every attempt but a last one; none if the next one passes.
    pub(crate) fn opens_in(&self, now: Timestamp) -> Option<Duration> {
        self.circuit().opens_in(now)
    }

    /// Lets an attempt through, or says why not; waits at most `patience` for a probe that is under way.
    /// `is_last` says at a moment whether the message will never be tried again: it passes an open circuit.
    pub(crate) async fn enter(
        &self,
        clock: &Clock,
        patience: Duration,
        is_last: impl Fn(Timestamp) -> bool,
    ) -> Result<Permit<'_>, Closed> {
        let until = Instant::now() + patience;
        loop {
            let mut probed = pin!(self.probed.notified());
            // From here on no end of a probe is missed.
            probed.as_mut().enable();
            let now = clock.now();
            let place = self.places.try_acquire().map_err(|_| Closed::Busy)?;
            let admission = self.circuit().admit(now, is_last(now));
            match admission {
                Admission::Passes(pass) => return Ok(Permit { gate: self, pass: Some(pass), _place: place }),
                Admission::Refused { opens_in } => return Err(Closed::CircuitOpen { opens_in }),
                Admission::ProbeUnderWay => drop(place),
            }
            timeout_at(until, probed).await.map_err(|_elapsed| Closed::ProbeUnderWay)?;
        }
    }

    fn circuit(&self) -> MutexGuard<'_, CircuitBreaker> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    pub(crate) fn is_probe(&self) -> bool {
        self.pass.as_ref().is_some_and(|pass| pass.is_probe)
    }

    /// Takes note of how the attempt ended. `unit` is uniform in 0..1.
    pub(crate) fn report(mut self, sign: Sign, now: Timestamp, unit: f64) -> Option<Change> {
        let pass = self.pass.take()?;
        let change = self.gate.circuit().report(&pass, sign, now, unit);
        self.gate.probed.notify_waiters();
        change
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.gate.circuit().abandon(&pass);
            self.gate.probed.notify_waiters();
        }
    }
}
