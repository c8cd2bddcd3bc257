//! The queues of one account in one region: everything that can be asked of the model.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Counts, DeadLettered, Entry, EntryResult, Error, Limits, Message, NewMessage, Receive, Received, Timestamp,
    attributes::{self, RedrivePolicy, Settings},
    batch,
    ids::IdSource,
    limits,
    queue::{self, Queue},
    storage::{Place, Stored},
};

/// All queues of an account in a region.
///
/// Time may stand still but never runs backwards: a `now` earlier than one seen before counts as that one, so a wall
/// clock that is set back does no harm.
#[derive(Debug)]
pub struct Account {
    region: String,
    account_id: String,
    limits: Limits,
    ids: IdSource,
    /// Counts messages as they enter a queue; breaks ties between those of the same moment.
    entered: u64,
    latest: Timestamp,
    queues: BTreeMap<String, Queue>,
}

impl Account {
    /// An account without queues. Message ids and receipt handles follow from the seed.
    pub fn new(region: &str, account_id: &str, seed: u64, limits: Limits) -> Self {
        Self {
            region: region.to_owned(),
            account_id: account_id.to_owned(),
            limits,
            ids: IdSource::new(seed),
            entered: 0,
            latest: Timestamp::default(),
            queues: BTreeMap::new(),
        }
    }

    /// The ARN that a queue of this name has here.
    pub fn queue_arn(&self, queue: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{queue}", self.region, self.account_id)
    }

    /// Creates a queue. When it exists already and has the given attributes, nothing happens.
    pub fn create_queue(
        &mut self,
        queue: &str,
        attributes: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let now = self.at(now);
        queue::check_name(queue)?;
        let settings = self.settings(queue, Settings::default(), attributes)?;
        if let Some(existing) = self.queues.get(queue) {
            let (asked, has) = (settings.to_map(), existing.settings.to_map());
            return match attributes.keys().find(|name| asked.get(*name) != has.get(*name)) {
                None => Ok(()),
                Some(name) => Err(Error::QueueNameExists { queue: queue.to_owned(), attribute: name.clone() }),
            };
        }
        if self.queues.len() >= self.limits.queues {
            return Err(Error::TooManyQueues { queues: self.queues.len() });
        }
        let number = self.ids.number();
        self.queues.insert(queue.to_owned(), Queue::new(queue, number, settings, now));
        Ok(())
    }

    /// Deletes a queue with all its messages.
    pub fn delete_queue(&mut self, queue: &str) -> Result<(), Error> {
        self.queues.remove(queue).map(drop).ok_or_else(|| Error::no_queue(queue))
    }

    /// Whether there is a queue of this name.
    pub fn has_queue(&self, queue: &str) -> bool {
        self.queues.contains_key(queue)
    }

    /// The names of the queues that begin with `prefix`, sorted.
    pub fn list_queues(&self, prefix: &str) -> impl Iterator<Item = &str> {
        let from_prefix = self.queues.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
        from_prefix.map(|(name, _)| name.as_str()).take_while(move |name| name.starts_with(prefix))
    }

    /// The names of the queues whose redrive policy names this queue, sorted.
    pub fn dead_letter_sources(&self, queue: &str) -> Result<Vec<String>, Error> {
        self.queue(queue)?;
        let arn = self.queue_arn(queue);
        let names_it = |policy: &RedrivePolicy| policy.target_arn == arn;
        let sources = self.queues.values().filter(|source| source.settings.redrive.as_ref().is_some_and(names_it));
        Ok(sources.map(|source| source.name.clone()).collect())
    }

    /// The attributes that were asked for: by name, or all of them by `All`.
    pub fn queue_attributes(
        &mut self,
        queue: &str,
        names: &[impl AsRef<str>],
        now: Timestamp,
    ) -> Result<BTreeMap<String, String>, Error> {
        let arn = self.queue_arn(queue);
        let queue = self.current(queue, now)?;
        let mut all = queue.settings.to_map();
        let counts = queue.counts();
        let described = [
            arn,
            counts.ready.to_string(),
            counts.in_flight.to_string(),
            counts.delayed.to_string(),
            queue.created_at.unix_seconds().to_string(),
            queue.modified_at.unix_seconds().to_string(),
        ];
        all.extend(attributes::READ_ONLY.map(str::to_owned).into_iter().zip(described));
        attributes::select(all, names)
    }

