//! Everything that the worker is told: the environment and the configuration file, checked whole at start.

mod checked;
mod file;
mod placeholders;

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::settings::Faults;
use shared::{Clock, Environment, EnvironmentFault, KeyArn, Settings, UserPoolId};

use crate::limits::Limits;
use crate::provider::{
    BaseUrl, HttpClientError, HttpGateway, HttpGatewaySettings, OutgoingRequest, Provider, Sms, Twilio, TwilioSettings,
};
use crate::provider_secret::{SecretError, SecretMembers};
use crate::render::Texts;
use crate::retry::RetrySettings;
use crate::route::Route;
use crate::state::StateSettings;
use crate::test_numbers::TestNumbers;

pub use checked::Checked;
pub use file::File;
pub(crate) use file::provider_name;
pub use placeholders::Needed;

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
    pub test_numbers: TestNumbers,
}

/// A `[[provider]]` block, by kind.
pub enum ProviderSettings {
    Twilio(TwilioSettings),
    Http(HttpGatewaySettings),
}

impl ProviderSettings {
    /// The name in routes, logs and metrics.
    pub fn name(&self) -> &str {
        match self {
            Self::Twilio(settings) => &settings.name,
            Self::Http(settings) => &settings.name,
        }
    }

    /// What the file calls this kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Twilio(_) => "twilio",
            Self::Http(_) => "http",
        }
    }

    pub fn base_url(&self) -> &BaseUrl {
        match self {
            Self::Twilio(settings) => &settings.base_url,
            Self::Http(settings) => settings.base_url(),
        }
    }

    /// The request that the provider would make now for this SMS.
    ///
    /// # Errors
    /// When its HTTPS client cannot be set up.
    pub fn into_request(self, sms: &Sms<'_>, clock: &Clock) -> Result<OutgoingRequest, HttpClientError> {
        match self {
            Self::Twilio(settings) => Ok(Twilio::new(settings, clock.clone())?.request(sms)),
            Self::Http(settings) => Ok(HttpGateway::new(settings, clock.clone())?.request(sms)),
        }
    }

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
    /// `STATE_TABLE`: the name or ARN of the table; without one each process remembers for itself.
    pub state_table: Option<String>,
    /// The configuration file's text, of which providers with other credentials can be made.
    pub file_text: String,
}

/// Everything that is wrong, so that one deployment repairs it all.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.listed())]
pub struct StartFault {
    pub environment: Vec<EnvironmentFault>,
    /// The configuration file's path and faults.
    pub file: Option<(String, Faults)>,
}

const NO_NUMBER_KEY: &str = "is set, so workers count the messages to a number together, but they have no common key \
    to hash numbers with: make one (openssl rand -base64 32), give it to every worker as the environment variable \
    NUMBER_KEY and write number_key = \"${env:NUMBER_KEY}\" under [limits]; or write per_number = \"off\" there";

