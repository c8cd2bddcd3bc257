use super::http::Answer;
use super::{Attempt, Outcome};

/// The class of an answer that does not accept the message: an [`Outcome`] without what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Transient,
    Unknown,
    RecipientPermanent,
    ProviderPermanent,
    FraudBlocked,
}

impl Failure {
    /// The attempt that this answer ended so, with the code that says why.
    pub(super) fn attempt(self, answer: &Answer, code: &str) -> Attempt {
        let outcome = match self {
            Self::Transient => Outcome::Transient { retry_after: answer.retry_after },
            Self::Unknown => Outcome::Unknown,
            Self::RecipientPermanent => Outcome::RecipientPermanent,
            Self::ProviderPermanent => Outcome::ProviderPermanent,
            Self::FraudBlocked => Outcome::FraudBlocked,
        };
        Attempt::failed(outcome, code)
    }

    /// The attempt of which nothing but the status says why it ended so.
    pub(super) fn by_status(self, answer: &Answer) -> Attempt {
        self.attempt(answer, &format!("http_{}", answer.status))
    }
}
