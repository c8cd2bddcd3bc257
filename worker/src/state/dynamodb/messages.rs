//! `message#<id>`: who works on a message, and what became of it.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use shared::{MessageId, Timestamp};

use super::DynamoDbState;
use super::client::state_error;
use super::row::{
    EXPIRES_AT, Item, PK, damaged, expiry, has_expired, millis, moment_of, number, number_of, optional_text_of,
    seconds, text, text_of,
};
use crate::state::{
    Claim, ClaimUpdate, Claimed, LeaseOwner, MessageState, Progress, StateError, Status, decide, kept_until,
};

const STATUS: &str = "status";
const LEASE_OWNER: &str = "lease_owner";
const LEASE_UNTIL: &str = "lease_until";
const COUNTED_AT: &str = "counted_at";
const REDRIVEN: &str = "redriven";
const ATTEMPTS: &str = "attempts";
const UNKNOWNS: &str = "unknowns";

/// A claim meets a row that has changed again at most this often: whoever changes it holds the message then, which ends
/// the claim. Only holders that give it back at once, one after the other, could make it more.
const MOST_ROUNDS: usize = 4;

impl DynamoDbState {
    pub(super) async fn message(&self, id: &MessageId, now: Timestamp) -> Result<Option<MessageState>, StateError> {
        let request = self.client.get_item().table_name(&self.table).key(PK, key(id)).consistent_read(true);
        let answer = request.send().await.map_err(|error| state_error(&error))?;
        known(answer.item.as_ref(), now)
    }

    /// The first claim of a message is one write; each other one is a second, once the first has shown what is known.
    pub(super) async fn claim_message(&self, claim: &Claim) -> Result<Claimed, StateError> {
        let mut before = None;
        for _ in 0..MOST_ROUNDS {
            let state = match decide(before.as_ref(), claim) {
                Ok(state) => state,
                Err(refusal) => return Ok(Claimed::Refused(refusal)),
            };
            // Its own claim, of which the answer was lost.
            if before.as_ref() == Some(&state) {
                return Ok(Claimed::Granted(state));
            }
            match self.replace(&claim.id, before.as_ref(), &state, claim.now).await? {
                Replaced::Done => return Ok(Claimed::Granted(state)),
                Replaced::Changed(row) => before = known(row.as_ref(), claim.now)?,
            }
        }
        Err(StateError::of_code("row_changes_too_often"))
    }

