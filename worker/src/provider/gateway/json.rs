//! A JSON body as the configuration's own tables: holes stand inside texts, so whatever fills them is encoded as a
//! JSON text and can be nothing else.

use std::io;

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;
use shared::settings::{Faults, Shape, Value};
use zeroize::Zeroizing;

use super::credential_names::must_stand_outside;
use super::template::{Template, hole};
use super::variables::{Values, Variable};
use crate::provider::Resolve;

/// A JSON value with holes.
pub(super) enum Json {
    Text(Template),
    /// `"{{variable:number}}"`: the variable as a number instead of a text.
    Number(Variable),
    Integer(i64),
    Float(f64),
    Flag(bool),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads the value; None when anything in it is wrong, which is then in `faults`.
    pub(super) fn read(value: &Value<'_>, resolve: &Resolve<'_>, faults: &mut Faults) -> Option<Self> {
        match value.shape() {
            Shape::Text(text) => Self::text(text, value, resolve, faults),
            Shape::Integer(number) => Some(Self::Integer(number)),
            Shape::Float(number) => Some(Self::Float(number)),
            Shape::Flag(flag) => Some(Self::Flag(flag)),
            Shape::List(members) => {
                let read: Vec<_> = members.iter().map(|member| Self::read(member, resolve, faults)).collect();
                read.into_iter().collect::<Option<_>>().map(Self::List)
            }
            Shape::Table(entries) => {
                let mut entry = |(key, value): (&str, Value<'_>)| {
                    let json = Self::read(&value, resolve, faults)?;
                    if matches!(&json, Self::Text(text) if text.is_written()) {
                        must_stand_outside(key, &value, faults);
                    }
                    Some((key.to_owned(), json))
                };
                let read: Vec<_> = entries.into_iter().map(&mut entry).collect();
                read.into_iter().collect::<Option<_>>().map(Self::Object)
            }
            Shape::Other => {
                value.fault("is nothing that JSON knows; write it as a text in quotes", faults);
                None
            }
        }
    }

    fn text(text: &str, value: &Value<'_>, resolve: &Resolve<'_>, faults: &mut Faults) -> Option<Self> {
        if let Some(name) = hole(text).and_then(|name| name.strip_suffix(":number")).map(str::trim_end) {
            return match Variable::parse(name) {
                Ok(variable) if variable.is_number() => Some(Self::Number(variable)),
                Ok(_) => {
                    value.fault(&format!("makes {name} a number, which it is not; remove :number"), faults);
                    None
                }
                Err(message) => {
                    value.fault(&message, faults);
                    None
                }
            };
        }
        match Template::parse(text, resolve) {
            Ok(template) => Some(Self::Text(template)),
            Err(error) => {
                value.fault_within(error.byte, &error.message, faults);
                None
            }
        }
    }

    pub(super) fn variables(&self) -> Vec<Variable> {
        match self {
            Self::Text(template) => template.variables().collect(),
            Self::Number(variable) => vec![*variable],
            Self::Integer(_) | Self::Float(_) | Self::Flag(_) => Vec::new(),
            Self::List(members) => members.iter().flat_map(Self::variables).collect(),
            Self::Object(entries) => entries.iter().flat_map(|(_, value)| value.variables()).collect(),
        }
    }

    /// Writes the body. It is zeroed when dropped.
    pub(super) fn fill(&self, values: &Values<'_>) -> Zeroizing<String> {
        let filled = Filled { json: self, values };
        let mut length = Length(0);
        serde_json::to_writer(&mut length, &filled).expect("texts, finite numbers and digits can be written");
        // Room for everything: a vector that grows leaves copies behind.
        let mut body = Vec::with_capacity(length.0);
        serde_json::to_writer(&mut body, &filled).expect("it could be written before");
        Zeroizing::new(String::from_utf8(body).expect("JSON is UTF-8"))
    }
}

