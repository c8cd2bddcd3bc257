//! A TOML file whose faults are collected with their places instead of ending the reading at the first one.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{DurationError, Fault, Faults, Value, parse_duration};

/// A configuration file, parsed as far as its syntax allows.
pub struct Document<'text> {
    text: &'text str,
    root: Spanned<DeTable<'text>>,
}

/// One table of the file. Each key that is read is taken out; [`Section::finish`] reports what is left.
pub struct Section<'doc> {
    text: &'doc str,
    /// `[lifetime]`, or nothing for the root.
    name: String,
    span: Range<usize>,
    entries: BTreeMap<&'doc str, (Range<usize>, &'doc Spanned<DeValue<'doc>>)>,
    known: Vec<&'static str>,
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
}

impl<'doc> Section<'doc> {
    fn new(text: &'doc str, name: String, span: Range<usize>, table: &'doc DeTable<'doc>) -> Self {
        let entries = table.iter().map(|(key, value)| (key.get_ref().as_ref(), (key.span(), value))).collect();
        Self { text, name, span, entries, known: Vec::new() }
    }

    /// The section as a fault names it: ` in [lifetime]`, or nothing for the root.
    fn place_name(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) }
    }

    fn take(&mut self, key: &'static str) -> Option<&'doc Spanned<DeValue<'doc>>> {
        self.known.push(key);
        self.entries.remove(key).map(|(_, value)| value)
    }

    /// Adds a fault at a place of this section.
    fn fault_at(&self, offset: usize, message: String, faults: &mut Faults) {
        faults.push(Fault::at(self.text, offset, message));
    }

    /// Whether the key is there and has not been taken yet, whatever stands under it.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Adds a fault about the whole section, at its beginning.
    pub fn fault(&self, message: impl Into<String>, faults: &mut Faults) {
        self.fault_at(self.span.start, message.into(), faults);
    }

    /// Takes the text under `key` and turns it into a value; `parse`'s error completes "KEY in the section …".
    pub fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        faults: &mut Faults,
    ) -> Option<T> {
        let value = self.take(key)?;
        let outcome = match value.get_ref().as_str() {
            Some(text) => parse(text).map_err(|error| error.to_string()),
            None => Err("must be a text in quotes".to_owned()),
        };
        self.accept(key, value, outcome, faults)
    }

    /// Takes whatever stands under `key`.
    pub fn value(&mut self, key: &'static str) -> Option<Value<'doc>> {
        let value = self.take(key)?;
        Some(Value::new(self.text, key.to_owned(), self.place_name(), value))
    }

    /// Takes a text.
    pub fn text(&mut self, key: &'static str, faults: &mut Faults) -> Option<String> {
        self.parsed(key, |text| Ok::<_, std::convert::Infallible>(text.to_owned()), faults)
    }

    /// Takes `true` or `false`.
    pub fn flag(&mut self, key: &'static str, faults: &mut Faults) -> Option<bool> {
        let value = self.take(key)?;
        let outcome = value.get_ref().as_bool().ok_or_else(|| "must be true or false".to_owned());
        self.accept(key, value, outcome, faults)
    }

    /// Takes a duration such as `3m`, `20s` or `7d` (a day is 24 hours).
    pub fn duration(
        &mut self,
        key: &'static str,
        allowed: RangeInclusive<Duration>,
        faults: &mut Faults,
    ) -> Option<Duration> {
        let value = self.take(key)?;
        let text = value.get_ref().as_str().ok_or(DurationError::NotADuration);
        let outcome = text.and_then(|text| parse_duration(text, allowed)).map_err(|error| error.to_string());
        self.accept(key, value, outcome, faults)
    }

    /// Takes a list of texts.
    pub fn texts(&mut self, key: &'static str, faults: &mut Faults) -> Option<Vec<String>> {
        let value = self.take(key)?;
        let outcome = texts(value.get_ref()).ok_or_else(|| "must be a list of texts".to_owned());
        self.accept(key, value, outcome, faults)
    }

    /// Takes the table under `key`.
    pub fn section(&mut self, key: &'static str, faults: &mut Faults) -> Option<Section<'doc>> {
        let value = self.take(key)?;
        let name = self.name_of(key);
        let outcome = match value.get_ref().as_table() {
            None => Err(format!("must be a table, written as [{name}]")),
            Some(table) => Ok(Section::new(self.text, name, value.span(), table)),
        };
        self.accept(key, value, outcome, faults)
    }

    /// Takes a table of tables whose names are the operator's own, as in `[lifetime.client.NAME]`.
    pub fn sections_by_name(&mut self, key: &'static str, faults: &mut Faults) -> Vec<(String, Section<'doc>)> {
        let Some(outer) = self.section(key, faults) else { return Vec::new() };
        let mut sections = Vec::new();
        for (name, (span, value)) in &outer.entries {
            let title = format!("{}.{name}", outer.name);
            match value.get_ref().as_table() {
                Some(table) => {
                    sections.push(((*name).to_owned(), Section::new(self.text, title, value.span(), table)));
                }
                None => outer.fault_at(span.start, format!("{name} must be a table, written as [{title}]"), faults),
            }
        }
        sections
    }

    /// Takes the texts under names that are the operator's own, as in `[route.country]`.
    pub fn text_lists_by_name(&mut self, key: &'static str, faults: &mut Faults) -> Vec<(String, Vec<String>)> {
        let Some(outer) = self.section(key, faults) else { return Vec::new() };
        let mut lists = Vec::new();
        for (name, (span, value)) in &outer.entries {
            match texts(value.get_ref()) {
                Some(list) => lists.push(((*name).to_owned(), list)),
                None => {
                    let message = format!("{name}{} must be a list of texts", outer.place_name());
                    outer.fault_at(span.start, message, faults);
                }
            }
        }
        lists
    }

    /// Takes the tables written as `[[key]]`.
    pub fn sections(&mut self, key: &'static str, faults: &mut Faults) -> Vec<Section<'doc>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let name = self.name_of(key);
        let Some(members) = value.get_ref().as_array() else {
            self.fault_at(value.span().start, format!("{key} must be a list of tables, written as [[{name}]]"), faults);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for member in members.iter() {
            match member.get_ref().as_table() {
                Some(table) => sections.push(Section::new(self.text, format!("[{name}]"), member.span(), table)),
                None => self.fault_at(member.span().start, format!("must be a table, written as [[{name}]]"), faults),
            }
        }
        sections
    }

    /// Reports every key that nobody took, with the nearest known name.
    pub fn finish(self, faults: &mut Faults) {
        for (key, (span, _)) in &self.entries {
            let remedy = did_you_mean(key, &self.known);
            let message = format!("unknown key {}{}; {remedy}", shortened(key), self.place_name());
            self.fault_at(span.start, message, faults);
        }
    }

    /// The name of a section below this one; that of `[[provider]]` is `[provider]`.
    fn name_of(&self, key: &str) -> String {
        let name = self.name.trim_matches(['[', ']']);
        if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") }
    }

    fn accept<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        outcome: Result<T, String>,
        faults: &mut Faults,
    ) -> Option<T> {
        match outcome {
            Ok(parsed) => Some(parsed),
            Err(fault) => {
                self.fault_at(value.span().start, format!("{key}{} {fault}", self.place_name()), faults);
                None
            }
        }
    }
}

/// The remedy for a name that is not known: the nearest of those that are, or all of them.
pub fn did_you_mean(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (strsim::jaro_winkler(name, known), known));
    let nearest = near.max_by(|(a, _), (b, _)| a.total_cmp(b)).filter(|(likeness, _)| *likeness > 0.8);
    match nearest {
        Some((_, known)) => format!("did you mean {known}?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|member| member.get_ref().as_str().map(str::to_owned)).collect()
}

/// A key that somebody mistyped may be a pasted secret: show its beginning only.
fn shortened(key: &str) -> String {
    let shown: String = key.chars().take(32).collect();
    if shown.len() < key.len() { format!("{shown}…") } else { shown }
}
