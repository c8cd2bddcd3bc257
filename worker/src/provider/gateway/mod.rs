//! Any gateway that takes an SMS in one HTTP request: what to send and how to read the answer is written in the
//! configuration.

mod classify;
mod credential_names;
mod json;
mod pointer;
mod reading;
mod request;
mod request_fields;
mod rules;
#[cfg(test)]
mod sample;
mod settings;
mod template;
mod variables;

use std::time::Duration;

use async_trait::async_trait;
use shared::Clock;

use super::http::{HttpClientError, HttpSettings, exchange, http_client, open_connection};
use super::{Attempt, OutcomeCode, OutgoingRequest, Provider, Sms};
use classify::Answers;
use request::Request;
use variables::Values;

pub use settings::HttpGatewaySettings;

/// One gateway as the configuration describes it.
pub struct HttpGateway {
    name: String,
    request: Request,
    answers: Answers,
    max_validity: Option<Duration>,
    timeout: Duration,
    client: reqwest::Client,
    clock: Clock,
}

impl HttpGateway {
    /// # Errors
    /// When the HTTPS client cannot be set up.
    pub fn new(settings: HttpGatewaySettings, clock: Clock) -> Result<Self, HttpClientError> {
        let HttpGatewaySettings { name, request, answers, max_validity, timeouts } = settings;
        let https_only = request.base_url.is_https();
        let client = http_client(&HttpSettings { connect_timeout: timeouts.connect, https_only })?;
        Ok(Self { name, request, answers, max_validity, timeout: timeouts.attempt, client, clock })
    }

    /// The request that sends this SMS now.
    pub fn request(&self, sms: &Sms<'_>) -> OutgoingRequest {
        self.request.fill(&Values::of(sms, self.max_validity, self.clock.now()))
    }
}

#[async_trait]
impl Provider for HttpGateway {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, sms: &Sms<'_>) -> Attempt {
        let exchange = exchange(&self.client, self.request(sms), self.timeout.min(sms.timeout), &self.clock).await;
        exchange.into_attempt(|answer| self.answers.classify(answer, sms))
    }

    async fn connect(&self) -> Result<(), OutcomeCode> {
        open_connection(&self.client, &self.request.base_url.below([])).await
    }
}

impl std::fmt::Debug for HttpGateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpGateway").field("name", &self.name).finish_non_exhaustive()
    }
}
