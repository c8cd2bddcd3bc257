//! What Twilio's answers mean.
//!
//! Sources: the error dictionary (<https://www.twilio.com/docs/api/errors>), the message resource
//! (<https://www.twilio.com/docs/messaging/api/message-resource>) and Twilio's published guidance for retries
//! (<https://github.com/twilio/ai>).

use serde::Deserialize;

use crate::provider::failure::Failure::{
    self, FraudBlocked, ProviderPermanent, RecipientPermanent, Transient, Unknown,
};
use crate::provider::http::Answer;
use crate::provider::{Attempt, Outcome, ProviderMessageId};

/// Twilio's error codes, whether they stand in an error's `code` or in a created message's `error_code`. A code that
/// is not listed leaves the decision to the HTTP status.
const CODES: &[(u32, Failure)] = &[
    (20429, Transient), // too many requests: never processed and always safe to retry
    (20503, Transient), // service unavailable
    (21611, Transient), // this sender's queue is full
    (30001, Transient), // the Messaging Service's queue is full
    (20500, Unknown),   // internal error: the customer may receive several messages
    // The number.
    (21211, RecipientPermanent), // not a valid number
    (21610, RecipientPermanent), // the recipient has opted out
    (21614, RecipientPermanent), // not a mobile number
    (30005, RecipientPermanent), // unknown handset
    (30006, RecipientPermanent), // landline
    // The account, its sender or its permissions. 63038 comes with status 429, and yet no retry today helps.
    (10001, ProviderPermanent), // account not active
    (20003, ProviderPermanent), // wrong credentials
    (20005, ProviderPermanent), // account not active
    (21408, ProviderPermanent), // no permission for this country
    (21606, ProviderPermanent), // the sender is not this account's, or cannot send SMS to there
    (21608, ProviderPermanent), // a trial account sends to verified numbers only
    (21612, ProviderPermanent), // no route from this sender to there
    (21659, ProviderPermanent), // the sender is not a Twilio number or short code of this country
    (21703, ProviderPermanent), // the Messaging Service has no sender
    (30022, ProviderPermanent), // US carrier's limit reached
    (30034, ProviderPermanent), // US sender not registered
    (63038, ProviderPermanent), // the account's daily limit reached
    // A defence.
    (30450, FraudBlocked), // SMS pumping protection
];

/// A created message, of which the text is not read.
#[derive(Deserialize)]
struct Created<'a> {
    sid: &'a str,
    status: &'a str,
    error_code: Option<u32>,
}

#[derive(Deserialize)]
struct Refused {
    code: u32,
}

/// Classifies an answer.
pub(super) fn classify(answer: &Answer) -> Attempt {
    match answer.status {
        200..=299 => created(answer),
        300..=399 => ProviderPermanent.by_status(answer), // redirects are not followed: the base URL is wrong
        // "The server did not receive a complete request" (RFC 9110, section 15.5.9), but gateways in between also
        // say it when the server was slow. Twilio does not document it, so it proves nothing.
        408 => Unknown.by_status(answer),
        429 | 503 => refused(answer, Transient),
        400..=499 => refused(answer, ProviderPermanent),
        _ => Unknown.by_status(answer),
    }
}

/// A message resource, which may already have failed.
fn created(answer: &Answer) -> Attempt {
    let Some(Created { sid, status, error_code }) = parsed(answer) else {
        return Unknown.by_status(answer);
    };
    let failed = matches!(status, "failed" | "undelivered" | "canceled");
    match (error_code, message_id(sid)) {
        (Some(code), _) => {
            // Without a known reason only a final status says that it was not sent.
            let unlisted = if failed { ProviderPermanent } else { Unknown };
            by_code(answer, code, unlisted)
        }
        (None, _) if failed => ProviderPermanent.attempt(answer, status),
        (None, Some(provider_message_id)) => Attempt { outcome: Outcome::Accepted { provider_message_id }, code: None },
        (None, None) => Unknown.by_status(answer),
    }
}

/// An error, whose code says more than its status.
fn refused(answer: &Answer, unlisted: Failure) -> Attempt {
    match parsed::<Refused>(answer) {
        Some(Refused { code }) => by_code(answer, code, unlisted),
        None => unlisted.by_status(answer),
    }
}

fn by_code(answer: &Answer, code: u32, unlisted: Failure) -> Attempt {
    let class = CODES.iter().find(|(listed, _)| *listed == code).map_or(unlisted, |(_, class)| *class);
    class.attempt(answer, &code.to_string())
}

fn parsed<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Option<T> {
    serde_json::from_slice(answer.body.bytes()?).ok()
}

