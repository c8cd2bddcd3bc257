//! The change itself: nothing is sent on an old description, and what came of it is read back.

use serde_json::Value;
use shared::UserPoolId;

use super::plan::Plan;
use crate::untyped::{CallError, Service, Untyped};
use crate::user_pool::{Description, Difference, differences, mfa_configuration};

/// A pool as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) described: Description,
    /// None where it may not be read.
    pub(crate) mfa: Option<Value>,
}

/// Why an update did not come about, or nobody knows what came of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error("somebody has changed the pool just now ({}): it was not changed; look again and say it again", .0.join(", "))]
    ChangedMeanwhile(Vec<String>),
    #[error("{0}; the pool was not changed")]
    NotRead(#[source] CallError),
    #[error("{0}; the pool was not changed: {remedy}", remedy = remedy(.0))]
    Refused(CallError),
    #[error("{0}; whether the pool was changed is not known: say it again without --yes to see")]
    NotAnswered(CallError),
    #[error("{0}; the pool was changed, and whether as it was meant is not known: say it again without --yes to see")]
    NotReadBack(CallError),
}

/// What is otherwise than it was meant after an update: nothing, as a rule.
pub(crate) type Unexpected = Vec<Difference>;

impl Snapshot {
    /// Needs `cognito-idp:DescribeUserPool`, and better also `cognito-idp:GetUserPoolMfaConfig`.
    ///
    /// # Errors
    /// When the pool cannot be read.
    pub(crate) async fn take(aws: &Untyped<'_>, pool: &UserPoolId) -> Result<Self, CallError> {
        let (described, mfa) = tokio::join!(Description::read(aws, pool), mfa_configuration(aws, pool));
        Ok(Self { described: described?, mfa: mfa.ok() })
    }

    /// What has changed since, the trigger apart.
    fn changes_beside_the_trigger(&self, later: &Self) -> Vec<Difference> {
        let mut changes = self.described.changes_beside_the_trigger(&later.described);
        if let (Some(before), Some(after)) = (&self.mfa, &later.mfa) {
            changes.extend(differences(before, after));
        }
        changes
    }
}

/// Sends the update, if the pool still is as it was when the plan was made, and says what is otherwise than meant.
///
/// # Errors
/// When it was not sent, not taken, or nobody knows.
pub(crate) async fn apply(
    aws: &Untyped<'_>,
    pool: &UserPoolId,
    before: &Snapshot,
    plan: &Plan,
) -> Result<Unexpected, ApplyError> {
    let now = Description::read(aws, pool).await.map_err(ApplyError::NotRead)?;
    let mut changed = before.described.changes_beside_the_trigger(&now);
    changed.extend(differences(&in_full(&before.described), &in_full(&now)));
    if !changed.is_empty() {
        return Err(ApplyError::ChangedMeanwhile(changed.into_iter().map(|change| change.path).collect()));
    }
    let updated = aws.json(Service::UserPools, "UpdateUserPool", plan.update.as_json()).await;
    updated.map_err(|error| match error.refusal() {
        Some(refusal) if !refusal.is_server_error() => ApplyError::Refused(error),
        Some(_) | None => ApplyError::NotAnswered(error),
    })?;
    let after = Snapshot::take(aws, pool).await.map_err(ApplyError::NotReadBack)?;
    let mut unexpected = before.changes_beside_the_trigger(&after);
    let meant = plan.update.as_json()["LambdaConfig"].clone();
    unexpected.extend(differences(&trigger_in(&meant), &in_full(&after.described)));
    Ok(unexpected)
}

/// The trigger, with the path that it has in the description.
fn in_full(described: &Description) -> Value {
    trigger_in(described.get("LambdaConfig").unwrap_or(&Value::Null))
}

fn trigger_in(triggers: &Value) -> Value {
    let mut trigger = serde_json::Map::new();
    for member in ["CustomSMSSender", "KMSKeyID"] {
        if let Some(value) = triggers.get(member).filter(|value| !value.is_null() && *value != "") {
            trigger.insert(format!("LambdaConfig.{member}"), value.clone());
        }
    }
    Value::Object(trigger)
}

/// What can be done about a refusal
/// (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html#API_UpdateUserPool_Errors>).
fn remedy(error: &CallError) -> &'static str {
    match error.refusal().map(|refusal| refusal.code.as_str()) {
        Some("ConcurrentModificationException") => "somebody else is changing the pool at this moment; say it again",
        Some("UserImportInProgressException") => {
            "users are being imported into the pool; say it again when that is done"
        }
        Some("InvalidSmsRoleAccessPolicyException" | "InvalidSmsRoleTrustRelationshipException") => {
            "the pool's SmsConfiguration names a role that Cognito cannot use; mend the role first"
        }
        Some("InvalidEmailRoleAccessPolicyException") => {
            "the pool's EmailConfiguration names an identity that Cognito may not use; mend that first"
        }
        Some("TierChangeNotAllowedException" | "FeatureUnavailableInTierException") => {
            "the pool has a setting that its tier does not allow any more; mend that in the console first"
        }
        Some("TooManyRequestsException") => "wait a little, and say it again",
        Some("AccessDeniedException" | "NotAuthorizedException") => {
            "updating a pool needs cognito-idp:UpdateUserPool, kms:CreateGrant on the key, iam:PassRole on the role of \
             its SmsConfiguration, and iam:CreateServiceLinkedRole where it sends e-mails by SES"
        }
        _ => "what it says must be mended first",
    }
}
