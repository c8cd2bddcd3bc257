//! `UpdateUserPool`, made of a description so that nothing is lost.

use serde_json::{Map, Value};
use shared::UserPoolId;

use super::{Description, Trigger};

/// A request that leaves a pool as it was described, but for its trigger. It is written as it is sent, so the AWS CLI
/// takes it too (`--cli-input-json`).
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct UpdateRequest(Value);

/// Fields that this version has never heard of: whether they must be sent back, nobody here can know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Cognito describes the pool with fields that this version does not know: {}. Whether an update that leaves them \
     out would reset them is not known, so nothing was changed. Use a newer version of this tool, or change the pool \
     in the console",
    .0.join(", ")
)]
pub(crate) struct UnknownFields(pub(crate) Vec<String>);

/// What a description and an update have in common
/// (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html>).
const SENT_BACK: [&str; 22] = [
    "AccountRecoverySetting",
    "AcrConfiguration",
    "AdminCreateUserConfig",
    "AutoVerifiedAttributes",
    "DeletionProtection",
    "DeviceConfiguration",
    "EmailConfiguration",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "IssuerConfiguration",
    "KeyConfiguration",
    "LambdaConfig",
    "MfaConfiguration",
    "Policies",
    "SmsAuthenticationMessage",
    "SmsConfiguration",
    "SmsVerificationMessage",
    "UserAttributeUpdateSettings",
    "UserPoolAddOns",
    "UserPoolTags",
    "UserPoolTier",
    "VerificationMessageTemplate",
];

/// What an update cannot change. `DcrConfiguration` it could: left out it is kept, and sent without its `EnableStatus`
/// it would be turned on. So it is with the name.
const LEFT_OUT: [&str; 16] = [
    "AliasAttributes",
    "Arn",
    "CreationDate",
    "CustomDomain",
    "DcrConfiguration",
    "Domain",
    "EmailConfigurationFailure",
    "EstimatedNumberOfUsers",
    "Id",
    "LastModifiedDate",
    "Name",
    "SchemaAttributes",
    "SmsConfigurationFailure",
    "Status",
    "UsernameAttributes",
    "UsernameConfiguration",
];

impl UpdateRequest {
    /// The request that gives a pool this trigger, and leaves all else as it was described.
    ///
    /// # Errors
    /// When the description has fields that are in neither list.
    pub(crate) fn new(pool: &UserPoolId, described: &Description, trigger: &Trigger) -> Result<Self, UnknownFields> {
        let known = |field: &&String| !SENT_BACK.contains(&field.as_str()) && !LEFT_OUT.contains(&field.as_str());
        let unknown: Vec<_> = described.0.keys().filter(known).cloned().collect();
        if !unknown.is_empty() {
            return Err(UnknownFields(unknown));
        }
        let mut request = described.0.clone();
        request.retain(|field, _| SENT_BACK.contains(&field.as_str()));
        give_temporary_passwords_one_place(&mut request);
        leave_out_default_names_of_levels(&mut request);
        if let Some(Value::Object(tags)) = request.get_mut("UserPoolTags") {
            // Writing AWS's own tags is refused.
            tags.retain(|key, _| !key.to_ascii_lowercase().starts_with("aws:"));
        }
        let mut triggers = match request.remove("LambdaConfig") {
            Some(Value::Object(triggers)) => triggers,
            _ => Map::new(),
        };
        set(&mut triggers, "CustomSMSSender", trigger.sms_sender.clone());
        set(&mut triggers, "KMSKeyID", trigger.key.clone().map(Value::from));
        let mut request = without_nothing(request);
        // The one object that may be empty: that is how the last trigger goes.
        request.insert("LambdaConfig".to_owned(), Value::Object(without_nothing(triggers)));
        request.insert("UserPoolId".to_owned(), Value::from(pool.as_str()));
        Ok(Self(Value::Object(request)))
    }

    pub(crate) fn as_json(&self) -> &Value {
        &self.0
    }

    /// The names of the settings that are sent back as they were read.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &str> {
        let fields = self.0.as_object().into_iter().flatten().map(|(field, _)| field.as_str());
        fields.filter(|field| !matches!(*field, "UserPoolId" | "LambdaConfig"))
    }
}

