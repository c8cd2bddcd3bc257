//! The real programs, `producer` and `worker`, run as Lambda runs them: each in a process of its own behind the
//! Runtime API, with SQS, KMS, DynamoDB and the provider over HTTP; and the worker as a service, without that API.
//! Every test has a world of its own.

mod batches;
mod binaries;
mod delivery;
mod keys;
mod leaks;
mod logs;
mod mapping;
mod producer;
mod provider_secret;
mod service;
mod start_up;
mod state_table;
mod trust;
mod world;
