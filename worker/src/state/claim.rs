//! Who works on a message. A claim is a lease: it is taken just before the first attempt to send, so one that lapsed
//! means that its holder was killed in mid-send, and nobody knows whether the SMS went out.

use shared::{MessageId, Timestamp};

/// What is known of a message that was claimed at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageState {
    pub status: Status,
    /// Of the last claim.
    pub lease_owner: LeaseOwner,
    pub lease_until: Timestamp,
    /// The claim at which the message was counted for the limits; none if it is still to be.
    pub counted_at: Option<LeaseOwner>,
    /// How often it was redriven when it was last claimed.
    pub redriven: u32,
    /// Requests made to providers since then.
    pub attempts: u32,
    /// Those of which nobody knows whether they were sent.
    pub unknowns: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its holder may be sending it, until the lease ends.
    InFlight,
    /// Not sent, and back in the queue.
    Retry,
    /// Not sent, and dead-lettered.
    DeadLettered,
    /// A provider took it. That never changes.
    Sent,
}

/// One receive of one worker. Unique, so that a holder whose call was tried again after a lost answer recognises its
/// own claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseOwner(String);

/// What a worker asks for before it sends.
#[derive(Clone, Debug)]
pub struct Claim {
    pub id: MessageId,
    pub owner: LeaseOwner,
    pub now: Timestamp,
    /// Well after the holder has stopped, whatever happens to it, and before SQS shows the message again.
    pub lease_until: Timestamp,
    /// How often an operator has redriven the message.
    pub redriven: u32,
    pub on_abandoned: OnAbandoned,
}

/// What happens to a message whose holder was killed in mid-send: `[state] abandoned`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnAbandoned {
    /// It counts as one outcome that nobody knows, so it is tried once more.
    #[default]
    Resend,
    /// It is dead-lettered, for an operator to decide.
    Park,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The message is the claimant's, in this state.
    Granted(MessageState),
    Refused(Refusal),
}

/// Why a message is not the claimant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    AlreadySent,
    /// Somebody else may be sending it.
    InFlight {
        until: Timestamp,
    },
    /// Somebody else was killed in mid-send, and `[state] abandoned` is `park`.
    Abandoned,
}

/// How far a holder came.
#[derive(Clone, Debug)]
pub struct ClaimUpdate {
    pub id: MessageId,
    pub owner: LeaseOwner,
    pub now: Timestamp,
    /// [`Status::InFlight`] keeps the claim.
    pub status: Status,
    /// None leaves what is known, for a holder that never got to know it.
    pub progress: Option<Progress>,
}

/// What was done with a message since it was last redriven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Requests made to providers.
    pub attempts: u32,
    /// Those of which nobody knows whether they were sent.
    pub unknowns: u32,
    /// Whether the message needs no further counting for the limits.
    pub is_counted: bool,
}

impl LeaseOwner {
    pub fn random(random: &mut fastrand::Rng) -> Self {
        Self(format!("{:032x}", random.u128(..)))
    }

    /// Reads what [`LeaseOwner::as_str`] gave.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (is_hex && text.len() == 32).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MessageState {
    /// Whether the message is to be counted for the limits by this very claim.
    pub fn is_to_be_counted_by(&self, owner: &LeaseOwner) -> bool {
        self.counted_at.as_ref() == Some(owner)
    }
}

impl ClaimUpdate {
    /// Whether the claim was still its holder's; also so if this very update was written before and its answer lost.
    pub(crate) fn is_of_holder(&self, known: &MessageState) -> bool {
        let is_open = known.status == Status::InFlight || known.status == self.status;
        is_open && known.lease_owner == self.owner
    }

    pub(crate) fn applied_to(&self, known: Option<&MessageState>) -> MessageState {
        let counted_before = known.and_then(|known| known.counted_at.clone());
        let counted_at = match self.progress {
            Some(Progress { is_counted: true, .. }) => Some(counted_before.unwrap_or_else(|| self.owner.clone())),
            Some(Progress { is_counted: false, .. }) => None,
            None => counted_before,
        };
        let attempts = |known: Option<&MessageState>| known.map_or(0, |known| known.attempts);
        let unknowns = |known: Option<&MessageState>| known.map_or(0, |known| known.unknowns);
        MessageState {
            status: self.status,
            lease_owner: self.owner.clone(),
            lease_until: known.map_or(self.now, |known| known.lease_until),
            counted_at,
            redriven: known.map_or(0, |known| known.redriven),
            attempts: self.progress.map_or_else(|| attempts(known), |progress| progress.attempts),
            unknowns: self.progress.map_or_else(|| unknowns(known), |progress| progress.unknowns),
        }
    }
}

/// What a message's state becomes by a claim.
///
/// # Errors
/// Why the claim is not granted.
pub(crate) fn decide(known: Option<&MessageState>, claim: &Claim) -> Result<MessageState, Refusal> {
    let fresh = MessageState {
        status: Status::InFlight,
        lease_owner: claim.owner.clone(),
        lease_until: claim.lease_until,
        counted_at: Some(claim.owner.clone()),
        redriven: claim.redriven,
        attempts: 0,
        unknowns: 0,
    };
    let Some(known) = known else { return Ok(fresh) };
    let is_redriven = claim.redriven > known.redriven;
    let is_abandoned = match known.status {
        Status::Sent => return Err(Refusal::AlreadySent),
        // Its own claim, of which the answer was lost.
        Status::InFlight if known.lease_owner == claim.owner => return Ok(known.clone()),
        Status::InFlight if claim.now < known.lease_until => {
            return Err(Refusal::InFlight { until: known.lease_until });
        }
        Status::InFlight => true,
        Status::Retry | Status::DeadLettered => false,
    };
    let fresh = MessageState { counted_at: known.counted_at.clone().or(fresh.counted_at), ..fresh };
    match claim.on_abandoned {
        // Whoever redrives a message knows what became of it.
        _ if is_redriven => Ok(fresh),
        OnAbandoned::Park if is_abandoned => Err(Refusal::Abandoned),
        OnAbandoned::Park | OnAbandoned::Resend => Ok(MessageState {
            redriven: known.redriven,
            attempts: known.attempts + u32::from(is_abandoned),
            unknowns: known.unknowns + u32::from(is_abandoned),
            ..fresh
        }),
    }
}
