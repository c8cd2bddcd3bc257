//! The JSON Schema of the configuration, and the configurations that come with Sealpost.

mod agreement;
mod samples;

use std::process::Command;

use jsonschema::Validator;
use serde_json::{Map, Value};
use shared::Environment;
use worker::config::{Checked, File};

const COMMITTED: &str = include_str!("../../../aws/sealpost.schema.json");

/// The schema as editors get it.
fn validator() -> Validator {
    jsonschema::draft202012::new(&serde_json::from_str(COMMITTED).expect("JSON")).expect("a schema")
}

/// What the worker's reader says where nothing of what a file names is set.
fn parsed(text: &str) -> Result<File, String> {
    Checked::read(text, &Environment::from_lookup(|_| None)).file.map_err(|faults| faults.to_string())
}

/// What an editor marks.
fn marked(validator: &Validator, text: &str) -> Vec<String> {
    let value: Value = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Shows every table of a schema to `look`, with its path: keys, and words where a word decides.
fn for_each_table(schema: &Value, path: &mut Vec<String>, look: &mut impl FnMut(&[String], &Map<String, Value>)) {
    if !schema.is_object() {
        return;
    }
    for variant in schema["allOf"].as_array().into_iter().flatten() {
        path.push(variant["if"]["properties"]["kind"]["const"].as_str().expect("a kind").to_owned());
        for_each_table(&variant["then"], path, look);
        path.pop();
    }
    for below in ["items", "additionalProperties"] {
        for_each_table(&schema[below], path, look);
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    look(path, properties);
    for (key, value) in properties {
        path.push(key.clone());
        for_each_table(value, path, look);
        path.pop();
    }
}

#[test]
fn the_schema_beside_the_sample_is_what_the_readers_ask_for() {
    let output = Command::new(env!("CARGO_BIN_EXE_sealpost")).env_clear().args(["config", "schema"]).output();
    let made = String::from_utf8(output.expect("the binary runs").stdout).expect("UTF-8");
    assert!(
        made == COMMITTED,
        "infra/aws/sealpost.schema.json is not current; say\n\
         cargo run -p ops --no-default-features -- config schema > infra/aws/sealpost.schema.json"
    );
}

#[test]
fn it_is_a_schema_of_draft_2020_12_and_needs_no_other() {
    let schema: Value = serde_json::from_str(COMMITTED).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    jsonschema::draft202012::meta::validate(&schema).expect("a schema");
    assert!(!COMMITTED.contains("$ref"), "editors do not show what stands beside one");
}

#[test]
fn every_key_is_explained_in_a_sentence() {
    let schema: Value = serde_json::from_str(COMMITTED).expect("JSON");
    let mut keys = 0;
    for_each_table(&schema, &mut Vec::new(), &mut |path, properties| {
        for (key, value) in properties.iter().filter(|(_, value)| **value != true) {
            let about = value["description"].as_str().unwrap_or_default();
            assert!(about.len() > 10 && about.ends_with('.'), "{path:?} {key}: {about}");
            keys += 1;
        }
    });
    assert!(keys > 60, "{keys}");
}
