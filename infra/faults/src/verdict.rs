//! Judges a run by what the world knows: why an SMS came twice, and whether a dead letter's reason is true.

use serde::Serialize;
use shared::{DeadLetterReason, Timestamp};

use crate::behaviour::{Behaviour, Meaning};
use crate::ledger::{Death, Request};
use crate::providers::Provider;

/// Attempts of which nobody knows whether they were sent, as a worker process counts them.
const MOST_UNCLEAR: usize = 2;
/// What SQS's attribute `detail` is cut to.
const LONGEST_DETAIL: usize = 256;

/// Why another SMS followed on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// The provider took the first one and did not clearly say so.
    Unclear(Behaviour),
    /// The worker was killed after the first one and before it had deleted the message.
    Killed,
}

/// A dead letter, as far as it is judged.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// None when SQS itself moved it.
    pub(crate) reason: Option<DeadLetterReason>,
    pub(crate) detail: String,
    pub(crate) failed_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Why each SMS after an event's first was sent, in order; none where the world knows of no cause.
pub(crate) fn causes(event: usize, requests: &[Request], deaths: &[Death]) -> Vec<Option<Cause>> {
    let mut taken: Vec<_> = requests.iter().filter(|request| request.taken_at.is_some()).collect();
    taken.sort_by_key(|request| request.taken_at);
    let before = taken.iter().enumerate().take(taken.len().saturating_sub(1));
    before.map(|(index, first)| cause(event, first, &taken[..index], deaths)).collect()
}

fn cause(event: usize, first: &Request, earlier: &[&Request], deaths: &[Death]) -> Option<Cause> {
    let unclear_before = earlier.iter().filter(|request| request.worker == first.worker && is_unclear(request)).count();
    if is_unclear(first) && unclear_before + 1 < MOST_UNCLEAR {
        return Some(Cause::Unclear(first.behaviour));
    }
    let is_it = |death: &Death| {
        death.was_killed && Some(&death.worker) == first.worker.as_ref() && death.queued.contains(&event)
    };
    deaths.iter().any(is_it).then_some(Cause::Killed)
}

fn is_unclear(request: &Request) -> bool {
    request.behaviour.meaning() == Meaning::Unclear
}

/// What is wrong with a dead letter, in view of what the providers did to its message; none when its reason is true.
pub(crate) fn untruth(letter: &Letter, requests: &[Request]) -> Option<String> {
    let mean = |meaning| requests.iter().any(|request| request.behaviour.meaning() == meaning);
    let refusal_is_true = |meaning| match (mean(meaning), untrue_detail(&letter.detail, requests)) {
        (false, _) => Some("no provider said so".to_owned()),
        (true, untrue) => untrue,
    };
    let Some(reason) = letter.reason else { return Some("SQS moved it after too many receives".to_owned()) };
    match reason {
        DeadLetterReason::RecipientRejected => refusal_is_true(Meaning::RecipientRefused),
        DeadLetterReason::FraudBlocked => refusal_is_true(Meaning::FraudBlocked),
        DeadLetterReason::OutcomeUnknown
            if requests.iter().filter(|request| is_unclear(request)).count() < MOST_UNCLEAR =>
        {
            Some("fewer than two attempts were unclear".to_owned())
        }
        DeadLetterReason::OutcomeUnknown | DeadLetterReason::ProvidersExhausted => {
            untrue_detail(&letter.detail, requests)
        }
        DeadLetterReason::Expired => {
            let is_true = letter.failed_at.zip(letter.expires_at).is_some_and(|(failed, expires)| failed >= expires);
            (!is_true).then(|| "it had not expired".to_owned())
        }
        DeadLetterReason::Malformed
        | DeadLetterReason::UntrustedSender
        | DeadLetterReason::WrongUserPool
        | DeadLetterReason::Undecryptable
        | DeadLetterReason::NoPhoneNumber
        | DeadLetterReason::InvalidPhoneNumber
        | DeadLetterReason::CountryNotAllowed
        | DeadLetterReason::RateLimited
        | DeadLetterReason::RenderFailed
        | DeadLetterReason::KeyUnavailable
        | DeadLetterReason::StateUnavailable
        | DeadLetterReason::WorkerFault
        | DeadLetterReason::Superseded => Some(format!("nothing in this run is {reason}")),
    }
}

/// The first `provider: code` of a detail that no provider gave reason for.
fn untrue_detail(detail: &str, requests: &[Request]) -> Option<String> {
    if detail.is_empty() {
        return Some("it has no detail".to_owned());
    }
    let is_cut = detail.chars().count() == LONGEST_DETAIL;
    let mut parts: Vec<_> = detail.split("; ").collect();
    if is_cut {
        parts.pop();
    }
    parts.into_iter().find(|part| !is_true_part(part, requests)).map(|part| format!("nothing explains '{part}'"))
}

