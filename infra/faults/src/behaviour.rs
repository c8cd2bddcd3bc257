//! What a provider does with a request, good or bad.

use std::time::Duration;

use fastrand::Rng;
use jiff::fmt::rfc2822::DateTimePrinter;
use local::fake_twilio::{ReceivedSms, Script};
use serde::Serialize;
use serde_json::json;
use shared::Timestamp;

/// In every error that a provider words: nobody may repeat it.
pub(crate) const PROVIDERS_WORDS: &str = "words-of-the-provider";
/// How long the workers wait for an answer.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// Much later than any worker waits.
const TOO_LATE_MS: u64 = 6_000;
/// An answer has some 900 bytes.
const DRIP_PAUSE: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    Accepts,
    AcceptsSlowly,
    RateLimits,
    RateLimitsForSeconds,
    RateLimitsUntilDate,
    IsUnavailable,
    QueueIsFull,
    RefusesTheAccount,
    RefusesTheRecipient,
    BlocksFraud,
    CreatesAndFails,
    FailsAfterTaking,
    FailsWithoutTaking,
    TimesOutRequest,
    ResetsBeforeRead,
    ResetsAfterRead,
    AnswersHalf,
    AnswersGarbage,
    Drips,
    AnswersTooLate,
    IsSilent,
}

/// What a behaviour means for the message, as the provider's side knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Taken, and the client can know it.
    Taken,
    /// Not taken, and the client can know it; it may go better later or elsewhere.
    NotTaken,
    /// Not taken for the number's sake.
    RecipientRefused,
    FraudBlocked,
    /// Taken or not: the client cannot know.
    Unclear,
}

/// A behaviour, made concrete for one request.
pub(crate) struct Performance {
    pub(crate) script: Script,
    /// The names under which a worker may report it.
    pub(crate) codes: Vec<String>,
}

impl Behaviour {
    /// Everything but sound answers in good time.
    pub const FAULTS: [Self; 20] = [
        Self::AcceptsSlowly,
        Self::RateLimits,
        Self::RateLimitsForSeconds,
        Self::RateLimitsUntilDate,
        Self::IsUnavailable,
        Self::QueueIsFull,
        Self::RefusesTheAccount,
        Self::RefusesTheRecipient,
        Self::BlocksFraud,
        Self::CreatesAndFails,
        Self::FailsAfterTaking,
        Self::FailsWithoutTaking,
        Self::TimesOutRequest,
        Self::ResetsBeforeRead,
        Self::ResetsAfterRead,
        Self::AnswersHalf,
        Self::AnswersGarbage,
        Self::Drips,
        Self::AnswersTooLate,
        Self::IsSilent,
    ];

