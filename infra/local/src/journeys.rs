//! All journeys that are under way, whoever sent the event. What happens is matched by the message's id, and an SMS by
//! the id that the provider gave it: nothing depends on the order in which the parts report.

use std::collections::HashMap;
use std::time::Instant;

use crate::fake_twilio::ReceivedSms;
use crate::journey::{Ending, Heard, Journey, Stage};

#[derive(Default)]
pub(crate) struct Journeys {
    telling: Telling,
    /// In the order in which they were first heard of.
    under_way: Vec<UnderWay>,
    /// SMS that nobody has claimed yet, by the provider's id.
    arrived: HashMap<String, ReceivedSms>,
    /// Invocations of the producer that have not ended.
    invocations: usize,
}

/// When a journey is news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Each time its message has ended or was postponed.
    #[default]
    EachVerdict,
    /// Also when it was queued, and after each attempt.
    EachStep,
}

struct UnderWay {
    id: String,
    journey: Journey,
    began: Instant,
    queued_at: Option<Instant>,
    worker_began: Option<Instant>,
}

impl Journeys {
    pub(crate) fn tell(&mut self, telling: Telling) {
        self.telling = telling;
    }

    /// Takes in what was heard; the journeys of which there is news now.
    pub(crate) fn hear(&mut self, heard: Heard) -> Vec<Journey> {
        match heard {
            Heard::Invoked => self.invocations += 1,
            Heard::Returned => self.invocations = self.invocations.saturating_sub(1),
            Heard::Refused(journey) => return vec![journey],
            // It is no message's.
            Heard::CircuitChanged(_) => {}
            Heard::Phone(sms) => drop(self.arrived.insert(sms.sid.clone(), sms)),
            Heard::Happened { id, at, stage } => self.of(id, at).add(at, stage),
        }
        self.news()
    }

    /// The journey of this invocation as far as it has come, if it is under way.
    pub(crate) fn so_far(&mut self, invocation: &str) -> Option<Journey> {
        let of_invocation = |one: &&mut UnderWay| one.journey.invocation.as_deref() == Some(invocation);
        self.under_way.iter_mut().find(of_invocation).map(UnderWay::tell)
    }

    fn of(&mut self, id: String, at: Instant) -> &mut UnderWay {
        let index = self.under_way.iter().position(|one| one.id == id).unwrap_or_else(|| {
            self.under_way.push(UnderWay::new(id, at));
            self.under_way.len() - 1
        });
        &mut self.under_way[index]
    }

    fn news(&mut self) -> Vec<Journey> {
        let mut news = Vec::new();
        let (arrived, invocations, telling) = (&mut self.arrived, self.invocations, self.telling);
        self.under_way.retain_mut(|one| {
            // The worker may be done before the producer has read SQS's answer: the producer's word comes first. A
            // message of which no producer can speak is somebody else's.
            if one.queued_at.is_none() && invocations > 0 {
                return true;
            }
            match one.journey.stages.last() {
                Some(Stage::DeadLettered { reason, detail, trigger_source: _ }) => {
                    one.journey.ending = Ending::DeadLettered { reason: reason.clone(), detail: detail.clone() };
                }
                Some(Stage::AlreadySent { .. }) => one.journey.ending = Ending::AlreadySent,
                Some(Stage::Delivered { provider_message_id, .. }) => match arrived.remove(provider_message_id) {
                    Some(sms) => one.journey.ending = Ending::Arrived(sms),
                    None => return true,
                },
                Some(Stage::Postponed { .. }) => {}
                Some(Stage::Queued { .. } | Stage::Attempted { .. }) if telling == Telling::EachStep => {}
                Some(
                    Stage::Queued { .. }
                    | Stage::Decrypted { .. }
                    | Stage::Attempted { .. }
                    | Stage::NotAttempted { .. },
                )
                | None => return true,
            }
            news.push(one.tell());
            one.journey.ending.is_waiting()
        });
        news
    }
}

impl UnderWay {
    fn new(id: String, at: Instant) -> Self {
        Self { id, journey: Journey::new(at), began: at, queued_at: None, worker_began: None }
    }

