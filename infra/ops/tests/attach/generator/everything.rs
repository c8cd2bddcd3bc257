//! One pool that has everything at once.

use serde_json::{Value, json};

use super::OTHER_KEY;

/// What customises its tokens, by the newer name.
pub(crate) const TOKENS: &str = "arn:aws:lambda:eu-west-1:123456789012:function:tokens";
const PRE_SIGN_UP: &str = "arn:aws:lambda:eu-west-1:123456789012:function:accept:live";

/// A CreateUserPool but for the name.
pub(crate) fn creation() -> Value {
    json!({
        "Policies": {
            "PasswordPolicy": {
                "MinimumLength": 12, "RequireUppercase": true, "RequireLowercase": true, "RequireNumbers": false,
                "RequireSymbols": false, "PasswordHistorySize": 5, "TemporaryPasswordValidityDays": 1,
            },
            "SignInPolicy": { "AllowedFirstAuthFactors": ["PASSWORD", "SMS_OTP"] },
        },
        "DeletionProtection": "ACTIVE",
        "LambdaConfig": {
            "PreSignUp": PRE_SIGN_UP,
            "PreTokenGenerationConfig": { "LambdaVersion": "V2_0", "LambdaArn": TOKENS },
        },
        "AutoVerifiedAttributes": ["phone_number", "email"],
        "VerificationMessageTemplate": {
            "SmsMessage": "Your code is {####}.",
            "EmailMessage": "Your code is {####}.",
            "EmailSubject": "Your code",
            "EmailMessageByLink": "Please {##confirm##}.",
            "EmailSubjectByLink": "Your link",
            "DefaultEmailOption": "CONFIRM_WITH_LINK",
        },
        "SmsAuthenticationMessage": "Your sign-in code is {####}.",
        "MfaConfiguration": "OPTIONAL",
        "DeviceConfiguration": { "ChallengeRequiredOnNewDevice": true },
        "EmailConfiguration": {
            "SourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
            "EmailSendingAccount": "DEVELOPER",
        },
        "SmsConfiguration": { "SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "ExternalId": "", "SnsRegion": "eu-west-1" },
        "UserPoolTags": { "team": "identity", "note": "" },
        "AdminCreateUserConfig": { "AllowAdminCreateUserOnly": true },
        "UserPoolAddOns": { "AdvancedSecurityMode": "ENFORCED" },
        "DcrConfiguration": { "EnableStatus": "Disabled", "AllowedScopes": ["orders.read"] },
        "AccountRecoverySetting": { "RecoveryMechanisms": [{ "Priority": 1, "Name": "verified_email" }] },
        "UserPoolTier": "PLUS",
        "KeyConfiguration": { "KeyType": "CUSTOMER_MANAGED_KEY", "KmsKeyArn": OTHER_KEY },
        "IssuerConfiguration": { "Type": "UPDATED" },
        "AcrConfiguration": { "Level2": { "AcrValue": "urn:example:strong" } },
        "AliasAttributes": ["preferred_username"],
        "UsernameConfiguration": { "CaseSensitive": false },
        "Schema": [{ "Name": "tenant", "AttributeDataType": "String", "Mutable": true }],
    })
}