impl Start {
    /// Reads the environment and the configuration file that it names. `secret` is what [`provider_secret_arn`] names, as it was
    /// read, or why it could not be.
    ///
    /// # Errors
    /// All faults of all three at once.
    pub fn read(
        environment: &Environment<'_>,
        secret: Result<Option<&SecretMembers>, SecretError>,
    ) -> Result<Self, StartFault> {
        let mut faults = StartFault::default();
        let secret = secret.map_err(|error| faults.environment.push(unreadable_secret(&error))).unwrap_or_default();
        let queue_url = faults.note(environment.queue_url("QUEUE_URL"));
        let dead_letter_queue_url = faults.note(environment.queue_url("DEAD_LETTER_QUEUE_URL"));
        let state_table = faults.note(state_table(environment));
        let key_arns = faults.note(key_arns(environment));
        let allowed_pools = faults.note(environment.user_pools());
        // The telemetry has it, or the default in its place.
        faults.note(environment.metrics_namespace());
        let mut file_text = String::new();
        let file = faults.note(environment.configuration()).and_then(|found| {
            let (path, text) = found.map_or_else(
                || ("the built-in defaults".to_owned(), String::new()),
                |found| (found.path.display().to_string(), found.text),
            );
            file_text = text;
            let parsed = File::parse_with(&file_text, environment, secret);
            parsed.map_err(|file_faults| faults.file = Some((path, file_faults))).ok()
        });
        let lacks_number_key = file.as_ref().is_some_and(|file| file.limits.lacks_number_key());
        if lacks_number_key && matches!(state_table, Some(Some(_))) {
            faults.environment.push(EnvironmentFault { variable: "STATE_TABLE", fault: NO_NUMBER_KEY.to_owned() });
        }
        match (queue_url, dead_letter_queue_url, state_table, key_arns, allowed_pools, file) {
            (
                Some(queue_url),
                Some(dead_letter_queue_url),
                Some(state_table),
                Some(key_arns),
                Some(allowed_pools),
                Some(file),
            ) if faults == StartFault::default() => {
                let (config, providers) = file.into_config(key_arns);
                let config = Config { allowed_pools, trusted_senders: trusted_senders(environment), ..config };
                Ok(Self { config, providers, queue_url, dead_letter_queue_url, state_table, file_text })
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

/// `PROVIDER_SECRET_ARN`: the secret to read before [`Start::read`], if there is one.
///
/// # Errors
/// When it is not an ARN.
pub fn provider_secret_arn(environment: &Environment<'_>) -> Result<Option<String>, EnvironmentFault> {
    let Some(arn) = environment.get(PROVIDER_SECRET_ARN) else { return Ok(None) };
    let parts: Vec<_> = arn.splitn(7, ':').collect();
    let is_arn = matches!(parts.as_slice(), ["arn", _, "secretsmanager", _, _, "secret", name] if !name.is_empty());
    let fault = "is not the ARN of a secret (aws secretsmanager describe-secret --query ARN)".to_owned();
    if is_arn { Ok(Some(arn)) } else { Err(EnvironmentFault { variable: PROVIDER_SECRET_ARN, fault }) }
}

fn unreadable_secret(error: &SecretError) -> EnvironmentFault {
    let remedy = match error {
        SecretError::NotGiven { .. } => "; the worker's role needs secretsmanager:GetSecretValue on it",
        SecretError::NotASecret(_) => "",
    };
    EnvironmentFault {
        variable: PROVIDER_SECRET_ARN,
        fault: format!("names a secret that cannot be used: {error}{remedy}"),
    }
}

const PROVIDER_SECRET_ARN: &str = "PROVIDER_SECRET_ARN";

/// `KMS_KEY_ARNS`: the keys whose codes are unsealed.
///
/// # Errors
/// When it is unset, or a member is not the ARN of a key.
pub fn key_arns(environment: &Environment<'_>) -> Result<Vec<KeyArn>, EnvironmentFault> {
    let variable = "KMS_KEY_ARNS";
    let remedy = "set it to the ARN of the key that the user pool's KMSKeyID names (comma-separated if several)";
    let list = environment.require(variable, remedy)?;
    let members = list.split(',').map(str::trim).filter(|member| !member.is_empty());
    let keys: Result<Vec<_>, _> = members.map(KeyArn::parse).collect();
    keys.map_err(|error| EnvironmentFault { variable, fault: format!("has a member that {error}") })
}

/// `STATE_TABLE`: the name or ARN of the table, if there is one.
///
/// # Errors
/// When it is neither.
pub fn state_table(environment: &Environment<'_>) -> Result<Option<String>, EnvironmentFault> {
    let variable = "STATE_TABLE";
    let Some(table) = environment.get(variable) else { return Ok(None) };
    if is_table_name(&table) || is_table_arn(&table) {
        return Ok(Some(table));
    }
    let fault = "is not a table; give the name or the ARN of a DynamoDB table (aws dynamodb list-tables)".to_owned();
    Err(EnvironmentFault { variable, fault })
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
fn is_table_name(text: &str) -> bool {
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (3..=255).contains(&text.len()) && text.bytes().all(is_sound)
}

fn is_table_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "dynamodb", region, account, resource] = parts.as_slice() else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_word(partition) && is_word(region) && is_account && resource.strip_prefix("table/").is_some_and(is_table_name)
}

/// `TRUSTED_SENDER_IDS`: who may have written a message, or nothing where anybody may.
pub fn trusted_senders(environment: &Environment<'_>) -> Option<BTreeSet<String>> {
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
            "STATE_TABLE" => Some("https://dynamodb.eu-west-1.amazonaws.com".to_owned()),
            "METRICS_NAMESPACE" => Some("AWS/Sealpost".to_owned()),
            _ => None,
        });
        let fault = Start::read(&environment, Ok(None)).map(|_| ()).expect_err("six faults").to_string();
        for expected in [
            "QUEUE_URL is not a URL",
            "DEAD_LETTER_QUEUE_URL is not set",
            "STATE_TABLE is not a table; give the name or the ARN of a DynamoDB table",
            "KMS_KEY_ARNS has a member that is an alias; give the ARN of the key itself",
            "METRICS_NAMESPACE is not a namespace that CloudWatch takes; give 1 to 255 letters",
            "no [[provider]]",
        ] {
            assert!(fault.contains(expected), "{expected}: {fault}");
        }
    }

