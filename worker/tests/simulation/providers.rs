//! The SMS providers, as one life of a process reaches them.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use tokio::time::sleep;
use worker::provider::{Attempt, Outcome, Provider, ProviderMessageId, Sms};

use crate::life::Life;
use crate::outside::PlannedPanic;
use crate::plan::{Kind, ProviderTrouble};
use crate::trace::{AttemptEnd, Event};

pub(crate) const NAMES: [&str; 3] = ["first", "second", "third"];

pub(crate) struct SimulatedProvider {
    pub(crate) life: Arc<Life>,
    pub(crate) index: usize,
}

/// How the provider goes about one request.
struct Conduct {
    /// Until it sends, or does not.
    before: Duration,
    sends: bool,
    after: Duration,
    end: End,
}

enum End {
    Answers(Outcome),
    Panics,
    Never,
}

/// Notes how the attempt ended, even where nobody waits for its end.
struct Watch<'p> {
    provider: &'p SimulatedProvider,
    message: u32,
    attempt: u32,
    has_ended: bool,
}

impl Watch<'_> {
    fn ended(&mut self, end: AttemptEnd) {
        let SimulatedProvider { life, index } = self.provider;
        let (message, attempt) = (self.message, self.attempt);
        life.world.note(Event::AttemptEnded { who: life.who, message, provider: *index, attempt, end });
        self.has_ended = true;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.ended(if self.provider.life.is_alive() { AttemptEnd::CutOff } else { AttemptEnd::Died });
        }
    }
}

#[async_trait]
impl Provider for SimulatedProvider {
    fn name(&self) -> &str {
        NAMES[self.index]
    }

    async fn send(&self, sms: &Sms<'_>) -> Attempt {
        let life = &self.life;
        let (world, provider) = (&life.world, self.index);
        let message = world.number_of(sms.id.as_str()).expect("a message of this history");
        let call = life.begin_call().await;
        let nth = world.count("send", message);
        let trouble = world.provider_trouble(provider, message, nth);
        let (attempt, clock) = (world.next_attempt(), life.clock());
        world.note(Event::AttemptBegun {
            who: life.who,
            work: world.work(),
            message,
            provider,
            attempt,
            clock,
            trouble,
        });
        let mut watch = Watch { provider: self, message, attempt, has_ended: false };
        let draws = world.draws.of("latency of sending").nth(u64::from(message)).nth(u64::from(nth));
        let Conduct { before, sends, after, end } =
            conduct(trouble, world.letters[&message].planned.kind, draws.number(), sms.timeout);
        sleep(before).await;
        if sends {
            let letter = &world.letters[&message];
            let is_right = sms.to.expose() == letter.to && sms.text.expose_secret().contains(&letter.code.clear);
            world.note(Event::PhoneGot { message, attempt, is_right });
        }
        life.took_effect(&call).await;
        sleep(after).await;
        match end {
            End::Answers(outcome) => {
                watch.ended(class(&outcome));
                Attempt { outcome, code: None }
            }
            End::Panics => {
                watch.ended(AttemptEnd::Panicked);
                resume_unwind(Box::new(PlannedPanic))
            }
            End::Never => pending().await,
        }
    }
}

fn conduct(trouble: Option<ProviderTrouble>, kind: Kind, draw: u64, timeout: Duration) -> Conduct {
    let latency = Duration::from_millis(10 + draw % 150);
    let quick = |sends, outcome| Conduct { before: latency, sends, after: latency, end: End::Answers(outcome) };
    let accepted = || {
        let id = ProviderMessageId::parse("SM0123").expect("an id");
        Outcome::Accepted { provider_message_id: id }
    };
    match trouble {
        None if kind == Kind::RejectedRecipient => quick(false, Outcome::RecipientPermanent),
        None if kind == Kind::Fraud => quick(false, Outcome::FraudBlocked),
        None => quick(true, accepted()),
        Some(ProviderTrouble::Transient) => quick(false, Outcome::Transient { retry_after: None }),
        Some(ProviderTrouble::TransientFor(seconds)) => {
            quick(false, Outcome::Transient { retry_after: Some(Duration::from_secs(seconds)) })
        }
        Some(ProviderTrouble::ProviderPermanent) => quick(false, Outcome::ProviderPermanent),
        Some(ProviderTrouble::Unknown { sent }) => quick(sent, Outcome::Unknown),
        Some(ProviderTrouble::TimesOut { sent }) => {
            let after = timeout.saturating_sub(latency);
            Conduct { after, ..quick(sent, Outcome::Unknown) }
        }
        Some(ProviderTrouble::Hangs { sent }) => Conduct { end: End::Never, ..quick(sent, Outcome::Unknown) },
        Some(ProviderTrouble::Slow) => {
            let after = Duration::from_millis(1_000 + draw % 7_000);
            // It keeps to its time.
            let outcome = if latency + after <= timeout { accepted() } else { Outcome::Unknown };
            Conduct { after: after.min(timeout.saturating_sub(latency)), ..quick(true, outcome) }
        }
        Some(ProviderTrouble::AnswersTooLate) => {
            Conduct { after: timeout.saturating_sub(latency) + Duration::from_millis(300), ..quick(true, accepted()) }
        }
        Some(ProviderTrouble::Panics { sent }) => Conduct { end: End::Panics, ..quick(sent, Outcome::Unknown) },
    }
}

fn class(outcome: &Outcome) -> AttemptEnd {
    match outcome {
        Outcome::Accepted { .. } => AttemptEnd::Accepted,
        Outcome::Transient { .. } => AttemptEnd::Transient,
        Outcome::Unknown => AttemptEnd::Unknown,
        Outcome::RecipientPermanent => AttemptEnd::RecipientPermanent,
        Outcome::ProviderPermanent => AttemptEnd::ProviderPermanent,
        Outcome::FraudBlocked => AttemptEnd::FraudBlocked,
    }
}
