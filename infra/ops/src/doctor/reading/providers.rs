use std::time::Duration;

use futures_util::future::join_all;
use shared::Clock;
use worker::config::ProviderSettings;

/// Longer than any provider's own limit for connecting.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a provider answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) name: String,
    pub(crate) base_url: String,
    /// Why not, as an attempt would name it: `dns`, `connect`, `connect_timeout`, `tls`.
    pub(crate) failure: Option<String>,
}

/// Asks each provider of a configuration for nothing, as the worker does at its start, without credentials.
pub(super) async fn reach(providers: Vec<ProviderSettings>) -> Vec<Reached> {
    join_all(providers.into_iter().map(reach_one)).await
}

async fn reach_one(settings: ProviderSettings) -> Reached {
    let (name, base_url) = (settings.name().to_owned(), settings.base_url().as_str().to_owned());
    let failure = match settings.into_provider(&Clock::system()) {
        Ok(provider) => match tokio::time::timeout(PATIENCE, provider.connect()).await {
            Ok(Ok(())) => None,
            Ok(Err(code)) => Some(code.as_str().to_owned()),
            Err(_) => Some("no answer".to_owned()),
        },
        Err(error) => Some(error.to_string()),
    };
    Reached { name, base_url, failure }
}
