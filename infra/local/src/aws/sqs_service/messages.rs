//! The operations on messages, all but receiving.

use std::{collections::BTreeMap, sync::Arc};

use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use sqs::{AttributeValue, Entry, EntryResult, Message, MessageAttribute, TRACE_HEADER};

use super::{
    super::service::{Answer, Caller, read},
    Refusal, SqsService,
    requests::{Batch, OfReceipt, Send},
};

impl SqsService {
    pub(super) fn send_message(&self, body: &[u8], caller: &Caller) -> Result<Value, Refusal> {
        let request: Send = read(body)?;
        let url = request.queue_url.clone();
        let queue = self.queue_name(&url)?;
        let sent = self.account().send(queue, request.into_message()?, &caller.sender_id, self.now())?;
        self.wake(queue);
        Ok(sent_entry(&sent).into())
    }

    pub(super) fn send_message_batch(&self, body: &[u8], caller: &Caller) -> Result<Value, Refusal> {
        let Batch::<Send> { queue_url, entries } = read(body)?;
        let queue = self.queue_name(&queue_url)?;
        let entries = entries.into_iter().map(Send::into_entry).collect::<Result<_, Answer>>()?;
        let results = self.account().send_batch(queue, entries, &caller.sender_id, self.now())?;
        self.wake(queue);
        Ok(batch_answer(results, |sent| sent_entry(&sent)))
    }

    pub(super) fn delete_message(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: OfReceipt = read(body)?;
        self.account().delete(self.queue_name(&request.queue_url)?, &request.receipt_handle, self.now())?;
        Ok(json!({}))
    }

    pub(super) fn delete_message_batch(&self, body: &[u8]) -> Result<Value, Refusal> {
        let Batch::<OfReceipt> { queue_url, entries } = read(body)?;
        let queue = self.queue_name(&queue_url)?;
        let handle = |entry: OfReceipt| Entry { id: entry.id, request: entry.receipt_handle };
        let results = self.account().delete_batch(queue, entries.into_iter().map(handle).collect(), self.now())?;
        Ok(batch_answer(results, |()| Map::new()))
    }

    pub(super) fn change_message_visibility(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: OfReceipt = read(body)?;
        let queue = self.queue_name(&request.queue_url)?;
        self.account().change_visibility(queue, &request.receipt_handle, request.timeout()?, self.now())?;
        self.wake(queue);
        Ok(json!({}))
    }

    pub(super) fn change_message_visibility_batch(&self, body: &[u8]) -> Result<Value, Refusal> {
        let Batch::<OfReceipt> { queue_url, entries } = read(body)?;
        let queue = self.queue_name(&queue_url)?;
        let change = |entry: OfReceipt| {
            let timeout = entry.timeout()?;
            Ok(Entry { id: entry.id, request: (entry.receipt_handle, timeout) })
        };
        let entries = entries.into_iter().map(change).collect::<Result<_, sqs::Error>>()?;
        let results = self.account().change_visibility_batch(queue, entries, self.now())?;
        self.wake(queue);
        Ok(batch_answer(results, |()| Map::new()))
    }
}

/// Successful and failed entries, each with its id.
fn batch_answer<T>(results: Vec<EntryResult<T>>, answer: impl Fn(T) -> Map<String, Value>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for EntryResult { id, result } in results {
        match result {
            Ok(done) => {
                let mut entry = answer(done);
                entry.insert("Id".to_owned(), id.into());
                successful.push(entry);
            }
            Err(error) => failed.push(json!({
                "Id": id,
                "Code": error.code(),
                "Message": error.to_string(),
                "SenderFault": error.is_sender_fault(),
            })),
        }
    }
    json!({ "Successful": successful, "Failed": failed })
}

/// What a sender learns: the id, and checksums by which it can tell that everything arrived.
fn sent_entry(sent: &Arc<Message>) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("MessageId".to_owned(), sent.id.as_str().into());
    entry.insert("MD5OfMessageBody".to_owned(), md5_of_body(&sent.body).into());
    if let Some(md5) = md5_of_attributes(&sent.attributes) {
        entry.insert("MD5OfMessageAttributes".to_owned(), md5.into());
    }
    if let Some(header) = &sent.trace_header
        && let system = (TRACE_HEADER.to_owned(), MessageAttribute::string(header))
        && let Some(md5) = md5_of_attributes([(&system.0, &system.1)])
    {
        entry.insert("MD5OfMessageSystemAttributes".to_owned(), md5.into());
    }
    entry
}

pub(super) fn md5_of_body(body: &str) -> String {
    hex(Md5::new().chain_update(body))
}

/// The checksum over the attributes sorted by name, each part after its length, in the encoding that the SQS developer
/// guide defines. Nothing when there are none.
pub(super) fn md5_of_attributes<'a>(
    attributes: impl IntoIterator<Item = (&'a String, &'a MessageAttribute)>,
) -> Option<String> {
    let sorted: BTreeMap<_, _> = attributes.into_iter().collect();
    if sorted.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in sorted {
        with_length(&mut digest, name.as_bytes());
        with_length(&mut digest, attribute.data_type.as_bytes());
        match &attribute.value {
            AttributeValue::Text(text) => {
                digest.update([1]);
                with_length(&mut digest, text.as_bytes());
            }
            AttributeValue::Binary(bytes) => {
                digest.update([2]);
                with_length(&mut digest, bytes);
            }
        }
    }
    Some(hex(digest))
}

fn with_length(digest: &mut Md5, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("no part is longer than a request, far below 4 GiB");
    digest.update(length.to_be_bytes());
    digest.update(part);
}

fn hex(digest: Md5) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_body_is_its_md5() {
        assert_eq!(md5_of_body("hello"), "5d41402abc4b2a76b9719d911017c592");
    }

    #[test]
    fn the_checksum_of_attributes_is_that_of_aws() {
        // A vector that Moto's tests use too.
        let attributes = BTreeMap::from([(
            "timestamp".to_owned(),
            MessageAttribute {
                data_type: "Number".to_owned(),
                value: AttributeValue::Text("1493147359900".to_owned()),
            },
        )]);
        assert_eq!(md5_of_attributes(&attributes).as_deref(), Some("235c5c510d26fb653d073faed50ae77c"));
        assert_eq!(md5_of_attributes(&BTreeMap::new()), None);
    }
}
