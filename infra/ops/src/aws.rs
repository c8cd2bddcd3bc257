//! How the tool reaches AWS: the whole credential chain, with profiles and SSO.

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sqs::config::SharedCredentialsProvider;

/// Where AWS is, and as whom it is asked.
#[derive(clap::Args)]
pub(crate) struct AwsArguments {
    /// Profile of the AWS configuration files to use.
    #[arg(long, global = true)]
    profile: Option<String>,
    /// AWS region; by default the profile's or the environment's.
    #[arg(long, global = true)]
    region: Option<String>,
    /// Endpoint to ask instead of AWS's, such as the one that `sealpost local` shows.
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Role to assume first, such as the one that a stack has for its operators.
    #[arg(long, global = true, value_name = "ARN")]
    role_arn: Option<String>,
}

impl AwsArguments {
    /// The options that the AWS CLI knows by the same names, for commands that reach the same AWS.
    pub(crate) fn of_every_tool(&self) -> Vec<String> {
        let options =
            [("--profile", &self.profile), ("--region", &self.region), ("--endpoint-url", &self.endpoint_url)];
        let given = options.into_iter().filter_map(|(name, value)| Some([name, value.as_deref()?]));
        given.flatten().map(str::to_owned).collect()
    }

    pub(crate) async fn load(&self) -> anyhow::Result<SdkConfig> {
        let aws = self.load_without_role().await?;
        let Some(role_arn) = &self.role_arn else { return Ok(aws) };
        let role = AssumeRoleProvider::builder(role_arn).session_name("sealpost").configure(&aws).build().await;
        Ok(aws.into_builder().credentials_provider(SharedCredentialsProvider::new(role)).build())
    }

    async fn load_without_role(&self) -> anyhow::Result<SdkConfig> {
        let mut aws = aws_config::defaults(BehaviorVersion::latest());
        if let Some(profile) = &self.profile {
            aws = aws.profile_name(profile);
        }
        if let Some(region) = &self.region {
            aws = aws.region(aws_config::Region::new(region.clone()));
        }
        if let Some(endpoint_url) = &self.endpoint_url {
            aws = aws.endpoint_url(endpoint_url);
        }
        let aws = aws.load().await;
        anyhow::ensure!(aws.region().is_some(), "no AWS region is known; give --region or set AWS_REGION");
        Ok(aws)
    }
}
