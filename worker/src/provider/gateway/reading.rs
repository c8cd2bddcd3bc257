//! An answer as the rules look at it.

use zeroize::Zeroizing;

use super::pointer::{JsonBody, Pointer};
use crate::provider::OutcomeCode;

/// An answer, read once.
pub(super) struct Reading<'a> {
    pub(super) status: u16,
    /// None when the body is not JSON.
    pub(super) json: Option<JsonBody<'a>>,
    /// None when the body is too long.
    body: Option<&'a [u8]>,
    code: Option<(OutcomeCode, Zeroizing<String>)>,
}

impl<'a> Reading<'a> {
    /// The error code is what stands at the first of these pointers that leads to one.
    pub(super) fn of(status: u16, body: Option<&'a [u8]>, error_codes: &[Pointer]) -> Self {
        let json = body.and_then(JsonBody::read);
        let code = json.and_then(|json| {
            error_codes
                .iter()
                .filter_map(|pointer| json.text(pointer))
                .find_map(|text| Some((error_code(&text)?, text)))
        });
        Self { status, json, body, code }
    }

    pub(super) fn code(&self) -> Option<&OutcomeCode> {
        self.code.as_ref().map(|(code, _)| code)
    }

    /// The error code, unless it repeats something that may not be shown.
    pub(super) fn code_to_show(&self, is_harmless: impl Fn(&str) -> bool) -> Option<&OutcomeCode> {
        self.code.as_ref().filter(|(_, written)| is_harmless(written)).map(|(code, _)| code)
    }

    /// The whole body as a text, without spaces and line breaks around it.
    pub(super) fn whole(&self) -> Option<Zeroizing<String>> {
        let text = std::str::from_utf8(self.body?).ok()?;
        Some(Zeroizing::new(text.trim().to_owned()))
    }
}

/// Reads a gateway's error code, of whose letters the case does not count. Of a URL (RFC 9457 has error types that
/// are URLs) what stands behind its last `#` or `/` is the code.
pub(super) fn error_code(text: &str) -> Option<OutcomeCode> {
    let code = if text.contains("://") { text.rsplit(['#', '/']).next().unwrap_or_default() } else { text };
    OutcomeCode::parse(&code.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pointer_that_leads_to_a_code_counts() {
        let pointers = ["/code", "/errors/0/code"].map(|pointer| Pointer::parse(pointer).expect("a pointer"));
        for (body, expected) in [
            (r#"{"code":21211}"#, Some("21211")),
            (r#"{"code":"E401"}"#, Some("e401")),
            (r#"{"code":null,"errors":[{"code":"REJECTED_DND"}]}"#, Some("rejected_dnd")),
            (r#"{"code":"see errors","errors":[{"code":"40310"}]}"#, Some("40310")),
            (r#"{"code":"https://developer.vonage.com/api-errors/messages#1170"}"#, Some("1170")),
            (r#"{"code":"https://example.com/problems/out-of-credit"}"#, Some("out-of-credit")),
            (r#"{"code":"https://example.com/"}"#, None),
            (r#"{"code":"The number +12065550100 is wrong"}"#, None),
            (r#"{"code":{}}"#, None),
            ("", None),
        ] {
            let reading = Reading::of(400, Some(body.as_bytes()), &pointers);
            assert_eq!(reading.code().map(OutcomeCode::as_str), expected, "{body}");
        }
    }
}