    /// Changes attributes, all of them or none. A shorter retention drops the messages that are too old for it.
    pub fn set_queue_attributes(
        &mut self,
        queue: &str,
        attributes: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let settings = self.settings(queue, self.queue(queue)?.settings.clone(), attributes)?;
        let now = self.at(now);
        let queue = self.current(queue, now)?;
        (queue.settings, queue.modified_at) = (settings, now);
        Ok(())
    }

    /// How long a receive waits: the seconds it asks for, 0 to 20, or the queue's own when it does not say.
    pub fn wait_seconds(&self, queue: &str, asked: Option<i64>) -> Result<u64, Error> {
        let queue = self.queue(queue)?;
        asked.map_or(Ok(queue.settings.wait), |wait| limits::within("WaitTimeSeconds", wait, limits::WAIT_SECONDS))
    }

    /// Sends a message. The answer holds its id.
    pub fn send(
        &mut self,
        queue: &str,
        message: NewMessage,
        sender_id: &str,
        now: Timestamp,
    ) -> Result<Arc<Message>, Error> {
        let now = self.at(now);
        self.entered += 1;
        let (key, id, limits) = (self.entered, self.ids.message_id(), self.limits.clone());
        self.current(queue, now)?.send(key, message, id, sender_id, &limits, now)
    }

    /// Sends up to ten messages of together at most 1 MiB. Each can fail by itself.
    pub fn send_batch(
        &mut self,
        queue: &str,
        entries: Vec<Entry<NewMessage>>,
        sender_id: &str,
        now: Timestamp,
    ) -> Result<Vec<EntryResult<Arc<Message>>>, Error> {
        self.queue(queue)?;
        batch::check(&entries)?;
        let bytes = entries.iter().map(|entry| entry.request.counted_bytes()).sum();
        if bytes > limits::MESSAGE_BYTES {
            return Err(Error::BatchRequestTooLong { bytes, limit: limits::MESSAGE_BYTES });
        }
        Ok(batch::each(entries, |message| self.send(queue, message, sender_id, now)))
    }

    /// Receives messages that are receivable now; waiting is the caller's (see [`Account::next_event`]). A message that
    /// would be received more often than the redrive policy allows goes to the dead-letter queue instead, with its id,
    /// send time, attributes and receive count.
    pub fn receive(&mut self, queue: &str, request: Receive, now: Timestamp) -> Result<Received, Error> {
        let now = self.at(now);
        let seed = self.ids.seed();
        let source_arn: Arc<str> = self.queue_arn(queue).into();
        let target = self.dead_letter_queue(queue)?;
        let limits = self.limits.clone();
        let room = match &target {
            Some(target) => Some(self.current(target, now)?.room(&limits)),
            None => None,
        };
        let (deliveries, exhausted) = self.current(queue, now)?.receive(request, room, &limits, seed, now)?;
        let dead_lettered = match target {
            Some(target) if !exhausted.is_empty() => Some(self.dead_letter(&target, exhausted, &source_arn, now)?),
            Some(_) | None => None,
        };
        Ok(Received { deliveries, dead_lettered })
    }

    /// Deletes the message that a receive gave, by that receive's handle. See the comment at the queue for old handles.
    pub fn delete(&mut self, queue: &str, receipt_handle: &str, now: Timestamp) -> Result<(), Error> {
        let seed = self.ids.seed();
        self.current(queue, now)?.delete(receipt_handle, seed)
    }

    /// Deletes up to ten messages. Each can fail by itself.
    pub fn delete_batch(
        &mut self,
        queue: &str,
        handles: Vec<Entry<String>>,
        now: Timestamp,
    ) -> Result<Vec<EntryResult<()>>, Error> {
        self.queue(queue)?;
        batch::check(&handles)?;
        Ok(batch::each(handles, |handle| self.delete(queue, &handle, now)))
    }

    /// Lets a message's visibility timeout end `seconds` from now: 0 makes it receivable at once.
    pub fn change_visibility(
        &mut self,
        queue: &str,
        receipt_handle: &str,
        seconds: i64,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (now, seed) = (self.at(now), self.ids.seed());
        self.current(queue, now)?.change_visibility(receipt_handle, seconds, seed, now)
    }

    /// Changes the visibility timeout of up to ten messages: handle and seconds. Each can fail by itself.
    pub fn change_visibility_batch(
        &mut self,
        queue: &str,
        entries: Vec<Entry<(String, i64)>>,
        now: Timestamp,
    ) -> Result<Vec<EntryResult<()>>, Error> {
        self.queue(queue)?;
        batch::check(&entries)?;
        Ok(batch::each(entries, |(handle, seconds)| self.change_visibility(queue, &handle, seconds, now)))
    }

