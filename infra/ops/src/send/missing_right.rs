//! A right that whoever runs the command lacks.

use local::cognito::DataKeyError;

use crate::untyped::CallError;

/// Which right, and who has it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the right {action} on {resource} is missing; the stack's send role has it (--role-arn, the stack's output \
     SendRoleArn): nothing was sent"
)]
pub(super) struct MissingRight {
    pub(super) action: &'static str,
    pub(super) resource: String,
}

/// The error, or the right that it comes from the lack of.
pub(super) fn or_missing_right(error: CallError, action: &'static str, resource: &str) -> anyhow::Error {
    let is_missing = error.refusal().is_some_and(|refusal| refusal.is_missing_right());
    if is_missing { MissingRight { action, resource: resource.to_owned() }.into() } else { error.into() }
}

/// Whether KMS refuses for want of a right.
pub(super) fn is_of_key(error: &DataKeyError) -> bool {
    match error {
        DataKeyError::Refused { code, .. } => code.as_deref() == Some("AccessDeniedException"),
        DataKeyError::NoAes256Key => false,
    }
}
