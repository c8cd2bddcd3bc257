//! A user pool as Cognito describes it, and as it takes it back.
//!
//! `UpdateUserPool` sets what it is not given to a default, field by field and not always the same over the years. So
//! all that was read is sent back, as untyped JSON: a typed client drops the fields that are newer than itself.

mod difference;
mod request;

use serde_json::{Map, Value, json};
use shared::UserPoolId;

use crate::untyped::{CallError, Service, Untyped};

pub(crate) use difference::{Difference, differences};
pub(crate) use request::{UnknownFields, UpdateRequest};

/// What `DescribeUserPool` says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Description(Map<String, Value>);

/// Which function sends the pool's SMS, and the key that seals what it sends.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Trigger {
    /// `CustomSMSSender`, as it stands in the pool's `LambdaConfig`.
    pub(crate) sms_sender: Option<Value>,
    /// `KMSKeyID`, which the e-mail sender has part in.
    pub(crate) key: Option<String>,
}

/// An answer that describes no pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer has no UserPool: is this Cognito's endpoint?")]
pub(crate) struct NoDescription;

impl Description {
    /// Asks Cognito. Needs `cognito-idp:DescribeUserPool`.
    ///
    /// # Errors
    /// When Cognito refuses, or does not answer.
    pub(crate) async fn read(aws: &Untyped<'_>, pool: &UserPoolId) -> Result<Self, CallError> {
        const OPERATION: &str = "DescribeUserPool";
        let answer = aws.json(Service::UserPools, OPERATION, &json!({ "UserPoolId": pool.as_str() })).await?;
        Self::of_answer(answer)
            .map_err(|error| CallError::NotAnswered { operation: OPERATION, cause: error.to_string() })
    }

    fn of_answer(mut answer: Value) -> Result<Self, NoDescription> {
        match answer.get_mut("UserPool").map(Value::take) {
            Some(Value::Object(members)) => Ok(Self(members)),
            _ => Err(NoDescription),
        }
    }

    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Value::as_str)
    }

    /// The pool's name, for people.
    pub(crate) fn name(&self) -> &str {
        self.text("Name").unwrap_or_default()
    }

    /// Tags, those of AWS's own services included.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let tags = self.get("UserPoolTags").and_then(Value::as_object).into_iter().flatten();
        tags.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    pub(crate) fn trigger(&self) -> Trigger {
        let of_lambda_config = |name: &str| self.lambda_config(name).cloned();
        Trigger {
            sms_sender: of_lambda_config("CustomSMSSender"),
            key: of_lambda_config("KMSKeyID").and_then(|key| key.as_str().map(str::to_owned)),
        }
    }

    /// Whether another function has the pool's e-mails, sealed with the same key.
    pub(crate) fn has_email_sender(&self) -> bool {
        self.lambda_config("CustomEmailSender").is_some()
    }

    fn lambda_config(&self, name: &str) -> Option<&Value> {
        self.get("LambdaConfig")?.get(name).filter(|value| !value.is_null())
    }

    /// What one reads in two descriptions of a pool that nobody has changed in between: neither times and counts, nor
    /// nothing written in two ways, nor the trigger.
    fn settings(&self) -> Value {
        let mut settings = self.0.clone();
        for volatile in
            ["LastModifiedDate", "EstimatedNumberOfUsers", "SmsConfigurationFailure", "EmailConfigurationFailure"]
        {
            settings.remove(volatile);
        }
        if let Some(Value::Object(triggers)) = settings.get_mut("LambdaConfig") {
            triggers.remove("CustomSMSSender");
            triggers.remove("KMSKeyID");
        }
        request::give_temporary_passwords_one_place(&mut settings);
        Value::Object(request::without_nothing(settings))
    }

    /// What has changed since `self` was read, the trigger apart.
    pub(crate) fn changes_beside_the_trigger(&self, later: &Self) -> Vec<Difference> {
        differences(&self.settings(), &later.settings())
    }
}

impl Trigger {
    pub(crate) fn of(function: &str, key: &str) -> Self {
        // https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CustomSMSLambdaVersionConfigType.html
        let sms_sender = json!({ "LambdaArn": function, "LambdaVersion": "V1_0" });
        Self { sms_sender: Some(sms_sender), key: Some(key.to_owned()) }
    }

    /// The ARN of the function that has the pool's SMS.
    pub(crate) fn function(&self) -> Option<&str> {
        self.sms_sender.as_ref()?.get("LambdaArn")?.as_str()
    }
}

/// How factors of authentication are set up, of which the description says nothing. Needs
/// `cognito-idp:GetUserPoolMfaConfig`.
///
/// # Errors
/// When Cognito refuses, or does not answer.
pub(crate) async fn mfa_configuration(aws: &Untyped<'_>, pool: &UserPoolId) -> Result<Value, CallError> {
    aws.json(Service::UserPools, "GetUserPoolMfaConfig", &json!({ "UserPoolId": pool.as_str() })).await
}

#[cfg(test)]
impl Description {
    pub(crate) fn of(members: Value) -> Self {
        Self::of_answer(json!({ "UserPool": members })).expect("an object")
    }
}
