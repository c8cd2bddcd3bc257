//! Who gets a message.

use std::time::Duration;

use worker::{Claim, Claimed, OnAbandoned, Refusal, Status};

use crate::check::Check;
use crate::subject::{Subject, after_its_end, claim, fresh, granted, now, some_message, update};

pub(crate) const CHECKS: &[Check] = checks! {
    of_a_message_that_nobody_claimed_nothing_is_known,
    the_first_claim_is_granted,
    a_claimed_message_is_refused_to_others_until_the_lease_ends,
    a_holder_whose_lease_ended_may_have_sent_it,
    an_abandoned_message_is_parked_where_that_is_asked_for,
    a_claim_that_is_made_twice_is_recognised,
    a_message_that_was_given_back_is_granted_with_all_that_was_tried,
    a_redrive_permits_new_attempts,
    a_message_counts_for_the_limits_once,
    what_has_expired_is_forgotten,
};

async fn of_a_message_that_nobody_claimed_nothing_is_known(subject: &Subject) {
    assert_eq!(subject.worker().look(&some_message(), now()).await, Ok(None));
}

async fn the_first_claim_is_granted(subject: &Subject) {
    let claim = Claim { redriven: 3, ..claim(&some_message(), now()) };
    assert_eq!(subject.worker().claim(&claim).await, Ok(Claimed::Granted(fresh(&claim))));
    assert_eq!(subject.worker().look(&claim.id, claim.now).await, Ok(Some(fresh(&claim))));
    assert_eq!(subject.worker().look(&some_message(), claim.now).await, Ok(None));
}

async fn a_claimed_message_is_refused_to_others_until_the_lease_ends(subject: &Subject) {
    let first = claim(&some_message(), now());
    granted(&*subject.worker(), &first).await;
    let refused = Ok(Claimed::Refused(Refusal::InFlight { until: first.lease_until }));
    for now in [first.now, first.now + Duration::from_secs(1), first.lease_until - Duration::from_millis(1)] {
        for on_abandoned in [OnAbandoned::Resend, OnAbandoned::Park] {
            // An operator may have redriven a copy: that one waits too.
            for redriven in [0, 1] {
                let other = Claim { on_abandoned, redriven, ..claim(&first.id, now) };
                assert_eq!(subject.worker().claim(&other).await, refused);
            }
        }
    }
    assert_eq!(subject.worker().look(&first.id, first.now).await, Ok(Some(fresh(&first))));
}

async fn a_holder_whose_lease_ended_may_have_sent_it(subject: &Subject) {
    let killed = claim(&some_message(), now());
    granted(&*subject.worker(), &killed).await;
    let second = claim(&killed.id, killed.lease_until);
    let state = granted(&*subject.worker(), &second).await;
    assert_eq!((state.status, state.attempts, state.unknowns), (Status::InFlight, 1, 1));
    assert_eq!((&state.lease_owner, state.lease_until), (&second.owner, second.lease_until));
    // What the second wrote down before it was killed too is not forgotten.
    assert_eq!(subject.worker().update(&update(&second, Status::InFlight, 2, 2)).await, Ok(true));
    let third = claim(&killed.id, second.lease_until);
    let state = granted(&*subject.worker(), &third).await;
    assert_eq!((state.attempts, state.unknowns), (3, 3));
    assert_eq!(subject.worker().look(&killed.id, third.now).await, Ok(Some(state)));
}

async fn an_abandoned_message_is_parked_where_that_is_asked_for(subject: &Subject) {
    let killed = claim(&some_message(), now());
    granted(&*subject.worker(), &killed).await;
    let parking = Claim { on_abandoned: OnAbandoned::Park, ..claim(&killed.id, killed.lease_until) };
    assert_eq!(subject.worker().claim(&parking).await, Ok(Claimed::Refused(Refusal::Abandoned)));
    assert_eq!(subject.worker().look(&killed.id, parking.now).await, Ok(Some(fresh(&killed))));
    // Whoever redrives it has decided.
    let redriven = Claim { redriven: 1, ..parking };
    let state = granted(&*subject.worker(), &redriven).await;
    assert_eq!((state.attempts, state.unknowns, state.redriven), (0, 0, 1));
}

