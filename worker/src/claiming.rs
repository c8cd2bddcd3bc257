//! One message, one sender: the claim that is taken just before the first attempt, and given back with the verdict.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use shared::telemetry::Fact;
use shared::{Clock, MessageId, Timestamp};
use tokio::time::Instant;

use crate::admission::Admitted;
use crate::batch::TIME_TO_SETTLE;
use crate::ledger::{Home, Page, Unreachable};
use crate::phone_region::Country;
use crate::record::Record;
use crate::settlement::{Ending, RetryReason, forbids_attempts};
use crate::state::{
    Claim, ClaimUpdate, Claimed, Counted, LeaseOwner, LimitScope, MessageState, Progress, Standing, Status, UserCode,
    decide,
};
use crate::worker::Worker;

/// A lease outlasts its holder's work by this: nobody else must take a message over that may still be sent, though the
/// clocks of two machines differ.
pub const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// Whether a code is the newest is asked for each attempt; where other things are waited for meanwhile, again.
const NEWEST_FOR: Duration = Duration::from_millis(200);

/// A claim that was granted to this receive.
pub(crate) struct Grant {
    owner: LeaseOwner,
    home: Home,
    /// What was known of the message when it was claimed; nothing if the table's answer did not come.
    before: Option<MessageState>,
    code: Option<UserCode>,
    unknowns: AtomicU32,
    is_counted: AtomicBool,
}

/// A message that this receive alone may send.
pub(crate) struct Hold<'w> {
    page: Page<'w>,
    grant: &'w Grant,
    clock: &'w Clock,
    /// When the code was last found to be its user's newest; used up by an attempt.
    newest_at: Mutex<Option<Instant>>,
}

impl Worker {
    pub(crate) fn page<'r>(&'r self, record: &'r Record, id: &'r MessageId) -> Page<'r> {
        Page {
            ledger: &self.ledger,
            id,
            trace: record.trace(),
            when_unreachable: self.config.state.unreachable,
            telemetry: self.telemetry.as_ref(),
        }
    }

    /// How the receive ends if earlier ones have settled that, as far as the state knows.
    pub(crate) async fn already_ended(&self, record: &Record, id: &MessageId, deadline: Instant) -> Option<Ending> {
        let claim = self.claim_for(record, id, deadline);
        let known = match self.page(record, id).look(claim.now).await {
            Ok(known) => known,
            Err(unreachable) => return Some(unreachable.into()),
        };
        match decide(known.as_ref(), &claim) {
            Ok(state) => forbids_attempts(state.unknowns).map(Ending::forbidden),
            Err(refusal) => Some(Ending::not_granted(refusal, claim.now)),
        }
    }

    /// How the receive of an expired message ends if an earlier one has sent it, or still may. What cannot be known
    /// counts as not sent: nothing is sent any more.
    pub(crate) async fn already_sent(&self, record: &Record, id: &MessageId, deadline: Instant) -> Option<Ending> {
        let ending = self.already_ended(record, id, deadline).await?;
        let is_of_others = match &ending {
            Ending::AlreadySent => true,
            Ending::Failed { reason, .. } => *reason == RetryReason::InFlight,
            Ending::Delivered { .. } | Ending::Refused { .. } => false,
        };
        is_of_others.then_some(ending)
    }

    /// Takes the message for this receive, if it may be sent: nobody else has it, its code is the newest and no limit is
    /// reached.
    pub(crate) async fn take<'w>(
        &'w self,
        record: &'w Record,
        admitted: &'w Admitted,
        deadline: Instant,
        grant: &'w OnceLock<Grant>,
    ) -> Result<Hold<'w>, Ending> {
        let message = &admitted.message;
        let page = self.page(record, &message.id);
        let claim = self.claim_for(record, &message.id, deadline);
        let code = UserCode::of(message, claim.now);
        let newest = async {
            match &code {
                Some(code) => page.must_be_newest(code, claim.now).await,
                None => Ok(()),
            }
        };
        // At once, since neither lets anything be sent without the other, and a code that was decrypted is its user's
        // newest whoever sends it.
        let (claimed, newest) = tokio::join!(page.claim(&claim), newest);
        let newest_at = Instant::now();
        let (state, home) = match claimed {
            Ok((Claimed::Granted(state), home)) => (state, home),
            Ok((Claimed::Refused(refusal), _)) => return Err(Ending::not_granted(refusal, claim.now)),
            Err(unreachable) => {
                // It may have been granted, and is given back in any case.
                let _ = grant.set(Grant::unanswered(claim.owner));
                return Err(unreachable.into());
            }
        };
        let is_to_be_counted = state.is_to_be_counted_by(&claim.owner);
        let grant = grant.get_or_init(|| Grant {
            owner: claim.owner,
            home,
            unknowns: AtomicU32::new(state.unknowns),
            is_counted: AtomicBool::new(!is_to_be_counted),
            before: Some(state),
            code,
        });
        let hold = Hold { page, grant, clock: &self.clock, newest_at: Mutex::new(Some(newest_at)) };
        hold.note_earlier_attempts();
        newest?;
        if let Some(reason) = forbids_attempts(hold.unknowns()) {
            return Err(Ending::forbidden(reason));
        }
        if is_to_be_counted {
            self.count(admitted, &hold).await?;
        }
        Ok(hold)
    }

    /// Counts the message for each limit, unless one is reached. That is done at its first claim only: what is tried
    /// again uses no limit up. A country's limit is not used up by what a number's refuses.
    async fn count(&self, admitted: &Admitted, hold: &Hold<'_>) -> Result<(), Ending> {
        let now = self.clock.now();
        for window in admitted.windows(&self.config.limits, now) {
            match hold.page.count(&window, now).await? {
                Counted::Within => {}
                Counted::Full => {
                    hold.note_limit(window.scope, admitted.country);
                    return Err(Ending::rate_limited(&window));
                }
            }
        }
        hold.grant.is_counted.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn claim_for(&self, record: &Record, id: &MessageId, deadline: Instant) -> Claim {
        let now = self.clock.now();
        let work = deadline.saturating_duration_since(Instant::now());
        let owner = self.with_random(LeaseOwner::random);
        Claim {
            id: id.clone(),
            owner,
            now,
            lease_until: now.checked_add(work + TIME_TO_SETTLE + LEASE_MARGIN).unwrap_or(Timestamp::MAX),
            redriven: record.redriven,
            on_abandoned: self.config.state.abandoned,
        }
    }

    /// Gives a claim back, with what came of it.
    pub(crate) async fn give_back(&self, page: &Page<'_>, grant: &Grant, status: Status, attempts: u32) {
        let hold = Hold { page: *page, grant, clock: &self.clock, newest_at: Mutex::default() };
        let _ = hold.update(status, attempts).await;
    }
}

