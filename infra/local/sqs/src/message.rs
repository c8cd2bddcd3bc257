//! What is sent, and what SQS accepts as a message.

use std::collections::BTreeMap;

use crate::{Error, Timestamp, attributes::Settings, limits};

/// The only message system attribute that a sender may set: an AWS X-Ray trace header.
pub const TRACE_HEADER: &str = "AWSTraceHeader";

/// What one message costs beside its texts: ids, map and index entries. An estimate, on the high side.
const BOOKKEEPING_BYTES: usize = 512;

/// A typed value beside the body.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, perhaps with a label: `String.json`.
    pub data_type: String,
    /// The value; binary exactly when the type is `Binary`.
    pub value: AttributeValue,
}

/// The value of a message attribute.
#[derive(Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// Of type `String` or `Number`.
    Text(String),
    /// Of type `Binary`.
    Binary(Vec<u8>),
}

/// A message as its sender gives it. Nothing is checked before it is sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NewMessage {
    /// 1 character to 1 MiB.
    pub body: String,
    /// 0 to 900; the queue's own delay when absent. As the wire carries it: the range is checked here, in one place.
    pub delay_seconds: Option<i64>,
    /// At most ten.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// Only [`TRACE_HEADER`] is accepted.
    pub system_attributes: BTreeMap<String, MessageAttribute>,
    /// On a standard queue: the fair-queue group.
    pub group_id: Option<String>,
}

/// A message in a queue. It never changes, wherever it moves.
#[derive(PartialEq, Eq)]
pub struct Message {
    /// The id that the send answered with; kept by a move to the dead-letter queue.
    pub id: String,
    /// As sent.
    pub body: String,
    /// As sent.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// Who sent it, as the caller of `send` said.
    pub sender_id: String,
    /// When it was sent; kept by a move to the dead-letter queue.
    pub sent_at: Timestamp,
    /// The AWSTraceHeader, if one was sent.
    pub trace_header: Option<String>,
    /// The MessageGroupId, if one was sent.
    pub group_id: Option<String>,
}

impl NewMessage {
    /// A message with this body and nothing else.
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// The size that SQS counts: body, and attribute names, types and values.
    pub(crate) fn counted_bytes(&self) -> usize {
        self.body.len() + self.attributes.iter().map(|(name, attribute)| name.len() + attribute.bytes()).sum::<usize>()
    }

    /// Refuses what SQS refuses in a queue with these settings; else the delay in seconds.
    pub(crate) fn check(&self, settings: &Settings) -> Result<u64, Error> {
        let maximum = settings.maximum_message_size;
        if self.body.is_empty() {
            return Err(Error::MissingParameter { parameter: "MessageBody" });
        }
        let bytes = self.counted_bytes();
        if bytes > maximum {
            let reason = format!("Message must be shorter than {maximum} bytes");
            return Err(Error::invalid_parameter("MessageBody", &format!("of {bytes} bytes"), reason));
        }
        check_characters(&self.body, || "the message body".to_owned())?;
        if self.attributes.len() > limits::MESSAGE_ATTRIBUTES {
            let reason =
                format!("Number of message attributes exceeds the allowed maximum [{}]", limits::MESSAGE_ATTRIBUTES);
            return Err(Error::invalid_parameter("MessageAttributes", &self.attributes.len().to_string(), reason));
        }
        for (name, attribute) in &self.attributes {
            check_attribute_name(name)?;
            attribute.check(name)?;
        }
        for (name, attribute) in &self.system_attributes {
            if name != TRACE_HEADER {
                let reason = format!("The only message system attribute is {TRACE_HEADER}");
                return Err(Error::invalid_parameter("MessageSystemAttributes", name, reason));
            }
            if attribute.data_type != "String" {
                return Err(Error::invalid_parameter(name, &attribute.data_type, "Its type must be String"));
            }
            attribute.check(name)?;
        }
        self.group_id.as_deref().map_or(Ok(()), check_group_id)?;
        match self.delay_seconds {
            Some(delay) => limits::within("DelaySeconds", delay, limits::DELAY_SECONDS),
            None => Ok(settings.delay),
        }
    }

    pub(crate) fn into_message(self, id: String, sender_id: &str, sent_at: Timestamp) -> Message {
        let Self { body, delay_seconds: _, attributes, mut system_attributes, group_id } = self;
        let trace_header = match system_attributes.remove(TRACE_HEADER).map(|attribute| attribute.value) {
            Some(AttributeValue::Text(header)) => Some(header),
            Some(AttributeValue::Binary(_)) | None => None,
        };
        Message { id, body, attributes, sender_id: sender_id.to_owned(), sent_at, trace_header, group_id }
    }
}

