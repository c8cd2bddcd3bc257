//! What a message costs: DynamoDB charges each write of up to 1 KB as one unit, refused ones included.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::MessageId;
use worker::{Claim, Counted, LimitScope, Standing, State as _, Status, UserCode, Window};

use crate::check::Check;
use crate::subject::{Subject, claim, now, some_key, some_message, update};
use crate::table::Row;

pub(crate) const CHECKS: &[Check] = checks! {
    a_message_that_goes_well_is_three_writes_and_one_for_each_limit,
    whatever_becomes_of_a_message_its_rows_are_small,
};

/// No row of a message is larger (README, "One code, one SMS").
const LARGEST: usize = 256;

async fn a_message_that_goes_well_is_three_writes_and_one_for_each_limit(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let claim = claim(&some_message(), now());
    assert_eq!(state.newest(&code(&claim), claim.now).await, Ok(Standing::Newest));
    state.claim(&claim).await.unwrap();
    for window in windows(&claim) {
        assert_eq!(state.count(&window, claim.now).await, Ok(Counted::Within));
    }
    assert_eq!(state.update(&update(&claim, Status::Sent, 1, 0)).await, Ok(true));
    assert_eq!(wire.take_requests(), ["UpdateItem", "PutItem", "UpdateItem", "UpdateItem", "UpdateItem", "UpdateItem"]);
    assert_eq!(subject.table().rows().await.len(), 2 + windows(&claim).len());
}

async fn whatever_becomes_of_a_message_its_rows_are_small(subject: &Subject) {
    let state = subject.table().state();
    // The longest id is that of a message without a code.
    let id = MessageId::from_bytes(&[0xab; 32]);
    let claim = Claim { redriven: u32::MAX, ..claim(&id, now()) };
    state.newest(&code(&claim), claim.now).await.unwrap();
    for window in windows(&claim) {
        state.count(&window, claim.now).await.unwrap();
    }
    for status in [Status::InFlight, Status::Retry, Status::DeadLettered, Status::Sent] {
        state.claim(&claim).await.unwrap();
        state.update(&update(&claim, status, u32::MAX, u32::MAX)).await.unwrap();
        let largest = largest_row(subject).await;
        assert!(largest <= LARGEST, "{status:?}: {largest} bytes");
    }
}

fn code(claim: &Claim) -> UserCode {
    UserCode { key: some_key(), accepted_at: claim.now, expires_at: claim.lease_until }
}

/// One for each limit, as `[limits]` names them, of the longest kind.
fn windows(claim: &Claim) -> [Window; 3] {
    [LimitScope::PerNumber, LimitScope::PerCountry, LimitScope::InAll].map(|scope| {
        let key = format!("{}/{}/604800000/1795478400000", scope.as_str(), some_key());
        Window { scope, key, limit: 1_000_000, ends_at: claim.lease_until }
    })
}

async fn largest_row(subject: &Subject) -> usize {
    subject.table().rows().await.iter().map(size).max().unwrap()
}

/// In bytes, as DynamoDB counts them, or one or two more
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
fn size(row: &Row) -> usize {
    let of_value = |value: &AttributeValue| match (value.as_s(), value.as_n()) {
        (Ok(text), _) => text.len(),
        // Two digits a byte, and one byte more.
        (_, Ok(number)) => number.len().div_ceil(2) + 1,
        (Err(_), Err(_)) => panic!("our rows hold texts and numbers"),
    };
    row.iter().map(|(name, value)| name.len() + of_value(value)).sum()
}
