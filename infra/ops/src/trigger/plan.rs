//! What is to become of a pool's trigger: decided before anything is done.

use shared::UserPoolId;

use crate::user_pool::{Description, Difference, Trigger, UnknownFields, UpdateRequest, differences};

/// An update that was decided on, and the one that would take it back.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) update: UpdateRequest,
    /// Leaves the pool as it was described.
    pub(crate) undo: UpdateRequest,
    /// What the update changes.
    pub(crate) changes: Vec<Difference>,
    pub(crate) warnings: Vec<String>,
}

/// Why a trigger is not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    UnknownFields(#[from] UnknownFields),
    #[error(
        "the pool's e-mail sender has its codes sealed with {key}, and a pool has one key for both: another key would \
         break its e-mails. Say --key {key}, and let the worker decrypt with it (KMS_KEY_ARNS and kms:Decrypt)"
    )]
    KeyOfEmailSender { key: String },
}

/// Gives the pool a trigger, or another one.
pub(crate) fn attach(pool: &UserPoolId, described: &Description, trigger: &Trigger) -> Result<Plan, Refusal> {
    let before = described.trigger();
    let mut warnings = Vec::new();
    if let Some(function) = before.function().filter(|function| trigger.function() != Some(*function)) {
        warnings.push(format!("{function} has sent this pool's SMS until now, and will not any more"));
    }
    if let Some(key) = before.key.as_ref().filter(|key| trigger.key.as_ref() != Some(*key)) {
        warnings.push(format!(
            "codes that are on their way are sealed with {key}: whoever decrypts them needs it until they have expired"
        ));
    }
    if described.get("SmsConfiguration").is_none() {
        warnings.push(
            "the pool has no SmsConfiguration (an IAM role for SNS). Cognito asks for one before it verifies phone \
             numbers or has SMS as a factor, also where a function sends"
                .to_owned(),
        );
    }
    plan(pool, described, trigger, warnings)
}

/// Takes the pool's trigger away; with `earlier`, gives it that one back.
pub(crate) fn detach(pool: &UserPoolId, described: &Description, earlier: Option<&Trigger>) -> Result<Plan, Refusal> {
    let mut warnings = Vec::new();
    let key = if described.has_email_sender() { described.trigger().key } else { None };
    let trigger = earlier.cloned().unwrap_or(Trigger { sms_sender: None, key });
    if let Some(function) = trigger.function() {
        warnings.push(format!("{function} will send this pool's SMS again"));
    } else if described.get("SmsConfiguration").is_none() {
        warnings.push("the pool has no SmsConfiguration: without a function it cannot send any SMS".to_owned());
    }
    if trigger.key.is_some() && trigger.sms_sender.is_none() {
        warnings.push("KMSKeyID stays: the pool's e-mail sender needs it".to_owned());
    }
    plan(pool, described, &trigger, warnings)
}

