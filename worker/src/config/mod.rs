//! Everything that the worker is told: the environment and the configuration file, checked whole at start.

mod file;
mod placeholders;

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::settings::Faults;
use shared::{Clock, Environment, EnvironmentFault, KeyArn, Settings, UserPoolId};

use crate::limits::Limits;
use crate::provider::{HttpClientError, HttpGateway, HttpGatewaySettings, Provider, Twilio, TwilioSettings};
use crate::render::Texts;
use crate::retry::RetrySettings;
use crate::route::Route;
use crate::state::StateSettings;

pub use file::File;
pub(crate) use file::provider_name;

/// What processing a record depends on.
#[derive(Clone, Debug)]
pub struct Config {
    pub settings: Settings,
    /// `USER_POOL_IDS`; none allows every pool.
    pub allowed_pools: Option<BTreeSet<UserPoolId>>,
    /// `TRUSTED_SENDER_IDS`; none trusts whoever may send to the queue.
    pub trusted_senders: Option<BTreeSet<String>>,
    pub key_arns: Vec<KeyArn>,
    pub route: Route,
    pub retry: RetrySettings,
    pub texts: Texts,
    pub state: StateSettings,
    pub limits: Limits,
}

/// A `[[provider]]` block, by kind.
pub enum ProviderSettings {
    Twilio(TwilioSettings),
    Http(HttpGatewaySettings),
}

impl ProviderSettings {
    /// The provider, ready to send.
    ///
    /// # Errors
    /// When its HTTPS client cannot be set up.
    pub fn into_provider(self, clock: &Clock) -> Result<Arc<dyn Provider>, HttpClientError> {
        match self {
            Self::Twilio(settings) => Ok(Arc::new(Twilio::new(settings, clock.clone())?)),
            Self::Http(settings) => Ok(Arc::new(HttpGateway::new(settings, clock.clone())?)),
        }
    }
}

/// A worker's whole start: its configuration and what it has to reach.
pub struct Start {
    pub config: Config,
    pub providers: Vec<ProviderSettings>,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
}

/// Everything that is wrong, so that one deployment repairs it all.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.listed())]
pub struct StartFault {
    pub environment: Vec<EnvironmentFault>,
    /// The configuration file's path and faults.
    pub file: Option<(String, Faults)>,
}

impl Start {
    /// Reads the environment and the configuration file that it names.
    ///
    /// # Errors
    /// All faults of both at once.
    pub fn read(environment: &Environment<'_>) -> Result<Self, StartFault> {
        let mut faults = StartFault::default();
        let queue_url = faults.note(environment.queue_url("QUEUE_URL"));
        let dead_letter_queue_url = faults.note(environment.queue_url("DEAD_LETTER_QUEUE_URL"));
        let key_arns = faults.note(key_arns(environment));
        let allowed_pools = faults.note(environment.user_pools());
        let file = faults.note(environment.configuration()).and_then(|found| {
            let (path, text) = found.map_or_else(
                || ("the built-in defaults".to_owned(), String::new()),
                |found| (found.path.display().to_string(), found.text),
            );
            File::parse(&text, environment).map_err(|file_faults| faults.file = Some((path, file_faults))).ok()
        });
        match (queue_url, dead_letter_queue_url, key_arns, allowed_pools, file) {
            (Some(queue_url), Some(dead_letter_queue_url), Some(key_arns), Some(allowed_pools), Some(file)) => {
                let File { settings, providers, route, retry, texts, state, limits } = file;
                let trusted_senders = trusted_senders(environment);
                let config =
                    Config { settings, allowed_pools, trusted_senders, key_arns, route, retry, texts, state, limits };
                Ok(Self { config, providers, queue_url, dead_letter_queue_url })
            }
            _ => Err(faults),
        }
    }
}

impl StartFault {
    fn note<T>(&mut self, outcome: Result<T, EnvironmentFault>) -> Option<T> {
        outcome.map_err(|fault| self.environment.push(fault)).ok()
    }

    fn listed(&self) -> String {
        let environment = self.environment.iter().map(ToString::to_string);
        let file = self.file.iter().map(|(path, faults)| format!("{path}:\n{faults}"));
        environment.chain(file).collect::<Vec<_>>().join("\n")
    }
}

fn key_arns(environment: &Environment<'_>) -> Result<Vec<KeyArn>, EnvironmentFault> {
    let variable = "KMS_KEY_ARNS";
    let remedy = "set it to the ARN of the key that the user pool's KMSKeyID names (comma-separated if several)";
    let list = environment.require(variable, remedy)?;
    let members = list.split(',').map(str::trim).filter(|member| !member.is_empty());
    let keys: Result<Vec<_>, _> = members.map(KeyArn::parse).collect();
    keys.map_err(|error| EnvironmentFault { variable, fault: format!("has a member that {error}") })
}

fn trusted_senders(environment: &Environment<'_>) -> Option<BTreeSet<String>> {
    let list = environment.get("TRUSTED_SENDER_IDS")?;
    Some(list.split(',').map(str::trim).filter(|member| !member.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/8a23102c-9b68-4fed-82ce-523c5363539e";

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let environment = Environment::from_lookup(|name| match name {
            "QUEUE_URL" => Some("codes".to_owned()),
            "KMS_KEY_ARNS" => Some(format!("{KEY},alias/codes")),
            _ => None,
        });
        let fault = Start::read(&environment).map(|_| ()).expect_err("four faults").to_string();
        for expected in [
            "QUEUE_URL is not a URL",
            "DEAD_LETTER_QUEUE_URL is not set",
            "KMS_KEY_ARNS has a member that is an alias; give the ARN of the key itself",
            "no [[provider]]",
        ] {
            assert!(fault.contains(expected), "{expected}: {fault}");
        }
    }

    #[test]
    fn trusted_senders_are_a_list() {
        let environment = Environment::from_lookup(|_| Some("AROAEXAMPLE1, AROAEXAMPLE2,".to_owned()));
        let senders = trusted_senders(&environment).expect("set");
        assert_eq!(senders.into_iter().collect::<Vec<_>>(), ["AROAEXAMPLE1", "AROAEXAMPLE2"]);
    }
}