struct Filled<'f> {
    json: &'f Json,
    values: &'f Values<'f>,
}

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { json, values } = self;
        match json {
            Json::Text(template) => serializer.serialize_str(&template.fill(values)),
            Json::Number(variable) => {
                let number: &RawValue = serde_json::from_str(values.get(*variable)).map_err(S::Error::custom)?;
                number.serialize(serializer)
            }
            Json::Integer(number) => serializer.serialize_i64(*number),
            Json::Float(number) => serializer.serialize_f64(*number),
            Json::Flag(flag) => serializer.serialize_bool(*flag),
            Json::List(members) => {
                let mut list = serializer.serialize_seq(Some(members.len()))?;
                members.iter().try_for_each(|json| list.serialize_element(&Filled { json, values }))?;
                list.end()
            }
            Json::Object(entries) => {
                let mut object = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, json)| object.serialize_entry(key, &Filled { json, values }))?;
                object.end()
            }
        }
    }
}

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::gateway::sample::{resolve, sent};
    use proptest::prelude::*;
    use shared::settings::{Document, key, schema};
    use std::time::Duration;

    fn read(written: &str) -> Result<Json, String> {
        let text = format!("[[provider]]\njson = {written}\n");
        let (document, mut faults) = Document::parse(&text);
        let mut block = document.root().sections(key("provider", ""), &mut faults).pop().expect("one block");
        let json = Json::read(&block.value(key("json", ""), schema::text).expect("json"), &resolve, &mut faults);
        faults.or(()).map(|()| json.expect("no fault, so a body")).map_err(|faults| faults.to_string())
    }

    fn filled(json: &Json, text: &str) -> String {
        sent(text, Duration::from_secs(170), |sms| {
            let values = Values::of(sms, None, "2026-11-23T12:00:00Z".parse().expect("a timestamp"));
            let body = json.fill(&values);
            assert_eq!(body.capacity(), body.len(), "it outgrew its first allocation");
            body.to_string()
        })
    }

    #[test]
    fn the_body_is_written_as_the_file_has_it() {
        let json = read(
            "{ to = [\"{{to}}\"], from = 'Example', ttl = \"{{valid_for_seconds:number}}\", to_number = \"{{ \
             to_digits:number }}\",\n  options = { text = \"{{text}}\", age = \"{{valid_for_seconds}}\", a = 1, b = 0.5, \
             c = true, d = [] },\n}",
        )
        .expect("sound");
        assert_eq!(
            filled(&json, "Code: 1"),
            r#"{"to":["+12065550100"],"from":"Example","ttl":170,"to_number":12065550100,"options":{"text":"Code: 1","age":"170","a":1,"b":0.5,"c":true,"d":[]}}"#
        );
    }

    #[test]
    fn every_fault_of_the_tree_is_reported_in_its_place() {
        let shown = read(
            "{ a = [1, \"{{txt}}\"], b = { when = 2026-11-23, n = \"{{text:number}}\", m = \"{{txt:number}}\" },\n  \
             api_key = \"hush\", token = \"${env:TOKEN}\", password = \"{{text}}\" }",
        )
        .map(|_| ())
        .expect_err("faults");
        assert_eq!(
            shown.lines().collect::<Vec<_>>(),
            [
                "line 2, column 19: json.a[1] in [[provider]] names the variable txt, which does not exist; did you mean \
                 text?",
                "line 2, column 43: json.b.when in [[provider]] is nothing that JSON knows; write it as a text in quotes",
                "line 2, column 59: json.b.n in [[provider]] makes text a number, which it is not; remove :number",
                "line 2, column 82: json.b.m in [[provider]] names the variable txt, which does not exist; did you mean \
                 text?",
                "line 3, column 13: json.api_key in [[provider]] must be a placeholder, since secrets do not belong in \
                 the file; write \"${env:NAME}\" and set that variable",
            ]
        );
    }

    proptest! {
        #[test]
        fn no_text_can_be_anything_but_a_text(text in any::<String>()) {
            let json = read("{ a = \"<{{text}}>\", b = [\"{{text}}\"] }").expect("sound");
            let body: serde_json::Value = serde_json::from_str(&filled(&json, &text)).expect("JSON");
            prop_assert_eq!(body, serde_json::json!({ "a": format!("<{text}>"), "b": [text] }));
        }
    }
}