fn is_true_part(part: &str, requests: &[Request]) -> bool {
    let Some((name, code)) = part.split_once(": ") else { return false };
    let code = code.split_once(" x").map_or(code, |(code, _times)| code);
    let Some(provider) = Provider::named(name) else { return false };
    // What the worker itself decided.
    if matches!(code, "circuit_open" | "busy") {
        return true;
    }
    let of_it = requests.iter().filter(|request| request.provider == provider);
    provider.unreachable_codes().contains(&code)
        || of_it.clone().any(|request| request.codes.iter().any(|known| known == code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(behaviour: Behaviour, worker: &str, taken_at: Option<i64>) -> Request {
        let taken_at = taken_at.map(|second| Timestamp::from_second(second).expect("in range"));
        Request::sample(Provider::TwilioA, behaviour, worker, taken_at)
    }

    fn killed(worker: &str, queued: &[usize]) -> Death {
        Death { worker: worker.to_owned(), was_killed: true, queued: queued.iter().copied().collect() }
    }

    fn letter(reason: Option<DeadLetterReason>, detail: &str) -> Letter {
        Letter { reason, detail: detail.to_owned(), failed_at: None, expires_at: None }
    }

    #[test]
    fn an_sms_after_an_unclear_one_has_its_cause_and_one_after_a_clear_one_has_none() {
        let second = request(Behaviour::Accepts, "F1", Some(2));
        let unclear = request(Behaviour::ResetsAfterRead, "F1", Some(1));
        let clear = request(Behaviour::Accepts, "F1", Some(1));
        let refused = request(Behaviour::IsUnavailable, "F1", None);
        let causes = |requests: &[Request]| causes(0, requests, &[]);
        assert_eq!(causes(&[unclear, second.clone()]), [Some(Cause::Unclear(Behaviour::ResetsAfterRead))]);
        assert_eq!(causes(&[clear, second.clone()]), [None]);
        assert_eq!(causes(&[refused, second.clone()]), []);
        assert_eq!(causes(&[]), []);
    }

    #[test]
    fn a_third_sms_of_one_worker_after_two_unclear_ones_has_no_cause() {
        let sms = |worker, second| request(Behaviour::Drips, worker, Some(second));
        let unclear = Some(Cause::Unclear(Behaviour::Drips));
        assert_eq!(causes(0, &[sms("F1", 1), sms("F1", 2), sms("F1", 3)], &[]), [unclear, None]);
        // Another process does not know of the first ones.
        assert_eq!(causes(0, &[sms("F1", 1), sms("S1", 2), sms("F1", 3)], &[]), [unclear, unclear]);
    }

    #[test]
    fn a_kill_explains_a_second_sms_only_of_the_killed_ones_messages_that_were_still_queued() {
        let requests = [request(Behaviour::Accepts, "F1", Some(1)), request(Behaviour::Accepts, "S1", Some(40))];
        assert_eq!(causes(3, &requests, &[killed("F1", &[3, 4])]), [Some(Cause::Killed)]);
        assert_eq!(causes(3, &requests, &[killed("F1", &[4])]), [None]);
        assert_eq!(causes(3, &requests, &[killed("S1", &[3])]), [None]);
        assert_eq!(causes(3, &requests, &[Death { was_killed: false, ..killed("F1", &[3]) }]), [None]);
    }

    #[test]
    fn a_reason_is_true_only_when_the_providers_gave_it() {
        use DeadLetterReason::{
            Expired, FraudBlocked, OutcomeUnknown, ProvidersExhausted, RecipientRejected, WorkerFault,
        };
        let of = |behaviour, codes: &[&str]| Request {
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            ..request(behaviour, "F1", None)
        };
        let refused = [of(Behaviour::RefusesTheRecipient, &["21211"])];
        let unclear = [of(Behaviour::IsSilent, &["timeout"]), of(Behaviour::TimesOutRequest, &["http_408"])];
        let unavailable = [of(Behaviour::IsUnavailable, &["20503"])];
        for (reason, detail, requests, is_true) in [
            (RecipientRejected, "twilio-a: 21211", &refused[..], true),
            (RecipientRejected, "twilio-a: 21614", &refused, false),
            (RecipientRejected, "twilio-a: 20503", &unavailable, false),
            (FraudBlocked, "twilio-a: 21211", &refused, false),
            (OutcomeUnknown, "twilio-a: timeout; twilio-a: http_408", &unclear, true),
            (OutcomeUnknown, "twilio-a: timeout", &unclear[..1], false),
            (ProvidersExhausted, "twilio-a: 20503 x3; twilio-b: circuit_open; untrusted: tls", &unavailable, true),
            (ProvidersExhausted, "twilio-b: 20503", &unavailable, false),
            (ProvidersExhausted, "", &unavailable, false),
            (WorkerFault, "twilio-a: 20503", &unavailable, false),
            (Expired, "", &[], false),
        ] {
            assert_eq!(untruth(&letter(Some(reason), detail), requests).is_none(), is_true, "{reason} {detail}");
        }
        assert!(untruth(&letter(None, ""), &unavailable).is_some());
        let at = |second| Some(Timestamp::from_second(second).expect("in range"));
        let expired = Letter { failed_at: at(61), expires_at: at(60), ..letter(Some(Expired), "") };
        assert_eq!(untruth(&expired, &[]), None);
    }
}
