//! What a change comes to, for people and for programs.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use shared::UserPoolId;

use super::apply::{Snapshot, Unexpected};
use super::plan::Plan;
use crate::invoke_right::statement_id;
use crate::printable::on_one_line;
use crate::user_pool::Difference;

/// What becomes of the pool's right to invoke the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InvokeStep {
    There,
    /// It is there, and not for this pool alone.
    TooWide {
        statement: String,
    },
    ToGrant,
    Granted,
    ToWithdraw,
    Withdrawn,
    /// None of it was given by this tool.
    Nothing,
}

pub(super) struct Report {
    pool: UserPoolId,
    name: String,
    changes: Vec<Difference>,
    kept: Vec<String>,
    warnings: Vec<String>,
    pub(super) invoke_step: InvokeStep,
    pub(super) lines_for_owner: Option<String>,
    pub(super) undo_file: Option<PathBuf>,
    pub(super) unexpected: Unexpected,
}

impl Report {
    pub(super) fn new(pool: &UserPoolId, before: &Snapshot, plan: &Plan, invoke_step: InvokeStep) -> Self {
        let mut report = Self {
            pool: pool.clone(),
            name: before.described.name().to_owned(),
            changes: plan.changes.clone(),
            kept: plan.update.kept().map(str::to_owned).collect(),
            warnings: plan.warnings.clone(),
            invoke_step,
            lines_for_owner: None,
            undo_file: None,
            unexpected: Unexpected::new(),
        };
        if before.mfa.is_none() {
            report.warn(Some(
                "how factors of authentication are set up cannot be compared before and after: \
                 cognito-idp:GetUserPoolMfaConfig is missing"
                    .to_owned(),
            ));
        }
        if let InvokeStep::TooWide { statement } = &report.invoke_step {
            report.warnings.push(format!(
                "the pool may invoke the function, and so may others (statement {statement} does not name this pool \
                 alone as its aws:SourceArn): narrow it"
            ));
        }
        report
    }

    pub(super) fn warn(&mut self, warning: Option<String>) {
        self.warnings.extend(warning);
    }

    pub(super) fn changes_nothing(&self) -> bool {
        self.changes.is_empty() && self.invoke_step != InvokeStep::ToGrant
    }

    /// What would be done, or that there is nothing to do.
    pub(super) fn show_intention(&self, is_asked_for: bool, json: bool, out: &mut impl Write) -> anyhow::Result<bool> {
        let nothing = self.changes_nothing();
        if json {
            writeln!(out, "{}", self.as_json(nothing))?;
            return Ok(true);
        }
        self.show_changes(out)?;
        self.show_warnings(out)?;
        match (nothing, is_asked_for) {
            (true, _) => writeln!(out, "there is nothing to do: the pool is so already")?,
            (false, _) => writeln!(out, "nothing is done yet: say it again with --yes")?,
        }
        Ok(true)
    }

    /// What was done, and whether all else is as it was.
    pub(super) fn show_outcome(&self, done: &str, json: bool, out: &mut impl Write) -> anyhow::Result<bool> {
        let is_as_meant = self.unexpected.is_empty();
        if json {
            writeln!(out, "{}", self.as_json(true))?;
            return Ok(is_as_meant);
        }
        self.show_changes(out)?;
        self.show_warnings(out)?;
        if is_as_meant {
            writeln!(out, "{done}: read again, the pool is as it was meant, and all else is as it was")?;
            writeln!(out, "Cognito may take some minutes until it goes by it")?;
        } else {
            writeln!(out, "{done}, but read again the pool is otherwise than it was meant:")?;
            show_differences(&self.unexpected, out)?;
        }
        if let Some(file) = &self.undo_file {
            let file = file.display();
            writeln!(out, "undo file: {file}; to put the whole pool back as it was:")?;
            writeln!(out, "  aws cognito-idp update-user-pool --cli-input-json file://{file}")?;
        }
        Ok(is_as_meant)
    }

    fn show_changes(&self, out: &mut impl Write) -> anyhow::Result<()> {
        writeln!(out, "user pool {} ({})", self.pool, on_one_line(&self.name))?;
        show_differences(&self.changes, out)?;
        if !self.changes.is_empty() {
            let (number, names) = (self.kept.len(), self.kept.join(", "));
            writeln!(out, "  sent back as they were read, {number}: {names}")?;
        }
        match &self.invoke_step {
            InvokeStep::There | InvokeStep::TooWide { .. } => {
                writeln!(out, "  the pool may invoke the function already")?
            }
            InvokeStep::ToGrant => writeln!(out, "  the pool may not invoke the function yet: that is granted first")?,
            InvokeStep::Granted => {
                writeln!(out, "  the pool may invoke the function now (statement {})", statement_id(&self.pool))?;
            }
            InvokeStep::ToWithdraw => {
                writeln!(
                    out,
                    "  statement {} of the function's policy goes, if there is one",
                    statement_id(&self.pool)
                )?;
            }
            InvokeStep::Withdrawn => {
                writeln!(
                    out,
                    "  the pool may not invoke the function any more (statement {})",
                    statement_id(&self.pool)
                )?;
            }
            InvokeStep::Nothing => {}
        }
        Ok(())
    }

    fn show_warnings(&self, out: &mut impl Write) -> anyhow::Result<()> {
        for warning in &self.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        for line in self.lines_for_owner.iter().flat_map(|lines| lines.lines()) {
            writeln!(out, "    {line}")?;
        }
        Ok(())
    }

    fn as_json(&self, is_done: bool) -> Value {
        json!({
            "user_pool": self.pool.as_str(),
            "changes": self.changes,
            "invoke_right": self.invoke_step.as_str(),
            "warnings": self.warnings,
            "lines_for_owner": self.lines_for_owner,
            "undo_file": self.undo_file,
            "unexpected": self.unexpected,
            "done": is_done,
        })
    }
}

impl InvokeStep {
    fn as_str(&self) -> &'static str {
        match self {
            Self::There => "there",
            Self::TooWide { .. } => "too_wide",
            Self::ToGrant => "missing",
            Self::Granted => "granted",
            Self::ToWithdraw => "to_withdraw",
            Self::Withdrawn => "withdrawn",
            Self::Nothing => "nothing",
        }
    }
}

fn show_differences(differences: &[Difference], out: &mut impl Write) -> anyhow::Result<()> {
    let shown = |value: &Option<Value>| match value {
        None => "none".to_owned(),
        Some(Value::String(text)) => on_one_line(text),
        Some(value) => on_one_line(&value.to_string()),
    };
    for Difference { path, before, after } in differences {
        writeln!(out, "  {path}")?;
        writeln!(out, "    - {}", shown(before))?;
        writeln!(out, "    + {}", shown(after))?;
    }
    Ok(())
}
