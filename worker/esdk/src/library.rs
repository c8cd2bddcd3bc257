//! What opening and sealing ask of `aws-esdk` alike.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_esdk::material_providers::types::EsdkCommitmentPolicy;
use aws_esdk::material_providers::types::error::Error as KeyringError;
use aws_esdk::types::NetV400RetryPolicy;
use aws_esdk::{AwsEncryptionSdkConfig, Client};

/// The encryption library behaved in a way that this crate rules out. It says nothing about the code at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryFault {
    #[error("it could not be set up")]
    NoClient,
    #[error("it did not answer at once, though it has nothing to wait for")]
    Unready,
    #[error("it reported success without a result")]
    NoResult,
}

/// A client for one message. It costs a microsecond, and no two threads ever share the library's unlocked insides.
pub(crate) fn client(policy: EsdkCommitmentPolicy) -> Result<Client, LibraryFault> {
    let configuration = AwsEncryptionSdkConfig::builder()
        .commitment_policy(policy)
        // By default the library verifies a failed header again in the faulty way of one old .NET release.
        .net_v4_0_0_retry_policy(NetV400RetryPolicy::ForbidRetry)
        .build()
        .map_err(|_| LibraryFault::NoClient)?;
    Client::from_conf(configuration).map_err(|_| LibraryFault::NoClient)
}

/// The output of a future that never waits: with a keyring in memory the library computes and does no I/O.
pub(crate) fn answer_at_once<T>(future: impl Future<Output = T>) -> Result<T, LibraryFault> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(LibraryFault::Unready),
    }
}

/// How a keyring of ours tells the library to stop. Nobody reads the text: the keyring keeps the true reason.
pub(crate) fn refusal() -> KeyringError {
    KeyringError::AwsCryptographicMaterialProvidersException { message: "refused by the keyring".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_that_waits_is_a_fault() {
        assert_eq!(answer_at_once(async { 7 }), Ok(7));
        assert_eq!(answer_at_once(std::future::pending::<()>()), Err(LibraryFault::Unready));
    }
}
