//! What all IAM policies have in common, read leniently: people write them, and in every shape that is allowed.

use serde_json::Value;

/// A value that may stand alone or in a list.
pub(crate) fn each(value: &Value) -> Vec<&Value> {
    match value.as_array() {
        Some(members) => members.iter().collect(),
        None if value.is_null() => Vec::new(),
        None => vec![value],
    }
}

/// Whether a text matches a pattern, in which `*` is any text and `?` any character.
pub(crate) fn matches(pattern: &str, text: &str, ignores_case: bool) -> bool {
    let fold = |text: &str| if ignores_case { text.to_ascii_lowercase() } else { text.to_owned() };
    let (pattern, text) = (fold(pattern).into_bytes(), fold(text).into_bytes());
    let (mut at, mut from) = (0, 0);
    // Where the last star stood, and how much of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at, from));
                at += 1;
            }
            (Some(byte), _) if *byte == b'?' || *byte == text[from] => {
                at += 1;
                from += 1;
            }
            (_, Some((stood, taken))) => {
                star = Some((stood, taken + 1));
                at = stood + 1;
                from = taken + 1;
            }
            (_, None) => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_iam() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abcbc", true),
            ("a*c", "ab", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**a", "xxa", true),
            ("", "", true),
            ("", "a", false),
            ("arn:*:userpool/*", "arn:aws:userpool/x", true),
        ] {
            assert_eq!(matches(pattern, text, false), expected, "{pattern} {text}");
        }
    }
}
