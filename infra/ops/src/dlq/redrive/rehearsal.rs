//! What a redrive would do.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;
use shared::Timestamp;

use crate::dlq::context::Context;
use crate::dlq::letter::Letter;
use crate::dlq::wording::{dead_letters, grouped, spoken};

use super::report::{Outcome, held_back_json, outcome_json, show_end, show_held_back, show_own_trust};
use super::rules::{Decision, HeldBack};
use super::run::Redrive;

/// What a redrive would do.
#[derive(Default)]
pub(super) struct Rehearsal {
    pub(super) outcome: Outcome,
    pub(super) would_move: u64,
    reasons: BTreeMap<&'static str, u64>,
    not_meant: u64,
    held_back: BTreeMap<HeldBack, u64>,
    /// When the codes expire that would be moved.
    expiries: Vec<Timestamp>,
    senders: BTreeMap<String, u64>,
    pub(super) still_hidden: usize,
}

impl Rehearsal {
    pub(super) fn add(&mut self, letter: &Letter, decision: &Decision, limit: u64) {
        match decision {
            Decision::NotMeant => self.not_meant += 1,
            Decision::HeldBack(why) => *self.held_back.entry(*why).or_default() += 1,
            Decision::Move if self.would_move >= limit => {}
            Decision::Move => {
                self.would_move += 1;
                *self.reasons.entry(letter.reason.as_str()).or_default() += 1;
                self.expiries.extend(letter.content.as_ref().map(|message| message.expires_at));
            }
        }
        if !matches!(decision, Decision::NotMeant) {
            let sender = letter.received.sender.clone().unwrap_or_else(|| "unknown".to_owned());
            *self.senders.entry(sender).or_default() += 1;
        }
    }

    pub(super) fn is_well(&self) -> bool {
        self.outcome == Outcome::Done && !self.held_back.keys().any(|why| why.is_alarming())
    }

    pub(super) fn show(&self, redrive: &Redrive, context: &Context, out: &mut dyn Write) -> io::Result<()> {
        let takes = redrive.rate.time_for(self.would_move);
        let now = context.clock.now();
        let by_then = takes.and_then(|takes| now.checked_add(takes).ok());
        let too_late = by_then.map(|end| self.expiries.iter().filter(|at| **at > now && **at <= end).count());
        if context.json {
            let summary = json!({
                "would_move": self.would_move,
                "reasons": self.reasons,
                "seconds": takes.map(|takes| takes.as_secs()),
                "expire_meanwhile": too_late,
                "held_back": held_back_json(&self.held_back),
                "not_meant": self.not_meant,
                "senders": self.senders,
                "native_command": self.native_command(redrive),
                "outcome": outcome_json(&self.outcome),
            });
            return writeln!(out, "{summary}");
        }
        let count = dead_letters(self.would_move);
        match takes {
            Some(takes) => writeln!(
                out,
                "{count} would be sent again, within {} at {} per second",
                spoken(i64::try_from(takes.as_secs()).unwrap_or(i64::MAX).max(1)),
                redrive.rate
            )?,
            None => writeln!(out, "{count} would be sent again, as quickly as SQS takes them")?,
        }
        for (reason, count) in &self.reasons {
            writeln!(out, "{:>8}  {reason}", grouped(*count))?;
        }
        if let Some(too_late) = too_late.filter(|count| *count > 0) {
            writeln!(out, "{} of them expire within that time: the order is SQS's own", grouped(too_late as u64))?;
        }
        show_held_back(&self.held_back, self.not_meant, out)?;
        show_end(&self.outcome, self.still_hidden, out)?;
        if redrive.rules.trusted_senders.is_none() && !self.senders.is_empty() {
            writeln!(out, "\nnobody has said yet whose messages may be sent. They were sent by")?;
            for (sender, count) in &self.senders {
                writeln!(out, "  {sender} ({})", grouped(*count))?;
            }
            writeln!(
                out,
                "compare with the roles of producer, worker and redrive (aws iam get-role --role-name NAME --query \
                 Role.RoleId),\nand name those with --trusted-sender"
            )?;
        }
        show_own_trust(redrive, out)?;
        if let Some(command) = self.native_command(redrive) {
            writeln!(
                out,
                "\nSQS can move the whole queue itself, without any of this: it checks no sender, moves what has expired, \
                 what was refused for\ngood and what was perhaps sent already, and counts no redrive, so the attempts made \
                 before still count:\n  {command}"
            )?;
        }
        if self.would_move > 0 {
            writeln!(out, "\nnothing is done yet: say it again with --yes")?;
        }
        Ok(())
    }

    /// What moves all of it, where all of it is meant.
    fn native_command(&self, redrive: &Redrive) -> Option<String> {
        let rate = redrive.rate.time_for(1).map(|per_message| 1_000 / per_message.as_millis().max(1));
        let rate = rate.map(|rate| format!(" --max-number-of-messages-per-second {}", rate.clamp(1, 500)));
        redrive.rules.filter.is_empty().then(|| {
            format!(
                "aws sqs start-message-move-task --source-arn {} --destination-arn {}{}",
                redrive.from.facts.arn,
                redrive.to_arn,
                rate.unwrap_or_default()
            )
        })
    }
}
