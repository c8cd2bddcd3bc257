//! Where dead letters and failed invocations wait.

use serde_json::json;

use super::super::finding::{Judgement, Remedy, long};
use super::super::reading::{Queue, Reading, Readings, SourcesAllowed, name_of_arn};
use super::queue::{encrypted, set};

/// The longest that SQS keeps messages.
const DAYS: u64 = 14;
const DAY_SECONDS: u64 = 24 * 60 * 60;

pub(super) fn queue(readings: &Readings) -> Reading<Judgement> {
    let queue = match &readings.dead_letters {
        Ok(queue) => queue,
        Err(unread) if unread.is_not_there() => {
            let remedy =
                "make it anew (a standard queue that keeps messages for 14 days), or correct DEAD_LETTER_QUEUE_URL";
            return Ok(Judgement::wrong(unread.to_string(), Remedy::by_hand(remedy)));
        }
        Err(unread) => return Err(unread.clone()),
    };
    if let Ok(main) = &readings.queue {
        let is_allowed = match &queue.sources {
            SourcesAllowed::All => true,
            SourcesAllowed::None => false,
            SourcesAllowed::These(arns) => arns.contains(&main.arn),
        };
        if !is_allowed {
            let policy = json!({ "redrivePermission": "byQueue", "sourceQueueArns": [main.arn] });
            let attributes = json!({ "RedriveAllowPolicy": policy.to_string() });
            let found = format!("its RedriveAllowPolicy does not name {}", name_of_arn(&main.arn));
            return Ok(Judgement::wrong(found, set(readings, queue, "let SQS move messages there", &attributes)));
        }
        if main.retention_seconds >= queue.retention_seconds {
            return Ok(Judgement::wrong(kept(queue), keep(readings, queue)));
        }
    }
    if let Some(redrive) = &queue.redrive {
        let found = format!("it has a redrive policy itself, to {}", name_of_arn(&redrive.target_arn));
        let sentence = "take it away: looking at dead letters would move them";
        return Ok(Judgement::wrong(found, set(readings, queue, sentence, &json!({ "RedrivePolicy": "" }))));
    }
    Ok(for_what_failed(readings, queue))
}

pub(super) fn failed_invocations(readings: &Readings) -> Reading<Judgement> {
    let queue = match &readings.failed_invocations {
        Ok(queue) => queue,
        Err(unread) if unread.is_not_there() => {
            let remedy = "make it anew, or give the producer another OnFailure destination: what it fails on is lost";
            return Ok(Judgement::wrong(unread.to_string(), Remedy::by_hand(remedy)));
        }
        Err(unread) => return Err(unread.clone()),
    };
    if queue.is_fifo {
        let remedy = Remedy::by_hand("use a standard queue: Lambda writes to no FIFO queue");
        return Ok(Judgement::wrong(format!("{} is a FIFO queue", queue.arn), remedy));
    }
    Ok(for_what_failed(readings, queue))
}

/// Long enough kept, and encrypted.
fn for_what_failed(readings: &Readings, queue: &Queue) -> Judgement {
    if queue.retention_seconds < DAYS * DAY_SECONDS {
        return Judgement::warning(kept(queue), keep(readings, queue));
    }
    let encrypted = encrypted(readings, queue);
    if encrypted.verdict.remedy().is_some() {
        return encrypted;
    }
    Judgement::sound(format!("{}, {}", kept(queue), encrypted.found))
}

fn kept(queue: &Queue) -> String {
    format!("{} keeps messages for {}", name_of_arn(&queue.arn), long(queue.retention_seconds))
}

fn keep(readings: &Readings, queue: &Queue) -> Remedy {
    let attributes = json!({ "MessageRetentionPeriod": (DAYS * DAY_SECONDS).to_string() });
    set(
        readings,
        queue,
        "keep them for 14 days: what is older is gone, and time counts from the first queue",
        &attributes,
    )
}
