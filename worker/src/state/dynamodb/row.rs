//! A row's attributes, to and from what DynamoDB calls an item.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use shared::Timestamp;

use crate::state::StateError;

/// The partition key.
pub(super) const PK: &str = "pk";
/// DynamoDB deletes a row some time after this.
pub(super) const EXPIRES_AT: &str = "expires_at";

/// A row as DynamoDB gives it. Anybody with the right to may have written it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A row that is not one of ours, or was damaged.
pub(super) fn damaged() -> StateError {
    StateError::of_code("damaged_row")
}

pub(super) fn text_of<'r>(row: &'r Item, name: &str) -> Result<&'r str, StateError> {
    optional_text_of(row, name)?.ok_or_else(damaged)
}

pub(super) fn optional_text_of<'r>(row: &'r Item, name: &str) -> Result<Option<&'r str>, StateError> {
    row.get(name).map(|value| value.as_s().map(String::as_str).map_err(|_| damaged())).transpose()
}

pub(super) fn number_of<N: FromStr>(row: &Item, name: &str) -> Result<N, StateError> {
    row.get(name).and_then(|value| value.as_n().ok()?.parse().ok()).ok_or_else(damaged)
}

/// Written by [`millis`].
pub(super) fn moment_of(row: &Item, name: &str) -> Result<Timestamp, StateError> {
    Timestamp::from_millisecond(number_of(row, name)?).map_err(|_| damaged())
}

/// Whether DynamoDB may delete the row, and only has not yet.
pub(super) fn has_expired(row: &Item, now: Timestamp) -> Result<bool, StateError> {
    Ok(number_of::<i64>(row, EXPIRES_AT)? <= now.as_second())
}

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: impl Into<i64>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

/// Milliseconds since 1970.
pub(super) fn millis(moment: Timestamp) -> AttributeValue {
    number(moment.as_millisecond())
}

/// Seconds since 1970, for a comparison with `expires_at`.
pub(super) fn seconds(moment: Timestamp) -> AttributeValue {
    number(moment.as_second())
}

/// The first whole second at which the row may go.
pub(super) fn expiry(moment: Timestamp) -> AttributeValue {
    let is_whole = moment.subsec_nanosecond() == 0;
    number(moment.as_second() + i64::from(!is_whole))
}
