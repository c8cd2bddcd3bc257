//! `window#<key>`: how many messages were counted in a stretch of time. Each has a row of its own, so that none is ever
//! met after its end.

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::DynamoDbState;
use super::client::{OnlyAfterRefusal, state_error};
use super::row::{PK, damaged, expiry, number, number_of, text};
use crate::state::{Counted, StateError, Window};

const MESSAGES: &str = "messages";

impl DynamoDbState {
    pub(super) async fn count_in(&self, window: &Window) -> Result<Counted, StateError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(format!("window#{}", window.key)))
            .update_expression("ADD messages :one SET expires_at = if_not_exists(expires_at, :expires_at)")
            .condition_expression("attribute_not_exists(messages) OR messages < :limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(window.limit))
            .expression_attribute_values(":expires_at", expiry(window.ends_at))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        // What was counted, though the answer was lost, would be counted again.
        let once = Builder::new().retry_classifier(OnlyAfterRefusal);
        let Err(error) = request.customize().config_override(once).send().await else { return Ok(Counted::Within) };
        let Some(UpdateItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() else {
            return Err(state_error(&error));
        };
        // A row that says nothing limits nothing.
        let row = refused.item.as_ref().ok_or_else(damaged)?;
        number_of::<u32>(row, MESSAGES).map(|_too_many| Counted::Full)
    }
}
