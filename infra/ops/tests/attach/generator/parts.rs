//! One setting at a time, as Cognito takes it.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::{KEY, OTHER_KEY};

/// Triggers that are functions and nothing more.
const PLAIN_TRIGGERS: [&str; 9] = [
    "PreSignUp",
    "CustomMessage",
    "PostConfirmation",
    "PreAuthentication",
    "PostAuthentication",
    "DefineAuthChallenge",
    "CreateAuthChallenge",
    "VerifyAuthChallengeResponse",
    "UserMigration",
];

/// With `{####}`, for an SMS too.
pub(super) fn code_text() -> impl Strategy<Value = String> {
    ("[ -~äßéñçあい漢😀“…]{0,30}", "[ -~äßéñçあい漢😀“…]{0,30}")
        .prop_map(|(one, other)| format!("{one}{{####}}{other}"))
}

/// With `{####}`, on several lines and with tags, as only e-mails may be.
fn code_page() -> impl Strategy<Value = String> {
    ("(<[a-z]{1,4}>|[ -~äあ😀]|\n|\t){0,40}", "(</[a-z]{1,4}>|[ -~äあ😀]|\n){0,40}")
        .prop_map(|(one, other)| format!("{one}{{####}}{other}"))
}

fn link_page() -> impl Strategy<Value = String> {
    ("[ -z\näあ]{0,40}", "[a-zA-Z ä]{1,20}").prop_map(|(text, link)| format!("{text}{{##{link}##}}"))
}

pub(super) fn subject() -> impl Strategy<Value = String> {
    "[!-~äß漢😀][ -~äß漢😀]{0,40}"
}

fn function() -> impl Strategy<Value = String> {
    ("[a-zA-Z0-9_-]{1,20}", select(vec!["", ":live", ":42"]))
        .prop_map(|(name, qualifier)| format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}{qualifier}"))
}

fn role() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_-]{1,20}".prop_map(|name| format!("arn:aws:iam::123456789012:role/service-role/{name}"))
}

/// The members that are wished for.
fn some_of(members: Vec<(&'static str, Option<Value>)>) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect())
}

pub(super) fn password_policy() -> impl Strategy<Value = Value> {
    let flag = || option::of(any::<bool>());
    (option::of(6..=99), flag(), flag(), flag(), flag(), option::of(1..=24)).prop_map(
        |(length, upper, lower, numbers, symbols, history)| {
            some_of(vec![
                ("MinimumLength", length.map(Value::from)),
                ("RequireUppercase", upper.map(Value::from)),
                ("RequireLowercase", lower.map(Value::from)),
                ("RequireNumbers", numbers.map(Value::from)),
                ("RequireSymbols", symbols.map(Value::from)),
                ("PasswordHistorySize", history.map(Value::from)),
            ])
        },
    )
}

/// A pool's triggers.
#[derive(Clone, Debug)]
pub(super) struct LambdaConfig(Map<String, Value>);

impl LambdaConfig {
    pub(super) fn json(self) -> Option<Value> {
        Some(Value::Object(self.0)).filter(|triggers| *triggers != json!({}))
    }
}

pub(super) fn triggers() -> impl Strategy<Value = LambdaConfig> {
    let plain = PLAIN_TRIGGERS.to_vec();
    let plain = subsequence(plain, 0..=PLAIN_TRIGGERS.len()).prop_flat_map(|names| {
        let functions = vec(function(), names.len());
        functions.prop_map(move |functions| names.clone().into_iter().zip(functions).collect::<Vec<_>>())
    });
    // By the older name, by the newer, by both.
    let tokens = (function(), select(vec!["V1_0", "V2_0", "V3_0"]), any::<bool>(), any::<bool>());
    let versioned = |function: String| json!({ "LambdaVersion": "V1_0", "LambdaArn": function });
    let sms_sender = (function(), any::<bool>());
    (plain, option::of(tokens), option::of(function()), option::of(sms_sender), option::of(function())).prop_map(
        move |(plain, tokens, email_sender, sms_sender, federation)| {
            let mut triggers: Map<_, _> =
                plain.into_iter().map(|(name, function)| (name.to_owned(), json!(function))).collect();
            if let Some((function, version, is_old, is_new)) = tokens {
                if is_old || !is_new {
                    triggers.insert("PreTokenGeneration".to_owned(), json!(function));
                }
                if is_new {
                    let config = json!({ "LambdaVersion": version, "LambdaArn": function });
                    triggers.insert("PreTokenGenerationConfig".to_owned(), config);
                }
            }
            // One key for both senders: an e-mail sender that is there holds it to the one that is attached.
            let key = match (&email_sender, &sms_sender) {
                (Some(_), _) | (None, Some((_, true))) => Some(KEY),
                (None, Some((_, false))) => Some(OTHER_KEY),
                (None, None) => None,
            };
            triggers.extend(key.map(|key| ("KMSKeyID".to_owned(), json!(key))));
            triggers.extend(email_sender.map(|function| ("CustomEmailSender".to_owned(), versioned(function))));
            triggers.extend(sms_sender.map(|(function, _)| ("CustomSMSSender".to_owned(), versioned(function))));
            triggers.extend(federation.map(|function| ("InboundFederation".to_owned(), versioned(function))));
            LambdaConfig(triggers)
        },
    )
}

/// The texts by which addresses are verified.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    sms: Option<String>,
    email: Option<(String, String)>,
    link: Option<(String, String)>,
    option: Option<&'static str>,
    by_older_names: bool,
    by_newer_names: bool,
}

