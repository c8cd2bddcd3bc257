//! One value of the file, for what has no fixed shape: a tree of tables, or a number that may also be a list.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::{Fault, Faults};

/// A value, with its path and its place.
#[derive(Clone)]
pub struct Value<'doc> {
    text: &'doc str,
    /// `json.messages[0].to`, as a fault names it.
    path: String,
    /// ` in [[provider]]`, or nothing in the root.
    section: String,
    value: &'doc Spanned<DeValue<'doc>>,
}

/// What a value is.
pub enum Shape<'doc> {
    Text(&'doc str),
    Integer(i64),
    /// Finite.
    Float(f64),
    Flag(bool),
    List(Vec<Value<'doc>>),
    /// In the file's order.
    Table(Vec<(&'doc str, Value<'doc>)>),
    /// A date, or a number that is not finite or too large.
    Other,
}

impl<'doc> Value<'doc> {
    pub(super) fn new(text: &'doc str, path: String, section: String, value: &'doc Spanned<DeValue<'doc>>) -> Self {
        Self { text, path, section, value }
    }

    pub fn shape(&self) -> Shape<'doc> {
        match self.value.get_ref() {
            DeValue::String(text) => Shape::Text(text),
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix()).map_or(Shape::Other, Shape::Integer)
            }
            DeValue::Float(float) => match float.as_str().parse() {
                Ok(number) if f64::is_finite(number) => Shape::Float(number),
                _ => Shape::Other,
            },
            DeValue::Boolean(flag) => Shape::Flag(*flag),
            DeValue::Datetime(_) => Shape::Other,
            DeValue::Array(members) => {
                let member = |(index, value)| self.child(format!("{}[{index}]", self.path), value);
                Shape::List(members.iter().enumerate().map(member).collect())
            }
            DeValue::Table(table) => {
                let mut entries: Vec<_> = table.iter().collect();
                entries.sort_by_key(|(key, _)| key.span().start);
                let entry = |(key, value): (&'doc Spanned<_>, _)| {
                    let key: &'doc str = AsRef::as_ref(key.get_ref());
                    (key, self.child(format!("{}.{key}", self.path), value))
                };
                Shape::Table(entries.into_iter().map(entry).collect())
            }
        }
    }

    fn child(&self, path: String, value: &'doc Spanned<DeValue<'doc>>) -> Self {
        Self::new(self.text, path, self.section.clone(), value)
    }

    /// Adds a fault about this value; the message completes "KEY in the section …".
    pub fn fault(&self, message: &str, faults: &mut Faults) {
        self.fault_at(self.value.span().start, message, faults);
    }

    /// Adds a fault about what stands at this byte of a text. Where the file writes the text with escapes, the fault
    /// is at the text's beginning.
    pub fn fault_within(&self, byte: usize, message: &str, faults: &mut Faults) {
        let Range { start, end } = self.value.span();
        let written = self.text.get(start..end).unwrap_or_default();
        let content = self.value.get_ref().as_str().and_then(|text| written.find(text));
        self.fault_at(content.map_or(start, |content| start + content + byte), message, faults);
    }

    fn fault_at(&self, offset: usize, message: &str, faults: &mut Faults) {
        faults.push(Fault::at(self.text, offset, format!("{}{} {message}", self.path, self.section)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Document, key, schema};

    fn with_value<T>(text: &str, check: impl FnOnce(Value<'_>) -> T) -> T {
        let (document, mut faults) = Document::parse(text);
        let mut block = document.root().sections(key("provider", ""), &mut faults).pop().expect("a block");
        let value = block.value(key("v", ""), schema::text).expect("a value");
        block.finish(&mut faults);
        assert!(faults.is_empty(), "{faults}");
        check(value)
    }

    #[test]
    fn a_tree_is_read_in_the_files_order() {
        let text = "[[provider]]\nv = {\n  z = [1, 0x10, 1.5, true],\n  a = 'x',\n}\n";
        with_value(text, |value| {
            let Shape::Table(entries) = value.shape() else { panic!("a table") };
            assert_eq!(entries.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["z", "a"]);
            let Shape::List(members) = entries[0].1.shape() else { panic!("a list") };
            assert!(matches!(members[0].shape(), Shape::Integer(1)));
            assert!(matches!(members[1].shape(), Shape::Integer(16)));
            assert!(matches!(members[2].shape(), Shape::Float(1.5)));
            assert!(matches!(members[3].shape(), Shape::Flag(true)));
            assert!(matches!(entries[1].1.shape(), Shape::Text("x")));
        });
    }

    #[test]
    fn what_no_reader_wants_has_no_shape() {
        for written in ["2026-11-23", "inf", "nan", "99999999999999999999"] {
            with_value(&format!("[[provider]]\nv = {written}\n"), |value| {
                assert!(matches!(value.shape(), Shape::Other), "{written}");
            });
        }
    }

    #[test]
    fn a_fault_says_where_in_the_tree_and_in_the_file() {
        for (written, byte, place) in [
            ("'abc'", 0, "line 2, column 14"),
            ("'abc'", 2, "line 2, column 16"),
            ("'''\nabc'''", 1, "line 3, column 2"),
            ("\"a\\tbc\"", 2, "line 2, column 13"),
        ] {
            with_value(&format!("[[provider]]\nv = {{ x = [ {written} ] }}\n"), |value| {
                let Shape::Table(entries) = value.shape() else { panic!("a table") };
                let Shape::List(members) = entries[0].1.shape() else { panic!("a list") };
                let mut faults = Faults::default();
                members[0].fault_within(byte, "is odd", &mut faults);
                assert_eq!(faults.to_string(), format!("{place}: v.x[0] in [[provider]] is odd"));
            });
        }
    }
}
