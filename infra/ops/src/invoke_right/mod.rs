//! Whether a user pool may invoke a function: read, granted, withdrawn.

mod policy;

use serde_json::{Value, json};
use shared::UserPoolId;

use crate::function_arn::FunctionArn;
use crate::untyped::{CallError, Service, Untyped};

pub(crate) use policy::{Asking, COGNITO, InvokeRight, judge};

/// The id of the statement that this tool grants the right by.
pub(crate) fn statement_id(pool: &UserPoolId) -> String {
    format!("sealpost-{pool}")
}

/// Asks Lambda. Needs `lambda:GetPolicy`.
///
/// # Errors
/// When Lambda refuses or does not answer; a function without any policy is no error.
pub(crate) async fn read(
    aws: &Untyped<'_>,
    function: &FunctionArn,
    asking: Asking<'_>,
) -> Result<InvokeRight, CallError> {
    match aws.rest(Service::Lambda, "GetPolicy", "GET", &path(function, ""), None).await {
        Ok(answer) => Ok(answer["Policy"].as_str().map_or(InvokeRight::Unreadable, |policy| judge(policy, asking))),
        // A function that is not there is refused alike, and is told apart when the right is granted.
        Err(error) if error.refusal().is_some_and(|refusal| refusal.is_not_found()) => Ok(InvokeRight::Missing),
        Err(error) => Err(error),
    }
}

/// Lets a pool invoke the function, and nobody else: what is granted without the pool's ARN is granted to every pool
/// of every account. Needs `lambda:AddPermission`.
///
/// # Errors
/// When Lambda refuses or does not answer.
pub(crate) async fn grant(
    aws: &Untyped<'_>,
    function: &FunctionArn,
    pool: &UserPoolId,
    asking: Asking<'_>,
) -> Result<(), CallError> {
    let statement = json!({
        "StatementId": statement_id(pool),
        "Action": "lambda:InvokeFunction",
        "Principal": COGNITO,
        "SourceArn": asking.pool,
        "SourceAccount": asking.account,
    });
    aws.rest(Service::Lambda, "AddPermission", "POST", &path(function, ""), Some(&statement)).await.map(drop)
}

/// Takes back what [`grant`] gave; false where there was nothing of it. Needs `lambda:RemovePermission`.
///
/// # Errors
/// When Lambda refuses or does not answer.
pub(crate) async fn withdraw(aws: &Untyped<'_>, function: &FunctionArn, pool: &UserPoolId) -> Result<bool, CallError> {
    let path = path(function, &format!("/{}", statement_id(pool)));
    let removed: Result<Value, _> = aws.rest(Service::Lambda, "RemovePermission", "DELETE", &path, None).await;
    match removed {
        Ok(_) => Ok(true),
        Err(error) if error.refusal().is_some_and(|refusal| refusal.is_not_found()) => Ok(false),
        Err(error) => Err(error),
    }
}

fn path(function: &FunctionArn, rest: &str) -> String {
    let function = function.as_found();
    let name = function.unqualified().to_string().replace(':', "%3A");
    // An alias has a policy of its own.
    format!("/2015-03-31/functions/{name}/policy{rest}{}", function.query())
}