pub(super) fn messages() -> impl Strategy<Value = Messages> {
    let email = option::of((code_page(), subject()));
    let link = option::of((link_page(), subject()));
    let chosen = option::of(select(vec!["CONFIRM_WITH_LINK", "CONFIRM_WITH_CODE"]));
    (option::of(code_text()), email, link, chosen, any::<bool>(), any::<bool>()).prop_map(
        |(sms, email, link, option, by_older_names, by_newer_names)| Messages {
            sms,
            email,
            link,
            option,
            by_older_names,
            by_newer_names,
        },
    )
}

impl Messages {
    /// By the older names, by the newer ones, or by both. Cognito itself sends no e-mails with texts that are not its own.
    pub(super) fn members(self, sends_own_email: bool) -> Vec<(&'static str, Value)> {
        let (text, subject) = self.email.filter(|_| sends_own_email).unzip();
        let (link_text, link_subject) = self.link.filter(|_| sends_own_email).unzip();
        let mut members = Vec::new();
        if self.by_older_names {
            members.extend(self.sms.clone().map(|text| ("SmsVerificationMessage", json!(text))));
            members.extend(text.clone().map(|text| ("EmailVerificationMessage", json!(text))));
            members.extend(subject.clone().map(|text| ("EmailVerificationSubject", json!(text))));
        }
        let of_both = self.by_newer_names || !self.by_older_names;
        let template = some_of(vec![
            ("SmsMessage", self.sms.filter(|_| of_both).map(Value::from)),
            ("EmailMessage", text.filter(|_| of_both).map(Value::from)),
            ("EmailSubject", subject.filter(|_| of_both).map(Value::from)),
            ("EmailMessageByLink", link_text.map(Value::from)),
            ("EmailSubjectByLink", link_subject.map(Value::from)),
            ("DefaultEmailOption", self.option.map(Value::from)),
        ]);
        if template != json!({}) {
            members.push(("VerificationMessageTemplate", template));
        }
        members
    }
}

/// Any member turns device tracking on, so there is no device configuration without one.
pub(super) fn devices() -> impl Strategy<Value = Value> {
    (any::<bool>(), option::of(any::<bool>())).prop_map(|(challenge, prompt)| {
        some_of(vec![
            ("ChallengeRequiredOnNewDevice", Some(json!(challenge))),
            ("DeviceOnlyRememberedOnUserPrompt", prompt.map(Value::from)),
        ])
    })
}

