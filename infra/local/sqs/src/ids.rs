//! Message ids and receipt handles, drawn from a seed and a counter.

use std::fmt::Write as _;

/// What every handle starts with, as on AWS.
const HANDLE_PREFIX: &str = "AQEB";

/// Draws ids. The same seed gives the same ids in the same order.
#[derive(Debug)]
pub(crate) struct IdSource {
    seed: u64,
    drawn: u64,
}

impl IdSource {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed ^ mix(self.drawn))
    }

    /// A message id in the form of a version 4 UUID.
    pub(crate) fn message_id(&mut self) -> String {
        let (high, low) = (self.number(), self.number());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff,
        )
    }
}

/// One receive of one message in one queue. The handle carries these three and a check value, so that a handle can be
/// told from a forged one without remembering every handle ever given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceiptHandle {
    /// Which queue: a number drawn when the queue was created, so that a queue made anew does not accept old handles.
    pub(crate) queue: u64,
    pub(crate) key: u64,
    /// The receive count that this receive gave the message.
    pub(crate) receive: u32,
}

impl ReceiptHandle {
    pub(crate) fn encode(self, seed: u64) -> String {
        let mut text = String::with_capacity(HANDLE_PREFIX.len() + 56);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{HANDLE_PREFIX}{:016x}{:016x}{:08x}{:016x}",
            self.queue,
            self.key,
            self.receive,
            self.check(seed)
        );
        text
    }

    /// The parts of a handle that this account gave out, else nothing.
    pub(crate) fn decode(text: &str, seed: u64) -> Option<Self> {
        let digits = text.strip_prefix(HANDLE_PREFIX)?;
        if digits.len() != 56 || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let part = |from: usize, to: usize| u64::from_str_radix(&digits[from..to], 16).ok();
        let handle = Self { queue: part(0, 16)?, key: part(16, 32)?, receive: u32::try_from(part(32, 40)?).ok()? };
        (part(40, 56)? == handle.check(seed)).then_some(handle)
    }

    fn check(self, seed: u64) -> u64 {
        mix(mix(mix(seed ^ self.queue) ^ self.key) ^ u64::from(self.receive))
    }
}

/// The output function of SplitMix64: a bijection that scatters neighbouring numbers.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn message_ids_look_like_uuids_and_depend_on_the_seed_alone() {
        let id = IdSource::new(1).message_id();
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        assert_eq!(id, IdSource::new(1).message_id());
        assert_ne!(id, IdSource::new(2).message_id());
    }

    proptest! {
        #[test]
        fn a_handle_survives_the_round_trip(queue: u64, key: u64, receive: u32, seed: u64) {
            let handle = ReceiptHandle { queue, key, receive };
            prop_assert_eq!(ReceiptHandle::decode(&handle.encode(seed), seed), Some(handle));
        }

        #[test]
        fn no_text_makes_the_decoder_panic(text in "(AQEB)?\\PC{0,80}", seed: u64) {
            prop_assert_eq!(ReceiptHandle::decode(&text, seed), None);
        }

        #[test]
        fn a_handle_with_one_changed_digit_is_refused(key: u64, place in 4..60_usize, seed: u64) {
            let mut text = ReceiptHandle { queue: 1, key, receive: 1 }.encode(seed).into_bytes();
            text[place] = if text[place] == b'0' { b'1' } else { b'0' };
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(ReceiptHandle::decode(&text, seed), None);
        }
    }
}
