//! `sealpost switch`: what is switched off, without a deployment.

mod show;

use std::io::Write;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use shared::Clock;
use worker::{DynamoDbState, SWITCHES_ARE_READ_EVERY, Switch, Switchboard, SwitchedOff, dynamodb_config};

use crate::stack::{self, StackArguments};
use crate::usage::WrongUsage;

/// Shows what is switched off, or switches something off or on again, for all workers within seconds.
///
/// Messages to a country that is off are dead-lettered as country_not_allowed. A provider that is off is passed over.
/// With everything off, messages wait in the queue.
///
/// Examples:
///   sealpost switch --table sealpost-state
///   sealpost switch --table sealpost-state off country GB --because "toll fraud" --yes
///   sealpost switch --table sealpost-state on country GB --yes
///   sealpost switch --stack sealpost off everything --because "incident 7" --yes
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The state table: what the workers have in STATE_TABLE.
    #[arg(long, global = true, env = "STATE_TABLE", value_name = "TABLE")]
    table: Option<String>,
    #[command(flatten)]
    stack: StackArguments,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(clap::Subcommand)]
enum Change {
    /// Switch something off.
    Off {
        #[command(flatten)]
        what: What,
        /// Why, for whoever looks next: at most 200 characters, nothing personal.
        #[arg(long, value_name = "TEXT", value_parser = because)]
        because: Option<String>,
    },
    /// Switch something on again.
    On {
        #[command(flatten)]
        what: What,
    },
}

#[derive(clap::Args)]
struct What {
    /// `everything`, `country` or `provider`.
    what: String,
    /// Which country (ISO 3166, in capitals) or provider (its name in the configuration).
    name: Option<String>,
    /// Do it. Without this, only what would be done is said.
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(switch(arguments, &mut anstream::stdout()))
}

async fn switch(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<()> {
    const MISSING: WrongUsage =
        WrongUsage("which table? Give --table or --stack, or set STATE_TABLE as the workers have it");
    let deployment = arguments.stack.reach().await?;
    let table = deployment.given_or_of_stack(arguments.table.as_deref(), stack::STATE_TABLE)?.ok_or(MISSING)?;
    let board = DynamoDbState::new(patient_client(&deployment.aws), table.to_owned());
    let (now, in_table) = (Clock::system().now(), || format!("reading the switches in table {table}"));
    match &arguments.change {
        None => {
            let switches = board.switches().await.with_context(in_table)?;
            show::switches(&switches, now, arguments.json, out)?;
        }
        Some(Change::Off { what, because }) => {
            let off = SwitchedOff { since: Some(now), by: operator(), because: because.clone() };
            change(&board, what, Some(&off), arguments.json, out).await?;
        }
        Some(Change::On { what }) => change(&board, what, None, arguments.json, out).await?,
    }
    Ok(())
}

async fn change(
    board: &DynamoDbState,
    what: &What,
    off: Option<&SwitchedOff>,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let switch = what.switch()?;
    let known = board.switches().await.context("reading the switches")?;
    let is_off = known.is_off(&switch);
    let is_changed = is_off != off.is_some();
    if what.yes && is_changed {
        board.set(&switch, off).await.with_context(|| format!("switching {switch}"))?;
    }
    let change = show::Change { switch: &switch, is_off: off.is_some(), is_changed, is_done: what.yes };
    change.show(SWITCHES_ARE_READ_EVERY, json, out)?;
    Ok(())
}

/// The workers' configuration with an operator's patience: whoever is far away, or has a role to assume within the first
/// call, would wait in vain for a second.
fn patient_client(aws: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(40))
        .build();
    let config = dynamodb_config(aws).to_builder().timeout_config(timeouts);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

impl What {
    fn switch(&self) -> anyhow::Result<Switch> {
        let text = [Some(&self.what), self.name.as_ref()].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        Switch::parse(&text).with_context(|| {
            format!("`{text}` cannot be switched; say everything, country GB (ISO 3166, in capitals) or provider NAME")
        })
    }
}

/// Who does it, as far as this machine says.
fn operator() -> Option<String> {
    let name = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|variable| std::env::var(variable).ok());
    name.filter(|name| because(name).is_ok())
}

fn because(text: &str) -> Result<String, &'static str> {
    let is_sound = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_sound { Ok(text.to_owned()) } else { Err("must be 1 to 200 characters, none of them a control character") }
}
