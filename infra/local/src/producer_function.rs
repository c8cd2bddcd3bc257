//! The producer as a Lambda function of this process.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use producer::{Invocation, MainQueue, Producer};
use serde_json::Value;
use shared::telemetry::{JsonLines, MetricsNamespace};
use shared::{Clock, Settings, TraceHeader, UserPoolId};
use tokio::sync::mpsc::UnboundedSender;

use crate::aws::{FunctionError, InvocationContext, LambdaFunction};
use crate::both::Both;
use crate::journey::{Ending, Heard, Journey, Observer};

/// The producer's code, and whom to tell what becomes of its invocations.
pub(crate) struct ProducerFunction {
    pub(crate) pool: UserPoolId,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) queue_url: String,
    pub(crate) heard: UnboundedSender<Heard>,
}

#[async_trait]
impl LambdaFunction for ProducerFunction {
    async fn invoke(&self, payload: &[u8], context: &InvocationContext) -> Result<Vec<u8>, FunctionError> {
        let began = Instant::now();
        let _under_way = UnderWay::begin(&self.heard);
        let request_id = context.request_id.clone();
        let invocation = Invocation { request_id: request_id.clone(), trace: TraceHeader::parse(&context.trace) };
        let Err(refusal) = self.producer(context).accept(payload, &invocation).await else {
            return Ok(b"null".to_vec());
        };
        let (error_type, message) = (refusal.kind().to_owned(), refusal.to_string());
        let took = began.elapsed();
        let _ = self.heard.send(Heard::Refused(Journey {
            trigger_source: source_named_in(payload),
            producer: Some(took),
            total: took,
            ending: Ending::Refused { error_type: error_type.clone(), message: message.clone() },
            ..Journey::of_invocation(&request_id, Instant::now())
        }));
        Err(FunctionError { error_type, message })
    }
}

impl ProducerFunction {
    /// One whose telemetry knows the invocation.
    fn producer(&self, context: &InvocationContext) -> Producer {
        let invocation = Some(context.request_id.clone());
        let observer = Observer { heard: self.heard.clone(), invocation };
        let log = JsonLines::new(context.log.clone(), Clock::system(), MetricsNamespace::default());
        Producer {
            settings: Settings::default(),
            allowed_pools: Some([self.pool.clone()].into()),
            queue: MainQueue::new(self.sqs.clone(), self.queue_url.clone()),
            clock: Clock::system(),
            telemetry: Arc::new(Both(observer, log)),
        }
    }
}

/// Says that an invocation is under way for as long as it lives.
struct UnderWay<'h>(&'h UnboundedSender<Heard>);

impl<'h> UnderWay<'h> {
    fn begin(heard: &'h UnboundedSender<Heard>) -> Self {
        // Here and below: nobody listens any more once the run is over.
        let _ = heard.send(Heard::Invoked);
        Self(heard)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let _ = self.0.send(Heard::Returned);
    }
}

/// The trigger source of an event that was refused, if it can be shown.
fn source_named_in(payload: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(payload).ok()?;
    let source = event.get("triggerSource")?.as_str()?.rsplit('_').next()?;
    let can_be_shown = (1..=40).contains(&source.len()) && source.bytes().all(|byte| byte.is_ascii_alphanumeric());
    can_be_shown.then(|| source.to_owned())
}
