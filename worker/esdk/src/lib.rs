//! A sealed code and its data key in, the clear code out.
//!
//! The only crate that links `aws-esdk` (100,000 generated lines, minutes to compile). It knows no network, no
//! KMS and no clock: whoever calls [`open()`] has had the data key unwrapped before, by KMS or by a test.
//!
//! The library's errors and the `Debug` output of its types hold keys and clear texts. None of them leaves this
//! crate: a failure is told by the step that failed, never by the library's words.

mod library;
mod one_shot_keyring;
mod open;
#[cfg(feature = "seal")]
mod seal;

pub use library::LibraryFault;
pub use one_shot_keyring::Disagreement;
pub use open::{OpenError, open};
#[cfg(feature = "seal")]
pub use seal::{SealError, SealOptions, WrappedDataKey, seal, seal_with};