    fn add(&mut self, at: Instant, stage: Stage) {
        let journey = &mut self.journey;
        journey.latest = journey.latest.max(at);
        let worker_step = match &stage {
            Stage::Queued { invocation, trigger_source, took, .. } => {
                self.began = at.checked_sub(*took).unwrap_or(at);
                self.queued_at = Some(at);
                journey.invocation = Some(invocation.clone());
                journey.trigger_source = Some(trigger_source.to_string());
                journey.producer = Some(*took);
                journey.stages.insert(0, stage);
                return;
            }
            Stage::Decrypted { took } => {
                journey.decrypt = Some(*took);
                Some(*took)
            }
            Stage::Attempted { took, .. } => {
                journey.attempts += 1;
                journey.provider = Some(*took);
                Some(*took)
            }
            Stage::Delivered { trigger_source, .. } | Stage::AlreadySent { trigger_source } => {
                journey.receives += 1;
                journey.trigger_source = Some(trigger_source.to_string());
                None
            }
            Stage::Postponed { trigger_source, .. } | Stage::DeadLettered { trigger_source, .. } => {
                journey.receives += 1;
                if let Some(trigger_source) = trigger_source {
                    journey.trigger_source = Some(trigger_source.to_string());
                }
                None
            }
            Stage::NotAttempted { .. } => None,
        };
        let began = worker_step.map(|took| at.checked_sub(took).unwrap_or(at));
        self.worker_began = self.worker_began.or(began);
        journey.stages.push(stage);
    }

