//! The event of the CustomSMSSender trigger
//! (<https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sms-sender.html>).
//!
//! AWS adds members over the years and warns against strict validation: what is required here is only what
//! a message cannot be sent without, and unknown members are kept as they came. Errors name fields, never
//! their values.

use serde_json::{Map, Value};

use crate::{
    PhoneNumber, PhoneNumberError, Privacy, SealedCode, SealedCodeError, TriggerSource, UserPoolId, UserPoolIdError,
};

/// The largest SQS message, and so the largest event worth reading
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>).
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;
/// Events have 3 levels. JSON readers stop at 128, and the queue message around an event is one more: the worker must
/// be able to read what the producer could.
const MAX_EVENT_DEPTH: usize = 64;

/// An event that can be sent: its source, pool, number and code are what they claim to be by shape.
#[derive(Clone, PartialEq)]
pub struct CognitoEvent {
    document: Map<String, Value>,
    trigger_source: TriggerSource,
    user_pool: UserPoolId,
    phone_number: PhoneNumber,
    code: Option<SealedCode>,
}

/// Why an event can never be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error("the event is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("the event is larger than {MAX_EVENT_BYTES} bytes, the most that SQS takes")]
    TooLarge,
    #[error("the event is nested deeper than {MAX_EVENT_DEPTH} levels")]
    TooDeep,
    #[error("{field} is missing from the event")]
    Missing { field: &'static str },
    #[error("{field} in the event is not {expected}")]
    WrongType { field: &'static str, expected: &'static str },
    #[error(
        "triggerSource is not one of CustomSMSSender; attach this function to that trigger only \
         (e-mail and other triggers need functions of their own)"
    )]
    ForeignTrigger,
    #[error("request.type is not customSMSSenderRequestV1; the trigger's LambdaVersion must be V1_0")]
    RequestType,
    #[error("a {trigger_source} event must carry a code, and this one has none")]
    NoCode { trigger_source: TriggerSource },
    #[error("userPoolId {0}")]
    UserPool(#[from] UserPoolIdError),
    #[error("the user has no phone_number attribute")]
    NoPhoneNumber,
    #[error("the user's phone_number {0}")]
    PhoneNumber(#[from] PhoneNumberError),
    #[error("request.code: {0}")]
    Code(#[from] SealedCodeError),
}

const DELIVERY_ATTRIBUTES: [&str; 5] =
    ["sub", "phone_number", "phone_number_verified", "locale", "cognito:user_status"];
/// What the text of a take-over notification names.
const TAKE_OVER_ATTRIBUTES: [&str; 3] = ["LOGIN_TIME", "CITY", "DEVICE_NAME"];

impl CognitoEvent {
    /// Reads an event as Cognito sends it.
    ///
    /// # Errors
    /// When it can never be sent; [`EventError`] says why.
    pub fn parse(json: &[u8]) -> Result<Self, EventError> {
        if json.len() > MAX_EVENT_BYTES {
            return Err(EventError::TooLarge);
        }
        let value = serde_json::from_slice(json)
            .map_err(|error| EventError::NotJson { line: error.line(), column: error.column() })?;
        if is_deeper_than(MAX_EVENT_DEPTH, &value) {
            return Err(EventError::TooDeep);
        }
        Self::from_value(value)
    }

    /// Reads an event out of a JSON value.
    ///
    /// # Errors
    /// When it can never be sent; [`EventError`] says why.
    pub fn from_value(value: Value) -> Result<Self, EventError> {
        let Value::Object(document) = value else {
            return Err(EventError::WrongType { field: "the whole", expected: "an object" });
        };
        let source = required_text(&document, "triggerSource", "triggerSource")?;
        let trigger_source = TriggerSource::parse(source).ok_or(EventError::ForeignTrigger)?;
        let user_pool = UserPoolId::parse(required_text(&document, "userPoolId", "userPoolId")?)?;
        let request = required_object(&document, "request", "request")?;
        let kind = required_text(request, "type", "request.type")?;
        if !kind.eq_ignore_ascii_case("customSMSSenderRequestV1") {
            return Err(EventError::RequestType);
        }
        let attributes = required_object(request, "userAttributes", "request.userAttributes")?;
        let number = optional_text(attributes, "phone_number", "request.userAttributes.phone_number")?;
        let phone_number = PhoneNumber::parse(number.ok_or(EventError::NoPhoneNumber)?)?;
        let code = optional_text(request, "code", "request.code")?.map(SealedCode::parse).transpose()?;
        if code.is_none() && trigger_source.needs_code() {
            return Err(EventError::NoCode { trigger_source });
        }
        Ok(Self { trigger_source, user_pool, phone_number, code, document })
    }

    /// Removes what delivery does not need: most user attributes, the client metadata and the user name,
    /// unless `privacy` keeps them.
    pub fn strip(&mut self, privacy: &Privacy) {
        let keeps_take_over = self.trigger_source == TriggerSource::AccountTakeOverNotification;
        let is_needed = |name: &str| {
            DELIVERY_ATTRIBUTES.contains(&name)
                || (keeps_take_over && TAKE_OVER_ATTRIBUTES.contains(&name))
                || privacy.keep_attributes.iter().any(|kept| kept == name)
        };
        if !privacy.keep_user_name {
            self.document.remove("userName");
        }
        if let Some(Value::Object(request)) = self.document.get_mut("request") {
            if !privacy.keep_client_metadata {
                request.remove("clientMetadata");
            }
            if let Some(Value::Object(attributes)) = request.get_mut("userAttributes") {
                attributes.retain(|name, _| is_needed(name));
            }
        }
    }

    pub fn trigger_source(&self) -> TriggerSource {
        self.trigger_source
    }

    pub fn user_pool(&self) -> &UserPoolId {
        &self.user_pool
    }

    pub fn phone_number(&self) -> &PhoneNumber {
        &self.phone_number
    }

    /// The sealed code; none for notifications and for invitations without a password.
    pub fn code(&self) -> Option<&SealedCode> {
        self.code.as_ref()
    }

    /// The app client that asked for the code; real events also have null here.
    pub fn client_id(&self) -> Option<&str> {
        self.document.get("callerContext")?.get("clientId")?.as_str()
    }

    /// A user attribute, if the event has it as a text.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.document.get("request")?.get("userAttributes")?.get(name)?.as_str()
    }

    /// The event as it came, less what [`CognitoEvent::strip`] took away.
    pub fn document(&self) -> &Map<String, Value> {
        &self.document
    }
}

impl std::fmt::Debug for CognitoEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CognitoEvent")
            .field("trigger_source", &self.trigger_source)
            .field("user_pool", &self.user_pool)
            .field("phone_number", &self.phone_number)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

fn is_deeper_than(levels: usize, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(members) => levels == 0 || members.iter().any(|member| is_deeper_than(levels - 1, member)),
        Value::Object(members) => levels == 0 || members.values().any(|member| is_deeper_than(levels - 1, member)),
    }
}

