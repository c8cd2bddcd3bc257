//! What may stand under a key, as JSON Schema (<https://json-schema.org/draft/2020-12>). A schema may take more than
//! the reader of the key does, and never less.

use serde_json::json;

/// A JSON Schema, or a part of one.
pub type Schema = serde_json::Value;

/// `true` or `false`.
pub fn flag() -> Schema {
    json!({ "type": "boolean" })
}

/// Any text.
pub fn text() -> Schema {
    json!({ "type": "string" })
}

/// A text in which a regular expression is found, of the kind that JSON Schema recommends: without look-around. `about`
/// follows the key's sentence, or is empty.
pub fn text_like(pattern: &str, about: &str) -> Schema {
    let mut schema = json!({ "type": "string", "pattern": pattern });
    if !about.is_empty() {
        schema["description"] = about.into();
    }
    schema
}

/// One of these words.
pub fn one_of<'w>(words: impl IntoIterator<Item = &'w str>) -> Schema {
    json!({ "enum": words.into_iter().collect::<Vec<_>>() })
}

/// A list of such values.
pub fn list(of: Schema) -> Schema {
    json!({ "type": "array", "items": of })
}

/// Such a value, or a list of them.
pub fn one_or_list(of: Schema) -> Schema {
    json!({ "anyOf": [of.clone(), list(of)] })
}

/// A table of such values, under names that the operator chooses.
pub fn table_of(values: Schema) -> Schema {
    json!({ "type": "object", "additionalProperties": values })
}

/// A table of such values, under names in which a regular expression is found.
pub fn table_like(names: &str, values: Schema) -> Schema {
    json!({ "type": "object", "patternProperties": { names: values }, "additionalProperties": false })
}

/// A table of which no key is known yet.
pub(super) fn table() -> Schema {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}
