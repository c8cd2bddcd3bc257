//! The services that are called without types, and where they are.

use aws_config::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;

/// A service that is called so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Amazon Cognito user pools.
    UserPools,
    Lambda,
    /// CloudWatch Logs.
    #[cfg_attr(not(feature = "local"), expect(dead_code, reason = "only `send` reads logs"))]
    Logs,
}

impl Service {
    /// Also the first part of its host name.
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Self::UserPools => "cognito-idp",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
        }
    }

    /// Of `X-Amz-Target`; of no meaning for a service that speaks REST.
    pub(super) fn target_prefix(self) -> &'static str {
        match self {
            Self::UserPools => "AWSCognitoIdentityProviderService",
            Self::Lambda => "AWSGirApiService",
            Self::Logs => "Logs_20140328",
        }
    }

    /// From which the SDK makes the names of settings, such as `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`.
    fn id(self) -> &'static str {
        match self {
            Self::UserPools => "Cognito Identity Provider",
            Self::Lambda => "Lambda",
            Self::Logs => "CloudWatch Logs",
        }
    }

    /// As the SDK's clients find theirs: what the command line names, what the environment or the profile names for
    /// this service or for all, AWS's own.
    pub(super) fn endpoint(self, aws: &SdkConfig, region: &Region) -> String {
        let given = aws.endpoint_url().map(str::to_owned);
        let is_of_command_line = aws.get_origin("endpoint_url").is_client_config();
        let own = aws.service_config().filter(|_| !is_of_command_line).and_then(|config| {
            let key = ServiceConfigKey::builder()
                .service_id(self.id())
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build()
                .expect("all fields are set");
            config.load_config(key)
        });
        own.or(given).unwrap_or_else(|| self.endpoint_of_aws(aws, region))
    }

    fn endpoint_of_aws(self, aws: &SdkConfig, region: &Region) -> String {
        let region = region.as_ref();
        let fips = if aws.use_fips() == Some(true) { "-fips" } else { "" };
        let suffix = match (region.starts_with("cn-"), aws.use_dual_stack() == Some(true)) {
            (false, false) => "amazonaws.com",
            (false, true) => "api.aws",
            (true, false) => "amazonaws.com.cn",
            (true, true) => "api.amazonwebservices.com.cn",
        };
        format!("https://{}{fips}.{region}.{suffix}", self.signing_name())
    }
}
