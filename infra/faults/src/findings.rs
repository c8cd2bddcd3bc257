//! Gathers what a run has left behind, and makes the report of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use shared::{DeadLetterReason, Timestamp};
use sqs::{AttributeValue, Message};

use crate::behaviour::Behaviour;
use crate::ledger::{Death, Request};
use crate::providers::Provider;
use crate::report::{Behaved, DeadLettered, Report, in_words};
use crate::run::Plan;
use crate::secrets::Secrets;
use crate::verdict::{Letter, causes, untruth};
use crate::workers::Kind;
use crate::world::World;

/// Everything that the programs have printed.
pub(crate) struct Said {
    pub(crate) producer: String,
    pub(crate) workers: BTreeMap<Kind, String>,
}

pub(crate) fn report(
    plan: &Plan,
    world: &World,
    refused: BTreeMap<usize, String>,
    said: &Said,
    took: Duration,
) -> Report {
    let (requests, deaths) = (world.ledger.all_requests(), world.ledger.deaths());
    let messages = world.dead_letters();
    let letters: Vec<_> = messages.iter().map(|message| (world.event_of(message), letter(message))).collect();
    let queued = world.queued();
    let accepted: Vec<_> = (0..plan.events).filter(|index| !refused.contains_key(index)).collect();
    let sms = |event: usize| requests[event].iter().filter(|request| request.taken_at.is_some()).count();
    let has_letter: BTreeSet<_> = letters.iter().filter_map(|(event, _)| *event).collect();
    let is_lost = |event: &usize| sms(*event) == 0 && !has_letter.contains(event) && !queued.contains(event);
    let further: Vec<_> = accepted.iter().flat_map(|event| causes(*event, &requests[*event], &deaths)).collect();
    let untrue = letters.iter().filter_map(|(event, letter)| untrue_letter(*event, letter, &requests, &deaths));
    let killed = deaths.iter().filter(|death| death.was_killed);
    let of_kind = |name: &str| if name.starts_with('F') { "running as a function" } else { "running as a service" };
    let mut all_said = said.producer.clone();
    all_said.extend(said.workers.values().map(String::as_str));
    all_said.extend(messages.iter().flat_map(|message| texts(message)));
    let found = Secrets::of(&world.ledger.events).found_in(&all_said);
    Report {
        seed: plan.seed,
        seconds: took.as_secs_f64(),
        sent: plan.events,
        accepted: accepted.len(),
        refused: counted(refused.into_values()),
        delivered_once: accepted.iter().filter(|event| sms(**event) == 1).count(),
        delivered_twice: accepted.iter().filter(|event| sms(**event) == 2).count(),
        delivered_more_often: accepted.iter().filter(|event| sms(**event) > 2).count(),
        causes: counted(further.iter().flatten().map(|cause| in_words(*cause))),
        without_cause: further.iter().filter(|cause| cause.is_none()).count(),
        dead_lettered: dead_lettered(&letters, sms),
        untrue_letters: untrue.collect(),
        still_queued: queued.len(),
        lost: accepted.iter().filter(|event| is_lost(event)).count(),
        secrets: found.into_iter().map(|(kind, times)| (kind.to_owned(), times)).collect(),
        foreign_texts: requests.iter().flatten().filter(|request| !request.is_own_text).count(),
        killed: counted(killed.map(|death| of_kind(&death.worker).to_owned())),
        ended_by_themselves: deaths.iter().filter(|it| !it.was_killed).map(|it| it.worker.clone()).collect(),
        behaviours: behaviours(&requests),
        out_of_reach: out_of_reach(said.workers.values()),
    }
}

fn counted(all: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    all.for_each(|each| *counts.entry(each).or_default() += 1);
    counts
}

fn letter(message: &Message) -> Letter {
    let text = |name: &str| match message.attributes.get(name).map(|attribute| &attribute.value) {
        Some(AttributeValue::Text(text)) => text.as_str(),
        Some(AttributeValue::Binary(_)) | None => "",
    };
    let body: Value = serde_json::from_str(&message.body).unwrap_or_default();
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    Letter {
        reason: serde_json::from_value::<DeadLetterReason>(text("reason").into()).ok(),
        detail: text("detail").to_owned(),
        failed_at: moment(text("failed_at")),
        expires_at: body["expires_at"].as_str().and_then(moment),
    }
}

/// The attributes of a dead letter.
fn texts(message: &Message) -> impl Iterator<Item = &str> {
    message.attributes.values().flat_map(|attribute| match &attribute.value {
        AttributeValue::Text(text) => [text.as_str(), "\n"],
        AttributeValue::Binary(_) => ["", ""],
    })
}

fn untrue_letter(event: Option<usize>, letter: &Letter, requests: &[Vec<Request>], deaths: &[Death]) -> Option<String> {
    let name = letter.reason.map_or("receive_limit", DeadLetterReason::as_str);
    let Some(event) = event else { return Some(format!("{name}, of no event")) };
    let untruth = untruth(event, letter, &requests[event], deaths)?;
    Some(format!("{name}, event {event}: {untruth} (detail: {})", letter.detail))
}

fn dead_lettered(letters: &[(Option<usize>, Letter)], sms: impl Fn(usize) -> usize) -> BTreeMap<String, DeadLettered> {
    let mut by_reason: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (event, letter) in letters {
        let reason = letter.reason.map_or("receive_limit", DeadLetterReason::as_str);
        by_reason.entry(reason.to_owned()).or_default().extend(event);
    }
    let counted = |events: BTreeSet<usize>| DeadLettered {
        events: events.len(),
        arrived: events.iter().filter(|event| sms(**event) > 0).count(),
    };
    by_reason.into_iter().map(|(reason, events)| (reason, counted(events))).collect()
}

fn behaviours(requests: &[Vec<Request>]) -> Vec<Behaved> {
    let times = |behaviour| requests.iter().flatten().filter(|request| request.behaviour == behaviour).count();
    let all = [Behaviour::Accepts].into_iter().chain(Behaviour::FAULTS);
    all.map(|behaviour| Behaved { behaviour, times: times(behaviour) }).collect()
}

/// Providers that cannot be reached know nothing of it: the workers' own words must do.
fn out_of_reach<'s>(said: impl Iterator<Item = &'s String>) -> BTreeMap<String, usize> {
    let lines = said.flat_map(|said| said.lines()).filter(|line| line.contains("\"attempted\""));
    let facts = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let provider = |fact: Value| {
        let provider = Provider::named(fact["provider"].as_str()?)?;
        provider.unreachable_codes().contains(&fact["code"].as_str()?).then(|| provider.name().to_owned())
    };
    counted(facts.filter_map(provider))
}