    pub fn in_words(self) -> &'static str {
        match self {
            Self::Accepts => "takes it",
            Self::AcceptsSlowly => "takes it slowly, in 0.2 to 0.9 s",
            Self::RateLimits => "429",
            Self::RateLimitsForSeconds => "429, Retry-After in seconds",
            Self::RateLimitsUntilDate => "429, Retry-After as a date",
            Self::IsUnavailable => "503",
            Self::QueueIsFull => "400, its queue is full",
            Self::RefusesTheAccount => "3xx and 4xx against the account or the request",
            Self::RefusesTheRecipient => "400 against the number",
            Self::BlocksFraud => "400, blocked as fraud",
            Self::CreatesAndFails => "201 that says failed",
            Self::FailsAfterTaking => "500, 502, 504, 520 after taking it",
            Self::FailsWithoutTaking => "500, 502, 504, 520 without taking it",
            Self::TimesOutRequest => "408",
            Self::ResetsBeforeRead => "reset before the request was read",
            Self::ResetsAfterRead => "reset after taking it",
            Self::AnswersHalf => "half an answer after taking it",
            Self::AnswersGarbage => "garbage with 200 after taking it",
            Self::Drips => "answer byte by byte after taking it",
            Self::AnswersTooLate => "answer too late after taking it",
            Self::IsSilent => "no answer, not taken",
        }
    }

    pub fn meaning(self) -> Meaning {
        match self {
            Self::Accepts | Self::AcceptsSlowly => Meaning::Taken,
            Self::RateLimits
            | Self::RateLimitsForSeconds
            | Self::RateLimitsUntilDate
            | Self::IsUnavailable
            | Self::QueueIsFull
            | Self::RefusesTheAccount
            | Self::CreatesAndFails => Meaning::NotTaken,
            Self::RefusesTheRecipient => Meaning::RecipientRefused,
            Self::BlocksFraud => Meaning::FraudBlocked,
            Self::FailsAfterTaking
            | Self::FailsWithoutTaking
            | Self::TimesOutRequest
            | Self::ResetsBeforeRead
            | Self::ResetsAfterRead
            | Self::AnswersHalf
            | Self::AnswersGarbage
            | Self::Drips
            | Self::AnswersTooLate
            | Self::IsSilent => Meaning::Unclear,
        }
    }

    /// The behaviour towards one request. The message is not known where nothing was read.
    pub(crate) fn perform(self, rng: &mut Rng, sms: Option<&ReceivedSms>, now: Timestamp) -> Performance {
        let refusal = |status, code, headers| Performance {
            script: answer(status, Some(code), headers, sms),
            codes: vec![code.to_string(), format!("http_{status}")],
        };
        let bare = |status| Performance {
            script: answer(status, None, Vec::new(), sms),
            codes: vec![format!("http_{status}")],
        };
        let one_of = |rng: &mut Rng, codes: &[(u16, u32)]| codes[rng.usize(..codes.len())];
        let cut_off = |script| Performance { script, codes: named(&["connection_lost", "broken_answer", "not_sent"]) };
        match self {
            Self::Accepts => Performance { script: taken_and_said(rng.u64(5..40)), codes: Vec::new() },
            Self::AcceptsSlowly => Performance { script: taken_and_said(rng.u64(200..900)), codes: Vec::new() },
            Self::RateLimits => refusal(429, 20_429, Vec::new()),
            Self::RateLimitsForSeconds => refusal(429, 20_429, vec![("retry-after", rng.u8(1..4).to_string())]),
            Self::RateLimitsUntilDate => {
                let until = now + Duration::from_secs(rng.u64(2..5));
                let until = DateTimePrinter::new().timestamp_to_rfc9110_string(&until).unwrap_or_default();
                refusal(429, 20_429, vec![("retry-after", until)])
            }
            Self::IsUnavailable => refusal(503, 20_503, Vec::new()),
            Self::QueueIsFull => refusal(400, 21_611, Vec::new()),
            Self::RefusesTheAccount => {
                const REFUSALS: [(u16, u32); 8] = [
                    (401, 20_003),
                    (403, 20_005),
                    (400, 21_606),
                    (400, 21_408),
                    (400, 21_612),
                    (429, 63_038),
                    (422, 29_999),
                    (404, 20_404),
                ];
                // One of them is a redirect to elsewhere, of which Twilio's codes know nothing.
                match rng.usize(..=REFUSALS.len()) {
                    0 => bare(308),
                    n => refusal(REFUSALS[n - 1].0, REFUSALS[n - 1].1, Vec::new()),
                }
            }
            Self::RefusesTheRecipient => {
                let codes = [(400, 21_211), (400, 21_614), (400, 21_610), (400, 30_005), (400, 30_006)];
                let (status, code) = one_of(rng, &codes);
                refusal(status, code, Vec::new())
            }
            Self::BlocksFraud => refusal(400, 30_450, Vec::new()),
            Self::CreatesAndFails => {
                let sid = format!("SM{:032x}", rng.u128(..));
                let body = json!({ "sid": sid, "status": "failed", "error_code": null, "body": echo(sms) });
                let script = Script::Answer { status: 201, headers: json_headers(), body: body.to_string() };
                Performance { script, codes: named(&["failed", "http_201"]) }
            }
            Self::FailsAfterTaking | Self::FailsWithoutTaking => {
                let (status, code) = one_of(rng, &[(500, 20_500), (502, 0), (504, 0), (520, 0)]);
                let Performance { script, codes } =
                    if code == 0 { bare(status) } else { refusal(status, code, Vec::new()) };
                let script = if self == Self::FailsAfterTaking { Script::Take(Box::new(script)) } else { script };
                Performance { script, codes }
            }
            Self::TimesOutRequest => bare(408),
            Self::ResetsBeforeRead => cut_off(Script::ResetBeforeRead),
            Self::ResetsAfterRead => cut_off(Script::ResetAfterRead),
            Self::AnswersHalf => cut_off(Script::HalfAnswer),
            Self::AnswersGarbage => Performance { script: Script::Garbage200, codes: named(&["http_200"]) },
            Self::Drips => Performance { script: Script::Drip(DRIP_PAUSE), codes: named(&["timeout"]) },
            Self::AnswersTooLate => Performance { script: taken_and_said(TOO_LATE_MS), codes: named(&["timeout"]) },
            Self::IsSilent => Performance {
                script: Script::Delay(Duration::from_millis(TOO_LATE_MS), Box::new(Script::ResetBeforeRead)),
                codes: named(&["timeout"]),
            },
        }
    }
}

/// Whoever is killed while he waits for the answer has sent it all the same.
fn taken_and_said(millis: u64) -> Script {
    Script::Take(Box::new(Script::Delay(Duration::from_millis(millis), Box::new(Script::Accept))))
}

fn named(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

fn json_headers() -> Vec<(&'static str, String)> {
    vec![("content-type", "application/json".to_owned())]
}

/// An error that, as Twilio's do, repeats what nobody may print.
fn answer(
    status: u16,
    code: Option<u32>,
    mut headers: Vec<(&'static str, String)>,
    sms: Option<&ReceivedSms>,
) -> Script {
    let body = match code {
        Some(code) => {
            headers.extend(json_headers());
            json!({ "code": code, "message": echo(sms), "more_info": "https://example.com", "status": status })
                .to_string()
        }
        None => format!("<html>{}</html>", echo(sms)),
    };
    Script::Answer { status, headers, body }
}

fn echo(sms: Option<&ReceivedSms>) -> String {
    let (text, to) = sms.map_or(("", ""), |sms| (sms.body.as_str(), sms.to.as_str()));
    format!("{PROVIDERS_WORDS}: cannot send '{text}' to {to}")
}
