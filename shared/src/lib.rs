//! What both sides of the queue must agree on: the Cognito event, the sealed code and its header, the queue
//! message, phone numbers, lifetimes, dead-letter reasons, telemetry, and the slice of the configuration that
//! producer and worker both read.
//!
//! No AWS client, no HTTP, no decryption and no phone-number library may be linked here: the producer starts
//! in milliseconds because this crate stays small.

mod arn;
mod environment;
mod esdk_message;
mod event;
mod lifetimes;
mod message_id;
mod phone_number;
mod queue_message;
mod reason;
mod sealed_code;
pub mod settings;
pub mod telemetry;
mod timestamp;
mod trace_header;
mod trigger_source;
mod user_pool;

pub use arn::{KeyArn, KeyArnError};
pub use environment::{Configuration, Environment, EnvironmentFault};
pub use esdk_message::{AlgorithmSuite, EncryptedDataKey, EsdkMessage, LayoutError};
pub use event::{CognitoEvent, EventError, MAX_EVENT_BYTES};
pub use lifetimes::Lifetimes;
pub use message_id::MessageId;
pub use phone_number::{PhoneNumber, PhoneNumberError};
pub use queue_message::{QueueMessage, QueueMessageError};
pub use reason::DeadLetterReason;
pub use sealed_code::{POOL_CONTEXT_KEY, SealedCode, SealedCodeError};
pub use settings::{Privacy, Settings, Trust};
pub use timestamp::{Clock, Timestamp, rfc3339_millis};
pub use trace_header::{TraceHeader, TraceId};
pub use trigger_source::TriggerSource;
pub use user_pool::{UserPoolId, UserPoolIdError};
