//! What becomes of a pool's settings when a request sets some of them: whatever it leaves out is reset, wherever any
//! source says so, and what the service can refuse it refuses.

use serde_json::{Map, Value, json};

use super::messages;

/// The settings of a pool, by the names of `UserPoolType`.
pub(crate) type Settings = Map<String, Value>;

/// The names of the ACR levels that nobody has named.
const ACR_DEFAULTS: [(&str, &str); 4] = [
    ("Level1", "urn:cognito:loa:1"),
    ("Level2", "urn:cognito:loa:2"),
    ("Level3", "urn:cognito:loa:3"),
    ("Level4", "urn:cognito:loa:4"),
];

/// How strictly messages are taken: sources contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Messages {
    /// A template may hold an e-mail text with a code and one with a link, whoever sends the e-mails: so do pools that
    /// the Terraform provider's acceptance tests have made on AWS, and the descriptions in AWS's own documentation.
    AsMeasured,
    /// Both texts at once are an error, and so is any text while Cognito itself sends the e-mails: so says the
    /// documentation of `VerificationMessageTemplateType`.
    AsDocumented,
}

/// Why a request is not carried out.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { code: "InvalidParameterException", message: message.into() }
    }
}

/// What a request is judged by beside itself.
pub(crate) struct Circumstances<'a> {
    /// What the pool has now; none of a pool that is created.
    pub(crate) before: Option<&'a Settings>,
    /// Whether users can have a second factor other than an SMS.
    pub(crate) has_other_factor: bool,
    pub(crate) messages: Messages,
}

/// The settings after a request, whose members have been checked one by one.
///
/// # Errors
/// What does not fit together.
pub(crate) fn settled(request: &Settings, around: &Circumstances<'_>) -> Result<Settings, Refusal> {
    let mut settings = Settings::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            settings.insert(name.to_owned(), value);
        }
    };
    let tier = request.get("UserPoolTier").cloned().unwrap_or_else(|| json!("ESSENTIALS"));
    fits_tier(request, &tier, around)?;
    set("UserPoolTier", Some(tier));
    let temporary_passwords = temporary_password_validity(request, around.before)?;
    set("Policies", Some(policies(request, &temporary_passwords)));
    set("AdminCreateUserConfig", Some(invitations(request, &temporary_passwords)));
    set("DeletionProtection", Some(given_or(request, "DeletionProtection", json!("INACTIVE"))));
    set("LambdaConfig", Some(triggers(request)?));
    set("AutoVerifiedAttributes", request.get("AutoVerifiedAttributes").cloned());
    set("UserAttributeUpdateSettings", Some(attribute_updates(request)?));
    set("MfaConfiguration", Some(second_factor(request, around)?));
    set("DeviceConfiguration", request.get("DeviceConfiguration").map(devices));
    set("EmailConfiguration", Some(email(request)?));
    set("SmsConfiguration", sms(request)?);
    set("UserPoolTags", Some(tags(request)?));
    set("UserPoolAddOns", request.get("UserPoolAddOns").map(add_ons));
    set("DcrConfiguration", client_registration(request, around.before));
    set("AccountRecoverySetting", request.get("AccountRecoverySetting").cloned());
    set("KeyConfiguration", Some(given_or(request, "KeyConfiguration", json!({ "KeyType": "AWS_OWNED_KEY" }))));
    set("IssuerConfiguration", Some(given_or(request, "IssuerConfiguration", json!({ "Type": "ORIGINAL" }))));
    set("AcrConfiguration", Some(acr_levels(request)?));
    set("SmsAuthenticationMessage", request.get("SmsAuthenticationMessage").cloned());
    settings.append(&mut messages::settled(request, around.messages)?);
    Ok(settings)
}

fn given_or(request: &Settings, name: &str, default: Value) -> Value {
    request.get(name).cloned().unwrap_or(default)
}

