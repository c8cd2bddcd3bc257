//! The AWS client's configuration from the environment alone, which is where Lambda puts everything. The usual
//! chain of sources (profiles, SSO, metadata services) would add a megabyte to the binary and be asked in vain.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use shared::{Environment, EnvironmentFault};

/// Reads region, endpoint and the two endpoint switches; credentials are read when they are needed. The variables
/// are those of every AWS SDK (<https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>).
///
/// # Errors
/// When no region is set.
pub fn sdk_config(environment: &Environment<'_>) -> Result<SdkConfig, EnvironmentFault> {
    let region = environment.get("AWS_REGION").or_else(|| environment.get("AWS_DEFAULT_REGION"));
    let region = region.ok_or_else(|| EnvironmentFault {
        variable: "AWS_REGION",
        fault: "is not set; Lambda sets it, elsewhere give the queue's region".to_owned(),
    })?;
    let is_on = |name| environment.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .use_fips(is_on("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_on("AWS_USE_DUALSTACK_ENDPOINT"));
    if !is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        let endpoint = environment.get("AWS_ENDPOINT_URL_SQS").or_else(|| environment.get("AWS_ENDPOINT_URL"));
        if endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://")) {
            config.set_http_client(Some(client_without_roots()));
        }
        config.set_endpoint_url(endpoint);
    }
    Ok(config.build())
}

/// For an endpoint without TLS: reading the system's root certificates is nine tenths of a start.
fn client_without_roots() -> SharedHttpClient {
    let nobody = TlsContext::builder().with_trust_store(TrustStore::empty()).build();
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    let client = aws_smithy_http_client::Builder::new().tls_provider(provider);
    client.tls_context(nobody.expect("an empty trust store is sound")).build_https()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<SdkConfig, EnvironmentFault> {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        sdk_config(&Environment::from_lookup(lookup))
    }

    #[test]
    fn the_endpoint_of_the_service_comes_before_the_general_one() {
        let general = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        let own = ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:2");
        let region = ("AWS_REGION", "eu-west-1");
        let endpoint = |variables: &[_]| config(variables).expect("sound").endpoint_url().map(str::to_owned);
        assert_eq!(endpoint(&[region]), None);
        assert_eq!(endpoint(&[region, general]).as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(endpoint(&[region, general, own]).as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!(endpoint(&[region, own, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]), None);
    }

    #[test]
    fn a_missing_region_is_explained() {
        let fault = config(&[]).map(|_| ()).expect_err("no region");
        assert!(fault.to_string().starts_with("environment variable AWS_REGION is not set"), "{fault}");
    }
}
