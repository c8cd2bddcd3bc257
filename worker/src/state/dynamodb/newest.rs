//! `newest#<key>`: when a user's newest code for a purpose was accepted.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use shared::Timestamp;

use super::DynamoDbState;
use super::client::state_error;
use super::row::{PK, damaged, expiry, millis, moment_of, seconds, text};
use crate::state::{Standing, StateError, UserCode, kept_until};

const ACCEPTED_AT: &str = "accepted_at";

impl DynamoDbState {
    pub(super) async fn record_newest(&self, code: &UserCode, now: Timestamp) -> Result<Standing, StateError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(format!("newest#{}", code.key)))
            .update_expression("SET accepted_at = :accepted_at, expires_at = :expires_at")
            .condition_expression("attribute_not_exists(pk) OR accepted_at <= :accepted_at OR expires_at <= :now")
            .expression_attribute_values(":accepted_at", millis(code.accepted_at))
            .expression_attribute_values(":expires_at", expiry(kept_until(now).max(code.expires_at)))
            .expression_attribute_values(":now", seconds(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(Standing::Newest) };
        let Some(UpdateItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() else {
            return Err(state_error(&error));
        };
        // A row that says nothing supersedes nothing.
        let row = refused.item.as_ref().ok_or_else(damaged)?;
        moment_of(row, ACCEPTED_AT).map(|_later| Standing::Superseded)
    }
}
