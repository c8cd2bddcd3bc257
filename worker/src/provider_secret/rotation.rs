//! Credentials that change while the worker runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, Timestamp};
use tokio::sync::Mutex;

use super::{SecretMembers, SecretStore};
use crate::provider::Provider;

/// A secret that was rotated is known to every worker after this, while messages come.
pub const READ_EVERY: Duration = Duration::from_secs(5 * 60);
/// A provider that refuses the account may have been given new credentials: the secret is read at once, but not more often
/// than this.
pub const READ_AGAIN_AFTER_A_REFUSAL: Duration = Duration::from_secs(60);

/// Makes the providers of the configuration anew, with these credentials; the error says what was missing.
type Rebuild = dyn Fn(&SecretMembers) -> Result<Vec<Arc<dyn Provider>>, String> + Send + Sync;

/// Reads the secret anew while messages come, and makes the providers anew when it has changed.
pub struct Rotation {
    store: Arc<dyn SecretStore>,
    rebuild: Box<Rebuild>,
    reading: Mutex<Reading>,
}

struct Reading {
    at: Timestamp,
    version: String,
}

impl Rotation {
    /// `known` was read at `now`, and the providers at work have its credentials.
    pub fn new(
        store: Arc<dyn SecretStore>,
        known: &SecretMembers,
        now: Timestamp,
        rebuild: impl Fn(&SecretMembers) -> Result<Vec<Arc<dyn Provider>>, String> + Send + Sync + 'static,
    ) -> Self {
        let reading = Mutex::new(Reading { at: now, version: known.version().to_owned() });
        Self { store, rebuild: Box::new(rebuild), reading }
    }

    /// The providers with new credentials, if it was time to read the secret and it has changed. One record reads; those
    /// that are worked on beside it go on with what is known. Whatever fails, that stays in use. `was_refused` says whether
    /// a provider has refused the account since the last reading.
    pub(crate) async fn new_providers(
        &self,
        was_refused: &AtomicBool,
        clock: &Clock,
        telemetry: &dyn Telemetry,
    ) -> Option<Vec<Arc<dyn Provider>>> {
        let mut reading = self.reading.try_lock().ok()?;
        if !is_due(reading.at, clock.now(), was_refused.load(Ordering::Relaxed)) {
            return None;
        }
        let read = self.store.read().await;
        reading.at = clock.now();
        was_refused.store(false, Ordering::Relaxed);
        let rebuilt = match read {
            Ok(secret) if secret.version() == reading.version => return None,
            Ok(secret) => (self.rebuild)(&secret).map(|providers| (providers, secret.version().to_owned())),
            Err(error) => Err(error.to_string()),
        };
        match rebuilt {
            Ok((providers, version)) => {
                reading.version = version;
                telemetry.record(&Fact::SecretChanged);
                Some(providers)
            }
            Err(error) => {
                telemetry.record(&Fact::SecretReadFailed { error: &error });
                None
            }
        }
    }
}

/// A clock that was set back makes every reading an old one.
fn is_due(read_at: Timestamp, now: Timestamp, was_refused: bool) -> bool {
    let age = now.duration_since(read_at);
    let patience = if was_refused { READ_AGAIN_AFTER_A_REFUSAL } else { READ_EVERY };
    age < SignedDuration::ZERO || age.unsigned_abs() >= patience
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_read_every_five_minutes_and_a_minute_after_the_last_time_when_an_account_is_refused() {
        let read_at = Timestamp::UNIX_EPOCH + Duration::from_secs(1_000);
        for (seconds, was_refused, expected) in [
            (0, false, false),
            (299, false, false),
            (300, false, true),
            (0, true, false),
            (59, true, false),
            (60, true, true),
        ] {
            let now = read_at + Duration::from_secs(seconds);
            assert_eq!(is_due(read_at, now, was_refused), expected, "{seconds} s, {was_refused}");
        }
        assert!(is_due(read_at, Timestamp::UNIX_EPOCH, false), "the clock was set back");
    }
}
