//! A message as SQS hands it over, whatever it holds.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use shared::Timestamp;

/// A received message. Its body is untrusted, and holds a user's whole number.
pub(crate) struct Received {
    /// SQS's id of the message.
    pub(crate) sqs_id: String,
    pub(crate) receipt_handle: String,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, Attribute>,
    /// When SQS took the message.
    pub(crate) sent_at: Option<Timestamp>,
    /// This time included.
    pub(crate) receive_count: u32,
    /// Who sent it: of a `SenderId`, the part before the colon.
    pub(crate) sender: Option<String>,
    pub(crate) trace_header: Option<String>,
}

/// A message attribute: what it holds is a text or bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attribute {
    data_type: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    text: Option<String>,
    /// In base64.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    bytes: Option<String>,
}

impl Received {
    /// Without its two ids nothing could be done with a message, and SQS always gives them.
    pub(crate) fn from_sqs(message: Message) -> Option<Self> {
        let system = message.attributes.unwrap_or_default();
        let known = |name| system.get(&name).cloned();
        let sent_at = known(MessageSystemAttributeName::SentTimestamp);
        let sender = known(MessageSystemAttributeName::SenderId);
        let receive_count = known(MessageSystemAttributeName::ApproximateReceiveCount);
        Some(Self {
            sqs_id: message.message_id?,
            receipt_handle: message.receipt_handle?,
            body: message.body.unwrap_or_default(),
            attributes: read_attributes(message.message_attributes.unwrap_or_default()),
            sent_at: sent_at.and_then(|millis| Timestamp::from_millisecond(millis.parse().ok()?).ok()),
            receive_count: receive_count.and_then(|count| count.parse().ok()).unwrap_or(1),
            sender: sender.map(|sender| principal(&sender).to_owned()),
            trace_header: known(MessageSystemAttributeName::AwsTraceHeader),
        })
    }

    /// An attribute's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.text.as_deref()
    }
}

/// The unique id of a principal: of `AROAEXAMPLE:session`, the part before the colon.
pub(crate) fn principal(sender_id: &str) -> &str {
    sender_id.split(':').next().unwrap_or_default()
}

impl Attribute {
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self { data_type: "String".to_owned(), text: Some(value.into()), bytes: None }
    }

    pub(crate) fn number(value: u32) -> Self {
        Self { data_type: "Number".to_owned(), text: Some(value.to_string()), bytes: None }
    }

    /// About as many bytes as SQS counts for it.
    pub(crate) fn size(&self) -> usize {
        self.data_type.len() + self.text.as_deref().map_or(0, str::len) + self.bytes.as_deref().map_or(0, str::len)
    }

    pub(crate) fn into_sqs(self) -> MessageAttributeValue {
        let bytes = self.bytes.and_then(|bytes| STANDARD.decode(bytes).ok());
        let value = MessageAttributeValue::builder().data_type(self.data_type);
        let value = value.set_string_value(self.text).set_binary_value(bytes.map(Blob::new));
        value.build().expect("the data type is set")
    }
}

fn read_attributes(attributes: HashMap<String, MessageAttributeValue>) -> BTreeMap<String, Attribute> {
    let read = |value: MessageAttributeValue| Attribute {
        data_type: value.data_type,
        text: value.string_value,
        bytes: value.binary_value.map(|bytes| STANDARD.encode(bytes)),
    };
    attributes.into_iter().map(|(name, value)| (name, read(value))).collect()
}

/// Without the body.
impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Received").field("sqs_id", &self.sqs_id).finish_non_exhaustive()
    }
}
