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

    /// Makes one table for each word under a key; they differ from here on. Conditions are what lets an editor say what is
    /// wrong in a table, where it would else say that it is like none of them.
    pub(super) fn by_word(&self, key: Key, words: &[&str]) -> Vec<Self> {
        self.edit(|table| {
            let is = |word: &&str| json!({ "properties": { key.name: { "const": word } }, "required": [key.name] });
            table["properties"][key.name] = schema::one_of(words.iter().copied());
            table["properties"][key.name]["description"] = key.about.into();
            let mut variant = schema::table();
            for known in table["properties"].as_object().into_iter().flat_map(|known| known.keys()) {
                variant["properties"][known] = true.into();
            }
            table["allOf"] = words.iter().map(|word| json!({ "if": is(word), "then": variant })).collect();
            drop(table.as_object_mut().and_then(|table| table.remove("additionalProperties")));
        });
        (0..words.len()).map(|index| self.at(format!("{}/allOf/{index}/then", self.table))).collect()
    }

    /// Repeats what the tables of [`Drawing::by_word`] say of their keys where it depends on no condition: editors look for
    /// it there alone, and it refuses nothing.
    pub(super) fn explain_words(&self) {
        self.edit(|table| {
            for variant in table["allOf"].as_array_mut().into_iter().flatten() {
                if let Some(mut explained) = explanations(&variant["then"]) {
                    variant["properties"] = explained["properties"].take();
                }
            }
        });
    }

    fn at(&self, table: String) -> Self {
        Self { whole: Rc::clone(&self.whole), table }
    }

    fn edit(&self, edit: impl FnOnce(&mut Schema)) {
        let mut whole = self.whole.borrow_mut();
        edit(whole.pointer_mut(&self.table).expect("a table is drawn before what stands in it"));
    }
}

/// What a schema says of the keys in it, without what it asks for; none where it says nothing.
fn explanations(schema: &Schema) -> Option<Schema> {
    let about = schema.get("description").map(|about| ("description".to_owned(), about.clone()));
    let of_members = schema.get("items").and_then(explanations).map(|of_members| ("items".to_owned(), of_members));
    let keys = schema.get("properties").and_then(Schema::as_object).map(|keys| {
        let explained = keys.iter().filter_map(|(key, value)| Some((key.clone(), explanations(value)?)));
        ("properties".to_owned(), explained.collect())
    });
    let all: serde_json::Map<_, _> = about.into_iter().chain(of_members).chain(keys).collect();
    (!all.is_empty()).then(|| all.into())
}
