//! What SQS clients send.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use sqs::{AttributeValue, Entry, NewMessage};

use super::super::service::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    #[serde(default)]
    pub(super) queue_name: String,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
}

/// Requests that name a queue and perhaps attributes of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfQueue {
    #[serde(default)]
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetQueueAttributes {
    #[serde(default)]
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
}

/// ListQueues and ListDeadLetterSourceQueues.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    #[serde(default)]
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) queue_name_prefix: String,
    pub(super) max_results: Option<usize>,
    #[serde(default)]
    pub(super) next_token: String,
}

/// SendMessage, and an entry of SendMessageBatch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Send {
    #[serde(default)]
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, Attribute>,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    #[serde(default)]
    data_type: String,
    string_value: Option<String>,
    binary_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Receive {
    #[serde(default)]
    pub(super) queue_url: String,
    pub(super) max_number_of_messages: Option<i64>,
    pub(super) visibility_timeout: Option<i64>,
    pub(super) wait_time_seconds: Option<i64>,
    /// The older name of the next one. Both count.
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
    #[serde(default)]
    pub(super) message_system_attribute_names: Vec<String>,
    #[serde(default)]
    pub(super) message_attribute_names: Vec<String>,
}

/// DeleteMessage, ChangeMessageVisibility, and an entry of their batches.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfReceipt {
    #[serde(default)]
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) receipt_handle: String,
    pub(super) visibility_timeout: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound = "T: Deserialize<'de>")]
pub(super) struct Batch<T> {
    #[serde(default)]
    pub(super) queue_url: String,
    #[serde(default = "Vec::new")]
    pub(super) entries: Vec<T>,
}

impl Send {
    pub(super) fn into_message(self) -> Result<NewMessage, Answer> {
        Ok(NewMessage {
            body: self.message_body,
            delay_seconds: self.delay_seconds,
            attributes: attributes(self.message_attributes)?,
            system_attributes: attributes(self.message_system_attributes)?,
            group_id: self.message_group_id,
        })
    }

    pub(super) fn into_entry(mut self) -> Result<Entry<NewMessage>, Answer> {
        Ok(Entry { id: std::mem::take(&mut self.id), request: self.into_message()? })
    }
}

impl OfReceipt {
    /// The new timeout, which a change must name.
    pub(super) fn timeout(&self) -> Result<i64, sqs::Error> {
        self.visibility_timeout.ok_or(sqs::Error::MissingParameter { parameter: "VisibilityTimeout" })
    }
}

/// The type decides which of the two values counts; an absent one is an empty one, which the model refuses.
fn attributes(wire: BTreeMap<String, Attribute>) -> Result<BTreeMap<String, sqs::MessageAttribute>, Answer> {
    let model = |(name, Attribute { data_type, string_value, binary_value }): (String, Attribute)| {
        let value = if data_type.starts_with("Binary") {
            let bytes = BASE64.decode(binary_value.unwrap_or_default()).map_err(|_| {
                let shown: String = name.chars().take(256).collect();
                Answer::error(
                    400,
                    "com.amazon.coral.service#SerializationException",
                    &format!("the binary value of the message attribute {shown} is not base64"),
                )
            })?;
            AttributeValue::Binary(bytes)
        } else {
            AttributeValue::Text(string_value.unwrap_or_default())
        };
        Ok((name, sqs::MessageAttribute { data_type, value }))
    };
    wire.into_iter().map(model).collect()
}
