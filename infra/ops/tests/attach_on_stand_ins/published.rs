//! What AWS publishes: the service model of Cognito, as botocore has it.

use std::collections::BTreeSet;

use serde_json::Value;
use witnesses::{Missing, moto};

#[path = "../attach/cognito/model.rs"]
#[expect(dead_code, reason = "only the model itself is looked at")]
mod model;
#[path = "../attach/cognito/shape.rs"]
mod shape;

use model::{ONLY_DESCRIBED, Request};

/// Prints the members of three requests as `Request::model` has them, and the names that a description has.
const MODEL: &str = "
import json
from botocore.session import Session
model = Session().get_service_model('cognito-idp')
def shape(it):
    kind, limits = it.type_name, it.metadata
    if kind == 'structure':
        return {'type': kind, 'members': members(it)}
    if kind == 'list':
        return {'type': kind, 'min': limits.get('min', 0), 'max': limits.get('max'), 'member': shape(it.member)}
    if kind == 'map':
        return {'type': kind, 'max': limits.get('max'), 'value': shape(it.value)}
    if kind == 'boolean':
        return {'type': kind}
    if it.metadata.get('enum'):
        return {'type': kind, 'enum': limits['enum']}
    least = limits.get('min', 0)
    return {'type': kind, 'min': least, 'max': limits.get('max')}
def members(it):
    return {name: {**shape(member), 'required': name in it.required_members} for name, member in it.members.items()}
requests = ['CreateUserPool', 'UpdateUserPool', 'SetUserPoolMfaConfig']
print(json.dumps([members(model.operation_model(name).input_shape) for name in requests]
                 + [list(model.shape_for('UserPoolType').members)]))";

pub(crate) fn the_model_is_the_same() -> Result<(), Missing> {
    let output = moto()?.command().args(["-c", MODEL]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let published: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let requests = [Request::CreateUserPool, Request::UpdateUserPool, Request::SetUserPoolMfaConfig];
    for (request, published) in requests.into_iter().zip(&published) {
        let mut differences = Vec::new();
        compare(&request.model(), published, "", &mut differences);
        assert!(differences.is_empty(), "{differences:#?}");
    }
    let described: BTreeSet<_> = published[3].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let update = Request::UpdateUserPool.model();
    let of_update = update.as_object().unwrap().keys().map(String::as_str);
    let settings = of_update.filter(|name| !["UserPoolId", "PoolName"].contains(name));
    assert_eq!(described, settings.chain(ONLY_DESCRIBED).collect());
    Ok(())
}

fn compare(ours: &Value, published: &Value, path: &str, differences: &mut Vec<String>) {
    if let (Value::Object(one), Value::Object(other)) = (ours, published) {
        let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
        for name in names {
            compare(&ours[name], &published[name], &format!("{path}/{name}"), differences);
        }
    } else if in_any_order(ours) != in_any_order(published) {
        differences.push(format!("{path}: {ours} here, {published} at AWS"));
    }
}

/// The names of an enumeration have no order.
fn in_any_order(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(names) = value.as_array_mut() {
        names.sort_by_key(Value::to_string);
    }
    value
}