fn set(members: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(members.insert(name.to_owned(), value)),
        None => drop(members.remove(name)),
    }
}

/// `UnusedAccountValidityDays` is the old name of `TemporaryPasswordValidityDays`: Cognito describes both, and takes no
/// old one beside a password policy.
pub(super) fn give_temporary_passwords_one_place(settings: &mut Map<String, Value>) {
    let policy = settings.get_mut("Policies").and_then(|policies| policies.get_mut("PasswordPolicy"));
    // A policy made for this alone would set its other members to their defaults.
    let Some(mut policy) = policy.and_then(Value::as_object_mut).map(std::mem::take) else { return };
    let invitations = settings.get_mut("AdminCreateUserConfig").and_then(Value::as_object_mut);
    let days = invitations.and_then(|invitations| invitations.remove("UnusedAccountValidityDays"));
    if let Some(days) = days.filter(|days| !days.is_null()) {
        policy.entry("TemporaryPasswordValidityDays").or_insert(days);
    }
    settings["Policies"]["PasswordPolicy"] = Value::Object(policy);
}

/// Cognito describes levels by their default names, and takes names of levels from some tiers only.
fn leave_out_default_names_of_levels(request: &mut Map<String, Value>) {
    let Some(levels) = request.get_mut("AcrConfiguration").and_then(Value::as_object_mut) else { return };
    levels.retain(|level, configuration| {
        let default = level.strip_prefix("Level").map(|number| format!("urn:cognito:loa:{number}"));
        configuration.get("AcrValue").and_then(Value::as_str) != default.as_deref()
    });
}

/// Where an empty text is a value like any other: that of a tag, and an external id.
const WITH_EMPTY_TEXTS: [&str; 2] = ["UserPoolTags", "SmsConfiguration"];

/// The same without members that say nothing: nulls, empty texts and empty objects, which Cognito gives and does not
/// take. An empty list says "none" and stays.
pub(super) fn without_nothing(members: Map<String, Value>) -> Map<String, Value> {
    let members = members.into_iter().filter_map(|(name, value)| {
        let is_something = value.as_object().is_some_and(|members| !members.is_empty());
        let value = if is_something && WITH_EMPTY_TEXTS.contains(&name.as_str()) { value } else { something(value)? };
        Some((name, value))
    });
    members.collect()
}

