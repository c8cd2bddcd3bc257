//! Who may write to the queues, by their policies.
//!
//! A sealed code is bound to its user pool and not to a phone: whoever can write to the main queue can have one user's
//! code sent to another number.

use serde_json::{Value, json};

use super::super::finding::{Judgement, Remedy};
use super::super::reading::{Function, Queue, Reading, Readings, known};
use super::queue::set;
use super::worker::trusted_senders_of;
use crate::policy_document::{each, matches};
use crate::stack::REDRIVE_ROLE_ARN;

const SEND: &str = "sqs:SendMessage";
const PRINCIPAL: &str = "aws:PrincipalArn";

pub(super) fn of_queue(readings: &Readings) -> Reading<Judgement> {
    let queue = known(&readings.queue)?;
    let producer = known(&readings.producer)?;
    // Without the queue's lock the worker's is the only one.
    let has_second_lock = trusted_senders_of(readings).is_ok_and(|trusted| trusted.is_some());
    Ok(judge(readings, queue, producer, has_second_lock))
}

/// A dead letter is believed as little as a message: a redrive looks who has written it.
pub(super) fn of_dead_letters(readings: &Readings) -> Reading<Judgement> {
    let queue = known(&readings.dead_letters)?;
    let worker = known(&readings.worker)?;
    Ok(judge(readings, queue, worker, true))
}

/// Lambda writes there as the producer's role.
pub(super) fn of_failed_invocations(readings: &Readings) -> Reading<Judgement> {
    let queue = known(&readings.failed_invocations)?;
    let producer = known(&readings.producer)?;
    Ok(judge(readings, queue, producer, true))
}

fn judge(readings: &Readings, queue: &Queue, owner: &Function, has_second_lock: bool) -> Judgement {
    let remedy = |sentence: &str| lock(readings, queue, owner, sentence);
    let policy = queue.policy.as_deref().map(serde_json::from_str::<Value>);
    let statements = match &policy {
        Some(Ok(policy)) => each(&policy["Statement"]),
        Some(Err(_)) | None => Vec::new(),
    };
    let about_sending = |effect: &str| {
        let of_effect = statements.iter().copied().filter(move |statement| statement["Effect"] == effect);
        of_effect.filter(|statement| names_sending(statement)).collect::<Vec<_>>()
    };
    // A pattern that fits anybody locks nobody out.
    let stranger = format!("{}-of-another-name", owner.role);
    let locks = about_sending("Deny").into_iter().filter_map(exempted);
    let locks: Vec<_> = locks.filter(|roles| !lets_in(roles, &stranger)).collect();
    match locks.first() {
        Some(_) if !locks.iter().all(|roles| lets_in(roles, &owner.role)) => Judgement::wrong(
            format!("its policy denies sending to {}'s own role", owner.arn.name),
            remedy("let the role send as it is now named"),
        ),
        Some(roles) => {
            let names: Vec<_> = roles.iter().map(|role| role.rsplit('/').next().unwrap_or(role)).collect();
            Judgement::sound(format!("its policy lets only {} send", names.join(", ")))
        }
        None => {
            let strangers = about_sending("Allow").into_iter().any(|statement| lets_strangers(statement, owner));
            let found = if strangers {
                "its policy lets others send"
            } else {
                "no policy forbids sending: whoever has the right in this account may"
            };
            let remedy = remedy("let nobody else send; a policy that is there now is replaced");
            if strangers || !has_second_lock {
                Judgement::wrong(found, remedy)
            } else {
                Judgement::warning(found, remedy)
            }
        }
    }
}

fn lets_in(roles: &[String], role: &str) -> bool {
    roles.iter().any(|pattern| matches(pattern, role, false))
}

/// The template's policy, for this queue.
fn lock(readings: &Readings, queue: &Queue, owner: &Function, sentence: &str) -> Remedy {
    let redrive = readings.output(REDRIVE_ROLE_ARN);
    let roles: Vec<_> = [Some(owner.role.as_str()), redrive].into_iter().flatten().collect();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyTheseSend", "Effect": "Deny", "Principal": "*", "Action": SEND, "Resource": queue.arn,
                "Condition": { "ArnNotEquals": { PRINCIPAL: roles } },
            },
            {
                "Sid": "NothingInClear", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": queue.arn,
                "Condition": { "Bool": { "aws:SecureTransport": "false" } },
            },
        ],
    });
    let also = if redrive.is_none() { "; add the role that redrives, if there is one" } else { "" };
    set(readings, queue, format!("{sentence}{also}"), &json!({ "Policy": policy.to_string() }))
}

/// Whom a statement that denies sending to everybody leaves out; nothing if it is for some only, or under further
/// conditions.
fn exempted(statement: &Value) -> Option<Vec<String>> {
    let texts = |value: &Value| each(value).into_iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
    if statement["NotPrincipal"].is_object() && statement["Condition"].is_null() {
        return Some(texts(&statement["NotPrincipal"]["AWS"]));
    }
    let is_for_all = statement["Principal"] == "*" || statement["Principal"]["AWS"] == "*";
    let conditions = statement["Condition"].as_object()?;
    let [(operator, keys)] = conditions.iter().collect::<Vec<_>>()[..] else { return None };
    let [(key, roles)] = keys.as_object()?.iter().collect::<Vec<_>>()[..] else { return None };
    let excludes = matches!(operator.as_str(), "ArnNotEquals" | "ArnNotLike" | "StringNotEquals" | "StringNotLike");
    (is_for_all && excludes && key.eq_ignore_ascii_case(PRINCIPAL)).then(|| texts(roles))
}

fn names_sending(statement: &Value) -> bool {
    let actions = each(&statement["Action"]);
    let is_named = actions.iter().filter_map(|action| action.as_str()).any(|action| matches(action, SEND, true));
    is_named || !statement["NotAction"].is_null()
}

/// Whether a statement that allows sending is for anybody but the role that should.
fn lets_strangers(statement: &Value, owner: &Function) -> bool {
    let principal = &statement["Principal"];
    let Some(kinds) = principal.as_object() else { return true };
    let of_aws = each(&principal["AWS"]);
    kinds.keys().any(|kind| kind != "AWS") || of_aws.iter().any(|one| one.as_str() != Some(owner.role.as_str()))
}
