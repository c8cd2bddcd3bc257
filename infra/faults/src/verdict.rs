//! Judges a run by what the world knows: why an SMS came twice, and whether a dead letter's reason is true.

use jiff::SignedDuration;
use serde::Serialize;
use shared::{DeadLetterReason, Timestamp};

use crate::behaviour::{Behaviour, Meaning};
use crate::ledger::{Death, Request};
use crate::providers::Provider;

/// Attempts that may have been sent, over all workers: the most that a message gets.
const MOST_UNCLEAR: usize = 2;
/// A worker that lives so much longer has written the sent mark: the longest attempt, the longest call to the table, and
/// something for a machine that is busy.
const TIME_TO_MARK: SignedDuration = SignedDuration::from_secs(5);
/// The dead letter of a message that was found with two such attempts.
const FORBIDDEN: &str = "two earlier attempts may each have been sent";
/// What SQS's attribute `detail` is cut to.
const LONGEST_DETAIL: usize = 256;

/// Why another SMS followed on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// The provider took the first one and did not clearly say so.
    Unclear(Behaviour),
    /// The worker was killed after the first one and before it had marked the message as sent.
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

/// Why each SMS after an event's first was sent, in order; none where the world knows of no cause. There is none for a
/// third one.
pub(crate) fn causes(event: usize, requests: &[Request], deaths: &[Death]) -> Vec<Option<Cause>> {
    let mut taken: Vec<_> = requests.iter().filter(|request| request.taken_at.is_some()).collect();
    taken.sort_by_key(|request| request.taken_at);
    let before_last = taken.iter().enumerate().take(taken.len().saturating_sub(1));
    before_last.map(|(index, first)| if index == 0 { cause(event, first, deaths) } else { None }).collect()
}

fn cause(event: usize, first: &Request, deaths: &[Death]) -> Option<Cause> {
    if is_unclear(first) {
        return Some(Cause::Unclear(first.behaviour));
    }
    let in_time = |death: &Death| first.taken_at.is_some_and(|at| death.at.duration_since(at) < TIME_TO_MARK);
    let is_it = |death: &Death| Some(&death.worker) == first.worker.as_ref() && in_time(death);
    kills(event, deaths).any(is_it).then_some(Cause::Killed)
}

/// The kills that this event's message may have been abandoned by.
fn kills(event: usize, deaths: &[Death]) -> impl Iterator<Item = &Death> {
    deaths.iter().filter(move |death| death.was_killed && death.queued.contains(&event))
}

fn is_unclear(request: &Request) -> bool {
    request.behaviour.meaning() == Meaning::Unclear
}

/// What is wrong with a dead letter, in view of what the providers did to its message; none when its reason is true.
pub(crate) fn untruth(event: usize, letter: &Letter, requests: &[Request], deaths: &[Death]) -> Option<String> {
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
            if requests.iter().filter(|request| is_unclear(request)).count() + kills(event, deaths).count()
                < MOST_UNCLEAR =>
        {
            Some("fewer than two attempts were unclear".to_owned())
        }
        DeadLetterReason::OutcomeUnknown if letter.detail == FORBIDDEN => None,
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

    fn killed(worker: &str, queued: &[usize], second: i64) -> Death {
        let at = Timestamp::from_second(second).expect("in range");
        Death { worker: worker.to_owned(), was_killed: true, at, queued: queued.iter().copied().collect() }
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
    fn a_third_sms_has_no_cause_whichever_workers_sent_the_first_two() {
        let sms = |worker, second| request(Behaviour::Drips, worker, Some(second));
        let unclear = Some(Cause::Unclear(Behaviour::Drips));
        assert_eq!(causes(0, &[sms("F1", 1), sms("S1", 2), sms("F1", 3)], &[]), [unclear, None]);
    }

    #[test]
    fn a_kill_explains_a_second_sms_only_if_it_came_before_the_sent_mark_of_a_message_that_was_still_queued() {
        let requests = [request(Behaviour::Accepts, "F1", Some(1)), request(Behaviour::Accepts, "S1", Some(40))];
        assert_eq!(causes(3, &requests, &[killed("F1", &[3, 4], 5)]), [Some(Cause::Killed)]);
        assert_eq!(causes(3, &requests, &[killed("F1", &[3, 4], 6)]), [None]);
        assert_eq!(causes(3, &requests, &[killed("F1", &[4], 5)]), [None]);
        assert_eq!(causes(3, &requests, &[killed("S1", &[3], 5)]), [None]);
        assert_eq!(causes(3, &requests, &[Death { was_killed: false, ..killed("F1", &[3], 5) }]), [None]);
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
            assert_eq!(
                untruth(0, &letter(Some(reason), detail), requests, &[]).is_none(),
                is_true,
                "{reason} {detail}"
            );
        }
        assert!(untruth(0, &letter(None, ""), &unavailable, &[]).is_some());
        let forbidden = letter(Some(OutcomeUnknown), FORBIDDEN);
        let silent = &unclear[..1];
        assert!(untruth(0, &forbidden, silent, &[]).is_some());
        assert_eq!(untruth(0, &forbidden, silent, &[killed("F1", &[0], 5)]), None);
        let at = |second| Some(Timestamp::from_second(second).expect("in range"));
        let expired = Letter { failed_at: at(61), expires_at: at(60), ..letter(Some(Expired), "") };
        assert_eq!(untruth(0, &expired, &[], &[]), None);
    }
}
