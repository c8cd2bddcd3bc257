//! Pools as there may be: every setting that Cognito has, in any combination that it takes, by old names and by new.

pub(crate) mod everything;
mod parts;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use parts::{LambdaConfig, Messages, messages, recovery, schema, tags, triggers};
use parts::{acr_levels, add_ons, admin_create_user, client_registration, devices, email, password_policy, sms};

/// In a pool's creation, the key that it will be attached with.
const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/THE-KEY";
/// Another key.
pub(crate) const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/00000000-6f70-4181-92a3-b4c5d6e7f809";

/// A pool that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    /// A CreateUserPool.
    pub(crate) creation: Value,
    /// A SetUserPoolMfaConfig but for the pool's id, where the creation cannot say it.
    pub(crate) second_factors: Option<Value>,
}

impl Pool {
    /// With this key wherever the pool shares its key with what will be attached.
    pub(crate) fn sharing(&self, key: &str) -> Self {
        let creation = self.creation.to_string().replace(KEY, key);
        Self { creation: serde_json::from_str(&creation).expect("an ARN breaks no JSON"), ..self.clone() }
    }

    /// Whether another function has the pool's SMS before anything is attached.
    pub(crate) fn has_own_sms_sender(&self) -> bool {
        !self.creation["LambdaConfig"]["CustomSMSSender"].is_null()
    }
}

#[derive(Clone, Debug)]
struct Wishes {
    name: String,
    tier: Option<&'static str>,
    password: Option<Value>,
    /// Of days, by the older name if so.
    validity: Option<(u16, bool)>,
    sign_in: Option<Vec<&'static str>>,
    protection: Option<&'static str>,
    triggers: LambdaConfig,
    verified: Option<Vec<&'static str>>,
    before_update: Option<Vec<&'static str>>,
    messages: Messages,
    authentication_message: Option<String>,
    second_factors: SecondFactors,
    devices: Option<Value>,
    email: Option<Value>,
    sms: Option<Value>,
    tags: Option<Value>,
    admin_create_user: Option<Value>,
    add_ons: Option<Value>,
    registration: Option<Value>,
    recovery: Option<Value>,
    key: Option<Value>,
    issuer: Option<&'static str>,
    levels: Option<Value>,
    for_good: Value,
}

#[derive(Clone, Debug)]
struct SecondFactors {
    wanted: Option<&'static str>,
    has_software_token: bool,
    email: Option<Value>,
    passkeys: Option<Value>,
}

/// Any pool.
pub(crate) fn pool() -> impl Strategy<Value = Pool> {
    let of_users = (
        "[A-Za-z0-9][A-Za-z0-9 +=,.@_-]{0,30}",
        option::of(select(vec!["LITE", "ESSENTIALS", "PLUS", "PLUS"])),
        option::of(password_policy()),
        option::of((1..=365_u16, any::<bool>())),
        option::of(subsequence(vec!["EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"], 0..=3)),
        option::of(subsequence(vec!["phone_number", "email"], 0..=2)),
        option::of(subsequence(vec!["phone_number", "email"], 0..=2)),
        option::of(devices()),
        option::of(recovery()),
        schema(),
    );
    let of_messages =
        (messages(), option::of(parts::code_text()), option::of(email()), option::of(sms()), second_factors());
    let of_operators = (
        option::of(select(vec!["ACTIVE", "INACTIVE"])),
        triggers(),
        option::of(tags()),
        option::of(admin_create_user()),
        option::of(add_ons()),
        option::of(client_registration()),
        option::of(parts::key()),
        option::of(select(vec!["ORIGINAL", "UPDATED"])),
        option::of(acr_levels()),
    );
    (of_users, of_messages, of_operators).prop_map(|(of_users, of_messages, of_operators)| {
        let (name, tier, password, validity, sign_in, verified, before_update, devices, recovery, for_good) = of_users;
        let (messages, authentication_message, email, sms, second_factors) = of_messages;
        let (protection, triggers, tags, admin_create_user, add_ons, registration, key, issuer, levels) = of_operators;
        let wishes = Wishes {
            name,
            tier,
            password,
            validity,
            sign_in,
            protection,
            triggers,
            verified,
            before_update,
            messages,
            authentication_message,
            second_factors,
            devices,
            email,
            sms,
            tags,
            admin_create_user,
            add_ons,
            registration,
            recovery,
            key,
            issuer,
            levels,
            for_good,
        };
        wishes.granted()
    })
}

fn second_factors() -> impl Strategy<Value = SecondFactors> {
    let email = (parts::code_text(), parts::subject())
        .prop_map(|(message, subject)| json!({ "Message": message, "Subject": subject }));
    let passkeys = select(vec![
        json!({ "RelyingPartyId": "example.com", "UserVerification": "required" }),
        json!({ "UserVerification": "preferred", "FactorConfiguration": "SINGLE_FACTOR" }),
    ]);
    let wanted = option::of(select(vec!["OFF", "OPTIONAL", "ON"]));
    (wanted, any::<bool>(), option::of(email), option::of(passkeys)).prop_map(
        |(wanted, has_software_token, email, passkeys)| SecondFactors { wanted, has_software_token, email, passkeys },
    )
}