pub(super) fn email() -> impl Strategy<Value = Value> {
    let address = || "[a-z]{1,8}@example\\.com";
    let by_cognito = (option::of(address()), any::<bool>()).prop_map(|(reply_to, is_said)| {
        let account = is_said.then(|| json!("COGNITO_DEFAULT"));
        some_of(vec![("ReplyToEmailAddress", reply_to.map(Value::from)), ("EmailSendingAccount", account)])
    });
    let from = select(vec!["Ärzte & Söhne <a@example.com>", "a@example.com"]);
    let own = (address(), option::of(address()), option::of(from), option::of("[a-zA-Z0-9_-]{1,64}"));
    let own = own.prop_map(|(identity, reply_to, from, set)| {
        some_of(vec![
            ("SourceArn", Some(json!(format!("arn:aws:ses:eu-west-1:123456789012:identity/{identity}")))),
            ("ReplyToEmailAddress", reply_to.map(Value::from)),
            ("EmailSendingAccount", Some(json!("DEVELOPER"))),
            ("From", from.map(Value::from)),
            ("ConfigurationSet", set.map(Value::from)),
        ])
    });
    // Messages can only be there where e-mails are one's own.
    prop_oneof![1 => by_cognito, 3 => own]
}

pub(super) fn sms() -> impl Strategy<Value = Value> {
    let region = || option::of(select(vec!["eu-west-1", "us-east-1"]));
    let sns = (role(), option::of("[a-f0-9-]{0,36}"), region()).prop_map(|(role, external_id, region)| {
        some_of(vec![
            ("SnsCallerArn", Some(json!(role))),
            ("ExternalId", external_id.map(Value::from)),
            ("SnsRegion", region.map(Value::from)),
        ])
    });
    let text = || option::of("[a-zA-Z0-9-]{1,20}");
    let eums = (role(), text(), text(), text(), text(), text(), region()).prop_map(
        |(role, external_id, identity, set, entity, template, region)| {
            let eums = some_of(vec![
                ("CallerArn", Some(json!(role))),
                ("ExternalId", external_id.map(Value::from)),
                ("OriginationIdentity", identity.map(Value::from)),
                ("ConfigurationSetName", set.map(Value::from)),
                ("InEntityId", entity.map(Value::from)),
                ("InTemplateId", template.map(Value::from)),
                ("Region", region.map(Value::from)),
            ]);
            json!({ "EumsSms": eums })
        },
    );
    prop_oneof![3 => sns, 1 => eums]
}

pub(super) fn tags() -> impl Strategy<Value = Value> {
    btree_map("[a-zA-Z0-9ä漢][ a-zA-Z0-9_.:/=+@-]{0,20}", "[ a-zA-Z0-9ä漢_.:/=+@-]{0,30}", 0..5).prop_map(|tags| {
        let allowed = tags.into_iter().filter(|(name, _)| !name.to_ascii_lowercase().starts_with("aws:"));
        Value::Object(allowed.map(|(name, value)| (name, json!(value))).collect())
    })
}

pub(super) fn admin_create_user() -> impl Strategy<Value = Value> {
    let template =
        (option::of(code_text()), option::of(code_page()), option::of(subject())).prop_map(|(sms, email, subject)| {
            some_of(vec![
                ("SMSMessage", sms.map(|text| json!(format!("{{username}} {text}")))),
                ("EmailMessage", email.map(|text| json!(format!("{{username}} {text}")))),
                ("EmailSubject", subject.map(Value::from)),
            ])
        });
    (option::of(any::<bool>()), option::of(template)).prop_map(|(only, template)| {
        some_of(vec![("AllowAdminCreateUserOnly", only.map(Value::from)), ("InviteMessageTemplate", template)])
    })
}