    #[test]
    fn a_table_is_given_by_name_or_arn() {
        let read = |table: &str| state_table(&Environment::from_lookup(|_| Some(table.to_owned())));
        assert_eq!(state_table(&Environment::from_lookup(|_| None)), Ok(None));
        for table in [
            "sealpost-state",
            "Sealpost_2.state",
            "arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/sealpost-state",
        ] {
            assert_eq!(read(table), Ok(Some(table.to_owned())));
        }
        for table in [
            "st",
            "sealpost state",
            "table/sealpost-state",
            "arn:aws:dynamodb:eu-west-1:1234:table/sealpost-state",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/sealpost-state/stream/2026-11-23T12:00:00.000",
            "arn:aws:sqs:eu-west-1:123456789012:sealpost-state",
        ] {
            assert!(read(table).is_err(), "{table}");
        }
    }

    #[test]
    fn workers_that_share_a_table_need_a_common_key_to_hash_numbers_with() {
        let provider = format!(
            "[[provider]]\nname = \"main\"\nkind = \"twilio\"\naccount_sid = \"AC{}\"\n\
             auth_token = \"${{env:TOKEN}}\"\nfrom = \"Example\"\n",
            "0".repeat(32)
        );
        let fault = |table: Option<&str>, limits: &str| {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::fs::write(file.path(), format!("{provider}{limits}")).expect("written");
            let environment = Environment::from_lookup(|name| match name {
                "QUEUE_URL" | "DEAD_LETTER_QUEUE_URL" => Some("https://sqs.example.com/codes".to_owned()),
                "KMS_KEY_ARNS" => Some(KEY.to_owned()),
                "STATE_TABLE" => table.map(str::to_owned),
                "TOKEN" | "NUMBER_KEY" => Some("0123456789abcdef".repeat(2)),
                "SEALPOST_CONFIG" => Some(file.path().display().to_string()),
                _ => None,
            });
            Start::read(&environment, Ok(None)).err().map(|fault| fault.to_string())
        };
        let shown = fault(Some("codes"), "").expect("a fault");
        assert!(shown.starts_with("environment variable STATE_TABLE is set, so workers count"), "{shown}");
        assert!(shown.contains("make one (openssl rand -base64 32)"), "{shown}");
        assert!(shown.contains("write number_key = \"${env:NUMBER_KEY}\" under [limits]"), "{shown}");
        assert_eq!(fault(Some("codes"), "[limits]\nnumber_key = \"${env:NUMBER_KEY}\"\n"), None);
        assert_eq!(fault(Some("codes"), "[limits]\nper_number = \"off\"\n"), None);
        assert_eq!(fault(None, ""), None, "a process alone makes its own");
    }

    #[test]
    fn trusted_senders_are_a_list() {
        let environment = Environment::from_lookup(|_| Some("AROAEXAMPLE1, AROAEXAMPLE2,".to_owned()));
        let senders = trusted_senders(&environment).expect("set");
        assert_eq!(senders.into_iter().collect::<Vec<_>>(), ["AROAEXAMPLE1", "AROAEXAMPLE2"]);
    }
}
