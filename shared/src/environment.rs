use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::UserPoolId;
use crate::telemetry::MetricsNamespace;

/// The process environment, read through a function so that tests need no process of their own.
pub struct Environment<'e> {
    lookup: Box<Lookup<'e>>,
}

type Lookup<'e> = dyn Fn(&str) -> Option<String> + 'e;

/// A variable that is missing or malformed, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {variable} {fault}")]
pub struct EnvironmentFault {
    pub variable: &'static str,
    pub fault: String,
}

impl<'e> Environment<'e> {
    /// The environment of this process. What is not UTF-8 is read with replacement characters, so that it is found to be
    /// wrong: taken for unset, it would be as if nothing was restricted.
    pub fn of_process() -> Self {
        Self::from_lookup(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// An environment in which `lookup` answers for each name.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String> + 'e) -> Self {
        Self { lookup: Box::new(lookup) }
    }

    /// The value of a variable, unless it is unset or empty.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }

    /// The value of a variable that must be set.
    ///
    /// # Errors
    /// When it is unset or empty; `remedy` completes "… is not set; ".
    pub fn require(&self, variable: &'static str, remedy: &str) -> Result<String, EnvironmentFault> {
        self.get(variable).ok_or_else(|| EnvironmentFault { variable, fault: format!("is not set; {remedy}") })
    }

    /// The URL of a queue.
    ///
    /// # Errors
    /// When it is unset, or an ARN or a bare name.
    pub fn queue_url(&self, variable: &'static str) -> Result<String, EnvironmentFault> {
        let url = self.require(variable, "set it to the queue's URL (aws sqs get-queue-url)")?;
        if url.starts_with("https://") || url.starts_with("http://") {
            return Ok(url);
        }
        let fault = "is not a URL; give the queue's URL (aws sqs get-queue-url), not its ARN or name".to_owned();
        Err(EnvironmentFault { variable, fault })
    }

    /// `USER_POOL_IDS`: the pools that are allowed, or none when every pool is.
    ///
    /// # Errors
    /// When a member is not a pool id.
    pub fn user_pools(&self) -> Result<Option<BTreeSet<UserPoolId>>, EnvironmentFault> {
        let variable = "USER_POOL_IDS";
        let Some(list) = self.get(variable) else { return Ok(None) };
        let pools = UserPoolId::parse_list(&list);
        pools.map(Some).map_err(|error| EnvironmentFault { variable, fault: format!("has a member that {error}") })
    }

    /// `METRICS_NAMESPACE`: where the metrics are in CloudWatch.
    ///
    /// # Errors
    /// When CloudWatch would not take it.
    pub fn metrics_namespace(&self) -> Result<MetricsNamespace, EnvironmentFault> {
        let variable = "METRICS_NAMESPACE";
        let Some(namespace) = self.get(variable) else { return Ok(MetricsNamespace::default()) };
        MetricsNamespace::parse(&namespace).map_err(|error| EnvironmentFault { variable, fault: error.to_string() })
    }

    /// The configuration file: `SEALPOST_CONFIG`, else `sealpost.toml` beside the binary, else none.
    ///
    /// # Errors
    /// When `SEALPOST_CONFIG` names a file that cannot be read, or the file is not UTF-8.
    pub fn configuration(&self) -> Result<Option<Configuration>, EnvironmentFault> {
        let variable = "SEALPOST_CONFIG";
        let named = self.get(variable).map(PathBuf::from);
        let beside =
            || Some(std::env::current_exe().ok()?.with_file_name("sealpost.toml")).filter(|path| path.exists());
        let is_named = named.is_some();
        let Some(path) = named.or_else(beside) else { return Ok(None) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Configuration { path, text })),
            Err(error) => {
                let default = if is_named { "" } else { " (the default, sealpost.toml beside the binary)" };
                let fault = format!("names {}{default}, which cannot be read: {error}", path.display());
                Err(EnvironmentFault { variable, fault })
            }
        }
    }
}

/// The configuration file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub path: PathBuf,
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [(&str, &str)]) -> Environment<'static> {
        Environment::from_lookup(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn a_missing_or_wrong_queue_url_is_explained() {
        let fault = environment(&[("QUEUE_URL", " ")]).queue_url("QUEUE_URL").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "environment variable QUEUE_URL is not set; set it to the queue's URL (aws sqs get-queue-url)"
        );
        let arn = environment(&[("QUEUE_URL", "arn:aws:sqs:eu-west-1:123456789012:codes")]);
        assert!(arn.queue_url("QUEUE_URL").unwrap_err().fault.contains("not its ARN or name"));
    }

    #[test]
    fn pools_are_optional_but_never_misread() {
        assert_eq!(environment(&[]).user_pools(), Ok(None));
        let pools = environment(&[("USER_POOL_IDS", "eu-west-1_A,eu-west-1_B")]).user_pools();
        assert_eq!(pools.map(|pools| pools.map(|set| set.len())), Ok(Some(2)));
        assert!(environment(&[("USER_POOL_IDS", "eu-west-1")]).user_pools().is_err());
    }

    #[test]
    fn the_namespace_of_the_metrics_is_optional_but_never_misread() {
        let namespace = |pairs| environment(pairs).metrics_namespace();
        for default in [&[][..], &[("METRICS_NAMESPACE", " ")]] {
            assert_eq!(namespace(default), Ok(MetricsNamespace::default()));
        }
        let own = namespace(&[("METRICS_NAMESPACE", "Sealpost/staging")]);
        assert_eq!(own.as_ref().map(MetricsNamespace::as_str), Ok("Sealpost/staging"));
        let fault = namespace(&[("METRICS_NAMESPACE", "AWS/Lambda")]).unwrap_err();
        let expected = "environment variable METRICS_NAMESPACE is not a namespace that CloudWatch takes; give 1 to 255";
        assert!(fault.to_string().starts_with(expected), "{fault}");
    }

    #[test]
    fn a_configuration_file_that_is_named_must_exist() {
        let fault = environment(&[("SEALPOST_CONFIG", "/does/not/exist.toml")]).configuration().unwrap_err();
        assert!(fault.fault.starts_with("names /does/not/exist.toml, which cannot be read"), "{fault}");
        assert_eq!(environment(&[]).configuration(), Ok(None));
    }
}