fn something(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(ref text) if text.is_empty() => None,
        Value::Object(members) => {
            let members = without_nothing(members);
            (!members.is_empty()).then_some(Value::Object(members))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:producer";
    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/0b1c";

    fn request(described: Value) -> Value {
        let pool = UserPoolId::parse("eu-west-1_Example01").expect("an id");
        let request = UpdateRequest::new(&pool, &Description::of(described), &Trigger::of(FUNCTION, KEY));
        request.expect("known fields").0
    }

    /// What is sent for `field`, beside the trigger.
    fn sent(field: &str, value: Value) -> Option<Value> {
        request(json!({ field: value })).get(field).cloned()
    }

    #[test]
    fn the_trigger_joins_those_that_are_there() {
        let described =
            json!({ "Id": "eu-west-1_Example01", "LambdaConfig": { "PreSignUp": "arn:pre", "KMSKeyID": "" } });
        assert_eq!(
            request(described),
            json!({
                "UserPoolId": "eu-west-1_Example01",
                "LambdaConfig": {
                    "PreSignUp": "arn:pre",
                    "CustomSMSSender": { "LambdaArn": FUNCTION, "LambdaVersion": "V1_0" },
                    "KMSKeyID": KEY,
                },
            })
        );
    }

    #[test]
    fn the_last_trigger_goes_with_an_empty_list_of_triggers() {
        let pool = UserPoolId::parse("eu-west-1_Example01").expect("an id");
        let described = Description::of(json!({ "LambdaConfig": { "CustomSMSSender": {}, "KMSKeyID": KEY } }));
        let request = UpdateRequest::new(&pool, &described, &Trigger::default()).expect("known fields");
        assert_eq!(request.0, json!({ "UserPoolId": "eu-west-1_Example01", "LambdaConfig": {} }));
    }

    #[test]
    fn fields_that_are_in_neither_list_stop_it_by_name() {
        let pool = UserPoolId::parse("eu-west-1_Example01").expect("an id");
        let described = Description::of(json!({ "Id": "x", "FieldOf2031": {}, "Policies": {}, "Another": null }));
        let refused = UpdateRequest::new(&pool, &described, &Trigger::default()).expect_err("unknown fields");
        assert_eq!(refused.0, ["Another", "FieldOf2031"]);
        assert!(refused.to_string().contains("does not know: Another, FieldOf2031. "), "{refused}");
    }

    #[test]
    fn what_an_update_cannot_change_is_not_sent() {
        for field in LEFT_OUT {
            assert_eq!(sent(field, json!({ "EnableStatus": "Enabled" })), None, "{field}");
        }
        assert!(SENT_BACK.iter().all(|field| !LEFT_OUT.contains(field)));
    }

    #[test]
    fn members_that_this_version_does_not_know_are_sent_back_as_they_are() {
        for field in SENT_BACK.into_iter().filter(|field| !["LambdaConfig", "AcrConfiguration"].contains(field)) {
            let value = json!({ "MemberOf2031": { "Deep": [1.5, "x", false] }, "Empty": [] });
            assert_eq!(sent(field, value.clone()), Some(value), "{field}");
        }
    }

    #[test]
    fn nothing_is_not_sent_and_none_is() {
        for (value, expected) in [
            (json!(null), None),
            (json!(""), None),
            (json!({}), None),
            (json!({ "Inner": { "Text": "" } }), None),
            (json!([]), Some(json!([]))),
            (json!({ "Required": [] }), Some(json!({ "Required": [] }))),
            (json!({ "Flag": false, "Text": "" }), Some(json!({ "Flag": false }))),
        ] {
            assert_eq!(sent("UserAttributeUpdateSettings", value.clone()), expected, "{value}");
        }
    }

    #[test]
    fn the_life_of_temporary_passwords_is_sent_in_one_place() {
        let sent = |policy: Value| {
            let old = json!({ "UnusedAccountValidityDays": 9, "AllowAdminCreateUserOnly": true });
            let sent = request(json!({ "AdminCreateUserConfig": old, "Policies": { "PasswordPolicy": policy } }));
            assert_eq!(sent["AdminCreateUserConfig"], json!({ "AllowAdminCreateUserOnly": true }));
            sent["Policies"]["PasswordPolicy"].clone()
        };
        let policy = |days: u8| json!({ "MinimumLength": 8, "TemporaryPasswordValidityDays": days });
        assert_eq!(sent(json!({ "MinimumLength": 8 })), policy(9));
        assert_eq!(sent(policy(3)), policy(3));
        let alone = json!({ "UnusedAccountValidityDays": 9 });
        assert_eq!(self::sent("AdminCreateUserConfig", alone.clone()), Some(alone));
    }

    #[test]
    fn only_levels_with_a_name_of_their_own_are_sent() {
        let default = |level: u8| json!({ "AcrValue": format!("urn:cognito:loa:{level}") });
        let own = json!({ "AcrValue": "https://example.com/high" });
        let all = json!({ "Level1": default(1), "Level2": default(2), "Level3": own, "Level4": default(3) });
        assert_eq!(sent("AcrConfiguration", all), Some(json!({ "Level3": own, "Level4": default(3) })));
        assert_eq!(sent("AcrConfiguration", json!({ "Level1": default(1) })), None);
    }

    #[test]
    fn tags_of_aws_are_not_written() {
        let tags = json!({ "aws:cloudformation:stack-name": "auth", "AWS:x": "y", "team": "identity" });
        assert_eq!(sent("UserPoolTags", tags), Some(json!({ "team": "identity" })));
        let empty = json!({ "reviewed": "" });
        assert_eq!(sent("UserPoolTags", empty.clone()), Some(empty), "a tag may have no value");
        assert_eq!(sent("UserPoolTags", json!({ "aws:x": "y" })), None);
    }
}
