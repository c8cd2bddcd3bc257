//! The end of a receive: the verdict, and the one place that acts on it.

use std::time::Duration;

use shared::telemetry::Fact;
use shared::{DeadLetterReason, MessageId, Timestamp, TraceId, TriggerSource};

use crate::claiming::Grant;
use crate::delivery::Trail;
use crate::phone_region::Country;
use crate::queue::DeadLetter;
use crate::record::Record;
use crate::settlement::{Circumstances, Ending, RetryReason, Verdict, after_refused_dead_letter, settle};
use crate::state::Status;
use crate::worker::Worker;

/// Whether the record's message is done with, or stays in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Done,
    StaysInQueue,
}

/// How the work on a record ended, and what is then known of its message.
pub(crate) struct Worked {
    pub(crate) ending: Ending,
    /// None where the body could not be read, as are the next two.
    pub(crate) id: Option<MessageId>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) trigger_source: Option<TriggerSource>,
    /// None where the message was not admitted.
    pub(crate) admitted: Option<Facts>,
    /// The claim that is still held.
    pub(crate) grant: Option<Grant>,
    pub(crate) trail: Trail,
}

/// What an admitted message's verdict and log line need.
pub(crate) struct Facts {
    pub(crate) trigger_source: TriggerSource,
    pub(crate) country: Country,
    pub(crate) accepted_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// A message as the facts about it name it.
#[derive(Clone, Copy)]
struct Named<'r> {
    /// SQS's id where the body could not be read.
    id: &'r str,
    trace: Option<TraceId<'r>>,
    trigger_source: Option<TriggerSource>,
}

impl Worked {
    pub(crate) fn without_attempt(ending: Ending) -> Self {
        Self {
            ending,
            id: None,
            expires_at: None,
            trigger_source: None,
            admitted: None,
            grant: None,
            trail: Trail::default(),
        }
    }
}

impl Worker {
    /// Comes to the verdict and acts on it: the only place that does.
    pub(crate) async fn conclude(&self, record: &Record, worked: Worked) -> Settled {
        let Worked { ending, id: message_id, expires_at, trigger_source, admitted, grant, trail } = worked;
        let id = message_id.as_ref().map_or(record.message_id.as_str(), MessageId::as_str);
        let named = Named { id, trace: record.trace(), trigger_source };
        let now = self.clock.now();
        let circumstances = Circumstances {
            now,
            sent_at: self.sent_at(record),
            expires_at,
            trigger_source,
            receive_count: record.receive_count(),
            unit: self.with_random(fastrand::Rng::f64),
        };
        let attempts = trail.attempts;
        let give_back = async |status| {
            if let (Some(id), Some(grant)) = (&message_id, &grant) {
                self.give_back(&self.page(record, id), grant, status, attempts).await;
            }
        };
        match settle(ending, circumstances, &self.config.retry) {
            Verdict::Delivered { provider, provider_message_id } => {
                if let Some(facts) = &admitted {
                    self.telemetry.record(&Fact::Delivered {
                        id,
                        trace: named.trace,
                        trigger_source: facts.trigger_source,
                        provider: &provider,
                        provider_message_id: provider_message_id.as_str(),
                        country: &facts.country.to_string(),
                        country_has_route: self.config.route.names(facts.country),
                        time_to_provider: between(facts.accepted_at, now),
                        code_lifetime_left: between(now, facts.expires_at),
                    });
                }
                // Before the answer: what is redelivered must find it.
                give_back(Status::Sent).await;
                Settled::Done
            }
            Verdict::AlreadySent => {
                if let Some(trigger_source) = trigger_source {
                    self.telemetry.record(&Fact::Duplicate { id, trace: named.trace, trigger_source });
                }
                Settled::Done
            }
            // Beside the postponement, since the message stays out of sight for a second at least, and whoever gets it
            // sooner waits for the lease's end.
            Verdict::Retry { after, reason } => {
                tokio::join!(self.postpone(record, named, after, reason), give_back(Status::Retry)).0
            }
            Verdict::DeadLetter { reason, detail } => {
                let attempts = grant.as_ref().map_or(0, Grant::attempts_before).saturating_add(attempts);
                let dead_letter = self.dead_letter(record, named, reason, &detail, &trail, attempts);
                // Beside it, since nobody claims the message before it is redriven or received again.
                if tokio::join!(dead_letter, give_back(Status::DeadLettered)).0 {
                    return Settled::Done;
                }
                let after = after_refused_dead_letter(circumstances);
                self.postpone(record, named, after, RetryReason::DeadLetterQueueUnavailable).await
            }
        }
    }

    async fn postpone(&self, record: &Record, named: Named<'_>, after: Duration, reason: RetryReason) -> Settled {
        let Named { id, trace, trigger_source } = named;
        if let Err(error) = self.queue.postpone(&record.receipt_handle, after).await {
            // It stays in the queue all the same, and comes back when its visibility timeout ends.
            let error = &error.to_string();
            self.telemetry.record(&Fact::QueueCallFailed { id, trace, call: "ChangeMessageVisibility", error });
        }
        let (reason, receive_count) = (reason.as_str(), record.receive_count());
        self.telemetry.record(&Fact::Retried { id, trace, trigger_source, reason, after, receive_count });
        Settled::StaysInQueue
    }

    /// Whether the dead-letter queue took it.
    async fn dead_letter(
        &self,
        record: &Record,
        named: Named<'_>,
        reason: DeadLetterReason,
        detail: &str,
        trail: &Trail,
        attempts: u32,
    ) -> bool {
        let Named { id, trace, trigger_source } = named;
        let receive_count = record.receive_count();
        let letter = DeadLetter {
            body: &record.body,
            reason,
            detail,
            provider: trail.last_provider.as_deref(),
            attempts,
            failed_at: self.clock.now(),
            redriven: record.redriven,
            trace_header: record.trace_header(),
        };
        match self.queue.dead_letter(&letter).await {
            Ok(()) => {
                self.telemetry.record(&Fact::DeadLettered { id, trace, trigger_source, reason, detail, receive_count });
                true
            }
            Err(error) => {
                let error = &error.to_string();
                self.telemetry.record(&Fact::QueueCallFailed { id, trace, call: "SendMessage", error });
                false
            }
        }
    }
}

/// From one moment to a later one; clocks of two machines may disagree, then it is zero.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