async fn a_claim_that_is_made_twice_is_recognised(subject: &Subject) {
    let first = claim(&some_message(), now());
    let state = granted(&*subject.worker(), &first).await;
    assert_eq!(granted(&*subject.worker(), &first).await, state);
    let takeover = claim(&first.id, first.lease_until);
    let state = granted(&*subject.worker(), &takeover).await;
    assert_eq!(granted(&*subject.worker(), &takeover).await, state);
    assert_eq!(state.unknowns, 1);
}

async fn a_message_that_was_given_back_is_granted_with_all_that_was_tried(subject: &Subject) {
    let mut claimed = claim(&some_message(), now());
    let first = claimed.owner.clone();
    granted(&*subject.worker(), &claimed).await;
    for (status, attempts, unknowns) in [(Status::Retry, 2, 1), (Status::DeadLettered, 5, 1), (Status::Retry, 7, 2)] {
        assert_eq!(subject.worker().update(&update(&claimed, status, attempts, unknowns)).await, Ok(true));
        // At once: its lease is not waited for.
        claimed = Claim { on_abandoned: OnAbandoned::Park, ..claim(&claimed.id, claimed.now) };
        let state = granted(&*subject.worker(), &claimed).await;
        assert_eq!((state.status, state.attempts, state.unknowns), (Status::InFlight, attempts, unknowns));
        assert_eq!((state.counted_at, state.lease_owner), (Some(first.clone()), claimed.owner.clone()));
    }
}

async fn a_redrive_permits_new_attempts(subject: &Subject) {
    let first = claim(&some_message(), now());
    granted(&*subject.worker(), &first).await;
    subject.worker().update(&update(&first, Status::DeadLettered, 4, 2)).await.unwrap();
    let redriven = Claim { redriven: 1, ..claim(&first.id, first.now) };
    let state = granted(&*subject.worker(), &redriven).await;
    assert_eq!((state.redriven, state.attempts, state.unknowns), (1, 0, 0));
    assert_eq!(state.counted_at, Some(first.owner), "it uses no limit up a second time");
    // The same redrive, received again, permits nothing more.
    subject.worker().update(&update(&redriven, Status::Retry, 2, 1)).await.unwrap();
    for count in [1, 0] {
        let again = Claim { redriven: count, ..claim(&redriven.id, redriven.now) };
        let state = granted(&*subject.worker(), &again).await;
        assert_eq!((state.redriven, state.attempts, state.unknowns), (1, 2, 1));
        subject.worker().update(&update(&again, Status::Retry, 2, 1)).await.unwrap();
    }
}

async fn a_message_counts_for_the_limits_once(subject: &Subject) {
    let first = claim(&some_message(), now());
    assert!(granted(&*subject.worker(), &first).await.is_to_be_counted_by(&first.owner));
    // It never came to counting, so the next claim does it.
    let mut back = update(&first, Status::Retry, 0, 0);
    back.progress.as_mut().unwrap().is_counted = false;
    subject.worker().update(&back).await.unwrap();
    let second = claim(&first.id, first.now);
    assert!(granted(&*subject.worker(), &second).await.is_to_be_counted_by(&second.owner));
    subject.worker().update(&update(&second, Status::Retry, 1, 0)).await.unwrap();
    let third = claim(&first.id, first.now);
    assert!(!granted(&*subject.worker(), &third).await.is_to_be_counted_by(&third.owner));
}

async fn what_has_expired_is_forgotten(subject: &Subject) {
    let (old, sent) = (claim(&some_message(), now()), claim(&some_message(), now()));
    granted(&*subject.worker(), &old).await;
    subject.worker().update(&update(&old, Status::Retry, 4, 2)).await.unwrap();
    granted(&*subject.worker(), &sent).await;
    subject.worker().update(&update(&sent, Status::Sent, 1, 0)).await.unwrap();
    for old in [&old, &sent] {
        let just_before = after_its_end(old.now) - Duration::from_secs(2);
        assert!(subject.worker().look(&old.id, just_before).await.unwrap().is_some());
        let late = claim(&old.id, after_its_end(old.now));
        assert_eq!(subject.worker().look(&old.id, late.now).await, Ok(None));
        assert_eq!(granted(&*subject.worker(), &late).await, fresh(&late));
        assert_eq!(subject.worker().look(&old.id, late.now).await, Ok(Some(fresh(&late))));
    }
}
