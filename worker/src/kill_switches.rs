//! What operators have switched off, as this process last read it.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, Timestamp};
use tokio::sync::Mutex;

use crate::state::{StateError, Switchboard, Switches};

/// How long a reading counts: a switch that was thrown holds for all messages that are begun after that.
pub const SWITCHES_ARE_READ_EVERY: Duration = Duration::from_secs(5);

/// The switches, read again every few seconds while messages come.
pub struct KillSwitches {
    /// None where no table is configured: then nothing can be switched off.
    board: Option<Arc<dyn Switchboard>>,
    reading: Mutex<Option<Reading>>,
}

struct Reading {
    at: Timestamp,
    /// An error only if they were never read.
    switches: Result<Arc<Switches>, StateError>,
}

impl KillSwitches {
    pub fn new(board: Option<Arc<dyn Switchboard>>) -> Self {
        Self { board, reading: Mutex::default() }
    }

    /// What is off, as of at most [`SWITCHES_ARE_READ_EVERY`] ago; while the table cannot be reached, what was off when
    /// it last could.
    ///
    /// # Errors
    /// When the table could not be reached since the process started.
    pub(crate) async fn now(&self, clock: &Clock, telemetry: &dyn Telemetry) -> Result<Arc<Switches>, StateError> {
        let Some(board) = &self.board else { return Ok(Arc::default()) };
        // Whoever comes meanwhile waits for the same answer.
        let mut reading = self.reading.lock().await;
        if let Some(reading) = reading.as_ref().filter(|reading| reading.is_fresh(clock.now())) {
            return reading.switches.clone();
        }
        let known = reading.as_ref().and_then(|reading| reading.switches.clone().ok());
        let switches = match board.switches().await {
            Ok(switches) => {
                note_changes(known.as_deref(), &switches, telemetry);
                Ok(Arc::new(switches))
            }
            Err(error) => {
                let error_code = &error.to_string();
                telemetry.record(&Fact::StateCallFailed { id: None, trace: None, call: "switches", error: error_code });
                known.ok_or(error)
            }
        };
        *reading = Some(Reading { at: clock.now(), switches: switches.clone() });
        switches
    }
}

impl Reading {
    fn is_fresh(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.at);
        // A clock that was set back makes every reading an old one.
        age >= SignedDuration::ZERO && age.unsigned_abs() < SWITCHES_ARE_READ_EVERY
    }
}

fn note_changes(known: Option<&Switches>, switches: &Switches, telemetry: &dyn Telemetry) {
    let was_off = |switch| known.is_some_and(|known| known.is_off(switch));
    for switch in switches.0.keys().filter(|switch| !was_off(switch)) {
        telemetry.record(&Fact::Switched { switch: &switch.to_string(), is_off: true });
    }
    let on_again = known.into_iter().flat_map(|known| known.0.keys()).filter(|switch| !switches.is_off(switch));
    for switch in on_again {
        telemetry.record(&Fact::Switched { switch: &switch.to_string(), is_off: false });
    }
}
