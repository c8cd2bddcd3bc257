//! One queue: what may be done with its messages.

use std::{sync::Arc, time::Duration};

use crate::{
    Error, Limits, Message, NewMessage, Timestamp,
    attributes::Settings,
    ids::ReceiptHandle,
    limits::{self, within},
    storage::{Place, Storage, Stored},
};

/// What a receive asks for. The defaults are those of SQS: one message, the queue's visibility timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receive {
    /// 1 to 10.
    pub max_messages: i64,
    /// 0 to 43,200 seconds; the queue's own when absent.
    pub visibility_timeout: Option<i64>,
}

impl Default for Receive {
    fn default() -> Self {
        Self { max_messages: 1, visibility_timeout: None }
    }
}

/// What a receive gave, and what it moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The messages, in their turn.
    pub deliveries: Vec<Delivery>,
    /// The messages that this receive found received too often, if there were any.
    pub dead_lettered: Option<DeadLettered>,
}

/// Messages that the redrive policy took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLettered {
    /// The dead-letter queue, by name.
    pub queue: String,
    /// The messages, by id.
    pub message_ids: Vec<String>,
}

/// One receive of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub message: Arc<Message>,
    /// Stands for this very receive.
    pub receipt_handle: String,
    /// How often the message was received, this time included and counted through dead-letter queues.
    pub receive_count: u32,
    /// When it was first received.
    pub first_received_at: Timestamp,
    /// The ARN of the queue that it was moved from, if this is a dead letter.
    pub dead_letter_source: Option<Arc<str>>,
}

/// How many messages are where. Exact, unlike on AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Receivable: ApproximateNumberOfMessages.
    pub ready: usize,
    /// Received and not yet deleted: ApproximateNumberOfMessagesNotVisible.
    pub in_flight: usize,
    /// Sent with a delay: ApproximateNumberOfMessagesDelayed.
    pub delayed: usize,
}

/// How much a dead-letter queue can still take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    messages: usize,
    bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) name: String,
    /// Distinguishes this queue from an earlier one of the same name, in receipt handles.
    pub(crate) number: u64,
    pub(crate) settings: Settings,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    purged_at: Option<Timestamp>,
    pub(crate) storage: Storage,
}

