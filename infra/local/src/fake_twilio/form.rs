//! What the fake asks of a request's form: exactly the fields that Sealpost means to send.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use serde_json::json;
use shared::{PhoneNumber, Timestamp};

use super::{ReceivedSms, json_answer};

const MAX_BODY_CHARACTERS: usize = 1600;

/// Why a request is refused: the HTTP status, Twilio's code and its words.
pub(super) struct Refusal(pub(super) u16, pub(super) u32, pub(super) String);

/// The fields of a request, each at most once.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    const KNOWN: [&str; 7] =
        ["To", "From", "MessagingServiceSid", "Body", "ValidityPeriod", "ContentRetention", "AddressRetention"];

    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut form = Self(Vec::new());
        for (key, value) in form_urlencoded::parse(body).into_owned() {
            if !Self::KNOWN.contains(&key.as_str()) {
                return Err(Refusal(400, 20001, format!("Unknown parameter {key}")));
            }
            if form.get(&key).is_some() {
                return Err(Refusal(400, 20001, format!("Parameter {key} is given twice")));
            }
            form.0.push((key, value));
        }
        Ok(form)
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    pub(super) fn message(&self, sid: String, received_at: Timestamp) -> Result<ReceivedSms, Refusal> {
        let refused = |code, message: &str| Err(Refusal(400, code, message.to_owned()));
        let Some(to) = self.get("To") else { return refused(21604, "A 'To' phone number is required.") };
        if PhoneNumber::parse(to).is_err() {
            return refused(21211, &format!("Invalid 'To' Phone Number: {to}"));
        }
        let from = match (self.get("From"), self.get("MessagingServiceSid")) {
            (Some(from), None) | (None, Some(from)) if !from.is_empty() => from,
            _ => return refused(21603, "Either a 'From' or a 'MessagingServiceSid' is required."),
        };
        let body = match self.get("Body") {
            Some(body) if body.is_empty() || body.contains('\u{FFFD}') => {
                return refused(21602, "Message body is required.");
            }
            Some(body) if body.chars().count() > MAX_BODY_CHARACTERS => {
                return refused(21617, "The concatenated message body exceeds the 1600 character limit.");
            }
            Some(body) => body,
            None => return refused(21602, "Message body is required."),
        };
        let seconds = self.get("ValidityPeriod").and_then(|seconds| seconds.parse().ok());
        let Some(validity_period) = seconds.filter(|seconds| (1..=36_000).contains(seconds)) else {
            return refused(20001, "ValidityPeriod must be given and lie between 1 and 36000.");
        };
        for (key, values) in
            [("ContentRetention", ["retain", "discard"]), ("AddressRetention", ["retain", "obfuscate"])]
        {
            if self.get(key).is_some_and(|value| !values.contains(&value)) {
                return refused(20001, &format!("{key} must be one of {values:?}."));
            }
        }
        let (to, from, body) = (to.to_owned(), from.to_owned(), body.to_owned());
        Ok(ReceivedSms { sid, to, from, body, validity_period, received_at })
    }
}

impl Refusal {
    pub(super) fn answer(self) -> Response<Full<Bytes>> {
        let Self(status, code, message) = self;
        let more_info = format!("https://www.twilio.com/docs/errors/{code}");
        json_answer(status, &json!({ "code": code, "message": message, "more_info": more_info, "status": status }))
    }
}
