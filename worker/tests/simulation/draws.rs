//! Randomness that depends on what it is for, and on nothing else.

/// A seed with all that distinguishes one draw from the others. There is no stream: whoever takes an element out of a
/// plan leaves every other draw as it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The draws for one purpose.
    pub(crate) fn of(self, purpose: &str) -> Self {
        purpose.bytes().fold(self, |draws, byte| draws.nth(u64::from(byte)))
    }

    pub(crate) fn nth(self, n: u64) -> Self {
        Self(mix(self.0 ^ mix(n)))
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// From `from` to `to`, both included.
    pub(crate) fn between(self, from: u64, to: u64) -> u64 {
        from + self.0 % (to - from + 1)
    }

    /// An index into a list of that length.
    pub(crate) fn index(self, length: usize) -> usize {
        usize::try_from(self.0 % length as u64).expect("less than the length")
    }

    pub(crate) fn happens(self, percent: u64) -> bool {
        self.0 % 100 < percent
    }
}

/// SplitMix64's finaliser.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
