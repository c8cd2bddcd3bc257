//! One user pool: what it is told to be, and what it says it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::model::Request;
use super::settings::{Circumstances, Messages, Refusal, Settings, settled};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";
/// What a creation sets for good, by the name in the description.
const FOR_GOOD: [(&str, &str); 4] = [
    ("AliasAttributes", "AliasAttributes"),
    ("UsernameAttributes", "UsernameAttributes"),
    ("UsernameConfiguration", "UsernameConfiguration"),
    ("Schema", "SchemaAttributes"),
];

/// A user pool, which tests may change behind the service's back.
pub(crate) struct Pool {
    id: String,
    name: String,
    for_good: Map<String, Value>,
    pub(crate) settings: Settings,
    second_factors: Map<String, Value>,
    /// Tags that AWS itself has given, such as `aws:cloudformation:stack-name`.
    pub(crate) tags_of_aws: BTreeMap<String, String>,
    /// What is described besides, such as a failure or a member that nobody knows yet.
    pub(crate) besides: Map<String, Value>,
    /// Paths that requests of today do not have, such as `LambdaConfig.PostMortem`.
    pub(crate) of_the_future: BTreeSet<String>,
    /// A setting that each update loses, as no service should.
    pub(crate) loses: Option<&'static str>,
    users: u64,
    modifications: u64,
}

impl Pool {
    /// # Errors
    /// What is wrong with the request.
    pub(crate) fn created(id: &str, request: &Value, messages: Messages) -> Result<Self, Refusal> {
        let of_the_future = BTreeSet::new();
        let request = Request::CreateUserPool.read(request, &of_the_future).map_err(Refusal::invalid)?;
        let around = Circumstances { before: None, has_other_factor: false, messages };
        let settings = settled(&request, &around)?;
        let for_good =
            FOR_GOOD.iter().filter_map(|(asked, told)| Some(((*told).to_owned(), request.get(*asked)?.clone())));
        Ok(Self {
            id: id.to_owned(),
            name: request["PoolName"].as_str().unwrap_or_default().to_owned(),
            for_good: for_good.collect(),
            settings,
            second_factors: Map::new(),
            tags_of_aws: BTreeMap::new(),
            besides: Map::new(),
            of_the_future,
            loses: None,
            users: 0,
            modifications: 0,
        })
    }

    /// # Errors
    /// What is wrong with the request; nothing is changed then.
    pub(crate) fn update(&mut self, request: &Value, messages: Messages) -> Result<(), Refusal> {
        let request = Request::UpdateUserPool.read(request, &self.of_the_future).map_err(Refusal::invalid)?;
        let has_other_factor = self.second_factors.keys().any(|factor| factor != "WebAuthnConfiguration");
        let around = Circumstances { before: Some(&self.settings), has_other_factor, messages };
        self.settings = settled(&request, &around)?;
        // A member of the future on the top is kept as it is given.
        for name in self.of_the_future.iter().filter(|path| !path.contains('.')) {
            match request.get(name) {
                Some(value) => self.besides.insert(name.clone(), value.clone()),
                None => self.besides.remove(name),
            };
        }
        if let Some(name) = request.get("PoolName").and_then(Value::as_str) {
            name.clone_into(&mut self.name);
        }
        if let Some(lost) = self.loses {
            self.settings.remove(lost);
        }
        self.modifications += 1;
        Ok(())
    }

    /// Sets the second factors that there are besides SMS, and all of them anew.
    ///
    /// # Errors
    /// What is wrong with the request; nothing is changed then.
    pub(crate) fn set_second_factors(&mut self, request: &Value) -> Result<(), Refusal> {
        let mut request = Request::SetUserPoolMfaConfig.read(request, &self.of_the_future).map_err(Refusal::invalid)?;
        request.remove("UserPoolId");
        let wanted = request.remove("MfaConfiguration").unwrap_or_else(|| json!("OFF"));
        let sms = request.remove("SmsMfaConfiguration");
        let has_factor = sms.is_some() || request.keys().any(|factor| factor != "WebAuthnConfiguration");
        if has_factor != (wanted != "OFF") {
            return Err(Refusal::invalid("Invalid MFA configuration given."));
        }
        for name in ["SmsConfiguration", "SmsAuthenticationMessage"] {
            if let Some(value) = sms.as_ref().and_then(|sms| sms.get(name)) {
                self.settings.insert(name.to_owned(), value.clone());
            }
        }
        self.settings.insert("MfaConfiguration".to_owned(), wanted);
        self.second_factors = request;
        self.modifications += 1;
        Ok(())
    }

    /// What DescribeUserPool answers. Between two of them another user has signed up.
    pub(crate) fn described(&mut self) -> Value {
        self.users += 1;
        let mut told = self.settings.clone();
        told.extend(self.for_good.clone());
        let modified = 1_790_000_000.0 + self.modifications as f64 + 0.447;
        told.extend([
            ("Id".to_owned(), json!(self.id)),
            ("Name".to_owned(), json!(self.name)),
            ("Arn".to_owned(), json!(arn(&self.id))),
            ("CreationDate".to_owned(), json!(1_589_585_785.725)),
            ("LastModifiedDate".to_owned(), json!(modified)),
            ("EstimatedNumberOfUsers".to_owned(), json!(self.users)),
        ]);
        for (name, value) in &self.tags_of_aws {
            told["UserPoolTags"][name] = json!(value);
        }
        // That registration is off goes without saying: whoever sends this back turns it on.
        if let Some(Value::Object(registration)) = told.get_mut("DcrConfiguration") {
            registration.retain(|_, value| value != "Disabled");
        }
        told.extend(self.besides.clone());
        json!({ "UserPool": told })
    }

    /// What GetUserPoolMfaConfig answers.
    pub(crate) fn second_factors(&self) -> Value {
        let mut told = self.second_factors.clone();
        let mfa = &self.settings["MfaConfiguration"];
        told.insert("MfaConfiguration".to_owned(), mfa.clone());
        if let (true, Some(sms)) = (mfa != "OFF", self.settings.get("SmsConfiguration")) {
            let mut factor = json!({ "SmsConfiguration": sms });
            if let Some(message) = self.settings.get("SmsAuthenticationMessage") {
                factor["SmsAuthenticationMessage"] = message.clone();
            }
            told.insert("SmsMfaConfiguration".to_owned(), factor);
        }
        Value::Object(told)
    }
}

pub(crate) fn arn(id: &str) -> String {
    format!("arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{id}")
}