impl Queue {
    pub(crate) fn new(name: &str, number: u64, settings: Settings, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            number,
            settings,
            created_at: now,
            modified_at: now,
            purged_at: None,
            storage: Storage::default(),
        }
    }

    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.storage.advance(now, self.settings.retention());
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { ready: self.storage.ready(), in_flight: self.storage.in_flight(), delayed: self.storage.delayed() }
    }

    pub(crate) fn room(&self, limits: &Limits) -> Room {
        Room {
            messages: limits.messages_per_queue.saturating_sub(self.storage.len()),
            bytes: limits.bytes_per_queue.saturating_sub(self.storage.bytes()),
        }
    }

    pub(crate) fn send(
        &mut self,
        key: u64,
        message: NewMessage,
        id: String,
        sender_id: &str,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Arc<Message>, Error> {
        let delay = message.check(&self.settings)?;
        let message = message.into_message(id, sender_id, now);
        if !self.room(limits).take(message.stored_bytes()) {
            return Err(Error::QueueFull {
                queue: self.name.clone(),
                messages: self.storage.len(),
                bytes: self.storage.bytes(),
            });
        }
        let place = match delay {
            0 => Place::Ready { since: now },
            seconds => Place::Delayed { until: now + Duration::from_secs(seconds) },
        };
        let message = Arc::new(message);
        let stored = Stored {
            message: Arc::clone(&message),
            receive_count: 0,
            first_received_at: None,
            dead_letter_source: None,
            place,
        };
        self.storage.insert(key, stored);
        Ok(message)
    }

    /// Takes the messages whose turn it is. Those that would exceed the redrive policy's count come back as the second
    /// part, for the caller to put into the dead-letter queue, as far as that has `room`; without room, or without a
    /// dead-letter queue, they are delivered once more rather than lost or stuck.
    pub(crate) fn receive(
        &mut self,
        request: Receive,
        mut room: Option<Room>,
        limits: &Limits,
        seed: u64,
        now: Timestamp,
    ) -> Result<(Vec<Delivery>, Vec<Stored>), Error> {
        let most = within("MaxNumberOfMessages", request.max_messages, limits::RECEIVE_MESSAGES)?;
        let timeout = match request.visibility_timeout {
            Some(timeout) => within("VisibilityTimeout", timeout, limits::VISIBILITY_SECONDS)?,
            None => self.settings.visibility_timeout,
        };
        let until = now + Duration::from_secs(timeout);
        if self.storage.in_flight() >= limits.in_flight_per_queue {
            return Err(Error::OverLimit { queue: self.name.clone(), in_flight: self.storage.in_flight() });
        }
        let most_received = self.settings.redrive.as_ref().map(|policy| policy.max_receive_count);
        let (mut deliveries, mut keys, mut exhausted) = (Vec::new(), Vec::new(), Vec::new());
        while (keys.len() as u64) < most
            && self.storage.in_flight() < limits.in_flight_per_queue
            && let Some(key) = self.storage.next_ready()
        {
            if let Some(stored) = self.storage.get(key)
                && most_received.is_some_and(|most| stored.receive_count >= most)
                && room.as_mut().is_some_and(|room| room.take(stored.message.stored_bytes()))
            {
                exhausted.extend(self.storage.remove(key));
                continue;
            }
            if let Some(stored) = self.storage.receive(key, until, now) {
                let handle = ReceiptHandle { queue: self.number, key, receive: stored.receive_count };
                deliveries.push(Delivery {
                    message: Arc::clone(&stored.message),
                    receipt_handle: handle.encode(seed),
                    receive_count: stored.receive_count,
                    first_received_at: stored.first_received_at.unwrap_or(now),
                    dead_letter_source: stored.dead_letter_source.clone(),
                });
            }
            keys.push(key);
        }
        if timeout == 0 {
            // Only now, so that one receive does not give the same message twice.
            keys.into_iter().for_each(|key| self.storage.place(key, Place::Ready { since: now }));
        }
        Ok((deliveries, exhausted))
    }

    /// Deletes the message that the handle's receive gave.
    ///
    /// AWS documents for standard queues that deletion takes the handle of the most recent receive; with an older one
    /// "the request succeeds, but the message will not be deleted". So does the model: whoever overran the visibility
    /// timeout cannot delete a message under the hands of the next receiver. A visibility timeout that merely ended
    /// leaves the handle the most recent one. Deleting a message that is gone succeeds too.
    pub(crate) fn delete(&mut self, handle: &str, seed: u64) -> Result<(), Error> {
        let handle = self.own_handle(handle, seed)?;
        if self.storage.get(handle.key).is_some_and(|stored| stored.receive_count == handle.receive) {
            self.storage.remove(handle.key);
        }
        Ok(())
    }

    /// Lets the visibility timeout end so many seconds from now; at once for zero.
    ///
    /// Refused when the handle's receive is over: because its timeout ended, because the message was received again or
    /// deleted. AWS documents MessageNotInflight for this, but has been seen to ignore such a call in silence; the
    /// model takes the strict reading, so that a caller is ready for either.
    pub(crate) fn change_visibility(
        &mut self,
        handle: &str,
        timeout: i64,
        seed: u64,
        now: Timestamp,
    ) -> Result<(), Error> {
        let handle = self.own_handle(handle, seed)?;
        let seconds = within("VisibilityTimeout", timeout, limits::VISIBILITY_SECONDS)?;
        let received_at = match self.storage.get(handle.key) {
            Some(Stored { receive_count, place: Place::InFlight { received_at, .. }, .. })
                if *receive_count == handle.receive =>
            {
                *received_at
            }
            Some(_) | None => return Err(Error::MessageNotInflight),
        };
        let until = now + Duration::from_secs(seconds);
        let longest = Duration::from_secs(limits::VISIBILITY_SECONDS.end().unsigned_abs());
        if until - received_at > longest {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            return Err(Error::invalid_parameter("VisibilityTimeout", &timeout.to_string(), reason));
        }
        let place = if seconds == 0 { Place::Ready { since: now } } else { Place::InFlight { until, received_at } };
        self.storage.place(handle.key, place);
        Ok(())
    }

    /// Drops every message, whatever its state.
    pub(crate) fn purge(&mut self, now: Timestamp) -> Result<(), Error> {
        let pause = Duration::from_secs(limits::PURGE_PAUSE_SECONDS);
        if self.purged_at.is_some_and(|purged_at| now < purged_at + pause) {
            return Err(Error::PurgeQueueInProgress { queue: self.name.clone() });
        }
        self.purged_at = Some(now);
        self.storage = Storage::default();
        Ok(())
    }

    fn own_handle(&self, text: &str, seed: u64) -> Result<ReceiptHandle, Error> {
        if text.is_empty() {
            return Err(Error::MissingParameter { parameter: "ReceiptHandle" });
        }
        ReceiptHandle::decode(text, seed)
            .filter(|handle| handle.queue == self.number)
            .ok_or(Error::ReceiptHandleIsInvalid)
    }
}

impl Room {
    /// Whether a message of so many bytes fits; if so, it has its place.
    fn take(&mut self, bytes: usize) -> bool {
        let fits = self.messages > 0 && self.bytes >= bytes;
        if fits {
            self.messages -= 1;
            self.bytes -= bytes;
        }
        fits
    }
}

/// Refuses names that no standard queue can have.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::MissingParameter { parameter: "QueueName" });
    }
    let sound =
        name.len() <= 80 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
    if sound { Ok(()) } else { Err(Error::invalid_parameter("QueueName", name, reason)) }
}
