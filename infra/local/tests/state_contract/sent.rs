//! The sent mark: once it is written, nothing takes it back.

use std::time::Duration;

use worker::{Claim, ClaimUpdate, Claimed, OnAbandoned, Refusal, Status};

use crate::check::Check;
use crate::subject::{Subject, claim, granted, now, some_message, update};

pub(crate) const CHECKS: &[Check] = checks! {
    a_message_that_was_sent_is_never_granted_again,
    the_mark_is_written_over_another_holders_claim,
    nothing_takes_the_mark_back,
    the_mark_needs_no_claim,
    a_mark_without_progress_leaves_what_is_known,
};

async fn a_message_that_was_sent_is_never_granted_again(subject: &Subject) {
    let holder = claim(&some_message(), now());
    granted(&*subject.worker(), &holder).await;
    assert_eq!(subject.worker().update(&update(&holder, Status::Sent, 2, 1)).await, Ok(true));
    let known = subject.worker().look(&holder.id, holder.now).await.unwrap().unwrap();
    assert_eq!((known.status, known.attempts, known.unknowns), (Status::Sent, 2, 1));
    refuses_all(subject, &holder).await;
}

async fn the_mark_is_written_over_another_holders_claim(subject: &Subject) {
    let slow = claim(&some_message(), now());
    granted(&*subject.worker(), &slow).await;
    let other = claim(&slow.id, slow.lease_until);
    granted(&*subject.worker(), &other).await;
    let mark = ClaimUpdate { now: other.now, ..update(&slow, Status::Sent, 1, 0) };
    assert_eq!(subject.worker().update(&mark).await, Ok(false), "its claim was lost, and it may be sent twice");
    refuses_all(subject, &other).await;
    // Whoever held it by then learns that it did so no longer.
    assert_eq!(subject.worker().update(&update(&other, Status::InFlight, 2, 2)).await, Ok(false));
    assert_eq!(subject.worker().update(&update(&other, Status::Sent, 2, 1)).await, Ok(false));
    refuses_all(subject, &other).await;
}

async fn nothing_takes_the_mark_back(subject: &Subject) {
    let holder = claim(&some_message(), now());
    granted(&*subject.worker(), &holder).await;
    subject.worker().update(&update(&holder, Status::Sent, 1, 0)).await.unwrap();
    let known = subject.worker().look(&holder.id, holder.now).await;
    for other in [&holder, &claim(&holder.id, holder.now)] {
        for status in [Status::InFlight, Status::Retry, Status::DeadLettered] {
            assert_eq!(subject.worker().update(&update(other, status, 5, 2)).await, Ok(false));
        }
    }
    assert_eq!(subject.worker().look(&holder.id, holder.now).await, known);
}

async fn the_mark_needs_no_claim(subject: &Subject) {
    // The table could not be reached for the claim, and could for the mark.
    let holder = claim(&some_message(), now());
    assert_eq!(subject.worker().update(&update(&holder, Status::Sent, 1, 0)).await, Ok(false));
    let known = subject.worker().look(&holder.id, holder.now).await.unwrap().unwrap();
    assert_eq!((known.status, known.attempts, known.lease_owner), (Status::Sent, 1, holder.owner.clone()));
    refuses_all(subject, &holder).await;
}

async fn a_mark_without_progress_leaves_what_is_known(subject: &Subject) {
    let first = claim(&some_message(), now());
    granted(&*subject.worker(), &first).await;
    subject.worker().update(&update(&first, Status::Retry, 3, 1)).await.unwrap();
    let second = claim(&first.id, first.now);
    granted(&*subject.worker(), &second).await;
    let mark = ClaimUpdate { progress: None, ..update(&second, Status::Sent, 0, 0) };
    assert_eq!(subject.worker().update(&mark).await, Ok(true));
    let known = subject.worker().look(&first.id, first.now).await.unwrap().unwrap();
    assert_eq!((known.status, known.attempts, known.unknowns), (Status::Sent, 3, 1));
}

/// Whoever asks, whenever, and however often the message was redriven.
async fn refuses_all(subject: &Subject, holder: &Claim) {
    for now in [holder.now, holder.lease_until, holder.lease_until + Duration::from_hours(24)] {
        for on_abandoned in [OnAbandoned::Resend, OnAbandoned::Park] {
            let redriven = Claim { on_abandoned, redriven: 7, ..claim(&holder.id, now) };
            for claim in [&redriven, &claim(&holder.id, now), &Claim { now, ..holder.clone() }] {
                assert_eq!(subject.worker().claim(claim).await, Ok(Claimed::Refused(Refusal::AlreadySent)));
            }
        }
    }
}
