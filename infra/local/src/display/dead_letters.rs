//! What a person sees of the dead letters that a run leaves behind, and what an operator does about them.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::{BOLD, Display};
use crate::journey::{Ending, Journey};
use crate::pipeline::{DEAD_LETTER_QUEUE, OPERATOR_ID, PRODUCER_ID, Pipeline, WORKER_ID};

impl Display<'_> {
    /// How many dead letters there are for each reason, the most frequent first.
    pub(crate) fn left_behind(&mut self, journeys: &[Journey], horizon: Duration) -> io::Result<()> {
        self.zero = None;
        let mut by_reason = BTreeMap::<&str, usize>::new();
        for journey in journeys {
            match &journey.ending {
                Ending::DeadLettered { reason, .. } => *by_reason.entry(reason).or_default() += 1,
                Ending::Arrived(_) | Ending::Refused { .. } | Ending::AlreadySent | Ending::Waiting => {}
            }
        }
        let all: usize = by_reason.values().sum();
        writeln!(
            self.out,
            "\n{BOLD}{all} dead letters are left behind in {DEAD_LETTER_QUEUE}{BOLD:#}; a message is retried for \
             {horizon:?} in this run:"
        )?;
        let mut by_reason: Vec<_> = by_reason.into_iter().collect();
        by_reason.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (reason, count) in by_reason {
            writeln!(self.out, "{count:>5}  {reason}")?;
        }
        Ok(())
    }

    pub(crate) fn operators_commands(&mut self, pipeline: &Pipeline) -> io::Result<()> {
        let (endpoint, queue, dead_letters) =
            (pipeline.aws_endpoint(), &pipeline.queue_url, &pipeline.dead_letter_queue_url);
        let environment = format!(
            "export AWS_ACCESS_KEY_ID={OPERATOR_ID} AWS_SECRET_ACCESS_KEY=x AWS_REGION=eu-west-1 \
             AWS_ENDPOINT_URL={endpoint} DEAD_LETTER_QUEUE_URL={dead_letters} QUEUE_URL={queue} \
             TRUSTED_SENDER_IDS={PRODUCER_ID},{WORKER_ID},{OPERATOR_ID}"
        );
        let commands = [
            ("cargo run -- dlq stats", "how many dead letters there are, and why"),
            ("cargo run -- dlq list", "each of them"),
            ("cargo run -- dlq show ID", "everything about one, by the id that the list shows"),
            ("cargo run -- dlq redrive", "what would be sent again"),
            ("cargo run -- dlq redrive --yes", "sends it again: the SMS are shown here"),
        ];
        let commands = commands.map(|(command, comment)| (command.to_owned(), comment));
        self.suggestions(
            &[
                &[(
                    environment,
                    "paste this into another terminal first: who the operator is, and where the queues are",
                )],
                commands.as_slice(),
            ]
            .concat(),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn dead_letters_are_counted_by_reason_the_most_frequent_first_and_nothing_else_is() {
        let ended = |reason: &str| {
            let (reason, detail) = (reason.to_owned(), String::new());
            Journey { ending: Ending::DeadLettered { reason, detail }, ..Journey::new(Instant::now()) }
        };
        let journeys = [
            ended("expired"),
            ended("providers_exhausted"),
            Journey { ending: Ending::AlreadySent, ..Journey::new(Instant::now()) },
            ended("providers_exhausted"),
        ];
        let mut out = Vec::new();
        let mut display = Display::new(&mut out);
        display.left_behind(&journeys, Duration::from_millis(2_500)).expect("memory can be written to");
        let shown = String::from_utf8(out).expect("UTF-8");
        assert!(shown.contains("3 dead letters are left behind in sealpost-dead-letters"), "{shown}");
        assert!(shown.ends_with("2.5s in this run:\n    2  providers_exhausted\n    1  expired\n"), "{shown}");
    }
}