impl Message {
    /// What the message costs in memory, bookkeeping included.
    pub(crate) fn stored_bytes(&self) -> usize {
        let attributes: usize = self.attributes.iter().map(|(name, attribute)| name.len() + attribute.bytes()).sum();
        let texts = [Some(&self.sender_id), self.trace_header.as_ref(), self.group_id.as_ref()];
        BOOKKEEPING_BYTES + self.body.len() + attributes + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl MessageAttribute {
    /// An attribute of type `String`.
    pub fn string(value: impl Into<String>) -> Self {
        Self { data_type: "String".to_owned(), value: AttributeValue::Text(value.into()) }
    }

    fn bytes(&self) -> usize {
        let value = match &self.value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::Binary(bytes) => bytes.len(),
        };
        self.data_type.len() + value
    }

    fn check(&self, name: &str) -> Result<(), Error> {
        let refuse = |reason: &str| Err(Error::invalid_parameter(name, &self.data_type, reason));
        if self.data_type.len() > 256 {
            return refuse("The type is longer than 256 bytes");
        }
        let base = self.data_type.split('.').next().unwrap_or_default();
        match (&self.value, base) {
            (AttributeValue::Text(text), "String" | "Number") if text.is_empty() => {
                refuse("The message attribute must contain a non-empty value")
            }
            (AttributeValue::Binary(bytes), "Binary") if bytes.is_empty() => {
                refuse("The message attribute must contain a non-empty value")
            }
            (AttributeValue::Text(text), "Number") if !text.parse::<f64>().is_ok_and(f64::is_finite) => {
                refuse("Can't cast the value of the message attribute to a number")
            }
            (AttributeValue::Text(text), "String" | "Number") => {
                check_characters(text, || format!("the message attribute {name}"))
            }
            (AttributeValue::Binary(_), "Binary") => Ok(()),
            (AttributeValue::Text(_) | AttributeValue::Binary(_), _) => {
                refuse("The type must begin with String or Number for a text, with Binary for bytes")
            }
        }
    }
}

/// Lengths only: a body carries a person's code, and attributes may carry anything.
impl std::fmt::Debug for MessageAttribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.data_type, self.bytes() - self.data_type.len())
    }
}

impl std::fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMessage")
            .field("body_bytes", &self.body.len())
            .field("delay_seconds", &self.delay_seconds)
            .field("attributes", &self.attributes)
            .field("group_id", &self.group_id)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("body_bytes", &self.body.len())
            .field("attributes", &self.attributes)
            .field("sender_id", &self.sender_id)
            .field("sent_at", &self.sent_at)
            .finish_non_exhaustive()
    }
}

/// A `char` cannot be a surrogate, so what remains to refuse is control characters, U+FFFE and U+FFFF.
fn check_characters(text: &str, place: impl Fn() -> String) -> Result<(), Error> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(allowed) { Ok(()) } else { Err(Error::InvalidMessageContents { place: place() }) }
}

fn check_attribute_name(name: &str) -> Result<(), Error> {
    let lower = name.to_ascii_lowercase();
    let sound = (1..=256).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.");
    let reason = "A message attribute name has 1 to 256 characters of A-Z a-z 0-9 _ - . without leading, trailing or \
                  double periods, and does not begin with AWS. or Amazon.";
    if sound { Ok(()) } else { Err(Error::invalid_parameter("MessageAttributeName", name, reason)) }
}

