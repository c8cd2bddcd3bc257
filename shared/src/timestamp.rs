use std::sync::Arc;
use std::time::SystemTime;

/// A moment in UTC. Texts are RFC 3339.
pub type Timestamp = jiff::Timestamp;

/// RFC 3339 with milliseconds, as everywhere in Sealpost: `2026-11-23T12:00:00.123Z`.
pub fn rfc3339_millis(moment: Timestamp) -> String {
    format!("{moment:.3}")
}

/// Where the time comes from: the system in production, the test's own time in tests.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The wall clock of this machine.
    pub fn system() -> Self {
        Self::from_fn(|| Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}