impl Wishes {
    /// The pool as Cognito takes it: what contradicts each other is left out.
    fn granted(self) -> Pool {
        let (is_lite, is_plus) = (self.tier == Some("LITE"), self.tier == Some("PLUS"));
        let sends_own_email = self.email.as_ref().is_some_and(|email| email["EmailSendingAccount"] == "DEVELOPER");
        let mut pool = self.for_good.as_object().cloned().unwrap_or_default();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                pool.insert(name.to_owned(), value);
            }
        };
        set("PoolName", Some(json!(self.name)));
        set("UserPoolTier", self.tier.map(Value::from));
        let (days, by_older_name) =
            (self.validity.map(|(days, _)| days), self.validity.is_some_and(|(_, older)| older));
        set("Policies", policies(self.password, days.filter(|_| !by_older_name), self.sign_in, is_lite));
        set("AdminCreateUserConfig", invitations(self.admin_create_user, days.filter(|_| by_older_name)));
        set("DeletionProtection", self.protection.map(Value::from));
        set("LambdaConfig", self.triggers.json());
        let before_update = self.before_update.map(|wanted| {
            let verified = self.verified.as_deref().unwrap_or_default();
            let wanted: Vec<_> = wanted.into_iter().filter(|name| verified.contains(name)).collect();
            json!({ "AttributesRequireVerificationBeforeUpdate": wanted })
        });
        set("AutoVerifiedAttributes", self.verified.map(Value::from));
        set("UserAttributeUpdateSettings", before_update);
        for (name, value) in self.messages.members(sends_own_email) {
            set(name, Some(value));
        }
        set("SmsAuthenticationMessage", self.authentication_message.clone().map(Value::from));
        set("DeviceConfiguration", self.devices);
        set("EmailConfiguration", self.email);
        set("SmsConfiguration", self.sms.clone());
        set("UserPoolTags", self.tags);
        set("UserPoolAddOns", self.add_ons.filter(|_| is_plus));
        set("DcrConfiguration", self.registration.filter(|_| !is_lite));
        set("AccountRecoverySetting", self.recovery);
        set("KeyConfiguration", self.key);
        set("IssuerConfiguration", self.issuer.map(|kind| json!({ "Type": kind })));
        set("AcrConfiguration", self.levels.filter(|_| !is_lite));
        let factors = self.second_factors;
        set(
            "MfaConfiguration",
            factors.wanted.filter(|wanted| *wanted == "OFF" || self.sms.is_some()).map(Value::from),
        );
        let second_factors = factors.request(self.sms, self.authentication_message, sends_own_email);
        Pool { creation: Value::Object(pool), second_factors }
    }
}

impl SecondFactors {
    fn request(self, sms: Option<Value>, message: Option<String>, sends_own_email: bool) -> Option<Value> {
        let is_off = self.wanted.is_none_or(|wanted| wanted == "OFF");
        let email = self.email.filter(|_| sends_own_email && !is_off);
        let has_software_token = self.has_software_token && !is_off;
        if !has_software_token && email.is_none() && self.passkeys.is_none() {
            return None;
        }
        let mut request = Map::new();
        if let Some(sms) = sms.filter(|_| !is_off) {
            let mut factor = json!({ "SmsConfiguration": sms });
            if let Some(message) = message {
                factor["SmsAuthenticationMessage"] = json!(message);
            }
            request.insert("SmsMfaConfiguration".to_owned(), factor);
        }
        if has_software_token {
            request.insert("SoftwareTokenMfaConfiguration".to_owned(), json!({ "Enabled": true }));
        }
        request.extend(email.map(|email| ("EmailMfaConfiguration".to_owned(), email)));
        let wanted = if request.is_empty() { "OFF" } else { self.wanted.unwrap_or("OFF") };
        request.insert("MfaConfiguration".to_owned(), json!(wanted));
        request.extend(self.passkeys.map(|passkeys| ("WebAuthnConfiguration".to_owned(), passkeys)));
        Some(Value::Object(request))
    }
}

fn policies(
    password: Option<Value>,
    days: Option<u16>,
    sign_in: Option<Vec<&'static str>>,
    is_lite: bool,
) -> Option<Value> {
    let mut password = password;
    if let (true, Some(Value::Object(policy))) = (is_lite, &mut password) {
        policy.remove("PasswordHistorySize");
    }
    if let Some(days) = days {
        password.get_or_insert_with(|| json!({}))["TemporaryPasswordValidityDays"] = json!(days);
    }
    let mut policies = Map::new();
    policies.extend(password.map(|password| ("PasswordPolicy".to_owned(), password)));
    if let Some(others) = sign_in.filter(|_| !is_lite) {
        let factors: Vec<_> = std::iter::once("PASSWORD").chain(others).collect();
        policies.insert("SignInPolicy".to_owned(), json!({ "AllowedFirstAuthFactors": factors }));
    }
    Some(Value::Object(policies)).filter(|policies| *policies != json!({}))
}

fn invitations(invitations: Option<Value>, days: Option<u16>) -> Option<Value> {
    let Some(days) = days else { return invitations };
    let mut invitations = invitations.unwrap_or_else(|| json!({}));
    invitations["UnusedAccountValidityDays"] = json!(days);
    Some(invitations)
}
