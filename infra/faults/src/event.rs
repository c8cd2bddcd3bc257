//! The events of a run: each of a user of its own, with a number, a code and an app's purpose, all from the seed.

use fastrand::Rng;
use local::cognito::UserPool;
use serde_json::{Value, json};
use shared::TriggerSource;

/// Where the numbers come from: the French and Irish ones are kept free for films (+33 6 39 98, +353 20 91), and of
/// the American 555 ones few are assigned.
const US_AREA_CODES: [u16; 10] = [206, 212, 305, 312, 415, 512, 617, 702, 808, 907];
const LINES: usize = 10_000;
/// As many as there are numbers for.
pub const MOST_EVENTS: usize = 90_000;

/// An event to come, and what must not be said of it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) index: usize,
    pub(crate) source: TriggerSource,
    /// Of this event alone.
    pub(crate) number: String,
    /// Of this event alone: twelve digits, which no id or time holds by chance.
    pub(crate) code: String,
}

/// The events of a seed. `doomed` ones are codes that live shortest, so that their end is soon known.
pub(crate) fn events(seed: u64, count: usize, is_doomed: impl Fn(usize) -> bool) -> Vec<Event> {
    let mut rng = Rng::with_seed(seed);
    let prefix = rng.u32(100_000..1_000_000);
    let (mut american, mut irish, mut french) = (0, 0, 0);
    let next = |counter: &mut usize| std::mem::replace(counter, *counter + 1);
    let event = |index| {
        let number = match rng.u8(..100) {
            0..3 if french < LINES => format!("+3363998{:04}", next(&mut french)),
            3..6 => format!("+3532091{:05}", next(&mut irish)),
            _ => {
                let n = next(&mut american);
                format!("+1{}555{:04}", US_AREA_CODES[n / LINES % US_AREA_CODES.len()], n % LINES)
            }
        };
        let source = if is_doomed(index) {
            TriggerSource::Authentication
        } else {
            TriggerSource::ALL[rng.usize(..TriggerSource::ALL.len())]
        };
        Event { index, source, number, code: format!("{prefix}{index:06}") }
    };
    (0..count).map(event).collect()
}

impl Event {
    /// The event as Cognito sends it.
    ///
    /// # Errors
    /// When the code cannot be sealed.
    pub(crate) fn sealed(&self, pool: &UserPool) -> anyhow::Result<Value> {
        let clear = match self.source {
            TriggerSource::AccountTakeOverNotification => None,
            // Cognito escapes passwords.
            TriggerSource::AdminCreateUser => Some(format!("Vo&lt;7&amp;{}", self.code)),
            TriggerSource::SignUp
            | TriggerSource::ResendCode
            | TriggerSource::ForgotPassword
            | TriggerSource::UpdateUserAttribute
            | TriggerSource::VerifyUserAttribute
            | TriggerSource::Authentication
            | TriggerSource::Other => Some(self.code.clone()),
        };
        let sealed = clear.map(|clear| pool.seal(&clear)).transpose()?;
        let mut event = pool.event(self.source, &self.number, sealed.as_deref());
        event["request"]["userAttributes"]["sub"] = json!(format!("54cf7eb7-0b96-4304-8d6b-{:012x}", self.index));
        Ok(event)
    }

    /// Whether a text is the one for this event.
    pub(crate) fn is_told_by(&self, text: &str) -> bool {
        match self.source {
            TriggerSource::AccountTakeOverNotification => text.starts_with("Unusual sign-in"),
            TriggerSource::SignUp
            | TriggerSource::ResendCode
            | TriggerSource::ForgotPassword
            | TriggerSource::UpdateUserAttribute
            | TriggerSource::VerifyUserAttribute
            | TriggerSource::Authentication
            | TriggerSource::AdminCreateUser
            | TriggerSource::Other => text.contains(&self.code),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_event_has_a_number_and_a_code_of_its_own_and_a_seed_has_the_same_events_twice() {
        let all = events(7, MOST_EVENTS, |_| false);
        assert_eq!(all.iter().map(|event| &event.number).collect::<HashSet<_>>().len(), MOST_EVENTS);
        assert_eq!(all.iter().map(|event| &event.code).collect::<HashSet<_>>().len(), MOST_EVENTS);
        let again = events(7, 50, |_| false);
        assert!(again.iter().zip(&all).all(|(again, event)| format!("{again:?}") == format!("{event:?}")));
    }
}
