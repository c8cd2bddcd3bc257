//! What a redrive has done, on the screen and in its audit record.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use shared::{Timestamp, rfc3339_millis};

use crate::dlq::context::Context;
use crate::dlq::holding::VISIBILITY_SECONDS;
use crate::dlq::wording::{dead_letters, grouped};

use super::moving::Moved;
use super::rules::HeldBack;
use super::run::Redrive;

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    #[default]
    Done,
    /// Not yet: what the record of a run says that was killed.
    GoingOn,
    Interrupted,
    /// By a call that failed.
    Stopped(String),
}

/// What a redrive has done.
#[derive(Default)]
pub(super) struct Report {
    pub(super) outcome: Outcome,
    began_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    /// Ids.
    moved: Vec<String>,
    undeleted: Vec<String>,
    pub(super) refused: Vec<(String, String)>,
    pub(super) not_meant: u64,
    held_back: BTreeMap<HeldBack, u64>,
    pub(super) still_hidden: usize,
}

impl Report {
    /// Of a run that has just begun.
    pub(super) fn going_on(began_at: Timestamp) -> Self {
        Self { outcome: Outcome::GoingOn, began_at: Some(began_at), ..Self::default() }
    }

    pub(super) fn add(&mut self, moved: Moved) {
        self.moved.extend(moved.moved.into_iter().map(|(id, _)| id));
        self.undeleted.extend(moved.undeleted);
        self.refused.extend(moved.refused);
    }

    pub(super) fn hold_back(&mut self, why: HeldBack) {
        *self.held_back.entry(why).or_default() += 1;
    }

    pub(super) fn has_changed_nothing(&self) -> bool {
        self.moved.is_empty() && self.undeleted.is_empty() && self.outcome == Outcome::Done
    }

    pub(super) fn is_well(&self) -> bool {
        self.outcome == Outcome::Done
            && self.refused.is_empty()
            && self.undeleted.is_empty()
            && !self.held_back.keys().any(|why| why.is_alarming())
    }

    pub(super) fn to_audit_record(&self, redrive: &Redrive) -> Value {
        let rules = &redrive.rules;
        json!({
            "type": "sealpost.redrive.v1",
            "by": redrive.operator,
            "began_at": self.began_at.map(rfc3339_millis),
            "ended_at": self.ended_at.map(rfc3339_millis),
            "from": redrive.from.queue.url,
            "to": redrive.to.url,
            "filter": rules.filter.described(),
            "options": {
                "rate": redrive.rate.to_string(),
                "include_expired": rules.include_expired,
                "resend_unknown": rules.resend_unknown,
                "force": rules.force,
                "max_redrives": rules.max_redrives,
                "trusted_senders": rules.trusted_senders,
            },
            "outcome": outcome_json(&self.outcome),
            "counts": self.counts(),
            "ids": self.moved,
            "in_both_queues": self.undeleted,
            "refused": self.refused.iter().map(|(id, code)| json!({ "id": id, "code": code })).collect::<Vec<_>>(),
        })
    }

    fn counts(&self) -> Value {
        json!({
            "moved": self.moved.len(),
            "in_both_queues": self.undeleted.len(),
            "refused": self.refused.len(),
            "held_back": held_back_json(&self.held_back),
            "not_meant": self.not_meant,
        })
    }

    pub(super) fn show(
        &self,
        redrive: &Redrive,
        audit: Option<&Path>,
        context: &Context,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let audit = audit.map(|path| path.display().to_string());
        if context.json {
            let mut summary = self.counts();
            summary["outcome"] = outcome_json(&self.outcome);
            summary["audit"] = audit.into();
            return writeln!(out, "{summary}");
        }
        let took = self.began_at.zip(self.ended_at).map(|(began, ended)| ended.duration_since(began));
        let took = took.and_then(|took| Duration::try_from(took).ok()).unwrap_or_default().as_secs_f64();
        writeln!(out, "{} sent again in {took:.1} s", dead_letters(self.moved.len() as u64))?;
        if !self.undeleted.is_empty() {
            writeln!(
                out,
                "{} were sent but could not be deleted here; sent once more, the worker recognises them",
                grouped(self.undeleted.len() as u64)
            )?;
        }
        let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, code) in &self.refused {
            *codes.entry(code).or_default() += 1;
        }
        for (code, count) in codes {
            writeln!(out, "{} were not taken by the main queue, and stay here: {code}", grouped(count))?;
        }
        show_held_back(&self.held_back, self.not_meant, out)?;
        show_end(&self.outcome, self.still_hidden, out)?;
        show_own_trust(redrive, out)?;
        match audit {
            Some(audit) => writeln!(out, "audit record: {audit}"),
            None => Ok(()),
        }
    }
}

pub(super) fn show_held_back(
    held_back: &BTreeMap<HeldBack, u64>,
    not_meant: u64,
    out: &mut dyn Write,
) -> io::Result<()> {
    if held_back.is_empty() && not_meant == 0 {
        return Ok(());
    }
    writeln!(out, "left where they are:")?;
    for (why, count) in held_back {
        writeln!(out, "{:>8}  {}", grouped(*count), why.explained())?;
    }
    if not_meant > 0 {
        writeln!(out, "{:>8}  not meant by the filters", grouped(not_meant))?;
    }
    Ok(())
}

pub(super) fn show_end(outcome: &Outcome, still_hidden: usize, out: &mut dyn Write) -> io::Result<()> {
    match outcome {
        Outcome::Done | Outcome::GoingOn => {}
        Outcome::Interrupted => {
            writeln!(out, "interrupted: what was not reached is as it was; the same command goes on")?
        }
        Outcome::Stopped(error) => {
            writeln!(out, "stopped: {error}\nwhat was not reached is as it was; the same command goes on")?
        }
    }
    if still_hidden > 0 {
        writeln!(
            out,
            "{still_hidden} could not be given back at once, and can be seen again within {VISIBILITY_SECONDS} s"
        )?;
    }
    Ok(())
}

/// The worker asks who has written a message: the operator, from now on.
pub(super) fn show_own_trust(redrive: &Redrive, out: &mut dyn Write) -> io::Result<()> {
    let (Some(own), Some(trusted)) = (&redrive.operator.principal, &redrive.rules.trusted_senders) else {
        return Ok(());
    };
    if trusted.contains(own) {
        return Ok(());
    }
    writeln!(
        out,
        "you are {own}, who is not among the trusted: unless the worker's TRUSTED_SENDER_IDS has you, it dead-letters what you \
         send as\nuntrusted_sender. --role-arn assumes the role that may redrive"
    )
}

pub(super) fn held_back_json(held_back: &BTreeMap<HeldBack, u64>) -> Value {
    Value::Object(held_back.iter().map(|(why, count)| (why.as_str().to_owned(), (*count).into())).collect())
}

pub(super) fn outcome_json(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Done => "done".into(),
        Outcome::GoingOn => "going on".into(),
        Outcome::Interrupted => "interrupted".into(),
        Outcome::Stopped(error) => json!({ "stopped": error }),
    }
}