pub(super) fn add_ons() -> impl Strategy<Value = Value> {
    let flows = select(vec![json!({}), json!({ "CustomAuthMode": "AUDIT" }), json!({ "CustomAuthMode": "ENFORCED" })]);
    (select(vec!["OFF", "AUDIT", "ENFORCED"]), option::of(flows)).prop_map(|(mode, flows)| {
        some_of(vec![("AdvancedSecurityMode", Some(json!(mode))), ("AdvancedSecurityAdditionalFlows", flows)])
    })
}

pub(super) fn client_registration() -> impl Strategy<Value = Value> {
    let grants = || option::of(subsequence(vec!["code", "implicit", "client_credentials"], 0..=3));
    let scopes = option::of(vec("[a-z]{1,8}[./][a-z.]{1,12}", 0..4));
    let status = option::of(select(vec!["Enabled", "Disabled"]));
    (status, option::of(any::<bool>()), grants(), grants(), scopes).prop_map(
        |(status, is_open, grants, open_grants, scopes)| {
            some_of(vec![
                ("EnableStatus", status.map(Value::from)),
                ("OpenDcrEnabled", is_open.map(Value::from)),
                ("AuthenticatedGrantTypes", grants.map(Value::from)),
                ("OpenDcrGrantTypes", open_grants.map(Value::from)),
                ("AllowedScopes", scopes.map(Value::from)),
            ])
        },
    )
}

pub(super) fn recovery() -> impl Strategy<Value = Value> {
    select(vec![
        json!([{ "Priority": 1, "Name": "verified_email" }]),
        json!([{ "Priority": 1, "Name": "verified_phone_number" }, { "Priority": 2, "Name": "verified_email" }]),
        json!([{ "Priority": 2, "Name": "verified_email" }, { "Priority": 1, "Name": "verified_phone_number" }]),
        json!([{ "Priority": 1, "Name": "admin_only" }]),
    ])
    .prop_map(|mechanisms| json!({ "RecoveryMechanisms": mechanisms }))
}

pub(super) fn key() -> impl Strategy<Value = Value> {
    select(vec![
        json!({ "KeyType": "AWS_OWNED_KEY" }),
        json!({ "KeyType": "CUSTOMER_MANAGED_KEY", "KmsKeyArn": OTHER_KEY }),
    ])
}

pub(super) fn acr_levels() -> impl Strategy<Value = Value> {
    let levels = subsequence(vec!["Level1", "Level2", "Level3", "Level4"], 1..=4);
    (levels, "[a-z0-9:/._-]{1,40}").prop_map(|(levels, name)| {
        let named = levels.iter().map(|level| ((*level).to_owned(), json!({ "AcrValue": format!("{name}/{level}") })));
        Value::Object(named.collect())
    })
}

/// What only a creation sets.
pub(super) fn schema() -> impl Strategy<Value = Value> {
    let name = || "[a-z][a-z0-9_]{0,12}";
    let attribute = prop_oneof![
        (name(), 0..10_u16, 10..2_048_u16).prop_map(|(name, least, most)| json!({
            "Name": name, "AttributeDataType": "String", "Mutable": true,
            "StringAttributeConstraints": { "MinLength": least.to_string(), "MaxLength": most.to_string() },
        })),
        name().prop_map(|name| json!({
            "Name": name, "AttributeDataType": "Number", "DeveloperOnlyAttribute": false, "Mutable": false,
            "NumberAttributeConstraints": { "MinValue": "0" },
        })),
    ];
    let names = select(vec![
        json!({}),
        json!({ "UsernameAttributes": ["email"] }),
        json!({ "UsernameAttributes": ["phone_number", "email"], "UsernameConfiguration": { "CaseSensitive": false } }),
        json!({ "AliasAttributes": ["phone_number", "preferred_username"] }),
        json!({ "UsernameConfiguration": { "CaseSensitive": true } }),
    ]);
    (vec(attribute, 0..3), names).prop_map(|(mut attributes, mut for_good)| {
        attributes.dedup_by(|one, other| one["Name"] == other["Name"]);
        if !attributes.is_empty() {
            for_good["Schema"] = json!(attributes);
        }
        for_good
    })
}
