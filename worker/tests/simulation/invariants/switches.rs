//! What operators have switched off.

use shared::PhoneNumber;
use worker::{Country, PlannedNumber, SWITCHES_ARE_READ_EVERY, Switch};

use crate::history::History;
use crate::plan::{Millis, millis};
use crate::providers::NAMES;
use crate::table_call::{Asked, Did};
use crate::trace::{Event, Who};

/// The longest call to the table, and what else may lie between reading the switches and having a message.
const TIME_TO_READ: Millis = 1_500;

/// Whoever sends has asked lately what is off, and sends nothing that was off when it got the message.
pub(crate) fn nothing_is_sent_that_is_switched_off(history: &History) -> Result<(), String> {
    if !history.plan.has_table {
        return Ok(());
    }
    for (index, entry) in history.trace.iter().enumerate() {
        let Event::AttemptBegun { who, message, provider, .. } = &entry.event else { continue };
        let handed = history.handed(*message, *who, index).ok_or("a message was tried that nobody had")?;
        let is_fresh = |asked: Millis| asked + millis(SWITCHES_ARE_READ_EVERY) + TIME_TO_READ >= handed.at;
        if !history.asked_for_switches(*who, index).any(|(asked, _)| is_fresh(asked)) {
            return Err(format!("message {message} was tried at {} ms, and the switches were not read", entry.at));
        }
        let readings = history.readings(*who, *message, index);
        let is_off =
            |switch: &Switch| !readings.is_empty() && readings.iter().all(|off| off.contains(&switch.to_string()));
        let mut switches = vec![Switch::Everything, Switch::Provider(NAMES[*provider].to_owned())];
        switches.extend(history.country_of(*message).map(Switch::Country));
        if let Some(switch) = switches.iter().find(|switch| is_off(switch)) {
            return Err(format!("message {message} was tried at {} ms, though {switch} was off", entry.at));
        }
    }
    Ok(())
}

impl History {
    /// When this life asked what is off, and what it was told.
    pub(super) fn asked_for_switches(
        &self,
        who: Who,
        before: usize,
    ) -> impl Iterator<Item = (Millis, Option<&Vec<String>>)> {
        self.trace[..before].iter().filter_map(move |entry| {
            let Event::Table(call) = &entry.event else { return None };
            let off = if let (true, Some(Did::Read(off))) = (call.is_heard, &call.did) { Some(off) } else { None };
            (call.who == who && call.asked == Asked::Switches).then_some((entry.at, off))
        })
    }

    /// What this life may have gone by in its work on the message: from the last reading on before it got it.
    fn readings(&self, who: Who, message: u32, before: usize) -> Vec<&Vec<String>> {
        let handed = self.handed(message, who, before).map_or(0, |handed| handed.at);
        let readings = self.asked_for_switches(who, before).filter_map(|(at, off)| Some((at, off?)));
        let readings: Vec<_> = readings.collect();
        let first = readings.iter().rposition(|(at, _)| *at < handed).unwrap_or_default();
        readings[first..].iter().map(|(_, off)| *off).collect()
    }

    /// Whether this life may have gone by the switch in its work on the message.
    pub(super) fn knows_to_be_off(&self, switch: &Switch, who: Who, message: u32, before: usize) -> bool {
        self.readings(who, message, before).iter().any(|off| off.contains(&switch.to_string()))
    }

    pub(super) fn country_of(&self, message: u32) -> Option<Country> {
        let number = PhoneNumber::parse(&self.letters[&message].to).ok()?;
        PlannedNumber::find(&number).ok().map(|number| number.country)
    }
}
