//! A redrive from its first letter to its last, rehearsed or in earnest.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::dlq::audit::AuditRecord;
use crate::dlq::context::{Context, DeadLetterQueue};
use crate::dlq::interruption::Interruption;
use crate::dlq::letter::Letter;
use crate::dlq::operator::Operator;
use crate::dlq::progress::Progress;
use crate::dlq::queue::{CallError, MOST_IN_A_CALL, Queue};
use crate::dlq::scan::Scan;

use super::moving::{Move, Moved, move_all, next_call};
use super::pace::{Pace, Rate};
use super::rehearsal::Rehearsal;
use super::report::{Outcome, Report};
use super::rules::{Decision, Rules};

/// Calls at a time.
const CALLS_AT_ONCE: usize = 16;
/// How long a letter waits for others that could leave in the same call.
const WAITS_FOR_COMPANY: Duration = Duration::from_millis(20);

pub(super) struct Redrive {
    pub(super) from: DeadLetterQueue,
    pub(super) to: Queue,
    pub(super) to_arn: String,
    pub(super) rules: Rules,
    pub(super) rate: Rate,
    pub(super) operator: Operator,
}

impl Redrive {
    /// Counts what would be moved.
    pub(super) async fn rehearse(&self, context: &Context, out: &mut dyn Write) -> anyhow::Result<bool> {
        let mut interruption = Interruption::listen()?;
        let mut progress = Progress::new("looked at", self.from.facts.visible);
        let mut scan = Scan::of(&self.from.queue, &context.settings, self.rules.filter.at_most());
        let mut rehearsal = Rehearsal::default();
        let limit = self.rules.filter.limit.unwrap_or(u64::MAX);
        let mut moved = HashSet::new();
        while rehearsal.would_move < limit {
            let letters = tokio::select! {
                biased;
                () = interruption.wait() => { rehearsal.outcome = Outcome::Interrupted; break }
                letters = scan.next() => letters,
            };
            match letters {
                None => break,
                Some(Err(error)) => {
                    rehearsal.outcome = Outcome::Stopped(error.to_string());
                    break;
                }
                Some(Ok(letters)) => {
                    progress.add(letters.len());
                    let now = context.clock.now();
                    for letter in &letters {
                        let decision = self.rules.judge(letter, &moved, now);
                        if let Decision::Move = decision {
                            moved.insert(letter.id().to_owned());
                        }
                        rehearsal.add(letter, &decision, limit);
                    }
                }
            }
        }
        drop(progress);
        rehearsal.still_hidden = scan.end().await;
        rehearsal.show(self, context, out)?;
        Ok(rehearsal.is_well())
    }

    /// Moves what is to be moved.
    pub(super) async fn act(
        &self,
        audit: Option<PathBuf>,
        context: &Context,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let began_at = context.clock.now();
        let mut report = Report::going_on(began_at);
        let audit = AuditRecord::begin(audit, "redrive", began_at, &report.to_audit_record(self))?;
        report.outcome = Outcome::Done;
        self.move_letters(&mut report, context, Interruption::listen()?).await;
        report.ended_at = Some(context.clock.now());
        let file = if report.has_changed_nothing() {
            audit.discard();
            None
        } else {
            Some(audit.finish(&report.to_audit_record(self))?)
        };
        report.show(self, file.as_deref(), context, out)?;
        Ok(report.is_well())
    }

    async fn move_letters(&self, report: &mut Report, context: &Context, mut interruption: Interruption) {
        let mut progress = Progress::new("looked at", self.from.facts.visible);
        let mut scan = Scan::of(&self.from.queue, &context.settings, self.rules.filter.at_most());
        let mut pace = Pace::new(self.rate, Instant::now());
        // Each in a task of its own: with all of them in this one, it would be what the others wait for.
        let mut calls = JoinSet::new();
        let mut waiting: Vec<Move> = Vec::new();
        let mut company_until = Instant::now();
        let mut chosen = HashSet::new();
        let mut is_reading = true;
        loop {
            let is_full = waiting.len() >= MOST_IN_A_CALL || !is_reading;
            let due = if is_full { pace.next } else { pace.next.max(company_until) };
            tokio::select! {
                biased;
                () = interruption.wait(), if report.outcome == Outcome::Done => {
                    report.outcome = Outcome::Interrupted;
                    (is_reading, waiting) = (false, Vec::new());
                }
                Some(moved) = calls.join_next() => {
                    let moved: Moved = moved.expect("a move neither panics nor is broken off");
                    for (_, sqs_id) in &moved.moved {
                        scan.holding.forget(sqs_id);
                    }
                    if let Some(error) = &moved.broken {
                        report.outcome = Outcome::Stopped(error.to_string());
                        (is_reading, waiting) = (false, Vec::new());
                    }
                    report.add(moved);
                }
                () = until(due), if !waiting.is_empty() && calls.len() < CALLS_AT_ONCE => {
                    let moves = next_call(&mut waiting);
                    pace.count(moves.len(), Instant::now());
                    calls.spawn(move_all(self.from.queue.clone(), self.to.clone(), moves));
                }
                letters = scan.next(), if is_reading && waiting.len() < MOST_IN_A_CALL => {
                    if waiting.is_empty() {
                        company_until = Instant::now() + WAITS_FOR_COMPANY;
                    }
                    is_reading = self.choose(letters, context, &mut chosen, &mut waiting, report, &mut progress);
                }
                else => break,
            }
            if !is_reading && waiting.is_empty() && calls.is_empty() {
                break;
            }
        }
        drop((calls, progress));
        report.still_hidden = scan.end().await;
    }

    /// Judges the next letters; whether more are to be read.
    fn choose(
        &self,
        letters: Option<Result<Vec<Letter>, CallError>>,
        context: &Context,
        chosen: &mut HashSet<String>,
        waiting: &mut Vec<Move>,
        report: &mut Report,
        progress: &mut Progress,
    ) -> bool {
        let letters = match letters {
            None => return false,
            Some(Ok(letters)) => letters,
            Some(Err(error)) => {
                report.outcome = Outcome::Stopped(error.to_string());
                return false;
            }
        };
        progress.add(letters.len());
        let now = context.clock.now();
        let limit = self.rules.filter.limit.unwrap_or(u64::MAX);
        for letter in letters {
            if chosen.len() as u64 >= limit {
                return false;
            }
            match self.rules.judge(&letter, chosen, now) {
                Decision::NotMeant => report.not_meant += 1,
                Decision::HeldBack(why) => report.hold_back(why),
                Decision::Move => {
                    let id = letter.id().to_owned();
                    match Move::of(letter) {
                        Ok(one) => {
                            chosen.insert(id);
                            waiting.push(one);
                        }
                        Err(fault) => report.refused.push((id, fault.to_string())),
                    }
                }
            }
        }
        true
    }
}

/// A timer takes up to a millisecond even for a moment that has passed.
async fn until(moment: Instant) {
    if Instant::now() < moment {
        sleep_until(moment).await;
    }
}
