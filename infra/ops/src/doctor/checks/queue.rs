//! The main queue.

use serde_json::{Value, json};
use shared::MAX_EVENT_BYTES;
use worker::{LEASE_MARGIN, RetrySettings, max_receive_count};

use super::super::finding::{Judgement, Remedy, counted};
use super::super::reading::{Queue, Reading, Readings, known, name_of_arn};

/// Beyond it, what a killed worker held would wait for long.
const LONGEST_VISIBILITY_SECONDS: u64 = 120;

/// Changes attributes of a queue.
pub(super) fn set(readings: &Readings, queue: &Queue, sentence: impl Into<String>, attributes: &Value) -> Remedy {
    let words = ["sqs", "set-queue-attributes", "--queue-url", &queue.url, "--attributes", &attributes.to_string()];
    Remedy::by(sentence, readings.command_line.aws(&words))
}

pub(super) fn is_the_one(readings: &Readings) -> Reading<Judgement> {
    let queue = match &readings.queue {
        Ok(queue) => queue,
        Err(unread) if unread.is_not_there() => {
            let remedy = "deploy the stack, or correct QUEUE_URL of producer and worker";
            return Ok(Judgement::wrong(unread.to_string(), Remedy::by_hand(remedy)));
        }
        Err(unread) => return Err(unread.clone()),
    };
    if queue.is_fifo {
        let remedy = "use a standard queue: the producer cannot send to a FIFO queue";
        return Ok(Judgement::wrong(format!("{} is a FIFO queue", queue.arn), Remedy::by_hand(remedy)));
    }
    Ok(Judgement::sound(queue.arn.clone()))
}

pub(super) fn encryption(readings: &Readings) -> Reading<Judgement> {
    let queue = known(&readings.queue)?;
    Ok(encrypted(readings, queue))
}

/// Whether a queue is encrypted, and so that it can be written to.
pub(super) fn encrypted(readings: &Readings, queue: &Queue) -> Judgement {
    let own = json!({ "SqsManagedSseEnabled": "true" });
    match (&queue.kms_key, queue.has_own_encryption) {
        (Some(key), _) => {
            let found = format!("SSE-KMS with {key}");
            let sentence =
                "use SSE-SQS: with SSE-KMS each role needs rights on that key, and KMS can refuse for too many calls";
            let attributes = json!({ "KmsMasterKeyId": "", "SqsManagedSseEnabled": "true" });
            Judgement::warning(found, set(readings, queue, sentence, &attributes))
        }
        (None, true) => Judgement::sound("SSE-SQS"),
        (None, false) => {
            let remedy = set(readings, queue, "encrypt it: numbers and attributes lie there in clear", &own);
            Judgement::wrong("not encrypted at rest", remedy)
        }
    }
}

pub(super) fn visibility(readings: &Readings) -> Reading<Judgement> {
    let queue = known(&readings.queue)?;
    let timeout = known(&readings.worker)?.timeout_seconds;
    let seconds = queue.visibility_seconds;
    let enough = timeout + LEASE_MARGIN.as_secs();
    let recommended = (enough + LEASE_MARGIN.as_secs()).to_string();
    let remedy = |sentence: String| set(readings, queue, sentence, &json!({ "VisibilityTimeout": recommended }));
    let found = format!("{}, the worker's timeout {timeout}", counted(seconds, "second"));
    Ok(if seconds <= timeout {
        Judgement::wrong(found, remedy("messages come back while they are at work: make it longer".to_owned()))
    } else if seconds < enough {
        let sentence =
            format!("make it longer than a claim's lease ({enough} s), or the next worker only waits for it");
        Judgement::warning(found, remedy(sentence))
    } else if seconds > LONGEST_VISIBILITY_SECONDS.max(enough) {
        let sentence = "make it shorter: what a killed worker held comes back that late".to_owned();
        Judgement::warning(found, remedy(sentence))
    } else {
        Judgement::sound(found)
    })
}