fn check_group_id(group: &str) -> Result<(), Error> {
    let sound = (1..=128).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_graphic());
    let reason = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length";
    if sound { Ok(()) } else { Err(Error::invalid_parameter("MessageGroupId", group, reason)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &NewMessage, maximum_message_size: usize) -> Result<u64, Error> {
        message.check(&Settings { maximum_message_size, ..Settings::default() })
    }

    fn refusal(message: &NewMessage) -> &'static str {
        check(message, limits::MESSAGE_BYTES).unwrap_err().code()
    }

    fn with_attribute(name: &str, data_type: &str, value: AttributeValue) -> NewMessage {
        let attribute = MessageAttribute { data_type: data_type.to_owned(), value };
        NewMessage { attributes: BTreeMap::from([(name.to_owned(), attribute)]), ..NewMessage::new("x") }
    }

    #[test]
    fn a_body_needs_a_character_and_at_most_a_mebibyte() {
        assert_eq!(refusal(&NewMessage::new("")), "MissingParameter");
        assert!(check(&NewMessage::new("x"), limits::MESSAGE_BYTES).is_ok());
        assert!(check(&NewMessage::new("x".repeat(limits::MESSAGE_BYTES)), limits::MESSAGE_BYTES).is_ok());
        assert_eq!(refusal(&NewMessage::new("x".repeat(limits::MESSAGE_BYTES + 1))), "InvalidParameterValue");
    }

    #[test]
    fn characters_that_sqs_does_not_carry_are_refused() {
        for bad in ['\u{0}', '\u{8}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            assert_eq!(refusal(&NewMessage::new(format!("a{bad}"))), "InvalidMessageContents", "{bad:?}");
        }
        for good in ['\t', '\n', '\r', ' ', '\u{7f}', '\u{d7ff}', '\u{e000}', '\u{fffd}', '\u{10000}', '\u{10ffff}'] {
            assert!(check(&NewMessage::new(good), 10).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn attributes_are_named_typed_and_never_empty() {
        let text = |value: &str| AttributeValue::Text(value.to_owned());
        for (name, data_type, value) in [
            ("AWS.x", "String", text("v")),
            ("amazon.x", "String", text("v")),
            (".x", "String", text("v")),
            ("x..y", "String", text("v")),
            ("", "String", text("v")),
            ("x y", "String", text("v")),
            ("x", "String", text("")),
            ("x", "Binary", AttributeValue::Binary(vec![])),
            ("x", "Binary", text("v")),
            ("x", "String", AttributeValue::Binary(vec![1])),
            ("x", "Number", text("one")),
            ("x", "Float", text("1")),
        ] {
            assert_eq!(refusal(&with_attribute(name, data_type, value)), "InvalidParameterValue", "{name} {data_type}");
        }
        assert_eq!(refusal(&with_attribute("x", "String", text("\u{1}"))), "InvalidMessageContents");
        for (data_type, value) in
            [("String.json", text("{}")), ("Number", text("-1.5e3")), ("Binary.png", AttributeValue::Binary(vec![0]))]
        {
            assert!(check(&with_attribute("redriven", data_type, value), 100).is_ok(), "{data_type}");
        }
    }

    #[test]
    fn eleven_attributes_are_one_too_many_and_attributes_count_towards_the_size() {
        let mut message = NewMessage::new("x");
        for number in 0..10 {
            message.attributes.insert(format!("a{number}"), MessageAttribute::string("v"));
        }
        assert_eq!(message.counted_bytes(), 1 + 10 * (2 + 6 + 1));
        assert!(check(&message, 91).is_ok());
        assert!(check(&message, 90).is_err());
        message.attributes.insert("b".to_owned(), MessageAttribute::string("v"));
        assert_eq!(refusal(&message), "InvalidParameterValue");
    }

    #[test]
    fn the_trace_header_is_the_only_system_attribute() {
        let mut message = NewMessage::new("x");
        message.system_attributes.insert(TRACE_HEADER.to_owned(), MessageAttribute::string("Root=1-2-3"));
        assert!(check(&message, 10).is_ok());
        message.system_attributes.insert("SenderId".to_owned(), MessageAttribute::string("me"));
        assert_eq!(refusal(&message), "InvalidParameterValue");
    }

    #[test]
    fn a_delay_is_0_to_900_seconds_and_the_queues_own_by_default() {
        let delayed = |delay_seconds| NewMessage { delay_seconds, ..NewMessage::new("x") };
        let settings = Settings { delay: 7, ..Settings::default() };
        assert_eq!(delayed(None).check(&settings), Ok(7));
        assert_eq!(delayed(Some(0)).check(&settings), Ok(0));
        assert_eq!(delayed(Some(900)).check(&settings), Ok(900));
        assert_eq!(refusal(&delayed(Some(901))), "InvalidParameterValue");
        assert_eq!(refusal(&delayed(Some(-1))), "InvalidParameterValue");
    }

    #[test]
    fn a_group_id_has_1_to_128_visible_characters() {
        for (group, accepted) in [("eu-west-1_Ab", true), ("", false), ("a b", false), ("é", false)] {
            let message = NewMessage { group_id: Some(group.to_owned()), ..NewMessage::new("x") };
            assert_eq!(check(&message, 10).is_ok(), accepted, "{group}");
        }
        let long = NewMessage { group_id: Some("g".repeat(129)), ..NewMessage::new("x") };
        assert_eq!(refusal(&long), "InvalidParameterValue");
    }

    #[test]
    fn debug_output_holds_no_body_and_no_attribute_value() {
        let mut message = NewMessage::new("secret body");
        message.attributes.insert("name".to_owned(), MessageAttribute::string("secret value"));
        assert!(!format!("{message:?}").contains("secret"));
        let stored = message.into_message("id".to_owned(), "me", Timestamp::default());
        assert!(!format!("{stored:?}").contains("secret"));
    }
}
