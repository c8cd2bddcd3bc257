//! What a person sees of a local run.

mod dead_letters;
mod outage;

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use shared::{KeyArn, SealedCode};

use crate::fake_twilio::ReceivedSms;
use crate::journey::{Ending, Journey, Stage};
use crate::pipeline::{Pipeline, STATE_TABLE, WORKER_LOG_GROUP};

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();
const SOURCE_WIDTH: usize = 28;

/// Writes a run to a terminal or a file; the writer decides whether colours survive.
pub(crate) struct Display<'w> {
    out: &'w mut (dyn Write + Send),
    /// Where times are told: what they count from.
    zero: Option<Instant>,
}

impl<'w> Display<'w> {
    pub(crate) fn new(out: &'w mut (dyn Write + Send)) -> Self {
        Self { out, zero: None }
    }

    pub(crate) fn title(&mut self) -> io::Result<()> {
        writeln!(
            self.out,
            "{BOLD}Cognito event → producer → SQS → worker → SMS provider → phone{BOLD:#}, all in this process"
        )
    }

    pub(crate) fn endpoint(&mut self, endpoint: &str, key: &KeyArn) -> io::Result<()> {
        writeln!(
            self.out,
            "{DIM}SQS, KMS, DynamoDB and Lambda at {endpoint}, codes sealed with KMS key {}{DIM:#}",
            key_id(key)
        )
    }

    /// What is new of a journey: a line for each room that the event passed.
    pub(crate) fn journey(&mut self, journey: &Journey) -> io::Result<()> {
        let mut lines = stage_lines(&journey.stages);
        match &journey.ending {
            Ending::Arrived(ReceivedSms { to, body, .. }) => {
                let body = without_control_characters(body);
                lines.push(line("phone", "", &format!("{to} {}", in_green(&body))));
            }
            Ending::Refused { error_type, message } => {
                let took = journey.producer.map(millis).unwrap_or_default();
                lines.push(line("producer", &took, &in_red(&format!("refused as {error_type}: {message}"))));
            }
            Ending::DeadLettered { .. } | Ending::AlreadySent | Ending::Waiting => {}
        }
        self.block(journey.latest, journey, &lines)
    }

    /// A journey that is not followed any further. If its message arrives after all, that is shown then.
    pub(crate) fn still_waiting(&mut self, journey: &Journey) -> io::Result<()> {
        let mut lines = stage_lines(&journey.stages);
        lines.push(in_red("still in the queue"));
        self.block(Instant::now(), journey, &lines)
    }

    fn block(&mut self, at: Instant, journey: &Journey, lines: &[String]) -> io::Result<()> {
        let mut head = source(journey);
        for line in lines {
            self.row(at, head, line)?;
            // Where times are told, messages take turns line by line.
            if self.zero.is_none() {
                head = "";
            }
        }
        Ok(())
    }

    /// Of whom or what a line speaks, and before that when it happened, where times are told.
    fn row(&mut self, at: Instant, head: &str, line: &str) -> io::Result<()> {
        if let Some(zero) = self.zero {
            write!(self.out, "{DIM}{:>6.2} s{DIM:#}  ", at.saturating_duration_since(zero).as_secs_f64())?;
        }
        writeln!(self.out, "{BOLD}{head:<SOURCE_WIDTH$}{BOLD:#}{line}")
    }

    pub(crate) fn summary(&mut self, journeys: &[Journey], elapsed: Duration) -> io::Result<()> {
        let heads = ["producer", "in queue", "decrypt", "provider", "total"];
        write!(self.out, "\n{BOLD}{:<SOURCE_WIDTH$}", "trigger source")?;
        for head in heads {
            write!(self.out, "{head:>11}")?;
        }
        writeln!(self.out, "   outcome{BOLD:#}")?;
        for journey in journeys {
            write!(self.out, "{:<SOURCE_WIDTH$}", source(journey))?;
            let total = Some(journey.total);
            for took in [journey.producer, journey.queue, journey.decrypt, journey.provider, total] {
                write!(self.out, "{:>11}", took.map_or_else(|| "-".to_owned(), millis))?;
            }
            writeln!(self.out, "   {}", outcome(&journey.ending))?;
        }
        let seconds = elapsed.as_secs_f64();
        writeln!(self.out, "{}, {seconds:.2} s after the start", arrived(journeys))
    }

    pub(crate) fn what_to_try(&mut self, pipeline: &Pipeline, samples: &Path) -> io::Result<()> {
        let (endpoint, samples) = (pipeline.aws_endpoint(), samples.display());
        let aws = format!(
            "AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=eu-west-1 aws --endpoint-url {endpoint}"
        );
        self.suggestions(&[
            (
                format!("curl -d @{samples}/SignUp.json {endpoint}/2015-03-31/functions/producer/invocations"),
                "invokes the trigger by Lambda's API; the folder has a sealed event of every trigger source",
            ),
            (
                format!(
                    "{aws} lambda invoke --function-name producer --invocation-type Event \
                     --payload fileb://{samples}/Authentication.json /dev/null"
                ),
                "the same without waiting, as AWS documents it of Cognito; what fails is repeated after 1 and 2 seconds",
            ),
            (
                format!(
                    "AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=x cargo run -- send --endpoint-url {endpoint} --region \
                     eu-west-1 --user-pool {} --key {} --function producer --worker-log-group {WORKER_LOG_GROUP} --to \
                     +12065550100 --yes",
                    pipeline.pool.id, pipeline.pool.key
                ),
                "acts as Cognito with a code of its own, and follows it; --source takes each trigger source",
            ),
            (
                format!("{aws} sqs send-message --queue-url {} --message-body junk", pipeline.queue_url),
                "anyone else's message is dead-lettered unread",
            ),
            (
                format!(
                    "{aws} sqs receive-message --queue-url {} --message-attribute-names All",
                    pipeline.dead_letter_queue_url
                ),
                "and says why",
            ),
            (
                format!(
                    "AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=x cargo run -- switch --endpoint-url {endpoint} \
                     --region eu-west-1 --table {STATE_TABLE} off everything --yes"
                ),
                "messages wait in the queue; `on everything` in its place lets them go",
            ),
            ("cargo run -- local --once --outage 10s".to_owned(), "an outage of the provider, and how it ends"),
            ("cargo run -- local --dead-letters".to_owned(), "dead letters to try the operator's commands on"),
            ("cargo run -- local --once --events FILE".to_owned(), "your own events, as JSON or JSON lines"),
        ])
    }

