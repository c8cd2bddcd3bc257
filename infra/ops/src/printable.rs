//! Texts that somebody else may have written: they must neither command the terminal nor flood it.

/// Characters of one text that are shown.
pub(crate) const LONGEST: usize = 256;

/// The text without control characters, and no longer than anybody reads.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