    /// Drops all messages of a queue, those in flight too. Refused within 60 seconds of the last time.
    pub fn purge(&mut self, queue: &str, now: Timestamp) -> Result<(), Error> {
        let now = self.at(now);
        self.current(queue, now)?.purge(now)
    }

    /// The earliest moment after `now` at which a message that is delayed or in flight becomes receivable. A receiver
    /// that found nothing needs to look again then, or when someone sends; not before.
    pub fn next_event(&self, queue: &str, now: Timestamp) -> Option<Timestamp> {
        self.queues.get(queue)?.storage.next_event(now.max(self.latest))
    }

    /// How many messages are receivable, in flight and delayed.
    pub fn counts(&mut self, queue: &str, now: Timestamp) -> Result<Counts, Error> {
        Ok(self.current(queue, now)?.counts())
    }

    /// All messages of a queue whatever their state, in the order in which they entered it, without receiving them, as
    /// of the last call that told the time. AWS has nothing like it: for tests and for showing what is there.
    pub fn messages(&self, queue: &str) -> Result<impl Iterator<Item = &Arc<Message>>, Error> {
        Ok(self.queue(queue)?.storage.iter().map(|stored| &stored.message))
    }

    fn at(&mut self, now: Timestamp) -> Timestamp {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn queue(&self, queue: &str) -> Result<&Queue, Error> {
        self.queues.get(queue).ok_or_else(|| Error::no_queue(queue))
    }

    /// The queue as it is now.
    fn current(&mut self, queue: &str, now: Timestamp) -> Result<&mut Queue, Error> {
        let now = self.at(now);
        let queue = self.queues.get_mut(queue).ok_or_else(|| Error::no_queue(queue))?;
        queue.advance(now);
        Ok(queue)
    }

    fn settings(
        &self,
        queue: &str,
        mut settings: Settings,
        attributes: &BTreeMap<String, String>,
    ) -> Result<Settings, Error> {
        settings.apply(attributes)?;
        if let Some(policy) = &settings.redrive
            && attributes.contains_key("RedrivePolicy")
        {
            let refuse = |reason: &str| Err(Error::invalid_parameter("RedrivePolicy", &policy.to_json(), reason));
            match self.name_in(&policy.target_arn) {
                Some(target) if target == queue => return refuse("A queue cannot be its own dead-letter queue"),
                Some(target) if self.has_queue(target) => {}
                Some(_) | None => return refuse("Dead letter target does not exist"),
            }
        }
        Ok(settings)
    }

    /// The name in the ARN of a queue of this account and region.
    fn name_in<'a>(&self, arn: &'a str) -> Option<&'a str> {
        arn.strip_prefix(self.queue_arn("").as_str())
    }

    /// The name of the dead-letter queue of a queue, as long as that exists.
    fn dead_letter_queue(&self, queue: &str) -> Result<Option<String>, Error> {
        let policy = self.queue(queue)?.settings.redrive.as_ref();
        let target = policy.and_then(|policy| self.name_in(&policy.target_arn));
        Ok(target.filter(|target| self.has_queue(target)).map(str::to_owned))
    }

    fn dead_letter(
        &mut self,
        target: &str,
        exhausted: Vec<Stored>,
        source_arn: &Arc<str>,
        now: Timestamp,
    ) -> Result<DeadLettered, Error> {
        let message_ids = exhausted.iter().map(|stored| stored.message.id.clone()).collect();
        let queue = self.queues.get_mut(target).ok_or_else(|| Error::no_queue(target))?;
        for stored in exhausted {
            self.entered += 1;
            let dead_letter_source = Some(Arc::clone(source_arn));
            queue
                .storage
                .insert(self.entered, Stored { dead_letter_source, place: Place::Ready { since: now }, ..stored });
        }
        Ok(DeadLettered { queue: target.to_owned(), message_ids })
    }
}

#[cfg(test)]
impl Account {
    pub(crate) fn assert_sound(&self) {
        self.queues.values().for_each(|queue| queue.storage.assert_sound());
    }

    pub(crate) fn stored(&self) -> impl Iterator<Item = (&str, &Stored)> {
        self.queues.values().flat_map(|queue| queue.storage.iter().map(|stored| (queue.name.as_str(), stored)))
    }
}

#[cfg(test)]
mod tests;
