//! The requests that set a pool's settings, as AWS's service model has them. A trial of the outside compares the two.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::shape::{
    ARN, Form, LONG, Member, Shape, UNBOUNDED, described, list, number, optional, required, structure, text,
};

/// A request of Cognito's.
#[derive(Clone, Copy)]
pub(crate) enum Request {
    CreateUserPool,
    UpdateUserPool,
    SetUserPoolMfaConfig,
}

impl Request {
    fn members(self) -> impl Iterator<Item = &'static Member> {
        let (own, shared) = match self {
            Self::CreateUserPool => (OF_CREATION, SETTINGS),
            Self::UpdateUserPool => (OF_UPDATE, SETTINGS),
            Self::SetUserPoolMfaConfig => (OF_MFA, &[][..]),
        };
        own.iter().chain(shared)
    }

    /// The members that are there, if all are as they should be. On AWS a null is as good as absent, and so it is here.
    ///
    /// `of_the_future` are paths such as `LambdaConfig.PostMortem` that a later version of the service knows.
    ///
    /// # Errors
    /// What is wrong, in the service's manner.
    pub(crate) fn read(self, request: &Value, of_the_future: &BTreeSet<String>) -> Result<Map<String, Value>, String> {
        let Value::Object(request) = request else { return Err("the request is not an object".to_owned()) };
        structure(&self.members().collect::<Vec<_>>(), request, "", of_the_future)?;
        Ok(request.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    /// The model, to be compared with AWS's.
    pub(crate) fn model(self) -> Value {
        described(self.members())
    }
}

/// What a description has and no update sets.
pub(crate) const ONLY_DESCRIBED: [&str; 15] = [
    "AliasAttributes",
    "Arn",
    "CreationDate",
    "CustomDomain",
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
/// What both requests set.
const SETTINGS: &[Member] = &[
    optional("Policies", Shape::Structure(POLICIES)),
    optional("DeletionProtection", Shape::OneOf(&["ACTIVE", "INACTIVE"])),
    optional("LambdaConfig", Shape::Structure(TRIGGERS)),
    optional("AutoVerifiedAttributes", list(&VERIFIED, 0, UNBOUNDED)),
    optional("SmsVerificationMessage", text(6, 140, Form::Code)),
    optional("EmailVerificationMessage", text(6, 20_000, Form::Code)),
    optional("EmailVerificationSubject", text(1, 140, Form::Prose)),
    optional("VerificationMessageTemplate", Shape::Structure(TEMPLATE)),
    optional("SmsAuthenticationMessage", text(6, 140, Form::Code)),
    optional("UserAttributeUpdateSettings", Shape::Structure(ATTRIBUTE_UPDATES)),
    optional("MfaConfiguration", Shape::OneOf(&["OFF", "ON", "OPTIONAL"])),
    optional("DeviceConfiguration", Shape::Structure(DEVICES)),
    optional("EmailConfiguration", Shape::Structure(EMAIL)),
    optional("SmsConfiguration", Shape::Structure(SMS)),
    optional("UserPoolTags", Shape::Map { of: &TAG, most: UNBOUNDED, longest_key: 128 }),
    optional("AdminCreateUserConfig", Shape::Structure(ADMIN_CREATE_USER)),
    optional("UserPoolAddOns", Shape::Structure(ADD_ONS)),
    optional("DcrConfiguration", Shape::Structure(CLIENT_REGISTRATION)),
    optional("AccountRecoverySetting", Shape::Structure(RECOVERY)),
    optional("UserPoolTier", Shape::OneOf(&["LITE", "ESSENTIALS", "PLUS"])),
    optional("KeyConfiguration", Shape::Structure(KEY)),
    optional("IssuerConfiguration", Shape::Structure(&[optional("Type", Shape::OneOf(&["ORIGINAL", "UPDATED"]))])),
    optional("AcrConfiguration", Shape::Map { of: &ACR_LEVEL, most: 4, longest_key: UNBOUNDED }),
];
/// What only an update has.
const OF_UPDATE: &[Member] =
    &[required("UserPoolId", text(1, 55, Form::Any)), optional("PoolName", text(1, 128, Form::Any))];
/// What only a creation has.
const OF_CREATION: &[Member] = &[
    required("PoolName", text(1, 128, Form::Any)),
    optional("AliasAttributes", list(&Shape::OneOf(&["phone_number", "email", "preferred_username"]), 0, UNBOUNDED)),
    optional("UsernameAttributes", list(&VERIFIED, 0, UNBOUNDED)),
    optional("Schema", list(&Shape::Structure(ATTRIBUTE), 1, 50)),
    optional("UsernameConfiguration", Shape::Structure(&[required("CaseSensitive", Shape::Flag)])),
];
const OF_MFA: &[Member] = &[
    required("UserPoolId", text(1, 55, Form::Any)),
    optional(
        "SmsMfaConfiguration",
        Shape::Structure(&[
            optional("SmsAuthenticationMessage", text(6, 140, Form::Code)),
            optional("SmsConfiguration", Shape::Structure(SMS)),
        ]),
    ),
    optional("SoftwareTokenMfaConfiguration", Shape::Structure(&[optional("Enabled", Shape::Flag)])),
    optional(
        "EmailMfaConfiguration",
        Shape::Structure(&[
            optional("Message", text(6, 20_000, Form::Code)),
            optional("Subject", text(0, UNBOUNDED, Form::Prose)),
        ]),
    ),
    optional("MfaConfiguration", Shape::OneOf(&["OFF", "ON", "OPTIONAL"])),
    optional(
        "WebAuthnConfiguration",
        Shape::Structure(&[
            optional("RelyingPartyId", text(1, 127, Form::Any)),
            optional("UserVerification", Shape::OneOf(&["required", "preferred"])),
            optional("FactorConfiguration", Shape::OneOf(&["SINGLE_FACTOR", "MULTI_FACTOR_WITH_USER_VERIFICATION"])),
        ]),
    ),
];

const POLICIES: &[Member] = &[
    optional(
        "PasswordPolicy",
        Shape::Structure(&[
            optional("MinimumLength", number(6, 99)),
            optional("RequireUppercase", Shape::Flag),
            optional("RequireLowercase", Shape::Flag),
            optional("RequireNumbers", Shape::Flag),
            optional("RequireSymbols", Shape::Flag),
            optional("PasswordHistorySize", number(0, 24)),
            optional("TemporaryPasswordValidityDays", number(0, 365)),
        ]),
    ),
    optional("SignInPolicy", Shape::Structure(&[optional("AllowedFirstAuthFactors", list(&FACTOR, 1, 5))])),
];
const TRIGGERS: &[Member] = &[
    optional("PreSignUp", ARN),
    optional("CustomMessage", ARN),
    optional("PostConfirmation", ARN),
    optional("PreAuthentication", ARN),
    optional("PostAuthentication", ARN),
    optional("DefineAuthChallenge", ARN),
    optional("CreateAuthChallenge", ARN),
    optional("VerifyAuthChallengeResponse", ARN),
    optional("PreTokenGeneration", ARN),
    optional("UserMigration", ARN),
    optional("PreTokenGenerationConfig", Shape::Structure(TRIGGER_WITH_THREE_VERSIONS)),
    optional("CustomSMSSender", Shape::Structure(TRIGGER)),
    optional("CustomEmailSender", Shape::Structure(TRIGGER)),
    optional("KMSKeyID", ARN),
    optional("InboundFederation", Shape::Structure(TRIGGER)),
];
const TRIGGER: &[Member] = &[required("LambdaVersion", Shape::OneOf(&["V1_0"])), required("LambdaArn", ARN)];
const TRIGGER_WITH_THREE_VERSIONS: &[Member] =
    &[required("LambdaVersion", Shape::OneOf(&["V1_0", "V2_0", "V3_0"])), required("LambdaArn", ARN)];
const TEMPLATE: &[Member] = &[
    optional("SmsMessage", text(6, 140, Form::Code)),
    optional("EmailMessage", text(6, 20_000, Form::Code)),
    optional("EmailSubject", text(1, 140, Form::Prose)),
    optional("EmailMessageByLink", text(6, 20_000, Form::Link)),
    optional("EmailSubjectByLink", text(1, 140, Form::Prose)),
    optional("DefaultEmailOption", Shape::OneOf(&["CONFIRM_WITH_LINK", "CONFIRM_WITH_CODE"])),
];
const ATTRIBUTE_UPDATES: &[Member] =
    &[optional("AttributesRequireVerificationBeforeUpdate", list(&VERIFIED, 0, UNBOUNDED))];
const DEVICES: &[Member] =
    &[optional("ChallengeRequiredOnNewDevice", Shape::Flag), optional("DeviceOnlyRememberedOnUserPrompt", Shape::Flag)];
const EMAIL: &[Member] = &[
    optional("SourceArn", ARN),
    optional("ReplyToEmailAddress", text(0, UNBOUNDED, Form::Prose)),
    optional("EmailSendingAccount", Shape::OneOf(&["COGNITO_DEFAULT", "DEVELOPER"])),
    optional("From", LONG),
    optional("ConfigurationSet", text(1, 64, Form::Any)),
];
const SMS: &[Member] = &[
    optional("SnsCallerArn", text(0, 2_048, Form::ArnOrNothing)),
    optional("ExternalId", LONG),
    optional("SnsRegion", text(5, 32, Form::Any)),
    optional(
        "EumsSms",
        Shape::Structure(&[
            required("CallerArn", ARN),
            optional("ExternalId", LONG),
            optional("OriginationIdentity", LONG),
            optional("ConfigurationSetName", LONG),
            optional("InEntityId", LONG),
            optional("InTemplateId", LONG),
            optional("Region", text(5, 32, Form::Any)),
        ]),
    ),
];
const ADMIN_CREATE_USER: &[Member] = &[
    optional("AllowAdminCreateUserOnly", Shape::Flag),
    optional("UnusedAccountValidityDays", number(0, 365)),
    optional(
        "InviteMessageTemplate",
        Shape::Structure(&[
            optional("SMSMessage", text(6, 140, Form::Any)),
            optional("EmailMessage", text(6, 20_000, Form::Prose)),
            optional("EmailSubject", text(1, 140, Form::Prose)),
        ]),
    ),
];
const ADD_ONS: &[Member] = &[
    required("AdvancedSecurityMode", Shape::OneOf(&["OFF", "AUDIT", "ENFORCED"])),
    optional(
        "AdvancedSecurityAdditionalFlows",
        Shape::Structure(&[optional("CustomAuthMode", Shape::OneOf(&["AUDIT", "ENFORCED"]))]),
    ),
];
const CLIENT_REGISTRATION: &[Member] = &[
    optional("EnableStatus", Shape::OneOf(&["Enabled", "Disabled"])),
    optional("OpenDcrEnabled", Shape::Flag),
    optional("AuthenticatedGrantTypes", list(&GRANT, 0, 3)),
    optional("OpenDcrGrantTypes", list(&GRANT, 0, 3)),
    optional("AllowedScopes", list(&text(1, 256, Form::Any), 0, 50)),
];
const RECOVERY: &[Member] = &[optional(
    "RecoveryMechanisms",
    list(
        &Shape::Structure(&[
            required("Priority", number(1, 2)),
            required("Name", Shape::OneOf(&["verified_email", "verified_phone_number", "admin_only"])),
        ]),
        1,
        2,
    ),
)];
const KEY: &[Member] =
    &[optional("KeyType", Shape::OneOf(&["AWS_OWNED_KEY", "CUSTOMER_MANAGED_KEY"])), optional("KmsKeyArn", ARN)];
const ATTRIBUTE: &[Member] = &[
    optional("Name", text(1, 20, Form::Any)),
    optional("AttributeDataType", Shape::OneOf(&["String", "Number", "DateTime", "Boolean"])),
    optional("DeveloperOnlyAttribute", Shape::Flag),
    optional("Mutable", Shape::Flag),
    optional("Required", Shape::Flag),
    optional("NumberAttributeConstraints", Shape::Structure(&[optional("MinValue", LONG), optional("MaxValue", LONG)])),
    optional(
        "StringAttributeConstraints",
        Shape::Structure(&[optional("MinLength", LONG), optional("MaxLength", LONG)]),
    ),
];
const VERIFIED: Shape = Shape::OneOf(&["phone_number", "email"]);
const FACTOR: Shape = Shape::OneOf(&["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN"]);
const GRANT: Shape = Shape::OneOf(&["code", "implicit", "client_credentials"]);
const ACR_LEVEL: Shape = Shape::Structure(&[required("AcrValue", text(1, 64, Form::Any))]);
const TAG: Shape = text(0, 256, Form::Any);
