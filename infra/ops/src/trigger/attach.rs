//! `sealpost attach`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use shared::{Clock, KeyArn, UserPoolId};

use super::apply::{Snapshot, apply};
use super::owner::owner;
use super::report::{InvokeStep, Report};
use super::{ChangeArguments, asking, key, plan, require_region, undo};
use crate::function_arn::FunctionArn;
use crate::invoke_right::{self, InvokeRight};
use crate::stack;
use crate::untyped::Untyped;
use crate::usage::WrongUsage;
use crate::user_pool::Trigger;

/// Set a user pool's trigger without resetting anything else.
///
/// From then on every SMS of the pool goes through the function: CustomSMSSender (V1_0) and KMSKeyID are set, and all
/// else is sent back as it was read, since Cognito resets what an update leaves out. The pool may invoke the function,
/// and nobody else gains that right. Afterwards the pool is read again and compared.
///
/// Without --yes it only says what it would do.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sealpost attach --user-pool-id eu-west-1_AbCdEfGhI --stack sealpost
  sealpost attach --user-pool-id eu-west-1_AbCdEfGhI --stack sealpost --yes
  sealpost attach --user-pool-id eu-west-1_AbCdEfGhI --yes \\
    --function arn:aws:lambda:eu-west-1:123456789012:function:producer:live \\
    --key arn:aws:kms:eu-west-1:123456789012:key/8a23102c-9b68-4fed-82ce-523c5363539e")]
pub(crate) struct AttachArguments {
    /// ARN of the producer's function, or of its alias; by default the stack's.
    #[arg(long, value_name = "ARN")]
    function: Option<String>,
    /// ARN of the key that Cognito seals codes with; by default the stack's.
    #[arg(long, value_name = "ARN")]
    key: Option<String>,
    /// Where to write what undoes it; by default a new file in this folder.
    #[arg(long, value_name = "FILE")]
    undo_file: Option<PathBuf>,
    #[command(flatten)]
    change: ChangeArguments,
}

/// False where something in the pool is otherwise than it was meant to be.
pub(super) async fn run(arguments: &AttachArguments, out: &mut impl Write) -> anyhow::Result<bool> {
    const NO_FUNCTION: WrongUsage = WrongUsage("which function? Give --function ARN or --stack NAME");
    const NO_KEY: WrongUsage = WrongUsage("which key? Give --key ARN or --stack NAME");
    let ChangeArguments { user_pool_id: pool, yes, json, stack } = &arguments.change;
    let (yes, json) = (*yes, *json);
    let deployment = stack.reach().await?;
    let function =
        deployment.given_or_of_stack(arguments.function.as_deref(), stack::PRODUCER_ARN)?.ok_or(NO_FUNCTION)?;
    let function = FunctionArn::parse(function).map_err(|error| anyhow::anyhow!("function {function} {error}"))?;
    let key = deployment.given_or_of_stack(arguments.key.as_deref(), stack::KEY_ARN)?.ok_or(NO_KEY)?;
    let key = KeyArn::parse(key).map_err(|error| anyhow::anyhow!("key {key} {error}"))?;
    require_region(&deployment, pool)?;
    let of_pool = pool.as_str().split('_').next().unwrap_or_default();
    let of_key = key.as_str().split(':').nth(3).unwrap_or_default();
    for (what, region) in [("function", function.as_found().region.as_str()), ("key", of_key)] {
        anyhow::ensure!(region == of_pool, "the {what} is in {region}, and must be in the pool's Region, {of_pool}");
    }

    let aws = Untyped::new(&deployment.aws);
    let before = Snapshot::take(&aws, pool).await?;
    let asking = asking(&before.described)?;
    let trigger = Trigger::of(function.as_str(), key.as_str());
    let plan = plan::attach(pool, &before.described, &trigger)?;
    let (right, owner, key_warning) = tokio::join!(
        invoke_right::read(&aws, &function, asking),
        owner(&deployment.aws, pool, &before.described),
        key::look(&deployment.aws, &key),
    );
    let right = right.context("whether the pool may invoke the function must be known first")?;
    let mut report = Report::new(pool, &before, &plan, InvokeStep::before(right, &function, pool)?);
    report.warn(key_warning?);
    if let Some(owner) = owner {
        report.warn(Some(owner.warning()));
        report.lines_for_owner = Some(owner.lines(function.as_str(), key.as_str()));
    }
    if !yes || report.changes_nothing() {
        return report.show_intention(yes, json, out);
    }

    if !plan.changes.is_empty() {
        let written = undo::write(arguments.undo_file.as_deref(), "attach", pool, &plan.undo, Clock::system().now())?;
        report.undo_file = Some(written);
    }
    // Before the trigger, since a trigger that the pool may not invoke fails every SMS.
    let statement = invoke_right::statement_id(pool);
    if report.invoke_step == InvokeStep::ToGrant {
        let granted = invoke_right::grant(&aws, &function, pool, asking).await;
        granted.with_context(|| {
            format!(
                "granting the pool the right to invoke {function} (statement {statement} of its policy, where no other \
                 may have this id); the pool was not changed"
            )
        })?;
        report.invoke_step = InvokeStep::Granted;
    }
    if let Some(undo_file) = report.undo_file.clone() {
        let applied = apply(&aws, pool, &before, &plan).await;
        report.unexpected = applied.with_context(|| match report.invoke_step {
            InvokeStep::Granted => {
                format!("undo file: {}; the right to invoke stays (statement {statement})", undo_file.display())
            }
            InvokeStep::There
            | InvokeStep::TooWide { .. }
            | InvokeStep::ToGrant
            | InvokeStep::ToWithdraw
            | InvokeStep::Withdrawn
            | InvokeStep::Nothing => format!("undo file: {}", undo_file.display()),
        })?;
    }
    report.show_outcome("attached", json, out)
}

impl InvokeStep {
    /// What is to be done about the right to invoke.
    fn before(right: InvokeRight, function: &FunctionArn, pool: &UserPoolId) -> anyhow::Result<Self> {
        match right {
            InvokeRight::There { is_narrow, .. } if is_narrow => Ok(Self::There),
            InvokeRight::There { statement, .. } => Ok(Self::TooWide { statement }),
            InvokeRight::Missing => Ok(Self::ToGrant),
            InvokeRight::Denied { statement } => anyhow::bail!(
                "the policy of {function} denies {pool} to invoke it (statement {statement}): every SMS would fail, so \
                 nothing was changed; remove that statement first"
            ),
            InvokeRight::Unreadable => anyhow::bail!(
                "the policy of {function} cannot be understood, so nothing was changed; look at it with \
                 `aws lambda get-policy --function-name {}`",
                function.as_found().name
            ),
        }
    }
}
