//! What a pool is set to, as two calls tell it, and how two such pictures differ.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api::Api;

/// What changes by itself, or with every update.
const RESTLESS: [&str; 2] = ["LastModifiedDate", "EstimatedNumberOfUsers"];
/// What attaching sets.
const ATTACHED: [&str; 2] = ["LambdaConfig.CustomSMSSender", "LambdaConfig.KMSKeyID"];

/// A pool's description and its second factors.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) pool: Value,
    pub(crate) second_factors: Value,
}

impl Snapshot {
    pub(crate) fn of(api: &Api, id: &str) -> Self {
        let of_pool = json!({ "UserPoolId": id });
        let described = api.pools("DescribeUserPool", &of_pool).expect("it is there");
        let second_factors = api.pools("GetUserPoolMfaConfig", &of_pool).expect("it is there");
        Self { pool: described["UserPool"].clone(), second_factors }
    }

    /// A setting by its path, null if there is none.
    pub(crate) fn get(&self, path: &str) -> Value {
        path.split('.').fold(self.pool.clone(), |value, name| value[name].clone())
    }

    /// The paths at which two differ, but for what moves by itself.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        differ(&self.settled(), &other.settled(), "", &mut found);
        differ(&self.second_factors, &other.second_factors, "second factors", &mut found);
        found
    }

    /// The paths at which two differ that attaching has no business with.
    pub(crate) fn differences_but_attached(&self, other: &Self) -> Vec<String> {
        let mut found = self.differences(other);
        found.retain(|path| !ATTACHED.iter().any(|attached| path.starts_with(attached)));
        found
    }

    /// The description without what moves by itself. How long a temporary password is valid has two names, of which a
    /// pool from before 2019 may have the older one alone; no update may use that one any more.
    fn settled(&self) -> Value {
        let mut pool = self.pool.clone();
        let validity = pool["AdminCreateUserConfig"]["UnusedAccountValidityDays"].clone();
        if let Value::Object(pool) = &mut pool {
            pool.retain(|name, _| !RESTLESS.contains(&name.as_str()));
        }
        // So that triggers are told one by one, also where there were none.
        if pool["LambdaConfig"].is_null() {
            pool["LambdaConfig"] = json!({});
        }
        if let Some(password) = pool["Policies"]["PasswordPolicy"].as_object_mut() {
            password.entry("TemporaryPasswordValidityDays").or_insert(validity);
        }
        pool
    }
}

fn differ(one: &Value, other: &Value, path: &str, found: &mut Vec<String>) {
    if let (Value::Object(members), Value::Object(others)) = (one, other) {
        let names: BTreeSet<_> = members.keys().chain(others.keys()).collect();
        for name in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            differ(&one[name], &other[name], &path, found);
        }
    } else if something(one) != something(other) {
        found.push(path.to_owned());
    }
}

/// An object without members says as little as none.
fn something(value: &Value) -> Option<&Value> {
    Some(value).filter(|value| !value.is_null() && **value != json!({}))
}