fn fits_tier(request: &Settings, tier: &Value, around: &Circumstances<'_>) -> Result<(), Refusal> {
    let mut features = Vec::new();
    if tier != "PLUS" && request.get("UserPoolAddOns").is_some_and(|it| it["AdvancedSecurityMode"] != "OFF") {
        features.push("Threat Protection");
    }
    if tier == "LITE" {
        let policies = request.get("Policies").unwrap_or(&Value::Null);
        if policies["PasswordPolicy"]["PasswordHistorySize"].as_i64().is_some_and(|size| size > 0) {
            features.push("Password History");
        }
        let factors = policies["SignInPolicy"]["AllowedFirstAuthFactors"].as_array();
        if factors.is_some_and(|factors| factors.iter().any(|factor| factor != "PASSWORD")) {
            features.push("Choice-Based Sign-In");
        }
        if request.contains_key("AcrConfiguration") {
            features.push("ACR Levels");
        }
        let registration = client_registration(request, around.before).unwrap_or_default();
        if registration["EnableStatus"] == "Enabled" {
            features.push("Dynamic Client Registration");
        }
    }
    if features.is_empty() {
        return Ok(());
    }
    let code = if around.before.is_some_and(|before| before["UserPoolTier"] != *tier) {
        "TierChangeNotAllowedException"
    } else {
        "FeatureUnavailableInTierException"
    };
    let (tier, features) = (tier.as_str().unwrap_or_default(), features.join(", "));
    let message = format!("The following features need to be disabled for the {tier} pricing tier: {features}");
    Err(Refusal { code, message })
}

/// Of how many days, and by which of its two names it was set.
enum TemporaryPasswords {
    OfPasswordPolicy(i64),
    /// Only of a pool to which the newer name was never given.
    OfUnusedAccounts(i64),
}

fn temporary_password_validity(request: &Settings, before: Option<&Settings>) -> Result<TemporaryPasswords, Refusal> {
    // Zero is as good as none.
    let days = |member: &str, group: &str, name: &str| {
        let days = request.get(member).and_then(|it| if group.is_empty() { it.get(name) } else { it[group].get(name) });
        days.and_then(Value::as_i64).filter(|days| *days > 0)
    };
    let new = days("Policies", "PasswordPolicy", "TemporaryPasswordValidityDays");
    let old = days("AdminCreateUserConfig", "", "UnusedAccountValidityDays");
    let has_new_already =
        before.is_some_and(|before| !before["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"].is_null());
    match (new, old) {
        (_, Some(_)) if new.is_some() || has_new_already => Err(Refusal::invalid(
            "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays",
        )),
        (None, Some(days)) => Ok(TemporaryPasswords::OfUnusedAccounts(days)),
        (new, _) => Ok(TemporaryPasswords::OfPasswordPolicy(new.unwrap_or(7))),
    }
}

fn policies(request: &Settings, validity: &TemporaryPasswords) -> Value {
    let given = request.get("Policies").unwrap_or(&Value::Null);
    let mut policies = given.as_object().cloned().unwrap_or_default();
    let mut password = json!({
        "MinimumLength": 8,
        "RequireUppercase": true,
        "RequireLowercase": true,
        "RequireNumbers": true,
        "RequireSymbols": true,
    });
    for (name, value) in given["PasswordPolicy"].as_object().into_iter().flatten() {
        password[name] = value.clone();
    }
    if let TemporaryPasswords::OfPasswordPolicy(days) = validity {
        password["TemporaryPasswordValidityDays"] = json!(days);
    }
    policies.insert("PasswordPolicy".to_owned(), password);
    policies.entry("SignInPolicy").or_insert_with(|| json!({ "AllowedFirstAuthFactors": ["PASSWORD"] }));
    Value::Object(policies)
}

/// The older name of the validity is told whichever was set.
fn invitations(request: &Settings, validity: &TemporaryPasswords) -> Value {
    let mut invitations = given_or(request, "AdminCreateUserConfig", json!({}));
    if invitations["AllowAdminCreateUserOnly"].is_null() {
        invitations["AllowAdminCreateUserOnly"] = json!(false);
    }
    let (TemporaryPasswords::OfPasswordPolicy(days) | TemporaryPasswords::OfUnusedAccounts(days)) = validity;
    invitations["UnusedAccountValidityDays"] = json!(days);
    invitations
}

fn triggers(request: &Settings) -> Result<Value, Refusal> {
    let mut triggers = given_or(request, "LambdaConfig", json!({}));
    let (old, new) = (&triggers["PreTokenGeneration"], &triggers["PreTokenGenerationConfig"]["LambdaArn"]);
    match (old.is_null(), new.is_null()) {
        (false, false) if old != new => {
            return Err(Refusal::invalid("PreTokenGeneration and PreTokenGenerationConfig name different functions"));
        }
        (true, false) => triggers["PreTokenGeneration"] = new.clone(),
        (false, true) => {
            triggers["PreTokenGenerationConfig"] = json!({ "LambdaVersion": "V1_0", "LambdaArn": old });
        }
        (true, true) | (false, false) => {}
    }
    let has_sender = ["CustomSMSSender", "CustomEmailSender"].iter().any(|sender| !triggers[sender].is_null());
    if has_sender && triggers["KMSKeyID"].is_null() {
        return Err(Refusal::invalid("KMSKeyID is required with a custom sender"));
    }
    // A null is as good as absent.
    if let Value::Object(triggers) = &mut triggers {
        triggers.retain(|_, trigger| !trigger.is_null());
    }
    Ok(triggers)
}