fn required_text<'v>(object: &'v Map<String, Value>, key: &str, field: &'static str) -> Result<&'v str, EventError> {
    optional_text(object, key, field)?.ok_or(EventError::Missing { field })
}

/// Null and absent are the same: Cognito sends both.
fn optional_text<'v>(
    object: &'v Map<String, Value>,
    key: &str,
    field: &'static str,
) -> Result<Option<&'v str>, EventError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(EventError::WrongType { field, expected: "a text" })
        }
    }
}

fn required_object<'v>(
    object: &'v Map<String, Value>,
    key: &str,
    field: &'static str,
) -> Result<&'v Map<String, Value>, EventError> {
    match object.get(key) {
        None | Some(Value::Null) => Err(EventError::Missing { field }),
        Some(Value::Object(inner)) => Ok(inner),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(EventError::WrongType { field, expected: "an object" })
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use serde_json::json;

    /// The published capture as an SMS event: AWS's code with the pool that it was sealed for.
    pub(crate) fn sign_up() -> Value {
        let mut event: Value = serde_json::from_str(include_str!("fixtures/sms_sign_up.json")).expect("JSON");
        event["request"]["code"] = json!(STANDARD.encode(crate::esdk_message::tests::capture()));
        event
    }

    fn with(change: impl FnOnce(&mut Value)) -> Result<CognitoEvent, EventError> {
        let mut event = sign_up();
        change(&mut event);
        CognitoEvent::from_value(event)
    }

    #[test]
    fn a_sign_up_event_is_read() {
        let event = CognitoEvent::from_value(sign_up()).expect("sound");
        assert_eq!(event.trigger_source(), TriggerSource::SignUp);
        assert_eq!(event.user_pool().as_str(), "eu-west-1_UVcwvZ1E8");
        assert_eq!(event.phone_number().expose(), "+12065550100");
        assert_eq!(event.client_id(), Some("1example23456789"));
        assert_eq!(event.attribute("locale"), Some("en-US"));
        assert_eq!(event.code().expect("a code").message_id().as_str(), "9b1cf0005fcf859edf9c9e55052be80f");
    }

    #[test]
    fn the_oddities_of_real_events_are_accepted() {
        for change in [
            |event: &mut Value| event["request"]["clientMetadata"] = json!({"tenant": "a"}),
            |event: &mut Value| event["callerContext"] = json!({"awsSdkVersion": null, "clientId": null}),
            |event: &mut Value| event["callerContext"]["clientId"] = json!("CLIENT_ID_NOT_APPLICABLE"),
            |event: &mut Value| event["response"] = json!({}),
            |event: &mut Value| event["version"] = json!("0"),
            |event: &mut Value| event["triggerSource"] = json!("CustomSmsSender_SignUp"),
            |event: &mut Value| event["triggerSource"] = json!("CustomSMSSender_SomethingNew"),
            |event: &mut Value| event["request"]["userAttributes"]["CITY"] = Value::Null,
            |event: &mut Value| event["addedIn2031"] = json!([1, 2.5, {"a": null}]),
            |event: &mut Value| {
                event["triggerSource"] = json!("CustomSMSSender_AdminCreateUser");
                event["request"]["code"] = Value::Null;
            },
            |event: &mut Value| {
                event["triggerSource"] = json!("CustomSMSSender_AccountTakeOverNotification");
                event["request"]["code"] = Value::Null;
            },
        ] {
            let outcome = with(change);
            assert!(outcome.is_ok(), "{outcome:?}");
        }
    }

    #[test]
    fn what_can_never_be_sent_is_refused_with_its_reason() {
        type Change = fn(&mut Value);
        let cases: [(Change, &str); 12] = [
            (|e| e["triggerSource"] = json!("CustomEmailSender_SignUp"), "not one of CustomSMSSender"),
            (|e| e["triggerSource"] = Value::Null, "triggerSource is missing"),
            (|e| e["request"]["type"] = json!("customEmailSenderRequestV1"), "not customSMSSenderRequestV1"),
            (|e| e["request"] = json!([]), "request in the event is not an object"),
            (|e| e["userPoolId"] = json!(7), "userPoolId in the event is not a text"),
            (|e| e["userPoolId"] = json!("pool"), "userPoolId is not a user pool id"),
            (|e| e["request"]["code"] = Value::Null, "a SignUp event must carry a code"),
            (|e| e["request"]["code"] = json!("%%%"), "the code is not base64"),
            (|e| e["request"]["code"] = json!("MTIzNDU2"), "not an AWS Encryption SDK message"),
            (|e| e["request"]["userAttributes"] = json!({}), "no phone_number attribute"),
            (|e| e["request"]["userAttributes"] = Value::Null, "request.userAttributes is missing"),
            (|e| e["request"]["userAttributes"]["phone_number"] = json!("0206 555"), "does not begin with '+'"),
        ];
        for (change, expected) in cases {
            let error = with(change).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(CognitoEvent::parse(b"{\"a\":"), Err(EventError::NotJson { line: 1, column: 5 }));
        assert_eq!(CognitoEvent::parse(&vec![b'{'; MAX_EVENT_BYTES + 1]), Err(EventError::TooLarge));
        assert!(matches!(CognitoEvent::parse(&vec![b'['; MAX_EVENT_BYTES]), Err(EventError::NotJson { .. })));
    }

    #[test]
    fn an_event_is_as_deep_as_its_queue_message_can_be_read() {
        let nested = |levels| {
            let mut event = sign_up();
            event["addedIn2031"] = (0..levels).fold(json!(0), |inner, _| json!([inner]));
            CognitoEvent::parse(event.to_string().as_bytes())
        };
        assert!(nested(MAX_EVENT_DEPTH - 1).is_ok());
        assert_eq!(nested(MAX_EVENT_DEPTH), Err(EventError::TooDeep));
        assert_eq!(nested(126), Err(EventError::TooDeep));
    }

    #[test]
    fn numbers_are_kept_as_they_came() {
        let mut event = sign_up();
        event["addedIn2031"] = serde_json::from_str("[0.1, 1234567890123456789012345070707070707.25]").expect("JSON");
        let event = CognitoEvent::from_value(event).expect("sound");
        let written = serde_json::to_vec(event.document()).expect("it was read from JSON");
        assert_eq!(CognitoEvent::parse(&written), Ok(event));
    }

    #[test]
    fn only_what_delivery_needs_is_kept() {
        let mut event = with(|event| {
            event["request"]["clientMetadata"] = json!({"tenant": "a"});
            event["request"]["userAttributes"]["email"] = json!("mary@example.com");
            event["request"]["userAttributes"]["custom:plan"] = json!("gold");
            event["unknown"] = json!(1);
        })
        .expect("sound");
        let mut open = event.clone();
        event.strip(&Privacy::default());
        let kept = Value::Object(event.document().clone());
        assert_eq!(kept["request"]["userAttributes"].as_object().expect("object").len(), 5);
        assert_eq!(kept["unknown"], json!(1), "unknown members stay");
        for absent in ["userName", "clientMetadata", "mary@example.com", "gold"] {
            assert!(!kept.to_string().contains(absent), "{absent} was kept");
        }
        open.strip(&Privacy {
            keep_attributes: vec!["custom:plan".to_owned()],
            keep_client_metadata: true,
            keep_user_name: true,
        });
        let kept = Value::Object(open.document().clone()).to_string();
        for present in ["userName", "tenant", "gold"] {
            assert!(kept.contains(present), "{present} was not kept");
        }
        assert!(!kept.contains("mary@example.com"));
    }

    #[test]
    fn neither_code_nor_number_nor_user_is_printable() {
        let shown = format!("{:?}", CognitoEvent::from_value(sign_up()).expect("sound"));
        for secret in ["2065550100", "AYADeJscA", "54cf7eb7"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = CognitoEvent::parse(&bytes);
        }

        #[test]
        fn no_member_of_another_type_makes_the_parser_panic(
            path in proptest::sample::select(vec![
                "/triggerSource", "/userPoolId", "/request", "/request/type", "/request/code",
                "/request/userAttributes", "/request/userAttributes/phone_number", "/callerContext",
            ]),
            value in proptest::sample::select(vec![
                Value::Null, json!(true), json!(-1.5), json!("\u{0}\u{fffe}"), json!([[]]), json!({"": {}}),
            ]),
        ) {
            let mut event = sign_up();
            *event.pointer_mut(path).expect("the fixture has it") = value;
            let _ = CognitoEvent::from_value(event);
        }
    }
}
