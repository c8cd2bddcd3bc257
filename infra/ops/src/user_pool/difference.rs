//! What differs between two settings.

use serde_json::Value;

/// One setting that differs.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Difference {
    /// `LambdaConfig.CustomSMSSender`.
    pub(crate) path: String,
    /// None where there was none.
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// All that differs, by path. The order of a list has no meaning in a user pool.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    if let (Value::Object(old), Value::Object(new)) = (before, after) {
        let is_new = |name: &&String| !old.contains_key(*name);
        for name in old.keys().chain(new.keys().filter(is_new)) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match (old.get(name), new.get(name)) {
                (Some(before), Some(after)) => compare(&path, before, after, found),
                (before, after) => found.push(Difference { path, before: before.cloned(), after: after.cloned() }),
            }
        }
    } else if in_order(before) != in_order(after) {
        found.push(Difference { path: path.to_owned(), before: Some(before.clone()), after: Some(after.clone()) });
    }
}

/// A list with its members in an order of their own.
fn in_order(value: &Value) -> Value {
    let Some(members) = value.as_array() else { return value.clone() };
    let mut members: Vec<_> = members.iter().map(in_order).collect();
    members.sort_by_cached_key(Value::to_string);
    Value::Array(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(before: &Value, after: &Value) -> Vec<String> {
        differences(before, after).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn what_differs_is_named_as_deep_as_both_sides_have_it() {
        let before = json!({ "a": { "b": 1, "c": { "d": 2 } }, "e": 3, "same": [1] });
        let after = json!({ "a": { "b": 4 }, "f": { "g": 5 }, "same": [1] });
        assert_eq!(paths(&before, &after), ["a.b", "a.c", "e", "f"]);
        assert_eq!(paths(&before, &before), [] as [&str; 0]);
    }

    #[test]
    fn a_list_is_compared_without_its_order_and_with_its_number() {
        let list = |members: Value| json!({ "AutoVerifiedAttributes": members });
        assert!(paths(&list(json!(["email", "phone_number"])), &list(json!(["phone_number", "email"]))).is_empty());
        for other in [json!(["email"]), json!([]), json!(["email", "email"]), json!("email"), json!(null)] {
            let before = list(json!(["email", "phone_number"]));
            assert_eq!(paths(&before, &list(other.clone())), ["AutoVerifiedAttributes"], "{other}");
        }
    }

    #[test]
    fn a_member_that_appears_or_goes_has_one_side_only() {
        let found = differences(&json!({}), &json!({ "KMSKeyID": "arn" }));
        assert_eq!((found[0].before.clone(), found[0].after.clone()), (None, Some(json!("arn"))));
    }
}
