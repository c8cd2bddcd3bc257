//! What `sealpost doctor` prints.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::finding::{Finding, Verdict, counted};
use crate::printable::on_one_line;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();

/// How many findings there are of each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sound: u64,
    pub(crate) warning: u64,
    pub(crate) wrong: u64,
    pub(crate) unknown: u64,
}

impl Tally {
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let mut tally = Self::default();
        for finding in findings {
            match finding.judgement.verdict {
                Verdict::Sound => tally.sound += 1,
                Verdict::Warning(_) => tally.warning += 1,
                Verdict::Wrong(_) => tally.wrong += 1,
                Verdict::Unknown(_) => tally.unknown += 1,
            }
        }
        tally
    }
}

/// For a person: a line for each finding, grouped by step, the remedies below, and what it all comes to.
pub(crate) fn text(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
    let indent = " ".repeat("  warning  ".len() + width + 2);
    let mut step = None;
    for finding in findings {
        if step != Some(finding.step) {
            let gap = if step.is_some() { "\n" } else { "" };
            writeln!(out, "{gap}{BOLD}{}{BOLD:#}", finding.step.title())?;
            step = Some(finding.step);
        }
        let verdict = &finding.judgement.verdict;
        let style = style(verdict);
        let name = verdict.name();
        let found = on_one_line(&finding.judgement.found);
        writeln!(out, "  {style}{name:<7}{style:#}  {:<width$}  {found}", finding.check)?;
        if let Some(remedy) = verdict.remedy() {
            writeln!(out, "{indent}→ {}", on_one_line(&remedy.sentence))?;
            if let Some(command) = &remedy.command {
                writeln!(out, "{indent}{DIM}{}{DIM:#}", on_one_line(command))?;
            }
        }
    }
    let Tally { sound, warning, wrong, unknown } = Tally::of(findings);
    let style = if wrong > 0 {
        RED
    } else if warning + unknown > 0 {
        YELLOW
    } else {
        GREEN
    };
    let checks = counted(sound + warning + wrong + unknown, "check");
    let verdict = if wrong == 0 { "nothing wrong was found".to_owned() } else { format!("{wrong} wrong") };
    let rest = format!("{}, {sound} sound, {unknown} not looked at", counted(warning, "warning"));
    writeln!(out, "\n{checks}: {style}{verdict}{style:#}, {rest}")
}

fn style(verdict: &Verdict) -> Style {
    match verdict {
        Verdict::Sound => GREEN,
        Verdict::Warning(_) => YELLOW,
        Verdict::Wrong(_) => RED,
        Verdict::Unknown(_) => DIM,
    }
}

/// For a program: one object.
pub(crate) fn to_json(findings: &[Finding]) -> Value {
    let Tally { sound, warning, wrong, unknown } = Tally::of(findings);
    let findings = findings.iter().map(|Finding { check, step, judgement }| {
        let remedy = judgement.verdict.remedy();
        json!({
            "check": check,
            "step": step.title(),
            "verdict": judgement.verdict.name(),
            "found": judgement.found,
            "remedy": remedy.map(|remedy| &remedy.sentence),
            "command": remedy.and_then(|remedy| remedy.command.as_ref()),
        })
    });
    json!({
        "findings": findings.collect::<Vec<_>>(),
        "sound": sound, "warning": warning, "wrong": wrong, "unknown": unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::{Judgement, Remedy, Step};

    fn findings() -> [Finding; 3] {
        let finding = |check, step, judgement| Finding { check, step, judgement };
        let enable = Remedy::by("enable it", "aws kms enable-key --key-id K");
        let by_hand = Remedy::by_hand("ask\u{1b}[2J somebody");
        [
            finding("trigger", Step::Pool, Judgement::sound("it is set")),
            finding("account-recovery", Step::Pool, Judgement::unknown("not looked at", by_hand)),
            finding("key-state", Step::Key, Judgement::wrong("the key is Disabled", enable)),
        ]
    }

    #[test]
    fn a_person_gets_a_line_for_each_under_its_step() {
        let mut out = anstream::StripStream::new(Vec::new());
        text(&findings(), &mut out).expect("memory has room");
        let shown = String::from_utf8(out.into_inner()).expect("UTF-8");
        let expected = "\
user pool
  sound    trigger           it is set
  unknown  account-recovery  not looked at
                             → ask\u{fffd}[2J somebody

key
  wrong    key-state         the key is Disabled
                             → enable it
                             aws kms enable-key --key-id K

3 checks: 1 wrong, 0 warnings, 1 sound, 1 not looked at
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_program_gets_one_object() {
        let json = to_json(&findings());
        assert_eq!(
            (&json["wrong"], &json["warning"], &json["unknown"], &json["sound"]),
            (&json!(1), &json!(0), &json!(1), &json!(1))
        );
        let expected = json!({
            "check": "key-state", "step": "key", "verdict": "wrong", "found": "the key is Disabled",
            "remedy": "enable it", "command": "aws kms enable-key --key-id K",
        });
        assert_eq!(json["findings"][2], expected);
        assert_eq!(json["findings"][0]["remedy"], json!(null));
    }
}
