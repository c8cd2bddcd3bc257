//! One table of the file, as its reader takes it apart.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

#[cfg(feature = "schema")]
use super::drawing::Drawing;
use super::{DurationError, Fault, Faults, Key, Schema, Value, duration_schema, parse_duration, schema};

/// One table of the file. Each key that is read is taken out; [`Section::finish`] reports what is left.
///
/// A section can also draw the file's JSON Schema (feature `schema`): it is then empty, and whatever its reader asks for
/// goes into the schema. So every reader asks for all of its keys, whatever it finds.
pub struct Section<'doc> {
    text: &'doc str,
    /// `[lifetime]`, or nothing for the root.
    name: String,
    span: Range<usize>,
    entries: BTreeMap<&'doc str, (Range<usize>, &'doc Spanned<DeValue<'doc>>)>,
    known: Vec<&'static str>,
    #[cfg(feature = "schema")]
    drawing: Option<Drawing>,
}

impl<'doc> Section<'doc> {
    pub(super) fn new(text: &'doc str, name: String, span: Range<usize>, table: &'doc DeTable<'doc>) -> Self {
        let entries = table.iter().map(|(key, value)| (key.get_ref().as_ref(), (key.span(), value))).collect();
        Self {
            text,
            name,
            span,
            entries,
            known: Vec::new(),
            #[cfg(feature = "schema")]
            drawing: None,
        }
    }

