//! Receiving: waiting until there is something, and telling no more than was asked.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};
use sqs::{AttributeValue, Delivery, MessageAttribute, Received, TRACE_HEADER};
use tokio::{sync::Notify, time::Instant};

use super::{
    super::service::read,
    Refusal, SqsService,
    messages::{md5_of_attributes, md5_of_body},
    requests,
};

/// How soon to look again while too many messages are in flight: nobody signals a deletion.
const OVER_LIMIT_PAUSE: Duration = Duration::from_millis(100);

/// The system attributes that may be asked for. Those of FIFO queues are known, and never there.
const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    TRACE_HEADER,
    "DeadLetterQueueSourceArn",
];

impl SqsService {
    pub(super) async fn receive_message(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: requests::Receive = read(body)?;
        let asked = Asked::new(&request)?;
        let queue = self.queue_name(&request.queue_url)?;
        let wait = self.account().wait_seconds(queue, request.wait_time_seconds)?;
        let receive = sqs::Receive {
            max_messages: request.max_number_of_messages.unwrap_or(1),
            visibility_timeout: request.visibility_timeout,
        };
        let deliveries = self.receive_within(queue, receive, Duration::from_secs(wait)).await?;
        if deliveries.is_empty() {
            return Ok(json!({}));
        }
        Ok(json!({ "Messages": deliveries.iter().map(|delivery| asked.told(delivery)).collect::<Vec<_>>() }))
    }

    /// Looks now, and again whenever something may have changed, until there is a message or the time is over. A client
    /// that goes away ends this future at one of its awaits, where it holds no message.
    async fn receive_within(
        &self,
        queue: &str,
        receive: sqs::Receive,
        wait: Duration,
    ) -> Result<Vec<Delivery>, sqs::Error> {
        let deadline = Instant::now() + wait;
        let arrivals = self.arrivals_at(queue);
        loop {
            // Made before looking: it notices every arrival from here on, none falls between looking and waiting.
            let arrival = arrivals.notified();
            let next = match self.look(queue, receive) {
                Ok(Look::Found(deliveries)) => return Ok(deliveries),
                Ok(Look::Nothing { next }) => next,
                // AWS reports this to short polls only; long polls wait.
                Err(sqs::Error::OverLimit { .. }) if !wait.is_zero() => Some(OVER_LIMIT_PAUSE),
                Err(error) => return Err(error),
            };
            let now = Instant::now();
            if now >= deadline {
                return Ok(Vec::new());
            }
            let until = next.map_or(deadline, |next| deadline.min(now + next));
            tokio::select! {
                () = arrival => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }

    fn look(&self, queue: &str, receive: sqs::Receive) -> Result<Look, sqs::Error> {
        let mut account = self.account();
        let now = self.now();
        let Received { deliveries, dead_lettered } = account.receive(queue, receive, now)?;
        let next = account.next_event(queue, now).map(|moment| moment - now);
        drop(account);
        if let Some(moved) = dead_lettered {
            self.wake(&moved.queue);
        }
        Ok(if deliveries.is_empty() { Look::Nothing { next } } else { Look::Found(deliveries) })
    }

    fn arrivals_at(&self, queue: &str) -> Arc<Notify> {
        Arc::clone(self.arrivals().entry(queue.to_owned()).or_default())
    }
}

enum Look {
    Found(Vec<Delivery>),
    /// Nothing now; the soonest that time alone brings something is after `next`.
    Nothing {
        next: Option<Duration>,
    },
}

/// Which attributes a receiver wants to be told.
struct Asked<'a> {
    system: Vec<&'a str>,
    message: &'a [String],
}

impl<'a> Asked<'a> {
    fn new(request: &'a requests::Receive) -> Result<Self, sqs::Error> {
        let names = request.attribute_names.iter().chain(&request.message_system_attribute_names);
        let system: Vec<&str> = names.map(String::as_str).collect();
        match system.iter().find(|name| !SYSTEM_ATTRIBUTES.contains(name)) {
            Some(unknown) => Err(sqs::Error::InvalidAttributeName { name: unknown.chars().take(200).collect() }),
            None => Ok(Self { system, message: &request.message_attribute_names }),
        }
    }

    fn wants_system(&self, name: &str) -> bool {
        self.system.iter().any(|asked| *asked == "All" || *asked == name)
    }

    /// By name, by `All` or `.*`, or by a prefix: `trace.*`.
    fn wants_message(&self, name: &str) -> bool {
        self.message.iter().any(|asked| {
            asked == "All" || asked == name || asked.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
        })
    }

    fn told(&self, delivery: &Delivery) -> Value {
        let message = &delivery.message;
        let mut told = json!({
            "MessageId": message.id,
            "ReceiptHandle": delivery.receipt_handle,
            "MD5OfBody": md5_of_body(&message.body),
            "Body": message.body,
        });
        let system = [
            ("SenderId", Some(message.sender_id.clone())),
            ("SentTimestamp", Some(message.sent_at.unix_millis().to_string())),
            ("ApproximateReceiveCount", Some(delivery.receive_count.to_string())),
            ("ApproximateFirstReceiveTimestamp", Some(delivery.first_received_at.unix_millis().to_string())),
            ("MessageGroupId", message.group_id.clone()),
            (TRACE_HEADER, message.trace_header.clone()),
            ("DeadLetterQueueSourceArn", delivery.dead_letter_source.as_deref().map(str::to_owned)),
        ];
        let system: Map<String, Value> = system
            .into_iter()
            .filter(|(name, _)| self.wants_system(name))
            .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
            .collect();
        if !system.is_empty() {
            told["Attributes"] = system.into();
        }
        let attributes = || message.attributes.iter().filter(|(name, _)| self.wants_message(name));
        // The checksum is over what is told, not over what was sent.
        if let Some(md5) = md5_of_attributes(attributes()) {
            told["MD5OfMessageAttributes"] = md5.into();
            told["MessageAttributes"] =
                attributes().map(|(name, it)| (name.clone(), wire(it))).collect::<Map<_, _>>().into();
        }
        told
    }
}

fn wire(attribute: &MessageAttribute) -> Value {
    match &attribute.value {
        AttributeValue::Text(text) => json!({ "DataType": attribute.data_type, "StringValue": text }),
        AttributeValue::Binary(bytes) => {
            json!({ "DataType": attribute.data_type, "BinaryValue": BASE64.encode(bytes) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_attributes_are_told_by_name_prefix_or_all_together() {
        for (asked, name, told) in [
            ("All", "anything", true),
            (".*", "anything", true),
            ("trace.*", "trace.id", true),
            ("trace.*", "other", false),
            ("redriven", "redriven", true),
            ("redriven", "redriven2", false),
        ] {
            let message = [asked.to_owned()];
            assert_eq!(Asked { system: vec![], message: &message }.wants_message(name), told, "{asked} {name}");
        }
    }
}
