//! The JSON Schema of the configuration file.

use serde_json::{Value, json};
use worker::config::File;

/// What the worker's readers ask the file for, as a schema with a title.
pub(super) fn schema() -> Value {
    let mut schema = File::schema();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Sealpost's configuration (sealpost.toml)");
    schema["$comment"] = json!("Made by `sealpost config schema`.");
    schema
}