    /// Commands for another terminal, each with what it does.
    fn suggestions(&mut self, commands: &[(String, &str)]) -> io::Result<()> {
        writeln!(self.out, "\n{BOLD}It stays up. Try next, Ctrl-C stops:{BOLD:#}")?;
        for (command, comment) in commands {
            writeln!(self.out, "  {CYAN}{command}{CYAN:#}\n    {DIM}{comment}{DIM:#}")?;
        }
        Ok(())
    }

    pub(crate) fn stopped(&mut self) -> io::Result<()> {
        writeln!(self.out, "\nStopped.")
    }
}

fn source(journey: &Journey) -> &str {
    journey.trigger_source.as_deref().unwrap_or("unknown message")
}

fn stage_lines(stages: &[Stage]) -> Vec<String> {
    let (mut decrypted, mut not_asked) = (None, String::new());
    let of_stage = |stage: &Stage| match stage {
        Stage::Queued { sealed_code, took, .. } => Some(queued_line(sealed_code.as_ref(), *took)),
        Stage::Decrypted { took } => {
            decrypted = Some(*took);
            None // The worker's line is complete once a provider has answered.
        }
        Stage::Attempted { provider, outcome, code, took } => {
            Some(attempt_line(decrypted.take(), provider, outcome, code.as_deref(), *took))
        }
        Stage::NotAttempted { provider, cause } => {
            not_asked.push_str(&format!(" ({provider} not asked: {cause})"));
            None // The line about what follows from it names it.
        }
        Stage::Delivered { .. } => None,
        Stage::Postponed { reason, after, receive_count, trigger_source: _ } => {
            let not_asked = std::mem::take(&mut not_asked);
            let what = format!("receive {receive_count}, postponed by {after:?}: {reason}{not_asked}");
            Some(line("worker", "", &in_red(&what)))
        }
        Stage::DeadLettered { reason, detail, trigger_source: _ } => {
            Some(line("worker", "", &in_red(&format!("dead-lettered as {reason}: {detail}"))))
        }
        Stage::AlreadySent { .. } => Some(line("worker", "", "this code was sent before, and is not sent again")),
    };
    stages.iter().filter_map(of_stage).collect()
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

/// A text that anybody may have sent must not command the terminal.
fn without_control_characters(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn in_green(text: &str) -> String {
    format!("{GREEN}{text}{GREEN:#}")
}

fn in_red(text: &str) -> String {
    format!("{RED}{text}{RED:#}")
}

/// How many have arrived, and how many need not.
fn arrived(journeys: &[Journey]) -> String {
    let count = |is: fn(&Ending) -> bool| journeys.iter().filter(|journey| is(&journey.ending)).count();
    let (arrived, superseded, all) = (count(Ending::has_arrived), count(Ending::is_superseded), journeys.len());
    let colour = if arrived + superseded == all { GREEN } else { RED };
    let superseded = if superseded > 0 { format!(", {superseded} superseded by a newer code") } else { String::new() };
    format!("{colour}{arrived} of {all} arrived{superseded}{colour:#}")
}

fn outcome(ending: &Ending) -> String {
    match ending {
        Ending::Arrived(_) => in_green("arrived"),
        Ending::Refused { .. } => in_red("refused"),
        Ending::DeadLettered { .. } if ending.is_superseded() => "superseded by a newer code".to_owned(),
        Ending::DeadLettered { reason, .. } => in_red(&format!("dead letter: {reason}")),
        Ending::AlreadySent => "sent before".to_owned(),
        Ending::Waiting => in_red("in the queue"),
    }
}

fn millis(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use shared::Timestamp;

    use super::*;

    #[test]
    fn a_text_cannot_command_the_terminal() {
        let (to, from) = ("+12065550100".to_owned(), "+12065550199".to_owned());
        let (sid, body, received_at) = (String::new(), "new\n\u{1b}[2Jdevice".to_owned(), Timestamp::UNIX_EPOCH);
        let sms = ReceivedSms { sid, to, from, body, validity_period: 60, received_at };
        let journey = Journey { ending: Ending::Arrived(sms), ..Journey::new(Instant::now()) };
        let mut out = Vec::new();
        Display::new(&mut out).journey(&journey).expect("memory can be written to");
        let shown = String::from_utf8(out).expect("UTF-8");
        assert!(shown.contains("new\u{fffd}\u{fffd}[2Jdevice"), "{shown:?}");
    }
}