pub(super) fn delay(readings: &Readings) -> Reading<Judgement> {
    let queue = known(&readings.queue)?;
    let found = format!("messages are delayed by {}", counted(queue.delay_seconds, "second"));
    Ok(Judgement::sound_if(queue.delay_seconds == 0, found, || {
        set(readings, queue, "take the delay away: each code waits for it", &json!({ "DelaySeconds": "0" }))
    }))
}

pub(super) fn message_size(readings: &Readings) -> Reading<Judgement> {
    let queue = known(&readings.queue)?;
    let most = MAX_EVENT_BYTES as u64;
    let found = format!("messages of at most {} KiB", queue.most_bytes / 1024);
    let remedy = || {
        let sentence = "take all that SQS takes: users may have large attributes";
        set(readings, queue, sentence, &json!({ "MaximumMessageSize": most.to_string() }))
    };
    Ok(if queue.most_bytes >= most {
        Judgement::sound(found)
    } else if queue.most_bytes >= 64 * 1024 {
        Judgement::warning(found, remedy())
    } else {
        Judgement::wrong(found, remedy())
    })
}

/// The redrive policy: SQS's own net beneath the worker's dead letters.
pub(super) fn redrive(readings: &Readings) -> Reading<Judgement> {
    let queue = known(&readings.queue)?;
    let dead_letters = &readings.dead_letters;
    let remedy = |sentence: &str| match dead_letters {
        Ok(dead_letters) => {
            let count = queue.redrive.as_ref().map_or(0, |policy| policy.max_receive_count).max(needed(readings).0);
            set(readings, queue, sentence, &policy(&dead_letters.arn, count))
        }
        Err(_) => {
            Remedy::by_hand("give it a redrive policy to the queue that DEAD_LETTER_QUEUE_URL of the worker names")
        }
    };
    let Some(policy) = &queue.redrive else {
        return Ok(Judgement::wrong("no redrive policy", remedy("let SQS move what is received too often")));
    };
    let target = name_of_arn(&policy.target_arn);
    if let Ok(dead_letters) = dead_letters
        && dead_letters.arn != policy.target_arn
    {
        let found = format!("SQS moves to {target}, and the worker writes to {}", name_of_arn(&dead_letters.arn));
        return Ok(Judgement::wrong(found, remedy("keep all dead letters in one queue")));
    }
    if dead_letters.as_ref().is_err_and(super::super::reading::Unread::is_not_there) {
        let remedy = Remedy::by_hand("make the dead-letter queue anew, or name another one: SQS cannot move messages");
        return Ok(Judgement::wrong(format!("it goes to {target}, which is not there"), remedy));
    }
    Ok(Judgement::sound(format!("SQS moves to {target}")))
}

pub(super) fn receives(readings: &Readings) -> Reading<Judgement> {
    let queue = known(&readings.queue)?;
    let (needed, why) = needed(readings);
    let Some(redrive) = &queue.redrive else { return Ok(Judgement::sound("no redrive policy that could count")) };
    let found = format!("maxReceiveCount {}; {why} needs {needed}", redrive.max_receive_count);
    Ok(Judgement::sound_if(redrive.max_receive_count >= needed, found, || {
        let sentence = "raise it: SQS takes messages away that are still to be sent. Where the stack has made the queue, \
            deploy with MaxReceiveCount too";
        set(readings, queue, sentence, &policy(&redrive.target_arn, needed))
    }))
}

/// How many receives the retry schedule can use, and of which horizon.
fn needed(readings: &Readings) -> (u64, String) {
    let given = super::configuration::sound_file(readings).ok().map(|file| file.retry.horizon);
    let horizon = given.unwrap_or(RetrySettings::default().horizon);
    let whose = if given.is_some() { "the configuration's" } else { "the default" };
    let hours = horizon.as_secs_f64() / 3600.0;
    (u64::from(max_receive_count(horizon)), format!("{whose} horizon of {hours} h"))
}

fn policy(target_arn: &str, max_receive_count: u64) -> Value {
    let policy = json!({ "deadLetterTargetArn": target_arn, "maxReceiveCount": max_receive_count });
    json!({ "RedrivePolicy": policy.to_string() })
}
