//! Names of errors as AWS gives them, in answers that may be anybody's.

/// The name, unless it is not shaped like one: then it may be anything, and is not shown.
pub(crate) fn aws_error_name(code: &str) -> &str {
    let is_name = code.len() <= 80 && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
    if is_name { code } else { "unknown_error" }
}
