//! Calls that are carried out while their answers are lost, so that the SDK makes them again.

use worker::{
    Claimed, Counted, LimitScope, Refusal, Standing, State as _, StateError, Status, Switch, Switchboard as _,
    SwitchedOff, UserCode, Window,
};

use crate::check::Check;
use crate::subject::{Subject, claim, fresh, granted, now, some_key, some_message, update};

pub(crate) const CHECKS: &[Check] = checks! {
    a_first_claim_is_recognised,
    a_claim_of_what_was_given_back_is_recognised,
    a_claim_of_what_was_abandoned_counts_one_attempt,
    an_update_is_recognised,
    the_sent_mark_is_recognised,
    a_newest_code_is_not_superseded_by_itself,
    a_switch_is_thrown_once,
    a_message_is_counted_once_and_not_tried_again,
    a_call_that_is_never_answered_is_an_error,
};

async fn a_first_claim_is_recognised(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let claim = claim(&some_message(), now());
    wire.lose_answers(2);
    assert_eq!(state.claim(&claim).await, Ok(Claimed::Granted(fresh(&claim))));
    assert_eq!(wire.take_requests(), ["PutItem"; 3]);
}

async fn a_claim_of_what_was_given_back_is_recognised(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let first = claim(&some_message(), now());
    granted(&*subject.worker(), &first).await;
    subject.worker().update(&update(&first, Status::Retry, 3, 1)).await.unwrap();
    let second = claim(&first.id, first.now);
    // Its first write is refused, its second one carried out: both are made twice.
    wire.lose_answers(1);
    let Ok(Claimed::Granted(granted)) = state.claim(&second).await else { panic!() };
    assert_eq!((granted.attempts, granted.unknowns, granted.lease_owner), (3, 1, second.owner.clone()));
    assert_eq!(wire.take_requests().len(), 3);
    wire.lose_answers(1);
    let other = claim(&first.id, first.now);
    let refused = Claimed::Refused(Refusal::InFlight { until: second.lease_until });
    assert_eq!(state.claim(&other).await, Ok(refused));
}

async fn a_claim_of_what_was_abandoned_counts_one_attempt(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let killed = claim(&some_message(), now());
    granted(&*subject.worker(), &killed).await;
    for lost in 0..3 {
        let id = &killed.id;
        let takeover = claim(id, subject.worker().look(id, killed.now).await.unwrap().unwrap().lease_until);
        wire.lose_answers(lost);
        let Ok(Claimed::Granted(granted)) = state.claim(&takeover).await else { panic!() };
        let expected = u32::try_from(lost).unwrap() + 1;
        assert_eq!((granted.attempts, granted.unknowns), (expected, expected));
    }
}

async fn an_update_is_recognised(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    for status in [Status::InFlight, Status::Retry, Status::DeadLettered] {
        let holder = claim(&some_message(), now());
        granted(&*subject.worker(), &holder).await;
        wire.lose_answers(1);
        assert_eq!(state.update(&update(&holder, status, 2, 1)).await, Ok(true));
        assert_eq!(wire.take_requests(), ["UpdateItem"; 2]);
    }
}

async fn the_sent_mark_is_recognised(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let holder = claim(&some_message(), now());
    granted(&*subject.worker(), &holder).await;
    wire.lose_answers(1);
    assert_eq!(state.update(&update(&holder, Status::Sent, 1, 0)).await, Ok(true));
    assert_eq!(wire.take_requests(), ["UpdateItem"; 2]);
}

async fn a_newest_code_is_not_superseded_by_itself(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let now = now();
    wire.lose_answers(2);
    let code = UserCode { key: some_key(), accepted_at: now, expires_at: now };
    assert_eq!(state.newest(&code, now).await, Ok(Standing::Newest));
    assert_eq!(wire.take_requests(), ["UpdateItem"; 3]);
}

async fn a_switch_is_thrown_once(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let off = SwitchedOff { since: Some(now()), by: None, because: None };
    for off in [Some(&off), None] {
        wire.lose_answers(2);
        assert_eq!(state.set(&Switch::Everything, off).await, Ok(()));
        assert_eq!(state.switches().await.unwrap().is_off(&Switch::Everything), off.is_some());
    }
}

async fn a_message_is_counted_once_and_not_tried_again(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let window = Window { scope: LimitScope::PerNumber, key: some_key(), limit: 2, ends_at: now() };
    wire.lose_answers(1);
    assert!(state.count(&window, now()).await.is_err());
    assert_eq!(wire.take_requests(), ["UpdateItem"]);
    assert_eq!(state.count(&window, now()).await, Ok(Counted::Within));
    assert_eq!(state.count(&window, now()).await, Ok(Counted::Full));
}

async fn a_call_that_is_never_answered_is_an_error(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let claim = claim(&some_message(), now());
    wire.lose_answers(3);
    assert_eq!(state.claim(&claim).await, Err(StateError::of_code("unknown_error")));
    assert_eq!(wire.take_requests(), ["PutItem"; 3]);
    // It was granted all the same, and can be given back.
    assert_eq!(state.update(&update(&claim, Status::Retry, 0, 0)).await, Ok(true));
}
