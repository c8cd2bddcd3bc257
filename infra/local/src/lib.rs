//! The whole pipeline on one machine: SQS, KMS, DynamoDB and Secrets Manager inside the process behind their wire
//! protocols, the same producer and worker code as on AWS, codes sealed as Cognito seals them, and a fake Twilio that
//! shows each SMS.

pub mod aws;
mod both;
pub mod cognito;
mod dead_letters;
mod display;
mod events;
pub mod fake_twilio;
mod journey;
mod journeys;
pub mod lambda;
pub mod mapping;
mod outage;
mod pipeline;
pub mod process;
mod producer_function;
mod run;
mod samples;
mod state_table;

pub use journey::{Ending, Journey, Stage};
pub use outage::OutageLength;
pub use pipeline::{ACCOUNT_SID, AUTH_TOKEN, Pipeline};
pub use run::{Options, run};
pub use state_table::create_state_table;
