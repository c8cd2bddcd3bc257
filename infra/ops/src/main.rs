//! `sealpost`, the operators' tool.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod local;

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
    Local(local::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Local(arguments) => local::run(arguments),
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
