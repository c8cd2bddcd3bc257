//! How far a holder came.

use worker::{ClaimUpdate, Status};

use crate::check::Check;
use crate::subject::{Subject, after_its_end, claim, granted, now, some_message, update};

pub(crate) const CHECKS: &[Check] = checks! {
    a_holder_says_how_far_it_came_without_giving_it_back,
    a_holder_that_knows_nothing_leaves_what_is_known,
    an_update_of_a_claim_that_was_lost_changes_nothing,
    an_update_of_a_message_that_nobody_claimed_changes_nothing,
    an_update_of_a_claim_that_expired_changes_nothing,
    an_update_that_is_made_twice_is_recognised,
    what_was_given_back_is_not_taken_again_by_an_update,
};

async fn a_holder_says_how_far_it_came_without_giving_it_back(subject: &Subject) {
    let holder = claim(&some_message(), now());
    let before = granted(&*subject.worker(), &holder).await;
    assert_eq!(subject.worker().update(&update(&holder, Status::InFlight, 3, 1)).await, Ok(true));
    let after = subject.worker().look(&holder.id, holder.now).await.unwrap().unwrap();
    assert_eq!(after, worker::MessageState { attempts: 3, unknowns: 1, ..before });
}

async fn a_holder_that_knows_nothing_leaves_what_is_known(subject: &Subject) {
    let first = claim(&some_message(), now());
    granted(&*subject.worker(), &first).await;
    subject.worker().update(&update(&first, Status::Retry, 3, 1)).await.unwrap();
    let second = claim(&first.id, first.now);
    granted(&*subject.worker(), &second).await;
    let unknowing = ClaimUpdate { progress: None, ..update(&second, Status::Retry, 0, 0) };
    assert_eq!(subject.worker().update(&unknowing).await, Ok(true));
    let known = subject.worker().look(&first.id, first.now).await.unwrap().unwrap();
    assert_eq!((known.status, known.attempts, known.unknowns), (Status::Retry, 3, 1));
    assert_eq!((known.counted_at, known.lease_owner), (Some(first.owner), second.owner));
}

async fn an_update_of_a_claim_that_was_lost_changes_nothing(subject: &Subject) {
    let killed = claim(&some_message(), now());
    granted(&*subject.worker(), &killed).await;
    let second = claim(&killed.id, killed.lease_until);
    let state = granted(&*subject.worker(), &second).await;
    for status in [Status::InFlight, Status::Retry, Status::DeadLettered] {
        let late = ClaimUpdate { now: second.now, ..update(&killed, status, 9, 9) };
        assert_eq!(subject.worker().update(&late).await, Ok(false));
        assert_eq!(subject.worker().update(&ClaimUpdate { progress: None, ..late }).await, Ok(false));
    }
    assert_eq!(subject.worker().look(&killed.id, second.now).await, Ok(Some(state)));
}

async fn an_update_of_a_message_that_nobody_claimed_changes_nothing(subject: &Subject) {
    let never_granted = claim(&some_message(), now());
    for status in [Status::InFlight, Status::Retry, Status::DeadLettered] {
        assert_eq!(subject.worker().update(&update(&never_granted, status, 1, 0)).await, Ok(false));
    }
    assert_eq!(subject.worker().look(&never_granted.id, never_granted.now).await, Ok(None));
}

async fn an_update_of_a_claim_that_expired_changes_nothing(subject: &Subject) {
    let holder = claim(&some_message(), now());
    granted(&*subject.worker(), &holder).await;
    let late = ClaimUpdate { now: after_its_end(holder.now), ..update(&holder, Status::Retry, 1, 0) };
    assert_eq!(subject.worker().update(&late).await, Ok(false));
    assert_eq!(subject.worker().look(&holder.id, late.now).await, Ok(None));
}

async fn an_update_that_is_made_twice_is_recognised(subject: &Subject) {
    for status in [Status::InFlight, Status::Retry, Status::DeadLettered, Status::Sent] {
        let holder = claim(&some_message(), now());
        granted(&*subject.worker(), &holder).await;
        let once = update(&holder, status, 2, 1);
        assert_eq!(subject.worker().update(&once).await, Ok(true));
        let known = subject.worker().look(&holder.id, holder.now).await;
        assert_eq!(subject.worker().update(&once).await, Ok(true));
        assert_eq!(subject.worker().look(&holder.id, holder.now).await, known);
        // And one that knows more is written.
        let more = update(&holder, status, 3, 1);
        assert_eq!(subject.worker().update(&more).await, Ok(true));
        let known = subject.worker().look(&holder.id, holder.now).await.unwrap().unwrap();
        assert_eq!(known.attempts, 3);
    }
}

async fn what_was_given_back_is_not_taken_again_by_an_update(subject: &Subject) {
    let holder = claim(&some_message(), now());
    granted(&*subject.worker(), &holder).await;
    subject.worker().update(&update(&holder, Status::Retry, 1, 0)).await.unwrap();
    // Such a call was on its way for longer than the one that gave the message back.
    assert_eq!(subject.worker().update(&update(&holder, Status::InFlight, 1, 0)).await, Ok(false));
    let known = subject.worker().look(&holder.id, holder.now).await.unwrap().unwrap();
    assert_eq!(known.status, Status::Retry);
}