    /// The journey so far, with the stages that it has not told of before.
    fn tell(&mut self) -> Journey {
        self.journey.total = self.journey.latest.saturating_duration_since(self.began);
        let times = self.queued_at.zip(self.worker_began);
        self.journey.queue = times.map(|(queued, began)| began.saturating_duration_since(queued));
        let told = self.journey.clone();
        self.journey.stages.clear();
        told
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::{Timestamp, TriggerSource};

    use super::*;

    fn queued(invocation: &str) -> Stage {
        let (invocation, trigger_source) = (invocation.to_owned(), TriggerSource::SignUp);
        Stage::Queued { invocation, trigger_source, sealed_code: None, took: Duration::from_millis(3) }
    }

    fn delivered(sid: &str) -> Stage {
        Stage::Delivered { trigger_source: TriggerSource::SignUp, provider_message_id: sid.to_owned() }
    }

    fn dead_lettered() -> Stage {
        Stage::DeadLettered { trigger_source: None, reason: "expired".to_owned(), detail: String::new() }
    }

    fn postponed() -> Stage {
        let (reason, after, trigger_source) =
            ("key_unavailable".to_owned(), Duration::from_secs(2), Some(TriggerSource::SignUp));
        Stage::Postponed { reason, after, receive_count: 1, trigger_source }
    }

    fn attempted() -> Stage {
        let (provider, outcome) = ("twilio".to_owned(), "transient".to_owned());
        Stage::Attempted { provider, outcome, code: None, took: Duration::from_millis(1) }
    }

    fn not_attempted() -> Stage {
        Stage::NotAttempted { provider: "twilio".to_owned(), cause: "circuit_open".to_owned() }
    }

    fn happened(id: &str, stage: Stage) -> Heard {
        Heard::Happened { id: id.to_owned(), at: Instant::now(), stage }
    }

    fn sms(sid: &str) -> Heard {
        let (to, from) = ("+12065550100".to_owned(), "+12065550199".to_owned());
        let (sid, body, received_at) = (sid.to_owned(), format!("text of {sid}"), Timestamp::UNIX_EPOCH);
        Heard::Phone(ReceivedSms { sid, to, from, body, validity_period: 60, received_at })
    }

    /// The news after each thing heard.
    fn news_of<const N: usize>(heard: [Heard; N]) -> Vec<Vec<Journey>> {
        let mut journeys = Journeys::default();
        heard.into_iter().map(|heard| journeys.hear(heard)).collect()
    }

    fn text(journey: &Journey) -> &str {
        match &journey.ending {
            Ending::Arrived(sms) => &sms.body,
            Ending::Refused { .. } | Ending::DeadLettered { .. } | Ending::AlreadySent | Ending::Waiting => "",
        }
    }

    #[test]
    fn two_messages_under_way_each_get_their_own_sms_in_whatever_order() {
        let mut journeys = Journeys::default();
        for heard in [
            Heard::Invoked,
            Heard::Invoked,
            happened("a", queued("first")),
            sms("SM-b"),
            happened("b", queued("second")),
            Heard::Returned,
            Heard::Returned,
            happened("a", delivered("SM-a")),
        ] {
            assert!(journeys.hear(heard).is_empty());
        }
        let news = journeys.hear(happened("b", delivered("SM-b")));
        assert_eq!((news.len(), text(&news[0]), news[0].invocation.as_deref()), (1, "text of SM-b", Some("second")));
        let news = journeys.hear(sms("SM-a"));
        assert_eq!((news.len(), text(&news[0]), news[0].invocation.as_deref()), (1, "text of SM-a", Some("first")));
    }

    #[test]
    fn the_producers_word_comes_first_even_when_it_comes_last() {
        let news = news_of([
            Heard::Invoked,
            sms("SM-a"),
            happened("a", delivered("SM-a")),
            happened("a", queued("first")),
            Heard::Returned,
        ]);
        let counts: Vec<_> = news.iter().map(Vec::len).collect();
        assert_eq!(counts, [0, 0, 0, 1, 0]);
        assert!(matches!(news[3][0].stages[..], [Stage::Queued { .. }, Stage::Delivered { .. }]));
    }

    #[test]
    fn a_message_of_which_no_producer_can_speak_is_told_of_by_itself() {
        assert_eq!(news_of([happened("junk", dead_lettered())])[0].len(), 1);
        let news = news_of([Heard::Invoked, happened("junk", dead_lettered()), Heard::Returned]);
        let counts: Vec<_> = news.iter().map(Vec::len).collect();
        assert_eq!(counts, [0, 0, 1]);
        assert_eq!((news[2][0].invocation.as_deref(), news[2][0].trigger_source.as_deref()), (None, None));
    }

    #[test]
    fn a_postponed_message_is_told_of_again_when_it_ends() {
        let news =
            news_of([happened("a", queued("first")), happened("a", postponed()), happened("a", dead_lettered())]);
        assert!(news[1][0].ending.is_waiting());
        assert!(matches!(news[1][0].stages[..], [Stage::Queued { .. }, Stage::Postponed { .. }]));
        assert!(matches!(news[2][0].stages[..], [Stage::DeadLettered { .. }]));
        assert_eq!(news[2][0].trigger_source.as_deref(), Some("SignUp"));
    }

    #[test]
    fn a_redriven_message_has_a_journey_of_its_own_and_its_trigger_source_is_known_from_the_first_verdict() {
        let news = news_of([
            happened("a", queued("first")),
            happened("a", dead_lettered()),
            happened("a", postponed()),
            happened("a", delivered("SM-a")),
            sms("SM-a"),
        ]);
        let counts: Vec<_> = news.iter().map(Vec::len).collect();
        assert_eq!(counts, [0, 1, 1, 0, 1]);
        let (postponed, arrived) = (&news[2][0], &news[4][0]);
        assert_eq!((postponed.invocation.as_deref(), postponed.trigger_source.as_deref()), (None, Some("SignUp")));
        assert_eq!((text(arrived), arrived.receives), ("text of SM-a", 2));
    }

    #[test]
    fn a_code_that_comes_again_is_told_of_as_sent_before() {
        let again = Stage::AlreadySent { trigger_source: TriggerSource::SignUp };
        let news = news_of([
            happened("a", queued("first")),
            happened("a", delivered("SM-a")),
            sms("SM-a"),
            happened("a", queued("second")),
            happened("a", again),
        ]);
        assert!(news[2][0].ending.has_arrived());
        assert_eq!(news[4][0].invocation.as_deref(), Some("second"));
        assert!(matches!(news[4][0].ending, Ending::AlreadySent));
    }

    #[test]
    fn each_step_is_told_once_and_counted_when_somebody_watches() {
        let mut journeys = Journeys::default();
        journeys.tell(Telling::EachStep);
        journeys.hear(Heard::Invoked);
        assert!(journeys.hear(happened("a", attempted())).is_empty(), "the producer has not spoken");
        let mut told = Vec::new();
        for heard in [
            happened("a", queued("first")),
            Heard::Returned,
            happened("a", attempted()),
            happened("a", not_attempted()),
            happened("a", postponed()),
            happened("a", attempted()),
            happened("a", delivered("SM-a")),
            sms("SM-a"),
        ] {
            told.push(journeys.hear(heard));
        }
        let stages_told = |news: &Vec<Journey>| -> Vec<_> { news.iter().map(|one| one.stages.len()).collect() };
        let stages: Vec<_> = told.iter().map(stages_told).collect();
        assert_eq!(stages, [vec![2], vec![], vec![1], vec![], vec![2], vec![1], vec![], vec![1]]);
        let last = &told[7][0];
        assert!(last.ending.has_arrived());
        assert_eq!((last.receives, last.attempts), (2, 3));
    }

    #[test]
    fn a_journey_that_takes_too_long_can_be_told_of_so_far() {
        let mut journeys = Journeys::default();
        journeys.hear(happened("a", queued("first")));
        assert!(journeys.so_far("second").is_none());
        let so_far = journeys.so_far("first").expect("under way");
        assert!(so_far.ending.is_waiting() && so_far.stages.len() == 1);
        assert_eq!(journeys.hear(happened("a", dead_lettered())).len(), 1, "and still ends");
    }
}
