//! The event source mapping, by which Lambda takes messages from the queue to the worker.

use super::super::finding::{Judgement, Remedy, counted};
use super::super::reading::{Mapping, NotNamed, Reading, Readings, Unread, known};

/// As in the template.
const MAXIMUM_CONCURRENCY: u64 = 10;

/// The one that feeds the worker; of several, the first.
fn mapping(readings: &Readings) -> Reading<&Mapping> {
    let mappings = known(&readings.mappings)?;
    mappings.first().ok_or(Unread::NotNamed(NotNamed::Worker))
}

fn function(mapping: &Mapping) -> &str {
    mapping.function.as_ref().map_or("an unknown function", |function| function.name.as_str())
}

fn update(readings: &Readings, mapping: &Mapping, sentence: &str, settings: &[&str]) -> Remedy {
    let update = ["lambda", "update-event-source-mapping", "--uuid", &mapping.uuid];
    Remedy::by(sentence, readings.command_line.aws(&[&update[..], settings].concat()))
}

pub(super) fn is_the_one(readings: &Readings) -> Reading<Judgement> {
    let mappings = known(&readings.mappings)?;
    let mapping = match mappings.as_slice() {
        [] if readings.stack.is_some() => {
            let found = "no event source mapping has the queue: nothing receives from it";
            let remedy = "make it anew, as the template has it: delete and deploy the stack's Worker, or \
                `aws lambda create-event-source-mapping` with ReportBatchItemFailures";
            return Ok(Judgement::wrong(found, Remedy::by_hand(remedy)));
        }
        [] => {
            let found = "no event source mapping has the queue: the worker is a service, or there is none";
            let remedy = "see that the service runs; --worker-role-arn lets its right to the key be looked at";
            return Ok(Judgement::warning(found, Remedy::by_hand(remedy)));
        }
        [mapping] => mapping,
        several => {
            let each = several.iter().map(|mapping| format!("{} to {}", mapping.uuid, function(mapping)));
            let found = format!(
                "{} have the queue, and each takes messages from the others: {}",
                counted(several.len() as u64, "mapping"),
                each.collect::<Vec<_>>().join(", ")
            );
            // Which of them is the worker's is nothing to be guessed at.
            let delete = readings.command_line.aws(&["lambda", "delete-event-source-mapping", "--uuid", "UUID"]);
            let remedy = format!("delete those that are not the worker's: `{delete}`");
            return Ok(Judgement::wrong(found, Remedy::by_hand(remedy)));
        }
    };
    let found = format!("{}, {}", function(mapping), mapping.state);
    Ok(match mapping.state.as_str() {
        "Enabled" => Judgement::sound(found),
        "Creating" | "Enabling" | "Updating" => {
            Judgement::warning(found, Remedy::by_hand("look again when it is Enabled"))
        }
        _ => Judgement::wrong(found, update(readings, mapping, "enable it: nothing is received", &["--enabled"])),
    })
}

pub(super) fn batch_failures(readings: &Readings) -> Reading<Judgement> {
    let mapping = mapping(readings)?;
    let types = ["--function-response-types", "ReportBatchItemFailures"];
    let why = "set it: without it Lambda deletes each message that is to be tried again";
    Ok(if mapping.reports_batch_item_failures {
        Judgement::sound("ReportBatchItemFailures is set")
    } else {
        Judgement::wrong("ReportBatchItemFailures is not set", update(readings, mapping, why, &types))
    })
}

pub(super) fn window(readings: &Readings) -> Reading<Judgement> {
    let mapping = mapping(readings)?;
    let found = format!("batches wait for {}", counted(mapping.window_seconds, "second"));
    Ok(Judgement::sound_if(mapping.window_seconds == 0, found, || {
        let none = ["--maximum-batching-window-in-seconds", "0"];
        update(readings, mapping, "let no batch wait: each code would", &none)
    }))
}

pub(super) fn filter(readings: &Readings) -> Reading<Judgement> {
    let mapping = mapping(readings)?;
    let found = if mapping.filters { "there are FilterCriteria" } else { "no FilterCriteria" };
    Ok(Judgement::sound_if(!mapping.filters, found, || {
        let none = ["--filter-criteria", "{}"];
        update(readings, mapping, "take them away: Lambda deletes each message that does not match", &none)
    }))
}

pub(super) fn concurrency(readings: &Readings) -> Reading<Judgement> {
    let mapping = mapping(readings)?;
    let worker = known(&readings.worker)?;
    let reserved = known(&readings.worker_concurrency)?;
    let most = mapping.maximum_concurrency;
    let of_mapping =
        most.map_or_else(|| "no MaximumConcurrency".to_owned(), |most| format!("MaximumConcurrency {most}"));
    let of_worker = reserved.map_or_else(String::new, |reserved| format!(", reserved concurrency {reserved}"));
    let found = format!("{of_mapping}{of_worker}");
    if let Some(reserved) = reserved.filter(|reserved| *reserved == 0 || most.is_some_and(|most| *reserved < most)) {
        let name = &worker.arn.name;
        let delete = readings.command_line.aws(&["lambda", "delete-function-concurrency", "--function-name", name]);
        let sentence = if reserved == 0 {
            "take the limit away: the worker never runs, and each refusal is a lost receive"
        } else {
            "take the limit away: what it refuses are lost receives"
        };
        return Ok(Judgement::wrong(found, Remedy::by(sentence, delete)));
    }
    if most.is_none() && !mapping.is_provisioned {
        let scaling = format!("MaximumConcurrency={MAXIMUM_CONCURRENCY}");
        let sentence = "limit it: a backlog would take all of the account's concurrency, the producer's included";
        return Ok(Judgement::warning(found, update(readings, mapping, sentence, &["--scaling-config", &scaling])));
    }
    Ok(Judgement::sound(if mapping.is_provisioned { "provisioned mode".to_owned() } else { found }))
}

pub(super) fn last_result(readings: &Readings) -> Reading<Judgement> {
    let mapping = mapping(readings)?;
    let result = mapping.last_result.as_deref().unwrap_or("none yet");
    if result.to_ascii_uppercase().contains("PROBLEM") {
        let remedy = "the worker's log says why (runbook, \"WorkerFails\"): `aws logs tail` its log group";
        return Ok(Judgement::wrong(format!("its last result: {result}"), Remedy::by_hand(remedy)));
    }
    Ok(Judgement::sound(format!("its last result: {result}")))
}
