//! What operators have switched off.

use worker::{Country, PlannedNumber, SWITCHES_ARE_READ_EVERY, Switch};

use crate::history::History;
use crate::plan::Millis;
use crate::providers::NAMES;
use crate::table_call::{Asked, Did};
use crate::trace::{Event, Who};

/// The longest call to the table, and what else may lie between reading the switches and having a message.
const TIME_TO_READ: Millis = 1_500;

/// No message is sent by whom its receiver knew to be switched off when it got it, and whoever sends has asked.
pub(crate) fn nothing_is_sent_that_is_switched_off(history: &History) -> Result<(), String> {
    if !history.plan.has_table {
        return Ok(());
    }
    let fresh = u64::try_from(SWITCHES_ARE_READ_EVERY.as_millis()).expect("seconds") + TIME_TO_READ;
    for (index, entry) in history.trace.iter().enumerate() {
        let Event::AttemptBegun { who, message, provider, .. } = &entry.event else { continue };
        let handed = history.handed(*message, *who, index).ok_or("a message was tried that nobody had")?;
        if !history.asked_for_switches(*who, index).any(|(asked, _)| asked + fresh >= handed.at) {
            return Err(format!("message {message} was tried at {} ms, and the switches were not read", entry.at));
        }
        let readings: Vec<_> = history.asked_for_switches(*who, index).filter(|(_, off)| off.is_some()).collect();
        // From the last one before the message was received.
        let first = readings.iter().rposition(|(at, _)| *at < handed.at).unwrap_or(readings.len());
        let off = |switch: &Switch| {
            let switch = switch.to_string();
            first < readings.len()
                && readings[first..].iter().all(|(_, off)| off.is_some_and(|off| off.contains(&switch)))
        };
        let mut switches = vec![Switch::Everything, Switch::Provider(NAMES[*provider].to_owned())];
        switches.extend(history.country_of(*message).map(Switch::Country));
        if let Some(switch) = switches.iter().find(|switch| off(switch)) {
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

    /// Whether this life knew the switch to be thrown at some time since the message last came to it.
    pub(super) fn is_known_to_be_off(&self, switch: &Switch, who: Who, message: u32, before: usize) -> bool {
        let handed = self.handed(message, who, before).map_or(0, |handed| handed.at);
        let readings: Vec<_> = self.asked_for_switches(who, before).filter(|(_, off)| off.is_some()).collect();
        let first = readings.iter().rposition(|(at, _)| *at <= handed).unwrap_or_default();
        readings[first..].iter().any(|(_, off)| off.is_some_and(|off| off.contains(&switch.to_string())))
    }

    pub(super) fn country_of(&self, message: u32) -> Option<Country> {
        let number = shared::PhoneNumber::parse(&self.letters[&message].to).ok()?;
        PlannedNumber::find(&number).ok().map(|number| number.country)
    }
}
