//! The Lambda behind Cognito's CustomSMSSender trigger: it validates the event and puts it into the queue with
//! the code still encrypted. It holds no key, knows no provider and waits for neither.

mod aws;
mod enqueue;
mod refusal;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use shared::telemetry::{Fact, Telemetry};
use shared::{Clock, CognitoEvent, MessageId, QueueMessage, Settings, TraceHeader, TraceId, UserPoolId};

pub use aws::sdk_config;
pub use enqueue::{EnqueueError, MainQueue, sqs_config};
pub use refusal::Refusal;

/// Accepts events on behalf of Cognito.
pub struct Producer {
    pub settings: Settings,
    /// `USER_POOL_IDS`; none allows every pool.
    pub allowed_pools: Option<BTreeSet<UserPoolId>>,
    pub queue: MainQueue,
    pub clock: Clock,
    pub telemetry: Arc<dyn Telemetry>,
}

/// What Lambda says about an invocation besides its payload.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    pub request_id: String,
    pub trace: Option<TraceHeader>,
}

impl Invocation {
    fn trace_id(&self) -> Option<TraceId<'_>> {
        self.trace.as_ref().and_then(TraceHeader::trace_id)
    }
}

impl Producer {
    /// Puts the event into the queue, or says why it cannot be.
    ///
    /// # Errors
    /// When the event can never be sent, or the queue was not reached within its budget.
    pub async fn accept(&self, event: &[u8], invocation: &Invocation) -> Result<(), Refusal> {
        let began = Instant::now();
        let outcome = self.validate_and_enqueue(event, invocation, began).await;
        if let Err(refusal) = &outcome {
            self.record(refusal, invocation);
        }
        outcome
    }

    async fn validate_and_enqueue(&self, event: &[u8], invocation: &Invocation, began: Instant) -> Result<(), Refusal> {
        let message = self.validate(event, invocation)?;
        let body = message.to_json().map_err(|cause| Refusal::Message { id: message.id.clone(), cause })?;
        self.queue
            .send(&message, body, invocation.trace.as_ref())
            .await
            .map_err(|cause| Refusal::NotEnqueued { id: message.id.clone(), cause })?;
        self.telemetry.record(&Fact::Accepted {
            id: &message.id,
            trace: invocation.trace_id(),
            trigger_source: message.event.trigger_source(),
            user_pool: message.event.user_pool(),
            to: message.event.phone_number(),
            sealed_code: message.event.code(),
            took: began.elapsed(),
        });
        Ok(())
    }

    fn validate(&self, event_json: &[u8], invocation: &Invocation) -> Result<QueueMessage, Refusal> {
        let mut event = CognitoEvent::parse(event_json)?;
        let id = match event.code() {
            Some(code) => code.message_id().clone(),
            None => MessageId::of_event_without_code(event_json, &invocation.request_id),
        };
        let pool = event.user_pool();
        if self.allowed_pools.as_ref().is_some_and(|allowed| !allowed.contains(pool)) {
            return Err(Refusal::PoolNotAllowed { id, pool: pool.clone() });
        }
        if let Some(code) = event.code()
            && let Err(cause) = code.check(pool, &self.settings.trust)
        {
            return Err(Refusal::UntrustedCode { id, cause });
        }
        let lifetime = self.settings.lifetimes.of(event.trigger_source(), event.client_id());
        event.strip(&self.settings.privacy);
        let now = self.clock.now();
        let first_attempt = invocation.trace.as_ref().and_then(|trace| trace.first_attempt(now));
        Ok(QueueMessage::new(event, id, first_attempt.unwrap_or(now), lifetime))
    }

    fn record(&self, refusal: &Refusal, invocation: &Invocation) {
        let (error, message, trace) = (refusal.kind(), &refusal.to_string(), invocation.trace_id());
        self.telemetry.record(&match refusal {
            Refusal::NotEnqueued { id, .. } => Fact::NotEnqueued { id, trace, error, message },
            Refusal::Event(_)
            | Refusal::PoolNotAllowed { .. }
            | Refusal::UntrustedCode { .. }
            | Refusal::Message { .. } => Fact::Rejected { id: refusal.id(), trace, error, message },
        });
    }
}
