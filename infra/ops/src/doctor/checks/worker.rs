//! The worker's function.

use worker::config::{self, key_arns, provider_secret_arn, state_table};

use super::super::finding::{Judgement, Remedy, counted};
use super::super::reading::{Reading, Readings, is_same_queue, known, url_beside};
use super::function;
use crate::stack::{DEAD_LETTER_QUEUE_URL, PROVIDER_SECRET_ARN, STATE_TABLE, TRUSTED_SENDER_IDS};

/// As in the template: it stops 3 seconds before, and a provider has 8.
const TIMEOUT_SECONDS: u64 = 20;
/// Less than a provider's own timeout and the time to settle.
const LEAST_TIMEOUT_SECONDS: u64 = 12;
/// README, "Memory sizes".
const MEMORY_MB: u64 = 512;

pub(super) fn state(readings: &Readings) -> Reading<Judgement> {
    function::state(&readings.worker)
}

pub(super) fn runtime(readings: &Readings) -> Reading<Judgement> {
    function::runtime(readings, &readings.worker)
}

pub(super) fn memory(readings: &Readings) -> Reading<Judgement> {
    function::memory(readings, &readings.worker, MEMORY_MB)
}

pub(super) fn timeout(readings: &Readings) -> Reading<Judgement> {
    let worker = known(&readings.worker)?;
    let found = counted(worker.timeout_seconds, "second");
    if worker.timeout_seconds >= TIMEOUT_SECONDS {
        return Ok(Judgement::sound(found));
    }
    let sentence =
        format!("a provider has 8 seconds, a second one too, and settling needs 3: {TIMEOUT_SECONDS} seconds");
    let remedy = function::update(readings, worker, sentence, &["--timeout", &TIMEOUT_SECONDS.to_string()]);
    Ok(if worker.timeout_seconds < LEAST_TIMEOUT_SECONDS {
        Judgement::wrong(found, remedy)
    } else {
        Judgement::warning(found, remedy)
    })
}

/// What hinders its start. The keys, the queue and the pool have checks of their own.
pub(super) fn environment(readings: &Readings) -> Reading<Judgement> {
    let worker = known(&readings.worker)?;
    let environment = worker.variables.environment();
    let faults = [
        environment.queue_url("DEAD_LETTER_QUEUE_URL").err(),
        state_table(&environment).err(),
        provider_secret_arn(&environment).err(),
        environment.metrics_namespace().err(),
    ];
    let faults: Vec<_> = faults.into_iter().flatten().collect();
    if faults.is_empty() {
        return Ok(Judgement::sound("DEAD_LETTER_QUEUE_URL, STATE_TABLE and PROVIDER_SECRET_ARN are well-formed"));
    }
    let found = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let right: Option<Vec<_>> =
        faults.iter().map(|fault| Some((fault.variable, right_value(readings, fault.variable)?))).collect();
    let remedy = match right {
        Some(right) => {
            let right: Vec<_> = right.iter().map(|(variable, value)| (*variable, value.as_str())).collect();
            function::set(readings, worker, "set it as it should be: the worker does not start", &right)
        }
        None => Remedy::by_hand("correct it in the worker's environment: the worker does not start"),
    };
    Ok(Judgement::wrong(found, remedy))
}

/// What a variable should be, where that is known from elsewhere.
fn right_value(readings: &Readings, variable: &str) -> Option<String> {
    let of_stack = |output: &str| readings.output(output).map(str::to_owned);
    match variable {
        "DEAD_LETTER_QUEUE_URL" => of_stack(DEAD_LETTER_QUEUE_URL).or_else(|| {
            let queue = readings.queue.as_ref().ok()?;
            url_beside(&queue.url, &queue.redrive.as_ref()?.target_arn)
        }),
        "STATE_TABLE" => of_stack(STATE_TABLE),
        "PROVIDER_SECRET_ARN" => of_stack(PROVIDER_SECRET_ARN),
        "METRICS_NAMESPACE" => Some("Sealpost".to_owned()),
        _ => None,
    }
}

