//! Texts that somebody else may have written: they must neither command the terminal nor flood it.

/// Characters of one text that are shown.
pub(crate) const LONGEST: usize = 256;

/// The text without control characters, and no longer than anybody reads.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// All of the text, with a sign in the place of each control character.
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The same, cut after `longest` characters.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", on_one_line(&text[..end])),
        None => on_one_line(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so_and_nothing_moves_the_cursor() {
        assert_eq!(shortened("añb\u{9b}2J", 3), "añb…");
        assert_eq!(shortened("a\u{1b}b", 3), "a\u{fffd}b");
        assert_eq!(on_one_line("two\nlines\u{9b}"), "two\u{fffd}lines\u{fffd}");
        assert_eq!(printable("two\nlines"), "twolines");
    }
}