    /// The JSON Schema of the table that `read` takes apart.
    #[cfg(feature = "schema")]
    pub fn schema(read: impl FnOnce(Section<'_>)) -> Schema {
        let drawing = Drawing::new();
        read(Section::drawn(String::new(), drawing.share()));
        drawing.schema()
    }

    #[cfg(feature = "schema")]
    fn drawn(name: String, drawing: Drawing) -> Self {
        Self { text: "", name, span: 0..0, entries: BTreeMap::new(), known: Vec::new(), drawing: Some(drawing) }
    }

    /// The section that is to be drawn below this one, if this one is.
    #[cfg(feature = "schema")]
    fn drawn_below(&self, key: Key, within: &str) -> Option<Self> {
        let drawing = self.drawing.as_ref()?;
        Some(Self::drawn(self.name_of(key.name), drawing.below(key, within)))
    }

    /// The section as a fault names it: ` in [lifetime]`, or nothing for the root.
    fn place_name(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) }
    }

    fn take(&mut self, key: Key, schema: impl FnOnce() -> Schema) -> Option<&'doc Spanned<DeValue<'doc>>> {
        #[cfg(feature = "schema")]
        if let Some(drawing) = &self.drawing {
            drawing.key(key, schema());
        }
        #[cfg(not(feature = "schema"))]
        let _ = schema;
        self.known.push(key.name);
        self.entries.remove(key.name).map(|(_, value)| value)
    }

    /// Adds a fault at a place of this section.
    fn fault_at(&self, offset: usize, message: String, faults: &mut Faults) {
        faults.push(Fault::at(self.text, offset, message));
    }

    /// Whether the key is there and has not been taken yet, whatever stands under it.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Adds a fault about the whole section where the key is missing.
    pub fn require(&self, name: &str, message: impl Into<String>, faults: &mut Faults) {
        #[cfg(feature = "schema")]
        if let Some(drawing) = &self.drawing {
            drawing.require(name);
        }
        if !self.has(name) {
            self.fault(message, faults);
        }
    }

    /// Adds a fault about the whole section, at its beginning.
    pub fn fault(&self, message: impl Into<String>, faults: &mut Faults) {
        self.fault_at(self.span.start, message.into(), faults);
    }

    /// Takes the text under `key` and turns it into a value; `parse`'s error completes "KEY in the section …". `schema`
    /// takes at least the texts that `parse` does.
    pub fn parsed<T, E: Display>(
        &mut self,
        key: Key,
        schema: impl FnOnce() -> Schema,
        parse: impl FnOnce(&str) -> Result<T, E>,
        faults: &mut Faults,
    ) -> Option<T> {
        let value = self.take(key, schema)?;
        let outcome = match value.get_ref().as_str() {
            Some(text) => parse(text).map_err(|error| error.to_string()),
            None => Err("must be a text in quotes".to_owned()),
        };
        self.accept(key, value, outcome, faults)
    }

    /// Takes one of these words, and gives what it stands for. `wrong` completes "KEY in the section …" for any other text,
    /// and is followed by the nearest word.
    pub fn word<T: Clone>(
        &mut self,
        key: Key,
        words: &[(&'static str, T)],
        wrong: &str,
        faults: &mut Faults,
    ) -> Option<T> {
        let names = || words.iter().map(|(word, _)| *word);
        let parse = |text: &str| match words.iter().find(|(word, _)| *word == text) {
            Some((_, meant)) => Ok(meant.clone()),
            None => Err(format!("{wrong}; {}", did_you_mean(text, &names().collect::<Vec<_>>()))),
        };
        self.parsed(key, || schema::one_of(names()), parse, faults)
    }

    /// Takes one of these words and gives the rest of the section to `read`, since the word decides what else stands
    /// there. For `wrong` see [`Section::word`].
    pub fn read_by_word<T: Clone, R>(
        mut self,
        key: Key,
        words: &[(&'static str, T)],
        wrong: &str,
        mut read: impl FnMut(T, Self, &mut Faults) -> Option<R>,
        faults: &mut Faults,
    ) -> Option<R> {
        #[cfg(feature = "schema")]
        if let Some(drawing) = &self.drawing {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            for ((_, meant), variant) in words.iter().zip(drawing.by_word(key, &names)) {
                read(meant.clone(), Self::drawn(self.name.clone(), variant), faults);
            }
            drawing.explain_words();
            return None;
        }
        let meant = self.word(key, words, wrong, faults)?;
        read(meant, self, faults)
    }

    /// Takes whatever stands under `key`. `schema` takes at least what the reader does.
    pub fn value(&mut self, key: Key, schema: impl FnOnce() -> Schema) -> Option<Value<'doc>> {
        let value = self.take(key, schema)?;
        Some(Value::new(self.text, key.name.to_owned(), self.place_name(), value))
    }

    /// Takes a text.
    pub fn text(&mut self, key: Key, faults: &mut Faults) -> Option<String> {
        self.parsed(key, schema::text, |text| Ok::<_, Infallible>(text.to_owned()), faults)
    }

    /// Takes `true` or `false`.
    pub fn flag(&mut self, key: Key, faults: &mut Faults) -> Option<bool> {
        let value = self.take(key, schema::flag)?;
        let outcome = value.get_ref().as_bool().ok_or_else(|| "must be true or false".to_owned());
        self.accept(key, value, outcome, faults)
    }

    /// Takes a duration such as `3m`, `20s` or `7d` (a day is 24 hours).
    pub fn duration(&mut self, key: Key, allowed: RangeInclusive<Duration>, faults: &mut Faults) -> Option<Duration> {
        let value = self.take(key, || duration_schema(&allowed))?;
        let text = value.get_ref().as_str().ok_or(DurationError::NotADuration);
        let outcome = text.and_then(|text| parse_duration(text, allowed)).map_err(|error| error.to_string());
        self.accept(key, value, outcome, faults)
    }

    /// Takes a list of texts.
    pub fn texts(&mut self, key: Key, faults: &mut Faults) -> Option<Vec<String>> {
        let value = self.take(key, || schema::list(schema::text()))?;
        let outcome = texts(value.get_ref()).ok_or_else(|| "must be a list of texts".to_owned());
        self.accept(key, value, outcome, faults)
    }

    /// Takes the table under `key`.
    pub fn section(&mut self, key: Key, faults: &mut Faults) -> Option<Self> {
        let section = self.table(key, schema::table, faults);
        #[cfg(feature = "schema")]
        if let Some(drawn) = self.drawn_below(key, "") {
            return Some(drawn);
        }
        section
    }

    /// Takes a table of tables whose names are the operator's own, as in `[lifetime.client.NAME]`.
    pub fn sections_by_name(&mut self, key: Key, faults: &mut Faults) -> Vec<(String, Self)> {
        let outer = self.table(key, || schema::table_of(schema::table()), faults);
        #[cfg(feature = "schema")]
        if let Some(drawn) = self.drawn_below(key, "/additionalProperties") {
            return vec![(String::new(), drawn)];
        }
        let Some(outer) = outer else { return Vec::new() };
        let mut sections = Vec::new();
        for (name, (span, value)) in &outer.entries {
            let title = format!("{}.{name}", outer.name);
            match value.get_ref().as_table() {
                Some(table) => {
                    sections.push(((*name).to_owned(), Self::new(self.text, title, value.span(), table)));
                }
                None => outer.fault_at(span.start, format!("{name} must be a table, written as [{title}]"), faults),
            }
        }
        sections
    }

    /// Takes the texts under names that are the operator's own, as in `[route.country]`. `names` is a regular expression
    /// that is found in at least the names that the reader takes.
    pub fn text_lists_by_name(
        &mut self,
        key: Key,
        names: impl FnOnce() -> String,
        faults: &mut Faults,
    ) -> Vec<(String, Vec<String>)> {
        let lists = || schema::table_like(&names(), schema::list(schema::text()));
        let Some(outer) = self.table(key, lists, faults) else { return Vec::new() };
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
    pub fn sections(&mut self, key: Key, faults: &mut Faults) -> Vec<Self> {
        let value = self.take(key, || schema::list(schema::table()));
        #[cfg(feature = "schema")]
        if let Some(drawn) = self.drawn_below(key, "/items") {
            return vec![drawn];
        }
        let Some(value) = value else { return Vec::new() };
        let name = self.name_of(key.name);
        let Some(members) = value.get_ref().as_array() else {
            let message = format!("{} must be a list of tables, written as [[{name}]]", key.name);
            self.fault_at(value.span().start, message, faults);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for member in members.iter() {
            match member.get_ref().as_table() {
                Some(table) => sections.push(Self::new(self.text, format!("[{name}]"), member.span(), table)),
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

    fn table(&mut self, key: Key, schema: impl FnOnce() -> Schema, faults: &mut Faults) -> Option<Self> {
        let value = self.take(key, schema)?;
        let name = self.name_of(key.name);
        let outcome = match value.get_ref().as_table() {
            None => Err(format!("must be a table, written as [{name}]")),
            Some(table) => Ok(Self::new(self.text, name, value.span(), table)),
        };
        self.accept(key, value, outcome, faults)
    }

    /// The name of a section below this one; that of `[[provider]]` is `[provider]`.
    fn name_of(&self, key: &str) -> String {
        let name = self.name.trim_matches(['[', ']']);
        if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") }
    }

    fn accept<T>(
        &self,
        key: Key,
        value: &Spanned<DeValue<'_>>,
        outcome: Result<T, String>,
        faults: &mut Faults,
    ) -> Option<T> {
        match outcome {
            Ok(parsed) => Some(parsed),
            Err(fault) => {
                self.fault_at(value.span().start, format!("{}{} {fault}", key.name, self.place_name()), faults);
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