pub(super) fn queue(readings: &Readings) -> Reading<Judgement> {
    let worker = known(&readings.worker)?;
    let queue = known(&readings.queue)?;
    let remedy = || {
        let to = [("QUEUE_URL", queue.url.as_str())];
        function::set(readings, worker, "name the queue that it receives from: it postpones messages there", &to)
    };
    Ok(match worker.variables.environment().queue_url("QUEUE_URL") {
        Err(fault) => Judgement::wrong(fault.to_string(), remedy()),
        Ok(url) if is_same_queue(&url, &queue.url) => Judgement::sound("QUEUE_URL is the producer's queue"),
        Ok(url) => Judgement::wrong(format!("QUEUE_URL is {url}, the producer's {}", queue.url), remedy()),
    })
}

pub(super) fn keys(readings: &Readings) -> Reading<Judgement> {
    let worker = known(&readings.worker)?;
    let key = known(&readings.key)?.arn.as_str();
    let remedy = |keys: &str| {
        let sentence = "let the worker know the pool's key: its codes are dead letters at once (undecryptable)";
        function::set(readings, worker, sentence, &[("KMS_KEY_ARNS", keys)])
    };
    Ok(match key_arns(&worker.variables.environment()) {
        Err(fault) => Judgement::wrong(fault.to_string(), remedy(key)),
        Ok(keys) if keys.iter().any(|one| one.as_str() == key) => Judgement::sound("KMS_KEY_ARNS holds the pool's key"),
        Ok(keys) => {
            let all: Vec<_> = keys.iter().map(|one| one.as_str()).chain([key]).collect();
            Judgement::wrong("KMS_KEY_ARNS does not hold the pool's key", remedy(&all.join(",")))
        }
    })
}

pub(super) fn pool(readings: &Readings) -> Reading<Judgement> {
    function::pool(readings, &readings.worker)
}

pub(super) fn trusted_senders(readings: &Readings) -> Reading<Judgement> {
    let worker = known(&readings.worker)?;
    let of_stack = readings.output(TRUSTED_SENDER_IDS);
    // Producer, worker, redrive: the worker itself sends nothing to the main queue.
    let roles = of_stack.map(|ids| ids.split(',').collect::<Vec<_>>());
    let roles = roles
        .as_deref()
        .and_then(|ids| if let [producer, _, redrive] = ids { Some((producer, redrive)) } else { None });
    let remedy = |sentence: &str| match roles {
        Some((producer, redrive)) => {
            function::set(readings, worker, sentence, &[("TRUSTED_SENDER_IDS", &format!("{producer},{redrive}"))])
        }
        None => Remedy::by_hand(format!(
            "{sentence}: set TRUSTED_SENDER_IDS to the unique ids of the producer's and the redrive role \
             (aws iam get-role --query Role.RoleId)"
        )),
    };
    let Some(trusted) = trusted_senders_of(readings)? else {
        let found = "TRUSTED_SENDER_IDS is not set: whoever may send to the queue is believed";
        return Ok(Judgement::warning(found, remedy("trust the producer and the redrive role only")));
    };
    if let Some((producer, _)) = roles.filter(|(producer, _)| !trusted.contains(**producer)) {
        let found = format!("TRUSTED_SENDER_IDS does not hold {producer}, the producer's role: nothing is sent");
        return Ok(Judgement::wrong(found, remedy("trust the producer's role as it is now")));
    }
    Ok(Judgement::sound(format!("{} may have written a message", counted(trusted.len() as u64, "role"))))
}

/// Whom the worker believes, if not everybody.
pub(super) fn trusted_senders_of(readings: &Readings) -> Reading<Option<std::collections::BTreeSet<String>>> {
    let worker = known(&readings.worker)?;
    Ok(config::trusted_senders(&worker.variables.environment()))
}
