//! JSON pointers (RFC 6901) into an answer that may repeat text and number of the message: values are borrowed from
//! the answer, and what is taken out is zeroed when dropped.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::settings::Schema;
use shared::settings::schema::text_like;
use zeroize::Zeroizing;

/// Where in a JSON document a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

/// An answer's body that is JSON as a whole.
#[derive(Clone, Copy)]
pub(super) struct JsonBody<'a>(&'a RawValue);

impl Pointer {
    /// What [`Pointer::parse`] reads, with any `~`.
    pub(super) fn schema() -> Schema {
        text_like("^(/|$)", "")
    }

    /// Reads `/a/0/b`; `~1` stands for a slash in a name, `~0` for a tilde. Empty is the whole document.
    ///
    /// # Errors
    /// When the text does not begin with a slash or has another `~`.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let tokens = text.strip_prefix('/').ok_or("is no JSON pointer; write it as \"/messages/0/id\"")?.split('/');
        let unescaped = |token: &str| {
            let odd = token.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1']));
            if odd {
                return Err("has a ~ that is neither ~0 (a tilde) nor ~1 (a slash)");
            }
            Ok(token.replace("~1", "/").replace("~0", "~"))
        };
        tokens.map(unescaped).collect::<Result<_, _>>().map(Self)
    }
}

impl<'a> JsonBody<'a> {
    /// None when the bytes are not one whole JSON document.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(Self)
    }

    /// Whether something other than `null` stands there.
    pub(super) fn has(self, pointer: &Pointer) -> bool {
        self.at(pointer).is_some_and(|value| value != "null")
    }

    /// The text, number, `true` or `false` that stands there, as a text.
    pub(super) fn text(self, pointer: &Pointer) -> Option<Zeroizing<String>> {
        let value = self.at(pointer)?;
        match value.as_bytes().first()? {
            b'"' => serde_json::from_str(value).ok().map(Zeroizing::new),
            b'{' | b'[' | b'n' => None,
            _ => Some(Zeroizing::new(value.to_owned())),
        }
    }

    fn at(self, pointer: &Pointer) -> Option<&'a str> {
        pointer.0.iter().try_fold(self.0.get(), |value, token| member(value, token))
    }
}

fn member<'a>(value: &'a str, token: &str) -> Option<&'a str> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Object<'a>(#[serde(borrow)] BTreeMap<String, &'a RawValue>);
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct List<'a>(#[serde(borrow)] Vec<&'a RawValue>);

    if value.starts_with('{') {
        let Object(entries) = serde_json::from_str(value).ok()?;
        return entries.get(token).map(|value| value.get());
    }
    if value.starts_with('[') && is_index(token) {
        let List(members) = serde_json::from_str(value).ok()?;
        return members.get(token.parse::<usize>().ok()?).map(|value| value.get());
    }
    None
}

/// Digits without a leading zero (RFC 6901, section 4).
fn is_index(token: &str) -> bool {
    token == "0" || (!token.starts_with('0') && !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn text(body: &str, pointer: &str) -> Option<String> {
        let pointer = Pointer::parse(pointer).expect("a pointer");
        JsonBody::read(body.as_bytes())?.text(&pointer).map(|text| text.to_string())
    }

    #[test]
    fn pointers_lead_where_rfc_6901_says() {
        // Section 5 of the RFC.
        let body = r#" { "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8 } "#;
        for (pointer, expected) in [
            ("/foo/0", "bar"),
            ("/foo/1", "baz"),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            assert_eq!(text(body, pointer).as_deref(), Some(expected), "{pointer}");
        }
        for pointer in ["", "/foo", "/foo/2", "/foo/-", "/foo/00", "/foo/0/x", "/foo/", "/bar", "/foo/+1"] {
            assert_eq!(text(body, pointer), None, "{pointer}");
        }
    }

    #[test]
    fn scalars_are_texts_and_the_rest_is_none() {
        let body = r#"{"a":"x\u00e9","b":-1.5,"c":true,"d":null,"e":{},"f":[],"g":""}"#;
        let read = JsonBody::read(body.as_bytes()).expect("JSON");
        for (pointer, expected, is_there) in [
            ("/a", Some("xé"), true),
            ("/b", Some("-1.5"), true),
            ("/c", Some("true"), true),
            ("/d", None, false),
            ("/e", None, true),
            ("/f", None, true),
            ("/g", Some(""), true),
            ("/h", None, false),
        ] {
            assert_eq!(text(body, pointer).as_deref(), expected, "{pointer}");
            assert_eq!(read.has(&Pointer::parse(pointer).expect("a pointer")), is_there, "{pointer}");
        }
        assert_eq!(text("\"alone\"", "").as_deref(), Some("alone"));
    }

    #[test]
    fn what_is_not_json_as_a_whole_is_no_answer() {
        for body in ["", "OK", "{", "{}x", "{\"a\":1", "<html>", "{\"a\":1}{\"a\":1}", "\u{FEFF}{}"] {
            assert!(JsonBody::read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(JsonBody::read(b"{\"a\":\"\xff\"}").is_none());
        assert_eq!(text(&"[".repeat(60_000), "/0/0"), None);
    }

    #[test]
    fn pointers_have_one_spelling() {
        for wrong in ["id", "a/b", "#/a", "$.id", " /a"] {
            assert_eq!(Pointer::parse(wrong), Err("is no JSON pointer; write it as \"/messages/0/id\""), "{wrong}");
        }
        for wrong in ["/~", "/a~2", "/~~0"] {
            assert_eq!(Pointer::parse(wrong), Err("has a ~ that is neither ~0 (a tilde) nor ~1 (a slash)"), "{wrong}");
        }
        assert_eq!(Pointer::parse("/~01"), Ok(Pointer(vec!["~1".to_owned()])));
    }

    proptest! {
        #[test]
        fn it_finds_what_another_implementation_finds(key in "[a-z~/]{0,3}", index in 0_usize..3, text in any::<String>()) {
            let document = json!({ "a": { key.clone(): [1, text, null] }, "b": [[text, 2], { "a": true }] });
            let escaped = key.replace('~', "~0").replace('/', "~1");
            let body = document.to_string();
            for pointer in [format!("/a/{escaped}/{index}"), format!("/b/{index}/a"), format!("/b/0/{index}")] {
                let expected = match document.pointer(&pointer) {
                    Some(Value::String(text)) => Some(text.clone()),
                    Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Some(scalar.to_string()),
                    Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => None,
                };
                let read = JsonBody::read(body.as_bytes()).expect("JSON");
                let found = read.text(&Pointer::parse(&pointer).expect("a pointer"));
                prop_assert_eq!(found.map(|text| text.to_string()), expected);
            }
        }
    }
}
