//! What a gateway's answers mean: its own rules first, then what is safe to think of a status.

use secrecy::ExposeSecret;

use super::pointer::Pointer;
use super::reading::Reading;
use super::rules::{Class, Rule};
use crate::provider::failure::Failure::{ProviderPermanent, Transient, Unknown};
use crate::provider::http::Answer;
use crate::provider::{Attempt, Outcome, ProviderMessageId, Sms};

/// How to read a gateway's answers.
pub(super) struct Answers {
    /// Where an accepted message's id stands. An answer without it is no acceptance, whatever a rule says.
    pub(super) message_id: Option<Pointer>,
    pub(super) error_codes: Vec<Pointer>,
    /// The first that matches decides.
    pub(super) rules: Vec<Rule>,
}

impl Answers {
    /// Whether the configuration says what success looks like: a status alone does not.
    pub(super) fn know_success(&self) -> bool {
        self.message_id.is_some() || self.have_accepted_rules()
    }

    fn have_accepted_rules(&self) -> bool {
        self.rules.iter().any(|rule| rule.class == Class::Accepted)
    }

    /// Classifies the answer to `sms`.
    pub(super) fn classify(&self, answer: &Answer, sms: &Sms<'_>) -> Attempt {
        let reading = Reading::of(answer.status, answer.body.bytes(), &self.error_codes);
        let class = match self.rules.iter().find(|rule| rule.matches(&reading)) {
            Some(rule) => rule.class,
            None => self.by_status(answer.status),
        };
        let failure = match class {
            Class::Accepted => match self.accepted(&reading, sms) {
                Some(accepted) => return accepted,
                None => Unknown,
            },
            Class::Failed(failure) => failure,
        };
        match reading.code_to_show(|text| !repeats(text, sms)) {
            Some(code) => failure.attempt(answer, code.as_str()),
            None => failure.by_status(answer),
        }
    }

    /// For answers of which no rule speaks.
    fn by_status(&self, status: u16) -> Class {
        Class::Failed(match status {
            // Where rules say what success looks like, anything else is none.
            200..=299 if !self.have_accepted_rules() => return Class::Accepted,
            429 | 503 => Transient,
            // The request has not been processed there. 302 and 303 are also said after it was (RFC 9110, section
            // 15.4.4), and 408 by gateways in between that were slow.
            301 | 307 | 308 => ProviderPermanent,
            408 => Unknown,
            400..=499 => ProviderPermanent,
            _ => Unknown,
        })
    }

    fn accepted(&self, reading: &Reading<'_>, sms: &Sms<'_>) -> Option<Attempt> {
        let provider_message_id = match &self.message_id {
            None => ProviderMessageId::NOT_GIVEN,
            Some(pointer) => {
                let id = reading.json?.text(pointer).filter(|id| !id.is_empty())?;
                let shown = ProviderMessageId::parse(&id).filter(|_| !repeats(&id, sms));
                shown.unwrap_or(ProviderMessageId::NOT_GIVEN)
            }
        };
        Some(Attempt { outcome: Outcome::Accepted { provider_message_id }, code: None })
    }
}

