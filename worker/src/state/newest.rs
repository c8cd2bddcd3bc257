//! Which code is a user's newest: an older one must not arrive after it, since Cognito no longer takes it.

use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use shared::{QueueMessage, Timestamp, TriggerSource};

/// What codes are for. Of the codes for one purpose a user needs the last one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    SignUp,
    ForgotPassword,
    VerifyAttribute,
    Invitation,
}

/// A code among those of the same pool, user and purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCode {
    /// SHA-256 of pool, user and purpose, in hexadecimal digits.
    pub key: String,
    pub accepted_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A code's place among those of its user and purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None that is known is newer. Of two that were accepted in the same millisecond each is.
    Newest,
    Superseded,
}

/// A time of acceptance further ahead than clocks differ is somebody's invention, and would cancel a user's codes until
/// then.
const MOST_CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

impl Purpose {
    /// None where two codes may be wanted at once: two devices sign in, and of unknown sources nobody knows.
    pub fn of(source: TriggerSource) -> Option<Self> {
        match source {
            TriggerSource::SignUp | TriggerSource::ResendCode => Some(Self::SignUp),
            TriggerSource::ForgotPassword => Some(Self::ForgotPassword),
            TriggerSource::UpdateUserAttribute | TriggerSource::VerifyUserAttribute => Some(Self::VerifyAttribute),
            TriggerSource::AdminCreateUser => Some(Self::Invitation),
            TriggerSource::Authentication | TriggerSource::AccountTakeOverNotification | TriggerSource::Other => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::ForgotPassword => "forgot_password",
            Self::VerifyAttribute => "verify_attribute",
            Self::Invitation => "invitation",
        }
    }
}

impl UserCode {
    /// None where nothing is superseded: the purpose allows several, the user is not known, or there is no code whose
    /// decryption has proved that the message is Cognito's.
    pub fn of(message: &QueueMessage, now: Timestamp) -> Option<Self> {
        let event = &message.event;
        let purpose = Purpose::of(event.trigger_source())?;
        let user = event.attribute("sub").filter(|sub| !sub.is_empty())?;
        event.code()?;
        let mut hash = Sha256::new();
        for part in [event.user_pool().as_str(), user, purpose.as_str()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let key = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let latest = now.checked_add(MOST_CLOCKS_DIFFER).unwrap_or(Timestamp::MAX);
        Some(Self { key, accepted_at: message.accepted_at.min(latest), expires_at: message.expires_at })
    }
}