fn attribute_updates(request: &Settings) -> Result<Value, Refusal> {
    const NAME: &str = "AttributesRequireVerificationBeforeUpdate";
    let mut updates = given_or(request, "UserAttributeUpdateSettings", json!({}));
    if updates[NAME].is_null() {
        updates[NAME] = json!([]);
    }
    let none = Vec::new();
    let verified = request.get("AutoVerifiedAttributes").and_then(Value::as_array).unwrap_or(&none);
    if updates[NAME].as_array().is_some_and(|wanted| wanted.iter().any(|name| !verified.contains(name))) {
        return Err(Refusal::invalid(format!("{NAME} must be among AutoVerifiedAttributes")));
    }
    Ok(updates)
}

fn second_factor(request: &Settings, around: &Circumstances<'_>) -> Result<Value, Refusal> {
    let wanted = given_or(request, "MfaConfiguration", json!("OFF"));
    if wanted != "OFF" && !request.contains_key("SmsConfiguration") && !around.has_other_factor {
        return Err(Refusal::invalid("Invalid MFA configuration given, can't turn on MFA without an MFA factor."));
    }
    Ok(wanted)
}

/// Any member, and none at all, turns device tracking on.
fn devices(given: &Value) -> Value {
    let mut devices = json!({ "ChallengeRequiredOnNewDevice": false, "DeviceOnlyRememberedOnUserPrompt": false });
    for (name, value) in given.as_object().into_iter().flatten() {
        devices[name] = value.clone();
    }
    devices
}

fn email(request: &Settings) -> Result<Value, Refusal> {
    let mut email = given_or(request, "EmailConfiguration", json!({}));
    if email["EmailSendingAccount"].is_null() {
        email["EmailSendingAccount"] = json!("COGNITO_DEFAULT");
    }
    if email["EmailSendingAccount"] == "DEVELOPER" && email.get("SourceArn").is_none() {
        return Err(Refusal::invalid("EmailSendingAccount DEVELOPER needs a SourceArn"));
    }
    Ok(email)
}

fn sms(request: &Settings) -> Result<Option<Value>, Refusal> {
    let Some(sms) = request.get("SmsConfiguration") else { return Ok(None) };
    let is_given = |name: &str| sms.get(name).is_some_and(|value| !value.is_null() && *value != "");
    if is_given("SnsCallerArn") == is_given("EumsSms") {
        return Err(Refusal::invalid("SmsConfiguration needs either SnsCallerArn or EumsSms"));
    }
    Ok(Some(sms.clone()))
}

fn tags(request: &Settings) -> Result<Value, Refusal> {
    let tags = given_or(request, "UserPoolTags", json!({}));
    let is_of_aws = |name: &String| name.to_ascii_lowercase().starts_with("aws:");
    if tags.as_object().is_some_and(|tags| tags.keys().any(is_of_aws)) {
        let message = "aws: prefixed tag key names are not allowed for external use.".to_owned();
        return Err(Refusal { code: "UserPoolTaggingException", message });
    }
    Ok(tags)
}

fn add_ons(given: &Value) -> Value {
    let mut add_ons = given.clone();
    if add_ons["AdvancedSecurityAdditionalFlows"].is_null() {
        add_ons["AdvancedSecurityAdditionalFlows"] = json!({});
    }
    add_ons
}

/// Kept when it is left out; turned on when it is given without saying whether it is on.
fn client_registration(request: &Settings, before: Option<&Settings>) -> Option<Value> {
    let Some(given) = request.get("DcrConfiguration") else {
        return before.and_then(|before| before.get("DcrConfiguration")).cloned();
    };
    let mut registration = given.clone();
    if registration["EnableStatus"].is_null() {
        registration["EnableStatus"] = json!("Enabled");
    }
    Some(registration)
}

/// All levels are told, those too that nobody has named; a level is not to be given the name of one.
fn acr_levels(request: &Settings) -> Result<Value, Refusal> {
    let mut levels: Map<_, _> =
        ACR_DEFAULTS.iter().map(|(level, name)| ((*level).to_owned(), json!({ "AcrValue": name }))).collect();
    for (level, given) in request.get("AcrConfiguration").and_then(Value::as_object).into_iter().flatten() {
        if levels.values().any(|known| known == given) {
            return Err(Refusal::invalid(format!("the name of {level} is that of another level, or a default")));
        }
        levels.insert(level.clone(), given.clone());
    }
    Ok(Value::Object(levels))
}
