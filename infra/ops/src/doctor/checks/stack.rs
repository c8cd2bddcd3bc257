//! The CloudFormation stack.

use super::super::finding::{Judgement, Remedy};
use super::super::reading::{Reading, Readings, Unread};

pub(super) fn is_whole(readings: &Readings) -> Reading<Judgement> {
    let name = readings.stack_name.as_deref().unwrap_or_default();
    let stack = match &readings.stack {
        Some(Ok(stack)) => stack,
        Some(Err(unread @ Unread::NotThere { .. })) => {
            let remedy = "give its right name, and --region if it is in another one; or deploy it (README, \"Deploy\")";
            return Ok(Judgement::wrong(unread.to_string(), Remedy::by_hand(remedy)));
        }
        Some(Err(unread)) => return Err(unread.clone()),
        None => return Ok(Judgement::sound("none is named")),
    };
    let of_another = match (stack.pool_id(), &readings.pool_id) {
        (Some(own), Some(asked)) if own != asked.as_str() => Some((own, asked)),
        (_, _) => None,
    };
    let status = &stack.status;
    if let Some((own, asked)) = of_another {
        let found = format!("{name} was made for user pool {own}, not for {asked}");
        return Ok(Judgement::wrong(found, Remedy::by_hand("give the stack of this pool; each pool has its own")));
    }
    if status.contains("FAILED") || status.contains("ROLLBACK") && status != "UPDATE_ROLLBACK_COMPLETE" {
        let events = readings.command_line.aws(&["cloudformation", "describe-stack-events", "--stack-name", name]);
        let remedy = Remedy::by_hand(format!("`{events}` says why; deploy it again"));
        return Ok(Judgement::wrong(format!("{name} is {status}"), remedy));
    }
    if status.ends_with("IN_PROGRESS") {
        let remedy = Remedy::by_hand("look again when it is done");
        return Ok(Judgement::warning(format!("{name} is {status}"), remedy));
    }
    Ok(Judgement::sound(format!("{name} is {status}")))
}