impl Page<'_> {
    /// Records a code as its user's newest for its purpose, or ends the receive since a newer one is known.
    ///
    /// Only for a code that was decrypted: what anybody could have written must not cancel a true one.
    pub(crate) async fn must_be_newest(&self, code: &UserCode, now: Timestamp) -> Result<(), Ending> {
        match self.newest(code, now).await? {
            Standing::Newest => Ok(()),
            Standing::Superseded => Err(Ending::superseded()),
        }
    }
}

impl Grant {
    fn unanswered(owner: LeaseOwner) -> Self {
        let (unknowns, is_counted) = (AtomicU32::default(), AtomicBool::default());
        Self { owner, home: Home::Table, before: None, code: None, unknowns, is_counted }
    }

    /// Requests made to providers in earlier receives.
    pub(crate) fn attempts_before(&self) -> u32 {
        self.before.as_ref().map_or(0, |before| before.attempts)
    }
}

impl Hold<'_> {
    /// Attempts of which nobody knows whether they were sent, those of earlier receives included.
    pub(crate) fn unknowns(&self) -> u32 {
        self.grant.unknowns.load(Ordering::Relaxed)
    }

    /// Counts one more of them; how many there are then.
    pub(crate) fn note_unknown(&self) -> u32 {
        self.grant.unknowns.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Writes down what was tried, before something more is: whoever takes over from a killed worker must know.
    pub(crate) async fn write_down(&self, attempts: u32) -> Result<(), Ending> {
        if self.update(Status::InFlight, attempts).await? { Ok(()) } else { Err(Ending::claim_lost()) }
    }

    /// Whether the code is still its user's newest, asked before each attempt.
    pub(crate) async fn must_be_newest(&self) -> Result<(), Ending> {
        let Some(code) = &self.grant.code else { return Ok(()) };
        let asked_at = self.newest_at.lock().unwrap_or_else(PoisonError::into_inner).take();
        if asked_at.is_some_and(|asked_at| asked_at.elapsed() < NEWEST_FOR) {
            return Ok(());
        }
        self.page.must_be_newest(code, self.clock.now()).await
    }

    async fn update(&self, status: Status, attempts: u32) -> Result<bool, Unreachable> {
        let update = ClaimUpdate {
            id: self.page.id.clone(),
            owner: self.grant.owner.clone(),
            now: self.clock.now(),
            status,
            progress: self.grant.before.as_ref().map(|before| Progress {
                attempts: before.attempts.saturating_add(attempts),
                unknowns: self.unknowns(),
                is_counted: self.grant.is_counted.load(Ordering::Relaxed),
            }),
        };
        let is_held = self.page.update(&update, self.grant.home).await?;
        if !is_held {
            let (id, trace) = (self.page.id, self.page.trace);
            self.page.telemetry.record(&Fact::ClaimLost { id, trace });
        }
        Ok(is_held)
    }

    fn note_limit(&self, limit: LimitScope, country: Country) {
        let (id, trace) = (self.page.id, self.page.trace);
        let (limit, country) = (limit.as_str(), &country.to_string());
        self.page.telemetry.record(&Fact::LimitReached { id, trace, limit, country });
    }

    fn note_earlier_attempts(&self) {
        let Some(MessageState { attempts, unknowns, .. }) = self.grant.before else { return };
        if attempts > 0 || unknowns > 0 {
            let (id, trace) = (self.page.id, self.page.trace);
            self.page.telemetry.record(&Fact::TriedBefore { id, trace, attempts, unknowns });
        }
    }
}
