//! Who runs the command: for audit records, and because the worker asks who has written a message.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use serde::Serialize;

use super::received::principal;

/// Somebody at a terminal.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Operator {
    /// On this machine.
    user: Option<String>,
    /// As AWS knows them; nothing where there is no STS to ask.
    arn: Option<String>,
    /// The part of their `SenderId` before the colon.
    pub(crate) principal: Option<String>,
}

impl Operator {
    /// Asks STS; an emulator without it leaves two answers open.
    pub(crate) async fn find(aws: &SdkConfig) -> Self {
        let patience = TimeoutConfig::builder().operation_timeout(Duration::from_secs(3)).build();
        let config = aws_sdk_sts::config::Builder::from(aws);
        let config = config.timeout_config(patience).retry_config(RetryConfig::disabled()).build();
        let identity = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await.ok();
        let (arn, user_id) = identity.map(|identity| (identity.arn, identity.user_id)).unwrap_or_default();
        let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|variable| std::env::var(variable).ok());
        Self { user, arn, principal: user_id.map(|id| principal(&id).to_owned()) }
    }
}
