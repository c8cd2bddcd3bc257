//! Twilio Programmable Messaging.
//!
//! Not idempotent: the API takes no reference of ours, so a repeated request is a second SMS
//! (<https://www.twilio.com/docs/messaging/api/message-resource>).

mod classify;
mod request;
mod settings;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use shared::Clock;

use super::http::{BasicAuth, HttpClientError, HttpSettings, exchange, http_client, open_connection};
use super::{Attempt, OutcomeCode, OutgoingRequest, Provider, Sms};
use settings::Sender;

pub use settings::TwilioSettings;

/// One Twilio account and sender.
pub struct Twilio {
    name: String,
    endpoint: reqwest::Url,
    credentials: BasicAuth,
    sender: Sender,
    discard_content: bool,
    timeout: Duration,
    client: reqwest::Client,
    /// Read only where an answer's Retry-After is a date.
    clock: Clock,
}

impl Twilio {
    /// # Errors
    /// When the HTTPS client cannot be set up.
    pub fn new(settings: TwilioSettings, clock: Clock) -> Result<Self, HttpClientError> {
        let TwilioSettings { name, base_url, account_sid, credentials, sender, discard_content, timeouts } = settings;
        let client = http_client(&HttpSettings { connect_timeout: timeouts.connect, https_only: base_url.is_https() })?;
        let endpoint = base_url.below(["2010-04-01", "Accounts", &account_sid, "Messages.json"]);
        Ok(Self { name, endpoint, credentials, sender, discard_content, timeout: timeouts.attempt, client, clock })
    }

    /// The request that sends this SMS.
    pub fn request(&self, sms: &Sms<'_>) -> OutgoingRequest {
        let form = request::form(sms, &self.sender, self.discard_content);
        let mut request = OutgoingRequest::new(Method::POST, self.endpoint.clone(), form);
        request.set(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        request.set(ACCEPT, HeaderValue::from_static("application/json"));
        request.set(AUTHORIZATION, self.credentials.header());
        request
    }
}

#[async_trait]
impl Provider for Twilio {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, sms: &Sms<'_>) -> Attempt {
        let exchange = exchange(&self.client, self.request(sms), self.timeout.min(sms.timeout), &self.clock).await;
        exchange.into_attempt(classify::classify)
    }

    async fn connect(&self) -> Result<(), OutcomeCode> {
        open_connection(&self.client, &self.endpoint).await
    }
}

impl std::fmt::Debug for Twilio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twilio").field("name", &self.name).finish_non_exhaustive()
    }
}
