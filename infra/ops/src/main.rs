//! `sealpost`, the operators' tool.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod aws;
#[cfg(feature = "local")]
mod local;
mod switch;

/// The operators' tool of Sealpost.
#[derive(Parser)]
#[command(name = "sealpost", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole pipeline on this machine: embedded SQS, KMS and DynamoDB, the real producer and worker, a fake Twilio.
    #[cfg(feature = "local")]
    Local(local::Arguments),
    Switch(switch::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        #[cfg(feature = "local")]
        Command::Local(arguments) => local::run(arguments),
        Command::Switch(arguments) => switch::run(&arguments).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("sealpost: {error:#}");
            ExitCode::from(1)
        }
    }
}
