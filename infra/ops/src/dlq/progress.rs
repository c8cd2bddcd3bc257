//! How far a command has come: a bar on a terminal, a line every few seconds elsewhere. On standard error, beside what the
//! command prints.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

pub(crate) struct Progress {
    verb: &'static str,
    began: Instant,
    done: u64,
    /// An estimate of SQS's.
    of: u64,
    shown: Shown,
}

enum Shown {
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    /// `verb` says what is done with each message, in the past tense: "looked at".
    pub(crate) fn new(verb: &'static str, of: u64) -> Self {
        let began = Instant::now();
        let shown = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(of);
            let style = "{prefix} {pos} of about {len} [{wide_bar}] {per_sec}, {eta} left";
            bar.set_style(ProgressStyle::with_template(style).expect("a sound template").progress_chars("=> "));
            bar.set_prefix(verb);
            Shown::Bar(bar)
        } else {
            Shown::Lines { last: began }
        };
        Self { verb, began, done: 0, of, shown }
    }

    pub(crate) fn add(&mut self, messages: usize) {
        self.done += u64::try_from(messages).unwrap_or_default();
        // The estimate was too low.
        self.of = self.of.max(self.done);
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_length(self.of);
                bar.set_position(self.done);
            }
            Shown::Lines { last } if last.elapsed() >= BETWEEN_LINES => {
                *last = Instant::now();
                let Self { verb, done, of, .. } = self;
                let rate = *done as f64 / self.began.elapsed().as_secs_f64();
                // Whoever has closed standard error does not want to know.
                let _ = writeln!(std::io::stderr(), "{verb} {done} of about {of}, {rate:.0} per second");
            }
            Shown::Lines { .. } => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