fn plan(pool: &UserPoolId, described: &Description, trigger: &Trigger, warnings: Vec<String>) -> Result<Plan, Refusal> {
    let before = described.trigger();
    let undo = UpdateRequest::new(pool, described, &before)?;
    let update = UpdateRequest::new(pool, described, trigger)?;
    match before.key {
        Some(key) if described.has_email_sender() && trigger.key.as_ref() != Some(&key) => {
            Err(Refusal::KeyOfEmailSender { key })
        }
        _ => {
            let changes = differences(undo.as_json(), update.as_json());
            Ok(Plan { update, undo, changes, warnings })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:producer";
    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/0b1c";
    const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/2d3e";

    fn pool() -> UserPoolId {
        UserPoolId::parse("eu-west-1_Example01").expect("an id")
    }

    fn described(triggers: Value) -> Description {
        Description::of(
            json!({ "LambdaConfig": triggers, "SmsConfiguration": { "SnsCallerArn": "arn" }, "Policies": { "x": 1 } }),
        )
    }

    fn sender(function: &str) -> Value {
        json!({ "LambdaArn": function, "LambdaVersion": "V1_0" })
    }

    fn paths(plan: &Plan) -> Vec<&str> {
        plan.changes.iter().map(|change| change.path.as_str()).collect()
    }

    #[test]
    fn attaching_changes_two_members_and_undoing_it_changes_them_back() {
        let described = described(json!({ "PreSignUp": "arn:pre" }));
        let plan = attach(&pool(), &described, &Trigger::of(FUNCTION, KEY)).expect("a plan");
        assert_eq!(paths(&plan), ["LambdaConfig.CustomSMSSender", "LambdaConfig.KMSKeyID"]);
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
        let undo = UpdateRequest::new(&pool(), &described, &Trigger::default()).expect("known fields");
        assert_eq!(plan.undo, undo);
    }

    #[test]
    fn what_is_attached_already_changes_nothing() {
        let described = described(json!({ "CustomSMSSender": sender(FUNCTION), "KMSKeyID": KEY }));
        let plan = attach(&pool(), &described, &Trigger::of(FUNCTION, KEY)).expect("a plan");
        assert_eq!(paths(&plan), [] as [&str; 0]);
    }

    #[test]
    fn another_sender_and_another_key_are_pointed_out() {
        let described = described(json!({ "CustomSMSSender": sender("arn:other"), "KMSKeyID": OTHER_KEY }));
        let plan = attach(&pool(), &described, &Trigger::of(FUNCTION, KEY)).expect("a plan");
        assert_eq!(paths(&plan), ["LambdaConfig.CustomSMSSender.LambdaArn", "LambdaConfig.KMSKeyID"]);
        assert!(plan.warnings[0].starts_with("arn:other has sent this pool's SMS until now"), "{:?}", plan.warnings);
        assert!(plan.warnings[1].contains(OTHER_KEY), "{:?}", plan.warnings);
    }

    #[test]
    fn the_key_of_an_email_sender_stays() {
        let described = described(json!({ "CustomEmailSender": sender("arn:mail"), "KMSKeyID": KEY }));
        let refused = attach(&pool(), &described, &Trigger::of(FUNCTION, OTHER_KEY)).expect_err("another key");
        assert_eq!(refused, Refusal::KeyOfEmailSender { key: KEY.to_owned() });
        assert_eq!(
            paths(&attach(&pool(), &described, &Trigger::of(FUNCTION, KEY)).expect("the same key")),
            ["LambdaConfig.CustomSMSSender"]
        );
        let earlier = Trigger { sms_sender: None, key: None };
        let refused = detach(&pool(), &described, Some(&earlier)).expect_err("no key");
        assert_eq!(refused, Refusal::KeyOfEmailSender { key: KEY.to_owned() });
    }

    #[test]
    fn detaching_takes_the_key_along_unless_an_email_sender_needs_it() {
        let alone = described(json!({ "CustomSMSSender": sender(FUNCTION), "KMSKeyID": KEY, "PreSignUp": "arn:pre" }));
        let plan = detach(&pool(), &alone, None).expect("a plan");
        assert_eq!(paths(&plan), ["LambdaConfig.CustomSMSSender", "LambdaConfig.KMSKeyID"]);
        assert_eq!(plan.update.as_json()["LambdaConfig"], json!({ "PreSignUp": "arn:pre" }));

        let both =
            json!({ "CustomSMSSender": sender(FUNCTION), "CustomEmailSender": sender("arn:mail"), "KMSKeyID": KEY });
        let plan = detach(&pool(), &described(both), None).expect("a plan");
        assert_eq!(paths(&plan), ["LambdaConfig.CustomSMSSender"]);
        assert_eq!(plan.warnings, ["KMSKeyID stays: the pool's e-mail sender needs it"]);
    }

    #[test]
    fn an_earlier_trigger_comes_back() {
        let attached = described(json!({ "CustomSMSSender": sender(FUNCTION), "KMSKeyID": KEY }));
        let earlier = Trigger { sms_sender: Some(sender("arn:other")), key: Some(OTHER_KEY.to_owned()) };
        let plan = detach(&pool(), &attached, Some(&earlier)).expect("a plan");
        let expected = json!({ "CustomSMSSender": sender("arn:other"), "KMSKeyID": OTHER_KEY });
        assert_eq!(plan.update.as_json()["LambdaConfig"], expected);
        assert_eq!(plan.warnings, ["arn:other will send this pool's SMS again"]);
    }

    #[test]
    fn a_pool_that_could_not_send_by_itself_is_pointed_out() {
        let described = Description::of(json!({ "LambdaConfig": {} }));
        let plan = attach(&pool(), &described, &Trigger::of(FUNCTION, KEY)).expect("a plan");
        assert!(plan.warnings[0].starts_with("the pool has no SmsConfiguration"), "{:?}", plan.warnings);
        let plan = detach(&pool(), &described, None).expect("a plan");
        assert!(plan.warnings[0].contains("it cannot send any SMS"), "{:?}", plan.warnings);
    }
}
