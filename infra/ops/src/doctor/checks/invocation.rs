//! How Cognito invokes the producer: its right to, and what becomes of an event that the producer fails on.

use super::super::finding::{Judgement, Remedy};
use super::super::reading::{Function, Reading, Readings, end_of_arn, known, name_of_arn};
use crate::invoke_right::{Asking, COGNITO, InvokeRight, judge, statement_id};
use crate::stack::FAILED_INVOCATIONS_QUEUE_URL;

/// As in the template: attempts at once, and after one and two minutes, within a sign-in code's life.
const RETRIES: u64 = 2;
const MOST_AGE_SECONDS: u64 = 180;
/// An event that comes later is of use for longer-lived codes only.
const BEARABLE_AGE_SECONDS: u64 = 300;

/// Whether Cognito may invoke the producer for this pool. A trigger that is an alias has a policy of its own.
pub(super) fn right(readings: &Readings) -> Reading<Judgement> {
    let policy = known(&readings.policy)?;
    let (pool, producer) = (known(&readings.pool)?, known(&readings.producer)?);
    let account = pool.arn.split(':').nth(4).unwrap_or_default();
    let asking = Asking { pool: &pool.arn, account };
    let right = policy.as_deref().map_or(InvokeRight::Missing, |policy| judge(policy, asking));
    let line = &readings.command_line;
    let of = |verb: &str, rest: &[&str]| line.aws(&[&["lambda", verb], &producer.arn.options()[..], rest].concat());
    let grant = |statement: &str| {
        let who = ["--statement-id", statement, "--action", "lambda:InvokeFunction", "--principal", COGNITO];
        let whose = ["--source-arn", &pool.arn, "--source-account", account];
        of("add-permission", &[&who[..], &whose].concat())
    };
    let own = statement_id(&pool.id);
    Ok(match right {
        InvokeRight::There { statement, is_narrow: true } => {
            Judgement::sound(format!("Cognito may invoke it for this pool (statement {statement})"))
        }
        InvokeRight::There { statement, is_narrow: false } => {
            let remove = of("remove-permission", &["--statement-id", &statement]);
            // The pool keeps its right all the while, unless the one statement must make room for the other.
            let (first, then) = if statement == own { (remove, grant(&own)) } else { (grant(&own), remove) };
            Judgement::wrong(
                format!("Cognito may invoke it for other pools too (statement {statement})"),
                Remedy::by("grant it to this pool alone", format!("{first} && {then}")),
            )
        }
        InvokeRight::Missing => Judgement::wrong(
            "Cognito may not invoke it for this pool: every SMS fails",
            Remedy::by("grant it to this pool", grant(&own)),
        ),
        InvokeRight::Denied { statement } => Judgement::wrong(
            format!("statement {statement} of its policy denies Cognito to invoke it: every SMS fails"),
            Remedy::by_hand("take that statement away"),
        ),
        InvokeRight::Unreadable => Judgement::unknown(
            "its policy is none that this version can read",
            Remedy::by_hand("look at it: aws lambda get-policy"),
        ),
    })
}

pub(super) fn retries(readings: &Readings) -> Reading<Judgement> {
    let producer = known(&readings.producer)?;
    let asynchronous = known(&readings.async_invocation)?;
    let remedy = |sentence: &str| Remedy::by(sentence, put(readings, producer));
    let Some(asynchronous) = asynchronous else {
        let found = "no settings for asynchronous invocation: events are kept for 6 hours";
        return Ok(Judgement::warning(found, remedy("repeat for three minutes: a sign-in code lives no longer")));
    };
    let (retries, age) = (asynchronous.retries, asynchronous.most_age_seconds);
    let found = format!("{retries} retries, for at most {age} s");
    Ok(if retries < RETRIES {
        Judgement::warning(found, remedy("let Lambda repeat it twice: SQS may be out of reach for a minute"))
    } else if age > BEARABLE_AGE_SECONDS {
        Judgement::warning(found, remedy("repeat for three minutes: a sign-in code lives no longer"))
    } else if age < MOST_AGE_SECONDS {
        Judgement::warning(found, remedy("repeat for three minutes: the second retry comes after three"))
    } else {
        Judgement::sound(found)
    })
}

pub(super) fn destination(readings: &Readings) -> Reading<Judgement> {
    let producer = known(&readings.producer)?;
    let asynchronous = known(&readings.async_invocation)?;
    let to = asynchronous.as_ref().and_then(|it| it.on_failure.as_deref());
    let Some(to) = to else {
        let found = "no OnFailure destination: events that the producer fails on are lost";
        let remedy = match of_stack(readings, producer) {
            Some(_) => Remedy::by("send them to the stack's queue", put(readings, producer)),
            None => Remedy::by_hand("give it an SQS queue as OnFailure destination, which its role may send to"),
        };
        return Ok(Judgement::wrong(found, remedy));
    };
    Ok(Judgement::sound(format!("OnFailure is {to}")))
}

pub(super) fn classic_dead_letters(readings: &Readings) -> Reading<Judgement> {
    let producer = known(&readings.producer)?;
    let Some(target) = &producer.dead_letter_target else {
        return Ok(Judgement::sound("no DeadLetterConfig besides the OnFailure destination"));
    };
    let found = format!("DeadLetterConfig names {}: failed events are written there too", name_of_arn(target));
    let sentence = "take it away: `sealpost dlq` reads the OnFailure destination's records only".to_owned();
    let remedy = super::function::update(readings, producer, sentence, &["--dead-letter-config", "TargetArn="]);
    Ok(Judgement::warning(found, remedy))
}

/// Sets all of it, since what is left out is removed; the destination as it is, or else the stack's.
fn put(readings: &Readings, producer: &Function) -> String {
    let asynchronous = readings.async_invocation.as_ref().ok().and_then(Option::as_ref);
    let to = asynchronous.and_then(|it| it.on_failure.clone()).or_else(|| of_stack(readings, producer));
    let destination = to.map(|to| serde_json::json!({ "OnFailure": { "Destination": to } }).to_string());
    let (retries, age) = (RETRIES.to_string(), MOST_AGE_SECONDS.to_string());
    let mut words = vec!["lambda", "put-function-event-invoke-config"];
    words.extend(producer.arn.options());
    words.extend(["--maximum-retry-attempts", &retries, "--maximum-event-age-in-seconds", &age]);
    if let Some(destination) = &destination {
        words.extend(["--destination-config", destination]);
    }
    readings.command_line.aws(&words)
}

/// The ARN of the stack's queue for failed invocations.
fn of_stack(readings: &Readings, producer: &Function) -> Option<String> {
    let url = readings.output(FAILED_INVOCATIONS_QUEUE_URL)?;
    end_of_arn(url).map(|end| producer.arn.of_other_service("sqs", &end))
}
