//! `sealpost`, the operators' tool.

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use usage::WrongUsage;

mod aws;
mod config;
mod dlq;
mod doctor;
mod function_arn;
mod help;
mod invoke_right;
#[cfg(feature = "local")]
mod local;
mod policy_document;
mod printable;
mod private_file;
mod route;
#[cfg(feature = "local")]
mod send;
mod stack;
mod switch;
mod trigger;
mod untyped;
mod usage;
mod user_pool;

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
    Attach(Box<trigger::AttachArguments>),
    Detach(Box<trigger::DetachArguments>),
    Doctor(doctor::Arguments),
    #[cfg(feature = "local")]
    Send(Box<send::Arguments>),
    Dlq(Box<dlq::Arguments>),
    Switch(switch::Arguments),
    Config(config::Arguments),
    Route(route::Arguments),
    /// Print the completions of a shell.
    Completions(help::CompletionsArguments),
    /// Print the manual page.
    Man,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        #[cfg(feature = "local")]
        Command::Local(arguments) => local::run(arguments),
        Command::Attach(arguments) => trigger::attach(&arguments),
        Command::Detach(arguments) => trigger::detach(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        #[cfg(feature = "local")]
        Command::Send(arguments) => send::run(&arguments),
        Command::Dlq(arguments) => dlq::run(*arguments),
        Command::Switch(arguments) => switch::run(&arguments).map(|()| true),
        Command::Config(arguments) => config::run(&arguments),
        Command::Route(arguments) => route::run(&arguments),
        Command::Completions(arguments) => help::completions(&arguments, Cli::command()).map(|()| true),
        Command::Man => help::manual(Cli::command()).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // Whoever reads it, such as `head`, has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sealpost: {error:#}");
            ExitCode::from(if error.is::<WrongUsage>() { 2 } else { 1 })
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
