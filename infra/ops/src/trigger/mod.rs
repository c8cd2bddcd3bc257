//! `sealpost attach` and `sealpost detach`: a user pool's trigger, set and taken away without resetting anything else.

mod apply;
mod attach;
mod detach;
mod key;
mod owner;
mod plan;
mod report;
mod undo;

use anyhow::Context as _;
use shared::UserPoolId;

use crate::invoke_right::Asking;
use crate::stack::{Deployment, StackArguments};
use crate::user_pool::Description;

pub(crate) use attach::AttachArguments;
pub(crate) use detach::DetachArguments;

/// What both commands are told.
#[derive(clap::Args)]
struct ChangeArguments {
    /// The user pool.
    #[arg(long, value_name = "POOL", value_parser = user_pool_id)]
    user_pool_id: UserPoolId,
    /// Do it. Without this, only what would be done is said.
    #[arg(long)]
    yes: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stack: StackArguments,
}

/// # Errors
/// When the pool is not attached.
pub(crate) fn attach(arguments: &AttachArguments) -> anyhow::Result<bool> {
    runtime()?.block_on(attach::run(arguments, &mut anstream::stdout()))
}

/// # Errors
/// When the pool is not detached.
pub(crate) fn detach(arguments: &DetachArguments) -> anyhow::Result<bool> {
    runtime()?.block_on(detach::run(arguments, &mut anstream::stdout()))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")
}

fn user_pool_id(text: &str) -> Result<UserPoolId, String> {
    UserPoolId::parse(text).map_err(|error| error.to_string())
}

/// A pool is in one Region, and its function and key must be there too.
fn require_region(deployment: &Deployment, pool: &UserPoolId) -> anyhow::Result<()> {
    let asked = deployment.aws.region().map(|region| region.as_ref().to_owned()).unwrap_or_default();
    let of_pool = pool.as_str().split('_').next().unwrap_or_default();
    anyhow::ensure!(
        asked == of_pool,
        "user pool {pool} is in {of_pool}, and {asked} would be asked: say --region {of_pool}"
    );
    Ok(())
}

/// Who asks to invoke: the pool by its ARN, which names its account too.
fn asking(described: &Description) -> anyhow::Result<Asking<'_>> {
    let pool = described.text("Arn").context("Cognito describes the pool without its ARN")?;
    let account = pool.split(':').nth(4).filter(|account| account.len() == 12);
    Ok(Asking { pool, account: account.context("Cognito describes the pool with an ARN that names no account")? })
}
