//! YAML as CloudFormation templates use it, as JSON: the short forms of functions (`!Ref`, `!GetAtt A.B`) become the long
//! ones (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>).

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The one document of a text.
///
/// # Panics
/// When it is not YAML, or has a node that JSON has not: templates are part of this crate.
pub(crate) fn read(text: &str) -> Value {
    let documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("not YAML: {error}"));
    let [document] = documents.as_slice() else { panic!("{} documents instead of one", documents.len()) };
    json_of(document)
}

fn json_of(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(yes)) => json!(yes),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(nodes) => nodes.iter().map(json_of).collect(),
        Yaml::Mapping(members) => members.iter().map(|(name, node)| (key_of(name), json_of(node))).collect(),
        Yaml::Tagged(tag, node) => function(&tag.suffix, json_of(node)),
        Yaml::Representation(text, _, Some(tag)) => function(&tag.suffix, json!(text)),
        Yaml::Representation(text, _, None) => json!(text),
        Yaml::Alias(_) | Yaml::BadValue => panic!("CloudFormation reads no {node:?}"),
    }
}

fn key_of(node: &Yaml<'_>) -> String {
    let key = json_of(node);
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

fn function(name: &str, argument: Value) -> Value {
    let (name, argument) = match (name, argument) {
        ("Ref" | "Condition", argument) => (name.to_owned(), argument),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            ("Fn::GetAtt".to_owned(), json!([resource, attribute]))
        }
        (_, argument) => (format!("Fn::{name}"), argument),
    };
    Value::Object(Map::from_iter([(name, argument)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_of_functions_become_the_long_ones() {
        let read =
            read("a: !Ref B\nc: !GetAtt D.E\nf: !Sub [\"${x}\", {x: !Ref Y}]\ng: [1, true, \"2\", 2012-10-17]\n");
        let long = json!({
            "a": { "Ref": "B" },
            "c": { "Fn::GetAtt": ["D", "E"] },
            "f": { "Fn::Sub": ["${x}", { "x": { "Ref": "Y" } }] },
            "g": [1, true, "2", "2012-10-17"],
        });
        assert_eq!(read, long);
    }
}
