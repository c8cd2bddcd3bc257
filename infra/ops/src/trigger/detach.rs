//! `sealpost detach`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use shared::Clock;

use super::apply::{Snapshot, apply};
use super::report::{InvokeStep, Report};
use super::{ChangeArguments, plan, require_region, undo};
use crate::function_arn::FunctionArn;
use crate::invoke_right;
use crate::untyped::Untyped;

/// Take a user pool's trigger away without resetting anything else.
///
/// From then on the pool sends its SMS by itself, through SNS. With an undo file of `attach` the trigger that was there
/// before comes back. The right to invoke the function goes too, where `attach` gave it.
///
/// Without --yes it only says what it would do.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sealpost detach --user-pool-id eu-west-1_AbCdEfGhI
  sealpost detach --user-pool-id eu-west-1_AbCdEfGhI --yes
  sealpost detach --user-pool-id eu-west-1_AbCdEfGhI \\
    --undo-file sealpost-undo-attach-eu-west-1_AbCdEfGhI-20261127T101500Z.json --yes")]
pub(crate) struct DetachArguments {
    /// What `attach` wrote: the trigger in it comes back.
    #[arg(long, value_name = "FILE")]
    undo_file: Option<PathBuf>,
    #[command(flatten)]
    change: ChangeArguments,
}

/// False where something in the pool is otherwise than it was meant to be.
pub(super) async fn run(arguments: &DetachArguments, out: &mut impl Write) -> anyhow::Result<bool> {
    let ChangeArguments { user_pool_id: pool, yes, json, stack } = &arguments.change;
    let (yes, json) = (*yes, *json);
    let earlier = arguments.undo_file.as_deref().map(|path| undo::read(path, pool)).transpose()?;
    let deployment = stack.reach().await?;
    require_region(&deployment, pool)?;
    let aws = Untyped::new(&deployment.aws);
    let before = Snapshot::take(&aws, pool).await?;
    let plan = plan::detach(pool, &before.described, earlier.as_ref())?;
    let trigger = before.described.trigger();
    let function = trigger.function().and_then(|function| FunctionArn::parse(function).ok());
    // The function that stays keeps its right.
    let leaves = function.filter(|function| {
        let stays = earlier.as_ref().and_then(|earlier| earlier.function());
        stays != Some(function.as_str())
    });
    let step = if leaves.is_some() { InvokeStep::ToWithdraw } else { InvokeStep::Nothing };
    let mut report = Report::new(pool, &before, &plan, step);
    if !yes || plan.changes.is_empty() {
        return report.show_intention(yes, json, out);
    }

    let undo_file = undo::write(None, "detach", pool, &plan.undo, Clock::system().now())?;
    report.undo_file = Some(undo_file.clone());
    let applied = apply(&aws, pool, &before, &plan).await;
    report.unexpected = applied.with_context(|| format!("undo file: {}", undo_file.display()))?;
    // Last of all: until then the pool may still invoke it.
    if let Some(function) = leaves {
        report.invoke_step = match invoke_right::withdraw(&aws, &function, pool).await {
            Ok(true) => InvokeStep::Withdrawn,
            Ok(false) => InvokeStep::Nothing,
            Err(error) => {
                report.warn(Some(format!("the right to invoke {function} was not withdrawn: {error}")));
                InvokeStep::ToWithdraw
            }
        };
    }
    report.show_outcome("detached", json, out)
}
