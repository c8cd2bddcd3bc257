//! AWS on loopback: the services that the pipeline uses, in this process, behind their real wire protocols, so that
//! producer, worker and operators' tools run with the very clients they use on AWS.
//!
//! One HTTP listener ([`EmbeddedAws`]) hands each request to the [`Service`] that its `X-Amz-Target` names. SQS, KMS
//! and Secrets Manager are pure models (`sqs::Account`, [`kms::Kms`], [`secrets::SecretsManager`]) behind thin
//! adapters, which own the clock, the waiting and the JSON. DynamoDB is Dynoxide, which others wrote. Requests to the
//! paths of Lambda go to the [`LambdaService`], whose functions' logs can be read from CloudWatch Logs ([`LogsService`]).
//!
//! Signatures are not verified. The access key id of a request becomes the SenderId of what it sends, so that a test
//! can choose it through its credentials.

mod dynamodb_service;
pub mod kms;
mod kms_service;
mod lambda_service;
mod listener;
mod logs_service;
pub mod secrets;
mod secrets_service;
mod server;
mod service;
mod sqs_service;

pub use dynamodb_service::{DynamoDbFault, DynamoDbService};
pub use kms_service::{KmsFault, KmsService};
pub use lambda_service::{FunctionError, InvocationContext, InvocationLog, LambdaFunction, LambdaService};
pub use logs_service::{LogWriter, LogsService};
pub use secrets_service::{SecretsFault, SecretsService};
pub use server::{EmbeddedAws, Settings};
pub use service::{Answer, Caller, Service};
pub use sqs_service::{SqsFault, SqsService};
