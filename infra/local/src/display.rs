//! What a person sees of a local run.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use shared::{KeyArn, SealedCode};

use crate::fake_twilio::ReceivedSms;
use crate::journey::{Ending, Journey, Stage};
use crate::pipeline::Pipeline;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();
const SOURCE_WIDTH: usize = 28;

/// Writes a run to a terminal or a file; the writer decides whether colours survive.
pub(crate) struct Display<'w> {
    out: &'w mut (dyn Write + Send),
}

impl<'w> Display<'w> {
    pub(crate) fn new(out: &'w mut (dyn Write + Send)) -> Self {
        Self { out }
    }

    pub(crate) fn title(&mut self) -> io::Result<()> {
        writeln!(
            self.out,
            "{BOLD}Cognito event → producer → SQS → worker → SMS provider → phone{BOLD:#}, all in this process"
        )
    }

    pub(crate) fn endpoint(&mut self, endpoint: &str, key: &KeyArn) -> io::Result<()> {
        writeln!(self.out, "{DIM}SQS and KMS at {endpoint}, codes sealed with KMS key {}{DIM:#}", key_id(key))
    }

    /// One event's stages: a line for each room that it passed.
    pub(crate) fn journey(&mut self, event: &Value, stages: &[Stage], journey: &Journey) -> io::Result<()> {
        let sealed = event.pointer("/request/code").and_then(Value::as_str);
        let sealed = sealed.and_then(|code| SealedCode::parse(code).ok());
        let mut source = journey.trigger_source.as_str();
        let mut decrypted = None;
        for stage in stages {
            let line = match stage {
                Stage::Queued { took, .. } => queued_line(sealed.as_ref(), *took),
                Stage::Decrypted { took } => {
                    decrypted = Some(*took);
                    continue; // The worker's line is complete once a provider has answered.
                }
                Stage::Attempted { provider, outcome, code, took } => {
                    attempt_line(decrypted.take(), provider, outcome, code.as_deref(), *took)
                }
                Stage::Delivered => continue,
                Stage::Refused { message } => line("producer", "", &in_red(&format!("refused: {message}"))),
                Stage::Postponed { reason, after } => {
                    line("worker", "", &in_red(&format!("postponed by {after:?}: {reason}")))
                }
                Stage::DeadLettered { reason, detail } => {
                    line("worker", "", &in_red(&format!("dead-lettered as {reason}: {detail}")))
                }
            };
            writeln!(self.out, "{BOLD}{source:<SOURCE_WIDTH$}{BOLD:#}{line}")?;
            source = "";
        }
        match &journey.ending {
            Ending::Arrived(message) => self.phone_line(source, message),
            Ending::Refused { .. } | Ending::DeadLettered { .. } => Ok(()),
            Ending::Waiting => writeln!(self.out, "{source:<SOURCE_WIDTH$}{}", in_red("still in the queue")),
        }
    }

    fn phone_line(&mut self, source: &str, message: &ReceivedSms) -> io::Result<()> {
        let ReceivedSms { to, body, .. } = message;
        writeln!(self.out, "{source:<SOURCE_WIDTH$}{}", line("phone", "", &format!("{to} {GREEN}{body}{GREEN:#}")))
    }

    /// An SMS that arrives outside a followed journey.
    pub(crate) fn phone(&mut self, message: &ReceivedSms) -> io::Result<()> {
        self.phone_line("", message)
    }

    pub(crate) fn summary(&mut self, journeys: &[Journey], elapsed: Duration) -> io::Result<()> {
        let heads = ["producer", "in queue", "decrypt", "provider", "total"];
        write!(self.out, "\n{BOLD}{:<SOURCE_WIDTH$}", "trigger source")?;
        for head in heads {
            write!(self.out, "{head:>11}")?;
        }
        writeln!(self.out, "   outcome{BOLD:#}")?;
        for journey in journeys {
            write!(self.out, "{:<SOURCE_WIDTH$}", journey.trigger_source)?;
            let total = Some(journey.total);
            for took in [journey.producer, journey.queue, journey.decrypt, journey.provider, total] {
                write!(self.out, "{:>11}", took.map_or_else(|| "-".to_owned(), millis))?;
            }
            writeln!(self.out, "   {}", outcome(&journey.ending))?;
        }
        let arrived = journeys.iter().filter(|journey| journey.ending.has_arrived()).count();
        let colour = if arrived == journeys.len() { GREEN } else { RED };
        let (all, seconds) = (journeys.len(), elapsed.as_secs_f64());
        writeln!(self.out, "{colour}{arrived} of {all} arrived{colour:#}, {seconds:.2} s after the start")
    }

    pub(crate) fn what_to_try(&mut self, pipeline: &Pipeline) -> io::Result<()> {
        let endpoint = pipeline.aws_endpoint();
        let credentials = "AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=eu-west-1";
        writeln!(self.out, "\n{BOLD}It stays up. Try next, Ctrl-C stops:{BOLD:#}")?;
        for (command, comment) in [
            (
                format!(
                    "{credentials} aws --endpoint-url {endpoint} sqs send-message --queue-url {} --message-body junk",
                    pipeline.queue_url
                ),
                "anyone else's message is dead-lettered unread",
            ),
            (
                format!(
                    "{credentials} aws --endpoint-url {endpoint} sqs receive-message --queue-url {} \
                     --message-attribute-names All",
                    pipeline.dead_letter_queue_url
                ),
                "and says why",
            ),
            ("cargo run -- local --once --events FILE".to_owned(), "your own events, as JSON or JSON lines"),
        ] {
            writeln!(self.out, "  {CYAN}{command}{CYAN:#}\n    {DIM}{comment}{DIM:#}")?;
        }
        Ok(())
    }

    pub(crate) fn stopped(&mut self) -> io::Result<()> {
        writeln!(self.out, "\nStopped.")
    }
}

/// The room, how long it took, and what happened there.
fn line(room: &str, took: &str, what: &str) -> String {
    format!("{room:<9}{took:>8}  {what}")
}

fn queued_line(sealed: Option<&SealedCode>, took: Duration) -> String {
    let what = match sealed {
        Some(code) => {
            let key = code.key_arns().next().map(|key| key_id(&key).to_owned());
            let key = key.as_deref().and_then(|id| id.split('-').next()).unwrap_or("none");
            format!("queued, still sealed: {code} (suite {}, KMS key {key}…)", code.message().suite)
        }
        None => "queued: a notice without a code".to_owned(),
    };
    line("producer", &millis(took), &what)
}

fn attempt_line(
    decrypted: Option<Duration>,
    provider: &str,
    outcome: &str,
    code: Option<&str>,
    took: Duration,
) -> String {
    let opened = decrypted.map(|took| format!("unsealed with KMS in {}, ", millis(took))).unwrap_or_default();
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let what = format!("{opened}{provider} answered in {}: {outcome}{code}", millis(took));
    line("worker", &millis(took + decrypted.unwrap_or_default()), &what)
}

/// The last part of a key's ARN.
fn key_id(key: &KeyArn) -> &str {
    key.as_str().rsplit('/').next().unwrap_or_default()
}

fn in_red(text: &str) -> String {
    format!("{RED}{text}{RED:#}")
}

fn outcome(ending: &Ending) -> String {
    match ending {
        Ending::Arrived(_) => format!("{GREEN}arrived{GREEN:#}"),
        Ending::Refused { .. } => in_red("refused"),
        Ending::DeadLettered { reason, .. } => in_red(&format!("dead letter: {reason}")),
        Ending::Waiting => in_red("in the queue"),
    }
}

fn millis(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1e3)
}
