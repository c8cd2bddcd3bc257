//! The user pool, read without types: a typed client would hide what is newer than itself.

use serde_json::{Value, json};
use shared::UserPoolId;

use super::ask::Call;
use super::gather::Aws;
use super::unread::Reading;
use crate::untyped::Service;

/// Cognito's default for an absent `TemporaryPasswordValidityDays`, and for 0
/// (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html>).
const DEFAULT_PASSWORD_DAYS: u64 = 7;

/// What of a user pool decides whether its SMS come to Sealpost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pool {
    pub(crate) id: UserPoolId,
    pub(crate) arn: String,
    /// `CustomSMSSender`.
    pub(crate) sender: Option<Sender>,
    pub(crate) email_sender: Option<Sender>,
    /// `KMSKeyID`, as it is.
    pub(crate) key: Option<String>,
    /// All other triggers with the functions that they name.
    pub(crate) other_triggers: Vec<(String, String)>,
    pub(crate) has_sms_settings: bool,
    /// `SmsConfigurationFailure`.
    pub(crate) sms_failure: Option<String>,
    pub(crate) verifies_phones: bool,
    pub(crate) mfa: Mfa,
    /// Whether `SMS_OTP` is a first factor.
    pub(crate) signs_in_by_sms: bool,
    pub(crate) recovery: Recovery,
    pub(crate) password_days: u64,
}

/// A custom sender's trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sender {
    pub(crate) arn: String,
    pub(crate) version: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mfa {
    Off,
    Optional,
    On,
}

/// `AccountRecoverySetting`: where a code for a forgotten password goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Not set: SMS before e-mail, even for users with SMS as their second factor
    /// (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html>).
    Legacy,
    /// By priority: `verified_phone_number`, `verified_email`, `admin_only`.
    By(Vec<String>),
}

impl Aws {
    pub(super) async fn pool(&self, id: &UserPoolId) -> Reading<Pool> {
        let call = Call::new("cognito-idp:DescribeUserPool", "user pool", id.as_str());
        let request = json!({ "UserPoolId": id.as_str() });
        let described = call.untyped(self.untyped().json(Service::UserPools, "DescribeUserPool", &request)).await?;
        Ok(Pool::of(id.clone(), &described["UserPool"]))
    }

    /// Whether SMS is one of the pool's second factors, which `DescribeUserPool` does not say.
    pub(super) async fn sms_mfa(&self, id: &UserPoolId) -> Reading<bool> {
        let call = Call::new("cognito-idp:GetUserPoolMfaConfig", "user pool", id.as_str());
        let request = json!({ "UserPoolId": id.as_str() });
        let config = call.untyped(self.untyped().json(Service::UserPools, "GetUserPoolMfaConfig", &request)).await?;
        Ok(config["MfaConfiguration"] != "OFF" && config["SmsMfaConfiguration"].is_object())
    }
}

impl Pool {
    /// Reads what `DescribeUserPool` answers.
    pub(crate) fn of(id: UserPoolId, pool: &Value) -> Self {
        let triggers = &pool["LambdaConfig"];
        let password_days = pool["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"].as_u64();
        let legacy_days = pool["AdminCreateUserConfig"]["UnusedAccountValidityDays"].as_u64();
        let factors = &pool["Policies"]["SignInPolicy"]["AllowedFirstAuthFactors"];
        Self {
            id,
            arn: text(&pool["Arn"]).unwrap_or_default(),
            sender: sender(&triggers["CustomSMSSender"]),
            email_sender: sender(&triggers["CustomEmailSender"]),
            key: text(&triggers["KMSKeyID"]),
            other_triggers: other_triggers(triggers),
            has_sms_settings: ["SnsCallerArn", "EumsSms"].iter().any(|way| !pool["SmsConfiguration"][way].is_null()),
            sms_failure: text(&pool["SmsConfigurationFailure"]),
            verifies_phones: holds(&pool["AutoVerifiedAttributes"], "phone_number"),
            mfa: match pool["MfaConfiguration"].as_str() {
                Some("ON") => Mfa::On,
                Some("OPTIONAL") => Mfa::Optional,
                Some(_) | None => Mfa::Off,
            },
            signs_in_by_sms: holds(factors, "SMS_OTP"),
            recovery: Recovery::of(&pool["AccountRecoverySetting"]["RecoveryMechanisms"]),
            password_days: [password_days, legacy_days]
                .into_iter()
                .flatten()
                .find(|days| *days > 0)
                .unwrap_or(DEFAULT_PASSWORD_DAYS),
        }
    }

    /// The Region that its id begins with.
    pub(crate) fn region(&self) -> &str {
        self.id.as_str().split('_').next().unwrap_or_default()
    }
}

impl Recovery {
    fn of(mechanisms: &Value) -> Self {
        let mut mechanisms: Vec<_> = mechanisms
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| Some((one["Priority"].as_u64().unwrap_or(u64::MAX), text(&one["Name"])?)))
            .collect();
        if mechanisms.is_empty() {
            return Self::Legacy;
        }
        mechanisms.sort();
        Self::By(mechanisms.into_iter().map(|(_, name)| name).collect())
    }
}

/// Each trigger but the SMS sender's, and the function behind it: a text, or an object with `LambdaArn`.
fn other_triggers(triggers: &Value) -> Vec<(String, String)> {
    let all = triggers.as_object().into_iter().flatten();
    let others = all.filter(|(name, _)| !matches!(name.as_str(), "CustomSMSSender" | "KMSKeyID"));
    let with_function =
        |(name, value): (&String, &Value)| Some((name.clone(), text(value).or_else(|| text(&value["LambdaArn"]))?));
    others.filter_map(with_function).collect()
}

fn sender(value: &Value) -> Option<Sender> {
    Some(Sender { arn: text(&value["LambdaArn"])?, version: text(&value["LambdaVersion"]) })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn holds(list: &Value, member: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|one| one == member))
}
