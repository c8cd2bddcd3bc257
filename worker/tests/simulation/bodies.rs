//! The messages as the producer puts them into the queue.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{QueueMessage, Timestamp, TriggerSource, rfc3339_millis};
use worker::UserCode;

use crate::codes::{Code, Codes};
use crate::plan::{Kind, Millis, Plan, PlannedMessage};
use crate::sealed::POOL;

/// Who writes messages, as SQS says it, and who should not.
pub(crate) const SENDER: &str = "AROAEXAMPLEPRODUCER:producer";
const STRANGER: &str = "AIDASTRANGER";
/// The only part of [`SENDER`] that counts.
pub(crate) const TRUSTED: &str = "AROAEXAMPLEPRODUCER";
/// Nothing is sent there.
pub(crate) const REFUSED_COUNTRY: &str = "SE";
/// It has a single provider, the second.
pub(crate) const COUNTRY_OF_ONE_PROVIDER: &str = "AU";

/// A message in every form in which the world meets it.
pub(crate) struct Letter {
    pub(crate) planned: PlannedMessage,
    pub(crate) body: String,
    pub(crate) sender: &'static str,
    pub(crate) code: Code,
    pub(crate) to: String,
    pub(crate) expires_at: Timestamp,
    /// None where it supersedes nothing, and is not superseded.
    pub(crate) user_code: Option<UserCode>,
}

/// That long after every history's beginning.
pub(crate) fn moment(at: Millis) -> Timestamp {
    let beginning = 1_795_003_200_000; // 2026-11-18T12:00:00Z
    let at = i64::try_from(at).expect("histories are short");
    Timestamp::from_millisecond(beginning + at).expect("in range")
}

impl Letter {
    pub(crate) fn of(plan: &Plan, planned: &PlannedMessage, codes: &Codes) -> Self {
        let code = codes.of(plan.seed, planned);
        let arrives = moment(planned.arrives);
        let lifetime = SignedDuration::try_from(planned.lifetime).expect("days at most");
        let left = if planned.kind == Kind::ExpiredOnArrival {
            SignedDuration::from_secs(-5)
        } else if planned.kind == Kind::ExpiresSoon {
            SignedDuration::from_millis(500 + 700 * i64::from(planned.number % 16))
        } else {
            lifetime
        };
        let expires_at = arrives.checked_add(left).expect("in range");
        let accepted_at = expires_at.checked_sub(planned.lifetime).expect("in range");
        let to = number(planned);
        let body = if planned.kind == Kind::NotJson {
            format!("not JSON, {}", planned.number)
        } else {
            body(planned, &code, &to, accepted_at, expires_at).to_string()
        };
        let sender = if planned.kind == Kind::UntrustedSender { STRANGER } else { SENDER };
        let user_code = QueueMessage::parse(&body).ok().and_then(|message| UserCode::of(&message, arrives));
        Self { planned: planned.clone(), body, sender, code, to, expires_at, user_code }
    }
}

fn body(planned: &PlannedMessage, code: &Code, to: &str, accepted_at: Timestamp, expires_at: Timestamp) -> Value {
    let source = if planned.source == TriggerSource::Other { "SomethingNew" } else { planned.source.as_str() };
    let pool = if planned.kind == Kind::ForeignPool { "eu-west-1_ANOTHER01" } else { POOL };
    let mut body = json!({
        "type": "sms.v1",
        "id": code.id,
        "accepted_at": rfc3339_millis(accepted_at),
        "expires_at": rfc3339_millis(expires_at),
        "event": {
            "version": "1",
            "triggerSource": format!("CustomSMSSender_{source}"),
            "region": "eu-west-1",
            "userPoolId": pool,
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789" },
            "request": {
                "type": "customSMSSenderRequestV1",
                "code": code.sealed,
                "userAttributes": { "sub": format!("user-{}", planned.user), "phone_number": to },
            },
        },
    });
    if planned.kind == Kind::UnknownType {
        body["type"] = json!("sms.v9");
    } else if planned.kind == Kind::ForeignId {
        body["id"] = json!(format!("{:032x}", planned.number));
    } else if planned.kind == Kind::NoPhoneNumber {
        body["event"]["request"]["userAttributes"] = json!({ "sub": "user" });
    }
    body
}

/// Of ranges that are kept for fiction.
fn number(planned: &PlannedMessage) -> String {
    if planned.kind == Kind::ImpossibleNumber {
        return "+9990000000".to_owned();
    }
    if planned.kind == Kind::RefusedCountry {
        return "+46701740605".to_owned();
    }
    let user = planned.user;
    match user % 4 {
        0 | 1 => format!("+120655501{:02}", user % 100),
        2 => format!("+336399800{:02}", user % 100),
        _ => "+61491570159".to_owned(),
    }
}
