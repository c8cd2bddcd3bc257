//! Codes that were changed on the way: each is dead-lettered by the step that must notice, and none reaches a provider.
//!
//! The codes are those of three implementations ([`fixtures`]) and decryption is the real one. KMS is a double that is
//! faithful, or one that unwraps whatever it is asked to (some emulators do): what only KMS could notice is noticed
//! without it too, since the whole header, wrapped data keys included, is covered by the header's tag.

mod anatomy;
mod bench;
mod disguises;
mod fields;
#[path = "../../../esdk/tests/fixtures/mod.rs"]
mod fixtures;
mod shapes;
mod splices;
