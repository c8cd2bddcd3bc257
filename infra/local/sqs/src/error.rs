//! Refusals, with the names that AWS gives them.

/// How much of a refused value an error message repeats.
const SHOWN_CHARACTERS: usize = 200;

/// Why an operation was refused. Message bodies and attribute values are never part of an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No queue of that name.
    #[error("The specified queue does not exist: `{queue}`.")]
    QueueDoesNotExist { queue: String },
    /// CreateQueue with other attributes than the queue of that name has.
    #[error("A queue already exists with the same name `{queue}` and a different value for attribute {attribute}.")]
    QueueNameExists { queue: String, attribute: String },
    /// A parameter is outside what SQS takes.
    #[error("Value {value} for parameter {parameter} is invalid. Reason: {reason}.")]
    InvalidParameterValue { parameter: String, value: String, reason: String },
    /// A required parameter is absent or empty.
    #[error("The request must contain the parameter {parameter}.")]
    MissingParameter { parameter: &'static str },
    /// A queue attribute or a message system attribute that SQS does not know, or that cannot be set.
    #[error("Unknown Attribute {name}.")]
    InvalidAttributeName { name: String },
    /// A queue attribute with a value that it cannot have.
    #[error("Invalid value for the parameter {name}: {reason}.")]
    InvalidAttributeValue { name: &'static str, reason: String },
    /// A character that SQS does not carry.
    #[error(
        "Invalid characters found in {place}. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | \
         #xE000 to #xFFFD | #x10000 to #x10FFFF."
    )]
    InvalidMessageContents { place: String },
    /// Not a handle that this queue gave out.
    #[error("The input receipt handle is invalid: this queue never gave it out.")]
    ReceiptHandleIsInvalid,
    /// The receive that the handle stands for is over: its visibility timeout ended, or the message is gone.
    #[error("The specified message isn't in flight.")]
    MessageNotInflight,
    /// Too many messages in flight.
    #[error("The queue `{queue}` has {in_flight} messages in flight, the most that SQS allows. Delete some first.")]
    OverLimit { queue: String, in_flight: usize },
    /// A batch without entries.
    #[error("There should be at least one entry in the request.")]
    EmptyBatchRequest,
    /// A batch with more than ten entries.
    #[error("Maximum number of entries per request are 10. You have sent {sent}.")]
    TooManyEntriesInBatchRequest { sent: usize },
    /// Two entries with the same id.
    #[error("Id {id} repeated.")]
    BatchEntryIdsNotDistinct { id: String },
    /// An entry id with other characters, or too long.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 \
         letters long. This one is `{id}`."
    )]
    InvalidBatchEntryId { id: String },
    /// A batch of more than 1 MiB.
    #[error("Batch requests cannot be longer than {limit} bytes. You have sent {bytes} bytes.")]
    BatchRequestTooLong { bytes: usize, limit: usize },
    /// A second purge within a minute.
    #[error("Only one PurgeQueue operation on {queue} is allowed every 60 seconds.")]
    PurgeQueueInProgress { queue: String },
    /// The model's own bound; AWS has none.
    #[error(
        "The queue `{queue}` is full: it holds {messages} messages in {bytes} bytes. This is a bound of the local \
         stand-in that protects its memory; AWS has none. Delete or purge messages."
    )]
    QueueFull { queue: String, messages: usize, bytes: usize },
    /// The model's own bound; AWS has none.
    #[error("There are already {queues} queues. This is a bound of the local stand-in that protects its memory.")]
    TooManyQueues { queues: usize },
}

impl Error {
    pub(crate) fn invalid_parameter(parameter: impl Into<String>, value: &str, reason: impl Into<String>) -> Self {
        Self::InvalidParameterValue { parameter: parameter.into(), value: shown(value), reason: reason.into() }
    }

    pub(crate) fn no_queue(queue: &str) -> Self {
        Self::QueueDoesNotExist { queue: shown(queue) }
    }

    /// The code of the query protocol, which SDKs report: `AWS.SimpleQueueService.NonExistentQueue`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist { .. } => "AWS.SimpleQueueService.NonExistentQueue",
            Self::QueueNameExists { .. } => "QueueAlreadyExists",
            Self::MessageNotInflight => "AWS.SimpleQueueService.MessageNotInflight",
            Self::EmptyBatchRequest => "AWS.SimpleQueueService.EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest { .. } => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct { .. } => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId { .. } => "AWS.SimpleQueueService.InvalidBatchEntryId",
            Self::BatchRequestTooLong { .. } => "AWS.SimpleQueueService.BatchRequestTooLong",
            Self::PurgeQueueInProgress { .. } => "AWS.SimpleQueueService.PurgeQueueInProgress",
            Self::InvalidParameterValue { .. }
            | Self::MissingParameter { .. }
            | Self::InvalidAttributeName { .. }
            | Self::InvalidAttributeValue { .. }
            | Self::InvalidMessageContents { .. }
            | Self::ReceiptHandleIsInvalid
            | Self::OverLimit { .. }
            | Self::QueueFull { .. }
            | Self::TooManyQueues { .. } => self.shape(),
        }
    }

    /// The name of the error in the JSON protocol: `QueueDoesNotExist`.
    pub fn shape(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist { .. } => "QueueDoesNotExist",
            Self::QueueNameExists { .. } => "QueueNameExists",
            Self::InvalidParameterValue { .. } => "InvalidParameterValue",
            Self::MissingParameter { .. } => "MissingParameter",
            Self::InvalidAttributeName { .. } => "InvalidAttributeName",
            Self::InvalidAttributeValue { .. } => "InvalidAttributeValue",
            Self::InvalidMessageContents { .. } => "InvalidMessageContents",
            Self::ReceiptHandleIsInvalid => "ReceiptHandleIsInvalid",
            Self::MessageNotInflight => "MessageNotInflight",
            Self::OverLimit { .. } => "OverLimit",
            Self::EmptyBatchRequest => "EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest { .. } => "TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct { .. } => "BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId { .. } => "InvalidBatchEntryId",
            Self::BatchRequestTooLong { .. } => "BatchRequestTooLong",
            Self::PurgeQueueInProgress { .. } => "PurgeQueueInProgress",
            Self::QueueFull { .. } => "LocalQueueFull",
            Self::TooManyQueues { .. } => "LocalTooManyQueues",
        }
    }

    /// Whether the caller is at fault (a 4xx answer): always, since the model itself has no faults. Its own bounds
    /// count too: a 5xx answer would only make clients try again, in vain.
    pub fn is_sender_fault(&self) -> bool {
        true
    }
}

/// The start of a value that came from outside, short enough for an error message.
pub(crate) fn shown(value: &str) -> String {
    value.chars().take(SHOWN_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_carry_the_names_that_clients_match_on() {
        let error = Error::no_queue("codes");
        assert_eq!(error.code(), "AWS.SimpleQueueService.NonExistentQueue");
        assert_eq!(error.shape(), "QueueDoesNotExist");
        assert_eq!(error.to_string(), "The specified queue does not exist: `codes`.");
        assert!(error.is_sender_fault());
        assert_eq!(Error::ReceiptHandleIsInvalid.code(), "ReceiptHandleIsInvalid");
    }

    #[test]
    fn a_refused_value_is_repeated_in_part_only() {
        let error = Error::invalid_parameter("QueueName", &"é".repeat(5000), "too long");
        assert!(error.to_string().len() < 600);
    }
}