/// `SM` or `MM` and 32 hexadecimal digits.
fn message_id(sid: &str) -> Option<ProviderMessageId> {
    let digits = sid.strip_prefix("SM").or_else(|| sid.strip_prefix("MM"))?;
    let sound = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if sound { ProviderMessageId::parse(sid) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::http::BoundedBody;
    use std::time::Duration;

    const SID: &str = "SM0123456789abcdef0123456789ABCDEF";
    const WAIT: Duration = Duration::from_secs(7);

    fn classified(status: u16, body: &str) -> (&'static str, Option<String>) {
        let attempt = classify(&Answer { status, retry_after: Some(WAIT), body: BoundedBody::of(body) });
        if let Outcome::Transient { retry_after } = attempt.outcome {
            assert_eq!(retry_after, Some(WAIT), "Twilio's own wait is kept");
        }
        (attempt.outcome.class(), attempt.code.map(|code| code.as_str().to_owned()))
    }

    fn error(status: u16, code: u32) -> (&'static str, Option<String>) {
        let text =
            format!(r#"{{"code":{code},"message":"'To' +12065550100","more_info":"https://x","status":{status}}}"#);
        classified(status, &text)
    }

    fn message(status: &str, error_code: &str) -> String {
        format!(
            r#"{{"body":"Code: 1","error_code":{error_code},"sid":"{SID}","status":"{status}","to":"+12065550100"}}"#
        )
    }

    #[test]
    fn every_listed_code_has_its_class_whatever_refuses_with_it() {
        let expected: &[(&str, &[u32])] = &[
            ("transient", &[20429, 20503, 21611, 30001]),
            ("unknown", &[20500]),
            ("recipient_permanent", &[21211, 21614, 21610, 30005, 30006]),
            (
                "provider_permanent",
                &[20003, 20005, 10001, 21606, 21659, 21608, 21408, 21612, 21703, 30034, 30022, 63038],
            ),
            ("fraud_blocked", &[30450]),
        ];
        for (class, codes) in expected {
            for code in *codes {
                let outcome = (*class, Some(code.to_string()));
                for status in [400, 401, 403, 404, 422, 429, 503] {
                    assert_eq!(error(status, *code), outcome, "{status}");
                }
                for status in ["queued", "failed"] {
                    assert_eq!(classified(201, &message(status, &code.to_string())), outcome, "{status}");
                }
            }
        }
        let listed: usize = expected.iter().map(|(_, codes)| codes.len()).sum();
        assert_eq!(CODES.len(), listed, "a row of the table has no test");
    }

    #[test]
    fn an_unlisted_or_unreadable_error_is_judged_by_its_status() {
        for (status, class) in [
            (400, "provider_permanent"),
            (401, "provider_permanent"),
            (404, "provider_permanent"),
            (429, "transient"),
            (499, "provider_permanent"),
            (503, "transient"),
        ] {
            assert_eq!(error(status, 29_999), (class, Some("29999".to_owned())), "{status}");
            for body in ["", "<html>", "{}", "[]", "null", r#"{"code":"21211"}"#, r#"{"code":-1}"#, r#"{"code":21211"#]
            {
                assert_eq!(classified(status, body), (class, Some(format!("http_{status}"))), "{status} {body}");
            }
        }
    }

    #[test]
    fn statuses_that_prove_nothing_are_unknown_whatever_the_body_says() {
        for status in [100, 199, 408, 500, 501, 502, 504, 520, 529, 599, 600, 999] {
            for body in ["", r#"{"code":21211}"#, r#"{"code":20429}"#, &message("queued", "null")] {
                assert_eq!(classified(status, body), ("unknown", Some(format!("http_{status}"))), "{body}");
            }
        }
    }

    #[test]
    fn a_redirect_is_a_wrong_base_url() {
        for status in [300, 301, 302, 303, 307, 308, 399] {
            let outcome = ("provider_permanent", Some(format!("http_{status}")));
            assert_eq!(classified(status, &message("queued", "null")), outcome);
        }
    }

    #[test]
    fn a_created_message_that_has_not_failed_is_accepted() {
        for status in ["queued", "accepted", "sending", "sent", "delivered", "scheduled", "some-new-word"] {
            for http in [200, 201, 202] {
                let body = BoundedBody::of(&message(status, "null"));
                let attempt = classify(&Answer { status: http, retry_after: None, body });
                let provider_message_id = ProviderMessageId::parse(SID).expect("an id");
                assert_eq!(attempt, Attempt { outcome: Outcome::Accepted { provider_message_id }, code: None });
            }
        }
        let multimedia = message("queued", "null").replace("SM0", "MM0");
        assert_eq!(classified(201, &multimedia), ("accepted", None));
        let brief = format!(r#"{{"sid":"{SID}","status":"queued"}}"#);
        assert_eq!(classified(201, &brief), ("accepted", None));
    }

    #[test]
    fn a_created_message_that_has_failed_is_no_success() {
        for status in ["failed", "undelivered", "canceled"] {
            assert_eq!(classified(201, &message(status, "null")), ("provider_permanent", Some(status.to_owned())));
            assert_eq!(classified(201, &message(status, "30008")), ("provider_permanent", Some("30008".to_owned())));
        }
        let contradictory = classified(201, &message("queued", "30008"));
        assert_eq!(contradictory, ("unknown", Some("30008".to_owned())));
    }

    #[test]
    fn a_success_that_cannot_be_read_is_unknown() {
        let sound = message("queued", "null");
        for body in [
            "",
            "OK",
            "{}",
            "[]",
            &sound[..sound.len() - 1],
            &sound.replace(SID, "SM0123"),
            &sound.replace("SM0", "XX0"),
            &sound.replace("SM0", "SMg"),
            &sound.replace("\"sid\"", "\"id\""),
            &sound.replace("\"status\"", "\"state\""),
            &sound.replace("null", "\"30008\""),
        ] {
            assert_eq!(classified(201, body), ("unknown", Some("http_201".to_owned())), "{body}");
        }
    }

    #[test]
    fn an_answer_too_long_to_be_read_is_judged_by_its_status() {
        for (status, class) in [
            (201, "unknown"),
            (302, "provider_permanent"),
            (400, "provider_permanent"),
            (429, "transient"),
            (500, "unknown"),
        ] {
            let attempt = classify(&Answer { status, retry_after: None, body: BoundedBody::too_long() });
            assert_eq!(attempt.outcome.class(), class, "{status}");
        }
    }
}
