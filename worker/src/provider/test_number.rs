//! The provider of `[[test_number]]`s.

use async_trait::async_trait;

use super::{Attempt, Outcome, Provider, ProviderMessageId, Sms};

/// Accepts everything at once and sends nothing.
pub(crate) struct TestNumberProvider;

impl TestNumberProvider {
    /// No `[[provider]]` can have it.
    pub(crate) const NAME: &str = "test-number";
}

#[async_trait]
impl Provider for TestNumberProvider {
    fn name(&self) -> &str {
        Self::NAME
    }

    async fn send(&self, _: &Sms<'_>) -> Attempt {
        Attempt { outcome: Outcome::Accepted { provider_message_id: ProviderMessageId::NOT_GIVEN }, code: None }
    }
}
