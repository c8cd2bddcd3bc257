//! What a message costs: DynamoDB charges each write of up to 1 KB as one unit, refused ones included.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::MessageId;
use worker::{Counted, LimitScope, Standing, State as _, Status, UserCode, Window};

use crate::check::Check;
use crate::subject::{Subject, claim, now, some_key, update};
use crate::table::Row;

pub(crate) const CHECKS: &[Check] = checks! {
    a_message_that_goes_well_is_three_small_writes_and_one_for_each_limit,
};

/// No row of ours is larger (README, "One code, one SMS").
const LARGEST: usize = 240;

async fn a_message_that_goes_well_is_three_small_writes_and_one_for_each_limit(subject: &Subject) {
    let (state, wire) = subject.table().observed_state();
    let mut largest = 0;
    // The longest id is that of a message without a code.
    let claim = claim(&MessageId::from_bytes(&[0xab; 32]), now());
    let code = UserCode { key: some_key(), accepted_at: claim.now, expires_at: claim.lease_until };
    assert_eq!(state.newest(&code, claim.now).await, Ok(Standing::Newest));
    state.claim(&claim).await.unwrap();
    largest = largest.max(largest_row(subject).await);
    let windows = [LimitScope::PerNumber, LimitScope::PerCountry, LimitScope::InAll].map(|scope| {
        let key = format!("{}/{}/604800000/1795478400000", scope.as_str(), some_key());
        Window { scope, key, limit: 20, ends_at: claim.lease_until }
    });
    for window in &windows {
        assert_eq!(state.count(window, claim.now).await, Ok(Counted::Within));
    }
    assert_eq!(state.update(&update(&claim, Status::Sent, 1, 0)).await, Ok(true));
    largest = largest.max(largest_row(subject).await);

    assert_eq!(wire.take_requests(), ["UpdateItem", "PutItem", "UpdateItem", "UpdateItem", "UpdateItem", "UpdateItem"]);
    assert_eq!(subject.table().rows().await.len(), 2 + windows.len());
    assert!(largest <= LARGEST, "{largest} bytes");
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