/// Whether a value that should be an id or a code has anything as long as a one-time code in common with the text or
/// the number: gateways repeat both, and a pointer may lead there by mistake.
fn repeats(value: &str, sms: &Sms<'_>) -> bool {
    const CODE_LENGTH: usize = 6;
    let has = |text: &str, part: &[u8]| text.as_bytes().windows(CODE_LENGTH).any(|window| window == part);
    let (text, number) = (sms.text.expose_secret(), sms.to.expose());
    value.as_bytes().windows(CODE_LENGTH).any(|part| has(text, part) || has(number, part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::gateway::sample::sent;
    use crate::provider::http::BoundedBody;
    use shared::settings::{Document, key};
    use std::time::Duration;

    const WAIT: Duration = Duration::from_secs(7);

    /// Reads answers as the configuration of these lines says, by `read` of settings.rs.
    fn answers(lines: &str) -> Answers {
        let text = format!("[[provider]]\n{lines}\n");
        let (document, mut faults) = Document::parse(&text);
        let mut block = document.root().sections(key("provider", ""), &mut faults).pop().expect("one block");
        let answers = super::super::settings::answers(&mut block, "main", &mut faults);
        faults.or(()).map(|()| answers).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn attempt(lines: &str, status: u16, body: BoundedBody) -> Attempt {
        sent("Your code is 424242.", Duration::from_secs(170), |sms| {
            answers(lines).classify(&Answer { status, retry_after: Some(WAIT), body }, sms)
        })
    }

    fn classified(lines: &str, status: u16, body: &str) -> (&'static str, Option<String>) {
        let attempt = attempt(lines, status, BoundedBody::of(body));
        if let Outcome::Transient { retry_after } = attempt.outcome {
            assert_eq!(retry_after, Some(WAIT), "the gateway's own wait is kept");
        }
        (attempt.outcome.class(), attempt.code.map(|code| code.as_str().to_owned()))
    }

    fn id(lines: &str, body: &str) -> Option<String> {
        let attempt = attempt(lines, 200, BoundedBody::of(body));
        let Outcome::Accepted { provider_message_id } = attempt.outcome else { panic!("{attempt:?}") };
        provider_message_id.as_str().map(str::to_owned)
    }

    #[test]
    fn without_a_rule_the_status_is_judged_with_care() {
        for (status, class) in [
            (100, "unknown"),
            (200, "unknown"),
            (204, "unknown"),
            (299, "unknown"),
            (300, "unknown"),
            (301, "provider_permanent"),
            (302, "unknown"),
            (303, "unknown"),
            (307, "provider_permanent"),
            (308, "provider_permanent"),
            (400, "provider_permanent"),
            (401, "provider_permanent"),
            (403, "provider_permanent"),
            (404, "provider_permanent"),
            (408, "unknown"),
            (422, "provider_permanent"),
            (429, "transient"),
            (499, "provider_permanent"),
            (500, "unknown"),
            (502, "unknown"),
            (503, "transient"),
            (504, "unknown"),
            (599, "unknown"),
            (600, "unknown"),
        ] {
            for body in ["", "<html>", "{}", "[]", "null", "{\"id\":null}", "{\"id\":\"\"}", "{\"id\":{}}"] {
                let expected = (class, Some(format!("http_{status}")));
                assert_eq!(classified("message_id = \"/id\"", status, body), expected, "{body}");
            }
        }
    }

    #[test]
    fn a_success_with_an_id_is_accepted_where_no_rule_says_more() {
        let lines = "message_id = \"/id\"";
        for status in [200, 201, 202, 207] {
            assert_eq!(classified(lines, status, "{\"id\":\"m-1\"}"), ("accepted", None));
        }
        assert_eq!(id(lines, "{\"id\":\"m-1\"}").as_deref(), Some("m-1"));
        assert_eq!(id(lines, "{\"id\":17}").as_deref(), Some("17"));
        assert_eq!(classified(lines, 400, "{\"id\":\"m-1\"}").0, "provider_permanent");
        assert_eq!(classified(lines, 500, "{\"id\":\"m-1\"}").0, "unknown");
    }

    #[test]
    fn an_id_of_another_shape_is_not_shown_and_yet_an_acceptance() {
        for body in ["{\"id\":\"a+b/c==\"}", "{\"id\":\"two words\"}"] {
            assert_eq!(id("message_id = \"/id\"", body), None, "{body}");
        }
    }

    #[test]
    fn where_a_rule_says_what_success_is_nothing_else_is_one() {
        let lines = "message_id = \"/id\"\nrules = [{ pointer = \"/status\", equals = 0, class = \"accepted\" }]";
        assert_eq!(classified(lines, 200, "{\"id\":\"m-1\",\"status\":\"0\"}"), ("accepted", None));
        for body in ["{\"id\":\"m-1\",\"status\":\"1\"}", "{\"id\":\"m-1\"}", "{\"status\":\"0\"}", "OK"] {
            assert_eq!(classified(lines, 200, body), ("unknown", Some("http_200".to_owned())), "{body}");
        }
    }

    #[test]
    fn a_gateway_without_ids_is_accepted_by_its_rule_alone() {
        let lines = "rules = [{ status = 204, class = \"accepted\" }, { starts_with = \"OK\", class = \"accepted\" }]";
        assert_eq!(classified(lines, 204, ""), ("accepted", None));
        assert_eq!(classified(lines, 200, "OK 17"), ("accepted", None));
        assert_eq!(id(lines, "OK 17"), None);
        assert_eq!(classified(lines, 200, "ERR"), ("unknown", Some("http_200".to_owned())));
    }

    #[test]
    fn the_first_rule_that_matches_decides_whatever_the_status() {
        let lines = "error_code = \"/code\"\nmessage_id = \"/id\"\nrules = [\
            { error_code = 7, class = \"recipient_permanent\" }, { status = 400, class = \"fraud_blocked\" },\
            { error_code = [7, 8], class = \"transient\" }, { status = \"5xx\", class = \"provider_permanent\" }]";
        for (status, code, expected) in [
            (400, "7", "recipient_permanent"),
            (200, "7", "recipient_permanent"),
            (400, "8", "fraud_blocked"),
            (409, "8", "transient"),
            (200, "\"8\"", "transient"),
            (500, "9", "provider_permanent"),
            (503, "9", "provider_permanent"),
            (409, "9", "provider_permanent"),
        ] {
            let body = format!("{{\"id\":\"m-1\",\"code\":{code}}}");
            let code = code.replace('"', "");
            assert_eq!(classified(lines, status, &body), (expected, Some(code)), "{status} {body}");
        }
    }

    #[test]
    fn an_answer_too_long_to_be_read_is_judged_by_its_status() {
        for (lines, status, class) in [
            ("message_id = \"/id\"", 200, "unknown"),
            ("message_id = \"/id\"", 429, "transient"),
            ("message_id = \"/id\"", 400, "provider_permanent"),
            ("message_id = \"/id\"\nrules = [{ status = 200, class = \"accepted\" }]", 200, "unknown"),
            ("rules = [{ equals = \"\", class = \"accepted\" }]", 200, "unknown"),
            ("rules = [{ status = 200, class = \"accepted\" }]", 200, "accepted"),
        ] {
            assert_eq!(attempt(lines, status, BoundedBody::too_long()).outcome.class(), class, "{lines} {status}");
        }
    }

    #[test]
    fn what_repeats_the_message_is_neither_code_nor_id() {
        let lines = "error_code = \"/x\"\nmessage_id = \"/x\"";
        for value in ["424242", "12065550100", "2065550100", "sms-424242-1", "+12065550100", "65550100"] {
            let body = format!("{{\"x\":\"{value}\"}}");
            assert_eq!(id(lines, &body), None, "{value}");
            let outcome = ("provider_permanent", Some("http_400".to_owned()));
            assert_eq!(classified(lines, 400, &body), outcome, "{value}");
        }
        assert_eq!(classified(lines, 400, "{\"x\":\"42424\"}").1.as_deref(), Some("42424"));
    }
}
