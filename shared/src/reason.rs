use serde::{Deserialize, Serialize};

/// Why a message is in the dead-letter queue: the value of its attribute `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterReason {
    /// The body is not a queue message of a known type, or contradicts itself.
    Malformed,
    /// Written by somebody who is not in `TRUSTED_SENDER_IDS`.
    UntrustedSender,
    /// The event's pool is not allowed, or the code was sealed for another one.
    WrongUserPool,
    /// The code cannot be decrypted, now or later.
    Undecryptable,
    NoPhoneNumber,
    InvalidPhoneNumber,
    /// The configuration sends nothing to this country.
    CountryNotAllowed,
    RateLimited,
    /// A provider's fraud defence refused it.
    FraudBlocked,
    /// The provider says that this number cannot be reached.
    RecipientRejected,
    /// No provider of the route took it before the horizon.
    ProvidersExhausted,
    /// Two attempts may each have been sent.
    OutcomeUnknown,
    RenderFailed,
    /// KMS did not unwrap the data key before the horizon.
    KeyUnavailable,
    StateUnavailable,
    /// The worker failed on it until the horizon.
    WorkerFault,
    /// Found past its lifetime at admission.
    Expired,
    /// A newer code of the same user and purpose was accepted.
    Superseded,
}

impl DeadLetterReason {
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::UntrustedSender,
        Self::WrongUserPool,
        Self::Undecryptable,
        Self::NoPhoneNumber,
        Self::InvalidPhoneNumber,
        Self::CountryNotAllowed,
        Self::RateLimited,
        Self::FraudBlocked,
        Self::RecipientRejected,
        Self::ProvidersExhausted,
        Self::OutcomeUnknown,
        Self::RenderFailed,
        Self::KeyUnavailable,
        Self::StateUnavailable,
        Self::WorkerFault,
        Self::Expired,
        Self::Superseded,
    ];

    /// Reads a reason as the attribute spells it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// The reason as the attribute spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UntrustedSender => "untrusted_sender",
            Self::WrongUserPool => "wrong_user_pool",
            Self::Undecryptable => "undecryptable",
            Self::NoPhoneNumber => "no_phone_number",
            Self::InvalidPhoneNumber => "invalid_phone_number",
            Self::CountryNotAllowed => "country_not_allowed",
            Self::RateLimited => "rate_limited",
            Self::FraudBlocked => "fraud_blocked",
            Self::RecipientRejected => "recipient_rejected",
            Self::ProvidersExhausted => "providers_exhausted",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::RenderFailed => "render_failed",
            Self::KeyUnavailable => "key_unavailable",
            Self::StateUnavailable => "state_unavailable",
            Self::WorkerFault => "worker_fault",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }
}

impl std::fmt::Display for DeadLetterReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_spelled_the_same_in_json_and_in_the_attribute() {
        for reason in DeadLetterReason::ALL {
            let json = serde_json::to_string(&reason).expect("serialises");
            assert_eq!(json, format!("\"{reason}\""));
            assert_eq!(DeadLetterReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(DeadLetterReason::parse("Malformed"), None);
    }
}
