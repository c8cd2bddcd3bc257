//! Parts that others wrote, as witnesses of what ours do: MiniStack (an AWS of its own) with the AWS CLI and the SAM
//! translator, moto (another one), cognito-local (a Cognito of its own), AWS's Encryption SDKs for Python and Node.js,
//! and cfn-lint and checkov, which judge templates. Nothing here depends on the rest of Sealpost; [`lambda_binaries()`]
//! and [`test_binaries()`] have cargo build what is put before them.
//!
//! A test target that needs them has `harness = false` and makes its list of [`Trial`]s, which [`run`] runs.
//! Trials of the outside are listed as ignored by a plain `cargo test`. With `-- --include-ignored` they fetch what
//! they need into the target folder ([`python()`], [`moto()`], [`linters()`], [`node()`]): three Python environments and
//! npm packages, whose versions are written down in `python/requirements.txt`, `python/moto.txt`, `python/linters.txt`
//! and `node/package-lock.json`. What cannot be had makes its trials end as ignored, and a line that begins with `NOT RUN:`
//! says which and why.

mod binaries;
mod cognito_local;
mod fetch;
mod ministack;
mod moto;
mod node;
mod process;
mod python;
mod scratch;
mod trials;

pub use binaries::{lambda_binaries, test_binaries};
pub use cognito_local::CognitoLocal;
pub use fetch::Missing;
pub use ministack::MiniStack;
pub use moto::Moto;
pub use node::{Node, node};
pub use process::StartError;
pub use python::{Python, linters, moto, python};
pub use trials::{Trial, run};
