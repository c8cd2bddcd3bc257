//! What a member of a request may be, and whether a value is so.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

pub(super) enum Shape {
    Text { least: usize, most: usize, form: Form },
    Number { least: i64, most: i64 },
    Flag,
    OneOf(&'static [&'static str]),
    List { of: &'static Shape, least: usize, most: usize },
    Map { of: &'static Shape, most: usize, longest_key: usize },
    Structure(&'static [Member]),
}

pub(super) struct Member {
    name: &'static str,
    shape: Shape,
    is_required: bool,
}

/// What a text looks like beyond its length; the model has regular expressions for it.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Any,
    Arn,
    ArnOrNothing,
    /// Holds `{####}`.
    Code,
    /// Holds `{##…##}`.
    Link,
    /// On one line or more, no control characters.
    Prose,
}

pub(super) const ARN: Shape = text(20, 2_048, Form::Arn);
pub(super) const LONG: Shape = text(0, 131_072, Form::Any);
pub(super) const UNBOUNDED: usize = usize::MAX;

pub(super) const fn optional(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, is_required: false }
}

pub(super) const fn required(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, is_required: true }
}

pub(super) const fn text(least: usize, most: usize, form: Form) -> Shape {
    Shape::Text { least, most, form }
}

pub(super) const fn number(least: i64, most: i64) -> Shape {
    Shape::Number { least, most }
}

pub(super) const fn list(of: &'static Shape, least: usize, most: usize) -> Shape {
    Shape::List { of, least, most }
}

/// # Errors
/// What is wrong, in the service's manner.
pub(super) fn structure(
    members: &[&Member],
    value: &Map<String, Value>,
    path: &str,
    of_the_future: &BTreeSet<String>,
) -> Result<(), String> {
    for member in members.iter().filter(|member| member.is_required) {
        if value.get(member.name).is_none_or(Value::is_null) {
            return Err(fault(&below(path, member.name), "Member must not be null"));
        }
    }
    for (name, value) in value.iter().filter(|(_, value)| !value.is_null()) {
        let path = below(path, name);
        match members.iter().find(|member| member.name == name) {
            Some(member) => checked(&member.shape, value, &path, of_the_future)?,
            None if of_the_future.contains(&path) => {}
            None => return Err(format!("there is no member {path} in this request")),
        }
    }
    Ok(())
}

fn checked(shape: &Shape, value: &Value, path: &str, of_the_future: &BTreeSet<String>) -> Result<(), String> {
    let within = |count: usize, least: usize, most: usize| {
        if (least..=most).contains(&count) {
            return Ok(());
        }
        Err(fault(path, &format!("Member must have length between {least} and {most}")))
    };
    match (shape, value) {
        (Shape::Text { least, most, form }, Value::String(text)) => {
            within(text.chars().count(), *least, *most)?;
            if form.is_of(text) { Ok(()) } else { Err(fault(path, "Member must satisfy regular expression pattern")) }
        }
        (Shape::Number { least, most }, Value::Number(number)) => match number.as_i64() {
            Some(number) if (*least..=*most).contains(&number) => Ok(()),
            Some(_) | None => Err(fault(path, &format!("Member must have value between {least} and {most}"))),
        },
        (Shape::Flag, Value::Bool(_)) => Ok(()),
        (Shape::OneOf(known), Value::String(text)) if known.contains(&text.as_str()) => Ok(()),
        (Shape::OneOf(known), Value::String(_)) => {
            Err(fault(path, &format!("Member must satisfy enum value set: [{}]", known.join(", "))))
        }
        (Shape::List { of, least, most }, Value::Array(items)) => {
            within(items.len(), *least, *most)?;
            items.iter().try_for_each(|item| checked(of, item, &format!("{path}.member"), of_the_future))
        }
        (Shape::Map { of, most, longest_key }, Value::Object(entries)) => {
            within(entries.len(), 0, *most)?;
            entries.keys().try_for_each(|key| within(key.chars().count(), 1, *longest_key))?;
            entries.iter().try_for_each(|(key, value)| checked(of, value, &below(path, key), of_the_future))
        }
        (Shape::Structure(members), Value::Object(value)) => {
            structure(&members.iter().collect::<Vec<_>>(), value, path, of_the_future)
        }
        (_, _) => Err(format!("{path} is of the wrong type")),
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn fault(path: &str, constraint: &str) -> String {
    format!("1 validation error detected: Value at '{path}' failed to satisfy constraint: {constraint}")
}

impl Form {
    fn is_of(self, text: &str) -> bool {
        let is_prose = || !text.chars().any(|c| c.is_control() && !c.is_whitespace());
        match self {
            Self::Any => true,
            Self::Arn => is_arn(text),
            Self::ArnOrNothing => text.is_empty() || is_arn(text),
            Self::Code => text.contains("{####}") && is_prose(),
            Self::Link => {
                let opened = text.split_once("{##").map(|(_, rest)| rest);
                opened.is_some_and(|rest| rest.contains("##}")) && is_prose()
            }
            Self::Prose => is_prose(),
        }
    }
}

/// `arn:partition:service:region:account:resource`, with up to two further parts.
fn is_arn(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let is_word = |part: &str| part.chars().all(|c| c.is_alphanumeric() || "_+=/,.@-".contains(c));
    let may_be_empty = |number| number == 3;
    (6..=8).contains(&parts.len())
        && parts[0] == "arn"
        && parts.iter().enumerate().all(|(n, part)| is_word(part) && (may_be_empty(n) || !part.is_empty()))
        && parts[4].bytes().all(|byte| byte.is_ascii_digit())
}

/// The model, to be compared with AWS's.
pub(super) fn described(members: impl Iterator<Item = &'static Member>) -> Value {
    let members = members.map(|member| {
        let mut shape = model_of(&member.shape);
        shape["required"] = json!(member.is_required);
        (member.name.to_owned(), shape)
    });
    Value::Object(members.collect())
}

fn model_of(shape: &Shape) -> Value {
    let bound = |number: usize| if number == UNBOUNDED { Value::Null } else { json!(number) };
    match shape {
        Shape::Text { least, most, .. } => json!({ "type": "string", "min": least, "max": bound(*most) }),
        Shape::Number { least, most } => json!({ "type": "integer", "min": least, "max": most }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::OneOf(known) => json!({ "type": "string", "enum": known }),
        Shape::List { of, least, most } => {
            json!({ "type": "list", "min": least, "max": bound(*most), "member": model_of(of) })
        }
        Shape::Map { of, most, .. } => json!({ "type": "map", "max": bound(*most), "value": model_of(of) }),
        Shape::Structure(members) => json!({ "type": "structure", "members": described(members.iter()) }),
    }
}
