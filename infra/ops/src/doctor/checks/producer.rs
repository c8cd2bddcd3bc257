//! The producer's function.

use super::super::finding::{Judgement, Remedy, counted};
use super::super::reading::{Reading, Readings, is_same_queue, known};
use super::function;
use crate::stack::QUEUE_URL;

/// It gives up on SQS after 2.5 seconds, and has to start before.
const LEAST_TIMEOUT_SECONDS: u64 = 3;
const TIMEOUT_SECONDS: u64 = 5;
/// README, "Memory sizes".
const MEMORY_MB: u64 = 256;

pub(super) fn state(readings: &Readings) -> Reading<Judgement> {
    function::state(&readings.producer)
}

pub(super) fn runtime(readings: &Readings) -> Reading<Judgement> {
    function::runtime(readings, &readings.producer)
}

pub(super) fn memory(readings: &Readings) -> Reading<Judgement> {
    function::memory(readings, &readings.producer, MEMORY_MB)
}

pub(super) fn timeout(readings: &Readings) -> Reading<Judgement> {
    let producer = known(&readings.producer)?;
    let found = counted(producer.timeout_seconds, "second");
    if producer.timeout_seconds >= TIMEOUT_SECONDS {
        return Ok(Judgement::sound(found));
    }
    let sentence =
        format!("it gives up on SQS after 2.5 seconds, and must be able to say so: {TIMEOUT_SECONDS} seconds");
    let remedy = function::update(readings, producer, sentence, &["--timeout", &TIMEOUT_SECONDS.to_string()]);
    Ok(if producer.timeout_seconds < LEAST_TIMEOUT_SECONDS {
        Judgement::wrong(found, remedy)
    } else {
        Judgement::warning(found, remedy)
    })
}

/// Reserved concurrency 0 sends every event to where failed ones go.
pub(super) fn concurrency(readings: &Readings) -> Reading<Judgement> {
    let reserved = known(&readings.producer_concurrency)?;
    let producer = known(&readings.producer)?;
    Ok(match reserved {
        None => Judgement::sound("not limited"),
        Some(0) => {
            let delete = ["lambda", "delete-function-concurrency", "--function-name", &producer.arn.name];
            let command = readings.command_line.aws(&delete);
            Judgement::wrong("reserved concurrency is 0: it never runs", Remedy::by("take the limit away", command))
        }
        Some(reserved) => Judgement::sound(format!("at most {reserved} at once")),
    })
}

pub(super) fn environment(readings: &Readings) -> Reading<Judgement> {
    let producer = known(&readings.producer)?;
    let environment = producer.variables.environment();
    let of_stack = readings.output(QUEUE_URL);
    let put_back = |sentence: &str| match of_stack {
        Some(url) => function::set(readings, producer, sentence, &[("QUEUE_URL", url)]),
        None => Remedy::by_hand("set QUEUE_URL to the main queue's URL"),
    };
    let url = match environment.queue_url("QUEUE_URL") {
        Ok(url) => url,
        Err(fault) => return Ok(Judgement::wrong(fault.to_string(), put_back("set it, as the stack has it"))),
    };
    if let Some(other) = of_stack.filter(|of_stack| !is_same_queue(of_stack, &url)) {
        let found = format!("QUEUE_URL is {url}, and the stack's queue {other}");
        return Ok(Judgement::wrong(found, put_back("send to the stack's queue")));
    }
    if let Err(fault) = environment.metrics_namespace() {
        let remedy = function::set(readings, producer, "set it to the default", &[("METRICS_NAMESPACE", "Sealpost")]);
        return Ok(Judgement::wrong(fault.to_string(), remedy));
    }
    Ok(Judgement::sound(format!("it sends to {url}")))
}

pub(super) fn pool(readings: &Readings) -> Reading<Judgement> {
    function::pool(readings, &readings.producer)
}
