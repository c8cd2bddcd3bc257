use std::collections::BTreeMap;
use std::time::Duration;

use crate::TriggerSource;
use crate::settings::{Faults, Key, Section, key};

/// How long a code of each trigger source is worth sending: `[lifetime]`.
///
/// The event does not say it, so these are the operator's word. The defaults are Cognito's own
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>): sign-in codes 3 minutes (the
/// default `AuthSessionValidity` of an app client), password resets 1 hour, temporary passwords 7 days (the
/// default `TemporaryPasswordValidityDays`), the others 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    by_source: BTreeMap<TriggerSource, Duration>,
    /// `[lifetime.client.ID]`: app clients differ in `AuthSessionValidity`.
    by_client: BTreeMap<(String, TriggerSource), Duration>,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// `TemporaryPasswordValidityDays` goes no further.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Default for Lifetimes {
    fn default() -> Self {
        let by_source = TriggerSource::ALL.map(|source| (source, default_for(source)));
        Self { by_source: BTreeMap::from(by_source), by_client: BTreeMap::new() }
    }
}

fn default_for(source: TriggerSource) -> Duration {
    match source {
        TriggerSource::Authentication => 3 * MINUTE,
        TriggerSource::ForgotPassword => HOUR,
        TriggerSource::SignUp
        | TriggerSource::ResendCode
        | TriggerSource::UpdateUserAttribute
        | TriggerSource::VerifyUserAttribute
        | TriggerSource::AccountTakeOverNotification => DAY,
        TriggerSource::AdminCreateUser => 7 * DAY,
        // Nobody knows what it is: an hour outlives most codes and most outages.
        TriggerSource::Other => HOUR,
    }
}

/// The source's key in the configuration file.
fn key_of(source: TriggerSource) -> Key {
    match source {
        TriggerSource::SignUp => key("sign_up", "The life of a code for signing up."),
        TriggerSource::ResendCode => {
            key("resend_code", "The life of a sign-up code that the user has asked for again.")
        }
        TriggerSource::ForgotPassword => key("forgot_password", "The life of a code for a new password."),
        TriggerSource::UpdateUserAttribute => {
            key("update_user_attribute", "The life of a code for a changed phone number.")
        }
        TriggerSource::VerifyUserAttribute => {
            key("verify_user_attribute", "The life of a code for a phone number that is to be verified.")
        }
        TriggerSource::Authentication => {
            key("authentication", "The life of a code for signing in: the app client's AuthSessionValidity.")
        }
        TriggerSource::AdminCreateUser => {
            key("admin_create_user", "The life of an invitation: the pool's TemporaryPasswordValidityDays.")
        }
        TriggerSource::AccountTakeOverNotification => {
            key("account_take_over_notification", "How long a warning of an unusual sign-in is worth sending.")
        }
        TriggerSource::Other => key("other", "The life of a code of any trigger source that AWS adds later."),
    }
}

impl Lifetimes {
    /// The lifetime of a code of `source` for the app client that asked for it.
    pub fn of(&self, source: TriggerSource, client_id: Option<&str>) -> Duration {
        let of_client = client_id.and_then(|client| self.by_client.get(&(client.to_owned(), source)));
        let of_source = || self.by_source.get(&source).copied().unwrap_or_else(|| default_for(source));
        of_client.copied().unwrap_or_else(of_source)
    }

    pub(crate) fn read(mut section: Section<'_>, faults: &mut Faults) -> Self {
        let mut lifetimes = Self::default();
        for source in TriggerSource::ALL {
            if let Some(duration) = section.duration(key_of(source), MINUTE..=LONGEST, faults) {
                lifetimes.by_source.insert(source, duration);
            }
        }
        const CLIENT: Key = key("client", "App clients whose codes live differently, each by its id.");
        for (client, mut overrides) in section.sections_by_name(CLIENT, faults) {
            for source in TriggerSource::ALL {
                if let Some(duration) = overrides.duration(key_of(source), MINUTE..=LONGEST, faults) {
                    lifetimes.by_client.insert((client.clone(), source), duration);
                }
            }
            overrides.finish(faults);
        }
        section.finish(faults);
        lifetimes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[test]
    fn the_defaults_are_those_of_cognito() {
        let lifetimes = Lifetimes::default();
        assert_eq!(lifetimes.of(TriggerSource::Authentication, None), 3 * MINUTE);
        assert_eq!(lifetimes.of(TriggerSource::ForgotPassword, None), HOUR);
        assert_eq!(lifetimes.of(TriggerSource::SignUp, Some("any")), DAY);
        assert_eq!(lifetimes.of(TriggerSource::AdminCreateUser, None), 7 * DAY);
    }

    #[test]
    fn a_client_may_have_its_own() {
        let text = "[lifetime]\nauthentication = \"5m\"\n[lifetime.client.web]\nauthentication = \"15m\"\n";
        let lifetimes = Settings::parse(text).expect("sound").0.lifetimes;
        assert_eq!(lifetimes.of(TriggerSource::Authentication, Some("web")), 15 * MINUTE);
        assert_eq!(lifetimes.of(TriggerSource::Authentication, Some("app")), 5 * MINUTE);
        assert_eq!(lifetimes.of(TriggerSource::SignUp, Some("web")), DAY);
    }
}