    /// Writes a message's state if the one before it is still the one in the table.
    async fn replace(
        &self,
        id: &MessageId,
        before: Option<&MessageState>,
        state: &MessageState,
        now: Timestamp,
    ) -> Result<Replaced, StateError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row(id, state, kept_until(now))))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match before {
            None => request
                .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
                .expression_attribute_values(":now", seconds(now)),
            // Nothing else of a row changes without one of these.
            Some(before) => request
                .condition_expression(
                    "#status = :status AND lease_owner = :owner AND attempts = :attempts AND unknowns = :unknowns",
                )
                .expression_attribute_names("#status", STATUS)
                .expression_attribute_values(":status", text(status_name(before.status)))
                .expression_attribute_values(":owner", text(before.lease_owner.as_str()))
                .expression_attribute_values(":attempts", number(before.attempts))
                .expression_attribute_values(":unknowns", number(before.unknowns)),
        };
        match request.send().await {
            Ok(_) => Ok(Replaced::Done),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Replaced::Changed(refused.item.clone()))
                }
                _ => Err(state_error(&error)),
            },
        }
    }

    /// One write, which does what [`ClaimUpdate::applied_to`] says. The sent mark is written under no condition.
    pub(super) async fn update_message(&self, update: &ClaimUpdate) -> Result<bool, StateError> {
        let (progress, counted) = match update.progress {
            Some(Progress { is_counted: true, .. }) => {
                ("attempts = :attempts, unknowns = :unknowns", ", counted_at = if_not_exists(counted_at, :owner)")
            }
            Some(Progress { is_counted: false, .. }) => {
                ("attempts = :attempts, unknowns = :unknowns", " REMOVE counted_at")
            }
            None => ("attempts = if_not_exists(attempts, :zero), unknowns = if_not_exists(unknowns, :zero)", ""),
        };
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, key(&update.id))
            .update_expression(format!(
                "SET #status = :status, lease_owner = :owner, lease_until = if_not_exists(lease_until, :moment), \
                 redriven = if_not_exists(redriven, :zero), expires_at = :expires_at, {progress}{counted}"
            ))
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_values(":status", text(status_name(update.status)))
            .expression_attribute_values(":owner", text(update.owner.as_str()))
            .expression_attribute_values(":moment", millis(update.now))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":expires_at", expiry(kept_until(update.now)))
            .return_values(ReturnValue::UpdatedOld);
        if let Some(progress) = update.progress {
            request = request
                .expression_attribute_values(":attempts", number(progress.attempts))
                .expression_attribute_values(":unknowns", number(progress.unknowns));
        }
        if update.status != Status::Sent {
            request = request
                .condition_expression("lease_owner = :owner AND #status IN (:in_flight, :status) AND expires_at > :now")
                .expression_attribute_values(":in_flight", text(status_name(Status::InFlight)))
                .expression_attribute_values(":now", seconds(update.now))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        }
        let before = match request.send().await {
            Ok(answer) => answer.attributes,
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => refused.item.clone(),
                _ => return Err(state_error(&error)),
            },
        };
        let before = known(before.as_ref(), update.now)?;
        Ok(before.is_some_and(|before| update.is_of_holder(&before)))
    }
}

/// What came of a conditional write.
enum Replaced {
    Done,
    /// The row is another one by now, or gone.
    Changed(Option<Item>),
}

fn key(id: &MessageId) -> AttributeValue {
    text(format!("message#{id}"))
}

fn row(id: &MessageId, state: &MessageState, expires_at: Timestamp) -> Item {
    let MessageState { status, lease_owner, lease_until, counted_at, redriven, attempts, unknowns } = state;
    let counted_at = counted_at.as_ref().map(|counted_at| (COUNTED_AT, text(counted_at.as_str())));
    let attributes = [
        (PK, key(id)),
        (STATUS, text(status_name(*status))),
        (LEASE_OWNER, text(lease_owner.as_str())),
        (LEASE_UNTIL, millis(*lease_until)),
        (REDRIVEN, number(*redriven)),
        (ATTEMPTS, number(*attempts)),
        (UNKNOWNS, number(*unknowns)),
        (EXPIRES_AT, expiry(expires_at)),
    ];
    attributes.into_iter().chain(counted_at).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What a row says of its message; nothing without a row, which is also said by one without attributes.
fn known(row: Option<&Item>, now: Timestamp) -> Result<Option<MessageState>, StateError> {
    let Some(row) = row.filter(|row| !row.is_empty()) else { return Ok(None) };
    if has_expired(row, now)? {
        return Ok(None);
    }
    let owner = |name: &str| LeaseOwner::parse(name).ok_or_else(damaged);
    Ok(Some(MessageState {
        status: status(text_of(row, STATUS)?)?,
        lease_owner: owner(text_of(row, LEASE_OWNER)?)?,
        lease_until: moment_of(row, LEASE_UNTIL)?,
        counted_at: optional_text_of(row, COUNTED_AT)?.map(owner).transpose()?,
        redriven: number_of(row, REDRIVEN)?,
        attempts: number_of(row, ATTEMPTS)?,
        unknowns: number_of(row, UNKNOWNS)?,
    }))
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::InFlight => "in_flight",
        Status::Retry => "retry",
        Status::DeadLettered => "dead_lettered",
        Status::Sent => "sent",
    }
}

fn status(name: &str) -> Result<Status, StateError> {
    let all = [Status::InFlight, Status::Retry, Status::DeadLettered, Status::Sent];
    all.into_iter().find(|status| status_name(*status) == name).ok_or_else(damaged)
}
