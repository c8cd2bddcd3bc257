use std::path::PathBuf;

use anyhow::Context as _;

/// Sends one event of every trigger source through the pipeline, shows each SMS, then stays up.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// End after the events; exit 1 if anything did not arrive.
    #[arg(long)]
    once: bool,
    /// Port of the AWS endpoint on 127.0.0.1; any free one by default.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Send the events of this file instead: a JSON object, an array, or JSON lines. A code in clear is sealed first.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Let the SMS provider refuse everything for so long from the first event on (1s to 10m), and show what happens.
    #[arg(long, value_name = "DURATION")]
    outage: Option<local::OutageLength>,
    /// Leave dead letters of an outage (of 5s, or as --outage says) behind, to try `sealpost dlq` on.
    #[arg(long, conflicts_with_all = ["once", "events"])]
    dead_letters: bool,
}

/// Whether everything arrived.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let Arguments { once, port, events, outage, dead_letters } = arguments;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("starting the runtime")?;
    let options = local::Options { once, port, events, outage, dead_letters };
    let mut out = anstream::stdout();
    runtime.block_on(local::run(&options, &mut out))
}
