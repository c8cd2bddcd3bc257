//! The configuration file, the secret that it reads, and the providers that it names.

use std::collections::BTreeSet;

use shared::settings::Faults;
use worker::config::File;

use super::super::finding::{Judgement, Remedy, counted};
use super::super::reading::{Configuration, NotNamed, Reading, Readings, Unread, known};
use super::function;
use crate::stack::PROVIDER_SECRET_ARN;

fn configuration(readings: &Readings) -> Reading<&Configuration> {
    readings.configuration.as_ref().ok_or(Unread::NotNamed(NotNamed::Configuration))
}

/// What the file says, if it has no fault.
pub(super) fn sound_file(readings: &Readings) -> Reading<&File> {
    configuration(readings)?.checked.file.as_ref().map_err(|_| Unread::NotNamed(NotNamed::SoundConfiguration))
}

pub(super) fn file(readings: &Readings) -> Reading<Judgement> {
    let configuration = configuration(readings)?;
    let path = configuration.path.display();
    let file = match &configuration.checked.file {
        Ok(file) => file,
        Err(faults) => {
            let found = format!("{path}: {}", listed(faults));
            return Ok(Judgement::wrong(
                found,
                Remedy::by_hand("correct it, and deploy it: the worker does not start"),
            ));
        }
    };
    let providers: Vec<_> = file.providers.iter().map(|provider| provider.name()).collect();
    let needed = &configuration.checked.needed;
    let needed: Vec<_> = needed.secret.iter().chain(&needed.environment).map(String::as_str).collect();
    let needs = if needed.is_empty() { String::new() } else { format!(", and needs {}", needed.join(", ")) };
    Ok(Judgement::sound(format!("{path} names {}{needs}", providers.join(", "))))
}

/// The secret by itself: it is there, and has the shape.
pub(super) fn secret(readings: &Readings) -> Reading<Judgement> {
    let secret = match &readings.secret {
        Ok(Some(secret)) => secret,
        Ok(None) if is_offline(readings) => return Ok(Judgement::sound("nothing in the configuration asks for it")),
        Ok(None) => return Ok(no_secret(readings)),
        Err(unread) if unread.is_not_there() => {
            let remedy =
                "make it (README, \"Deploy\", step 4), or correct PROVIDER_SECRET_ARN: the worker does not start";
            return Ok(Judgement::wrong(unread.to_string(), Remedy::by_hand(remedy)));
        }
        Err(unread) => return Err(unread.clone()),
    };
    Ok(match &secret.members {
        Ok(members) => Judgement::sound(format!("a JSON object of {}", counted(members.count() as u64, "text"))),
        Err(error) => {
            let remedy = "put a JSON object of texts into it (README, \"Deploy\", step 4): the worker does not start";
            Judgement::wrong(error.to_string(), Remedy::by_hand(remedy))
        }
    })
}

/// Then nothing is known of the worker.
fn is_offline(readings: &Readings) -> bool {
    matches!(readings.worker, Err(Unread::NotNamed(NotNamed::Offline)))
}

fn no_secret(readings: &Readings) -> Judgement {
    let needs = sound_file(readings).is_ok()
        && readings.configuration.as_ref().is_some_and(|configuration| !configuration.checked.needed.secret.is_empty());
    if !needs {
        return Judgement::sound("PROVIDER_SECRET_ARN is not set, and nothing asks for it");
    }
    let of_stack = readings.output(PROVIDER_SECRET_ARN);
    let remedy = match (of_stack, &readings.worker) {
        (Some(arn), Ok(worker)) => {
            function::set(readings, worker, "name the stack's secret", &[("PROVIDER_SECRET_ARN", arn)])
        }
        (_, _) => Remedy::by_hand("set PROVIDER_SECRET_ARN of the worker to the secret's ARN"),
    };
    Judgement::wrong("PROVIDER_SECRET_ARN is not set, and the configuration names members of a secret", remedy)
}

/// Whether the worker would start with this file, its own environment and its own secret.
pub(super) fn start(readings: &Readings) -> Reading<Judgement> {
    let configuration = configuration(readings)?;
    if sound_file(readings)?.limits.lacks_number_key() && matches!(readings.table, Ok(Some(_))) {
        let remedy = "write number_key = \"${secret:NUMBER_KEY}\" under [limits], or per_number = \"off\", and deploy it: the \
            worker does not start";
        let found = "STATE_TABLE is set, and there is no number_key in [limits]";
        return Ok(Judgement::wrong(found, Remedy::by_hand(remedy)));
    }
    let needed = &configuration.checked.needed;
    let listed_names =
        |names: &[&BTreeSet<String>]| names.iter().copied().flatten().cloned().collect::<Vec<_>>().join(", ");
    let (looked_at, elsewhere) = match is_offline(readings) {
        true => (listed_names(&[&needed.secret]), listed_names(&[&needed.environment])),
        false => (listed_names(&[&needed.secret, &needed.environment]), String::new()),
    };
    let at_worker = known(&configuration.at_worker)?;
    Ok(match at_worker {
        Ok(()) => Judgement::sound(match (looked_at.as_str(), elsewhere.as_str()) {
            ("", "") => "the file needs nothing from outside".to_owned(),
            (names, "") => format!("{names} are there"),
            ("", names) => format!("the worker's environment must have {names}"),
            (names, others) => format!("{names} are there; the worker's environment must have {others}"),
        }),
        Err(faults) => {
            let remedy = "add them to the secret (README, \"Deploy\", step 4) or to the worker's environment: the worker \
                does not start";
            Judgement::wrong(listed(faults), Remedy::by_hand(remedy))
        }
    })
}

/// Whether each provider answers, from here: the network of the functions may be another one.
pub(super) fn providers(readings: &Readings) -> Reading<Judgement> {
    let reached = known(&readings.providers)?;
    let failed: Vec<_> = reached
        .iter()
        .filter_map(|one| Some(format!("{} at {} ({})", one.name, one.base_url, one.failure.as_ref()?)))
        .collect();
    if !failed.is_empty() {
        let remedy = "correct base_url, or let HTTPS out; if only this machine is kept from it, look from another one";
        return Ok(Judgement::wrong(format!("not reached from here: {}", failed.join(", ")), Remedy::by_hand(remedy)));
    }
    let names: Vec<_> = reached.iter().map(|one| one.name.as_str()).collect();
    Ok(Judgement::sound(format!("reached from here: {}", names.join(", "))))
}

/// Faults name places and keys, never values.
fn listed(faults: &Faults) -> String {
    faults.to_string().lines().collect::<Vec<_>>().join("; ")
}
