//! The schema of the whole file, drawn while its readers ask a [`Section`](super::Section) for their keys: what they ask
//! for is in it, and nothing else.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::json;

use super::{Key, Schema, schema};

/// The schema while it is being drawn, and the table of it that a section stands for.
pub(super) struct Drawing {
    whole: Rc<RefCell<Schema>>,
    /// JSON pointer to the table.
    table: String,
}

impl Drawing {
    pub(super) fn new() -> Self {
        Self { whole: Rc::new(RefCell::new(schema::table())), table: String::new() }
    }

    /// What was drawn so far.
    pub(super) fn schema(&self) -> Schema {
        self.whole.borrow().clone()
    }

    /// The same drawing, at the same table.
    pub(super) fn share(&self) -> Self {
        self.at(self.table.clone())
    }

    /// Draws what may stand under a key; what the value's schema says of itself follows the key's sentence.
    pub(super) fn key(&self, key: Key, mut value: Schema) {
        let about = match value["description"].as_str() {
            Some(of_value) => format!("{} {of_value}", key.about),
            None => key.about.to_owned(),
        };
        value["description"] = about.into();
        self.edit(|table| table["properties"][key.name] = value);
    }

    pub(super) fn require(&self, name: &str) {
        self.edit(|table| match table["required"].as_array_mut() {
            Some(required) => required.push(name.into()),
            None => table["required"] = json!([name]),
        });
    }

    /// The table that was drawn under a key, `within` the key's schema.
    pub(super) fn below(&self, key: Key, within: &str) -> Self {
        self.at(format!("{}/properties/{}{within}", self.table, key.name))
    }

    /// Makes one table for each word under a key; they differ from here on.
    pub(super) fn by_word(&self, key: Key, words: &[&str]) -> Vec<Self> {
        self.edit(|table| {
            let with = |word: &&str| {
                let mut variant = table.clone();
                variant["properties"][key.name] = json!({ "const": word, "description": key.about });
                variant
            };
            *table = json!({ "anyOf": words.iter().map(with).collect::<Schema>() });
        });
        (0..words.len()).map(|index| self.at(format!("{}/anyOf/{index}", self.table))).collect()
    }

    fn at(&self, table: String) -> Self {
        Self { whole: Rc::clone(&self.whole), table }
    }

    fn edit(&self, edit: impl FnOnce(&mut Schema)) {
        let mut whole = self.whole.borrow_mut();
        edit(whole.pointer_mut(&self.table).expect("a table is drawn before what stands in it"));
    }
}
