//! What `sealpost switch` prints.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::json;
use shared::{Timestamp, rfc3339_millis};
use worker::{Switch, Switches};

/// Everything that is off.
pub(super) fn switches(switches: &Switches, now: Timestamp, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        let off = switches.0.iter().map(|(switch, off)| {
            let since = off.since.map(rfc3339_millis);
            json!({ "switch": switch.to_string(), "since": since, "by": off.by, "because": off.because })
        });
        return writeln!(out, "{}", json!({ "off": off.collect::<Vec<_>>() }));
    }
    if switches.0.is_empty() {
        return writeln!(out, "nothing is switched off");
    }
    for (switch, off) in &switches.0 {
        match off.since {
            Some(since) => {
                let minutes = now.duration_since(since).as_mins().max(0);
                write!(out, "{switch} is off since {since:.0} ({minutes} min)")?;
            }
            None => write!(out, "{switch} is off, nobody knows since when")?,
        }
        if let Some(by) = &off.by {
            write!(out, ", by {by}")?;
        }
        match &off.because {
            Some(because) => writeln!(out, ": {because}")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

/// What was changed, or would be.
pub(super) struct Change<'c> {
    pub(super) switch: &'c Switch,
    pub(super) is_off: bool,
    pub(super) is_changed: bool,
    pub(super) is_done: bool,
}

impl Change<'_> {
    pub(super) fn show(&self, within: Duration, json: bool, out: &mut impl Write) -> io::Result<()> {
        let Self { switch, is_off, is_changed, is_done } = self;
        if json {
            let change = json!({
                "switch": switch.to_string(), "off": is_off, "changes": is_changed, "done": *is_done && *is_changed,
            });
            return writeln!(out, "{change}");
        }
        let state = if *is_off { "off" } else { "on" };
        let seconds = within.as_secs();
        match (is_changed, is_done) {
            (false, _) => writeln!(out, "{switch} is {state} already"),
            (true, true) => writeln!(out, "{switch} is {state}; workers follow within {seconds} seconds"),
            (true, false) => writeln!(
                out,
                "{switch} would be switched {state}; workers would follow within {seconds} seconds\n\
                 nothing is done yet: say it again with --yes"
            ),
        }
    }
}
