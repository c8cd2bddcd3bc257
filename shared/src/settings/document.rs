//! A TOML file whose faults are collected with their places instead of ending the reading at the first one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Fault, Faults, Section};

/// A configuration file, parsed as far as its syntax allows.
pub struct Document<'text> {
    text: &'text str,
    root: Spanned<DeTable<'text>>,
}

impl<'text> Document<'text> {
    /// Reads as much as possible, and the faults of syntax.
    pub fn parse(text: &'text str) -> (Self, Faults) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut faults = Faults::default();
        for error in errors {
            let byte = error.span().map_or(0, |span| span.start);
            faults.push(Fault::at(text, byte, error.message().to_owned()));
        }
        (Self { text, root }, faults)
    }

    pub fn root(&self) -> Section<'_> {
        Section::new(self.text, String::new(), self.root.span(), self.root.get_ref())
    }

    /// The line, counted from 1, in which the last of these keys is written; each stands in the table of the one before
    /// it, and a number counts the members of a list from 0.
    pub fn line_of(&self, path: &[&str]) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        let (key, mut value) = self.root.get_ref().get_key_value(*first)?;
        let mut start = key.span().start;
        for step in rest {
            (start, value) = match value.get_ref() {
                DeValue::Table(table) => {
                    let (key, value) = table.get_key_value(*step)?;
                    (key.span().start, value)
                }
                DeValue::Array(members) => {
                    let member = members.get(step.parse::<usize>().ok()?)?;
                    (member.span().start, member)
                }
                DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_) => return None,
            };
        }
        Some(Fault::at(self.text, start, String::new()).line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_keys() {
        let text = "[route]\ndefault = []\n[route.country]\nGB = []\n[[test_number]]\nnumber = \"a\"\n\
                    [[test_number]]\nnumber = \"b\"\n";
        let (document, _) = Document::parse(text);
        for (path, line) in [
            (&["route"][..], Some(1)),
            (&["route", "default"], Some(2)),
            (&["route", "country", "GB"], Some(4)),
            (&["route", "country", "FR"], None),
            (&["route", "default", "x"], None),
            (&["test_number", "1", "number"], Some(8)),
            (&["test_number", "2"], None),
            (&["limits"], None),
            (&[], None),
        ] {
            assert_eq!(document.line_of(path), line, "{path:?}");
        }
    }
}
