//! What the stand-ins do otherwise than AWS: as it is listed, and seen by the tool where it is wrong.

use serde_json::{Value, json};
use witnesses::Missing;

use crate::cloud::Cloud;
use crate::generator::Pool;
use crate::generator::everything::creation;
use crate::snapshot::Snapshot;
use crate::surviving::bare;

/// What a creation says and no update does.
const FOR_GOOD: [&str; 5] = ["PoolName", "AliasAttributes", "UsernameAttributes", "UsernameConfiguration", "Schema"];

fn everything() -> Pool {
    let mut creation = creation();
    creation["PoolName"] = json!("customers");
    Pool { creation, second_factors: None }
}

pub(crate) fn are_as_listed(cloud: &Cloud) -> Result<(), Missing> {
    let which = cloud.which;
    let pool = everything();
    let names = pool.creation.as_object().unwrap().keys();
    let id = cloud.create(&pool);
    let created = Snapshot::of(&cloud.api, &id);
    let told_otherwise = ["PoolName", "Schema"];
    let forgotten = names.filter(|name| created.pool[*name].is_null() && !told_otherwise.contains(&name.as_str()));
    assert_eq!(forgotten.collect::<Vec<_>>(), which.forgets);
    for (name, value) in pool.creation.as_object().unwrap() {
        let kept = &created.pool[name];
        assert!(kept.is_null() || kept == value, "{name} is kept as {kept}");
    }

    // What is sent is kept, but for what it loses.
    let mut request = pool.creation.clone();
    request.as_object_mut().unwrap().retain(|name, _| !FOR_GOOD.contains(&name.as_str()) && name != "DcrConfiguration");
    request["UserPoolId"] = json!(id);
    cloud.api.pools("UpdateUserPool", &request).unwrap();
    let updated = Snapshot::of(&cloud.api, &id);
    let lost: Vec<_> = which.loses.iter().filter(|path| !created.get(path).is_null()).collect();
    let differences: std::collections::BTreeSet<_> =
        created.differences(&updated).iter().map(|path| path.split('.').next().unwrap().to_owned()).collect();
    assert_eq!(differences.iter().collect::<Vec<_>>(), lost);

    // What is not sent.
    cloud.api.pools("UpdateUserPool", &json!({ "UserPoolId": id })).unwrap();
    let left = Snapshot::of(&cloud.api, &id);
    assert_eq!(updated.differences(&left).is_empty(), !which.resets);

    // Nothing is refused, so what AWS refuses only the strict Cognito does.
    for refused_by_aws in [
        json!({ "SchemaAttributes": [] }),
        json!({ "SmsConfiguration": {} }),
        json!({ "UserPoolTags": { "aws:cloudformation:stack-name": "x" } }),
        json!({ "SmsVerificationMessage": "" }),
        json!({ "AdminCreateUserConfig": { "UnusedAccountValidityDays": 7 },
            "Policies": { "PasswordPolicy": { "TemporaryPasswordValidityDays": 7 } } }),
    ] {
        let mut request = refused_by_aws;
        request["UserPoolId"] = json!(id);
        cloud.api.pools("UpdateUserPool", &request).unwrap();
    }
    second_factors(cloud);
    Ok(())
}

fn second_factors(cloud: &Cloud) {
    let id = cloud.create(&bare());
    let before = Snapshot::of(&cloud.api, &id);
    let set = |factors: Value| {
        let mut request = factors;
        request["UserPoolId"] = json!(id);
        cloud.api.pools("SetUserPoolMfaConfig", &request)
    };
    let email = json!({ "Message": "{####}", "Subject": "x" });
    let alone = set(json!({ "MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": email }));
    assert_eq!(alone.is_ok(), cloud.which.keeps_every_factor);
    let all = json!({
        "MfaConfiguration": "OPTIONAL",
        "SoftwareTokenMfaConfiguration": { "Enabled": true },
        "EmailMfaConfiguration": email,
        "WebAuthnConfiguration": { "RelyingPartyId": "example.com" },
    });
    set(all.clone()).unwrap();
    let after = Snapshot::of(&cloud.api, &id);
    let described = after.pool.as_object().unwrap().keys().filter(|name| before.pool.get(*name).is_none());
    assert_eq!(described.count() > 0, cloud.which.describes_second_factors);
    for (name, value) in all.as_object().unwrap() {
        let is_usual = ["MfaConfiguration", "SoftwareTokenMfaConfiguration"].contains(&name.as_str());
        let kept = if is_usual || cloud.which.keeps_every_factor { value } else { &Value::Null };
        assert_eq!(&after.second_factors[name], kept, "{name}");
    }
}

pub(crate) fn do_not_go_unseen(cloud: &Cloud) -> Result<(), Missing> {
    let (id, tool) = (cloud.create(&everything()), cloud.tool());
    let before = Snapshot::of(&cloud.api, &id);
    let said = tool.run(&[&cloud.attach(&id, &cloud.function)[..], &["--undo-file", "undo.json"]].concat());
    let after = Snapshot::of(&cloud.api, &id);
    let lost: Vec<_> = before.differences_but_attached(&after);
    assert_eq!(said.code, Some(if lost.is_empty() { 0 } else { 1 }), "{said:?}");
    for path in lost {
        assert!(said.out.contains(&path), "{path}: {said:?}");
    }
    assert!(tool.files().contains(&"undo.json".to_owned()));

    let mut factors = bare();
    factors.second_factors =
        Some(json!({ "MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": { "Enabled": true } }));
    let (id, tool) = (cloud.create(&factors), cloud.tool());
    let said = tool.run(&[&cloud.attach(&id, &cloud.function)[..], &["--json"]].concat());
    if cloud.which.describes_second_factors {
        said.fails(1, &["SoftwareTokenMfaConfiguration"]);
    } else {
        assert_eq!(said.json()["done"], json!(true));
    }
    Ok(())
}
