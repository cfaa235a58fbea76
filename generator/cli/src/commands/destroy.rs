//! `stackgen destroy`

use clap::Args;
use serde::Serialize;
use stackgen_cfn::terminal::escape;
use stackgen_deploy::stack::delete::{DeletedStack, RetainedResource, delete};
use stackgen_deploy::stack::{StackError, StackId, StackName, StackReader as _};
use stackgen_deploy::{DeployStep, OperationContext};

use crate::account::{
    AccountArgs, AccountClient, StackArgs, StackTarget, StepProgress, confirmed,
    interrupt_on_signals,
};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::style::BOLD;
use crate::ui::Ui;

/// Delete a stack, and report what stays in the account
///
/// CloudFormation keeps resources whose `DeletionPolicy` retains them: tables that stackgen.yaml retains, deployments and
/// versions. What is kept is listed with its ID. Without a terminal, `--yes` is required.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DestroyCommand {
    /// Do not ask for confirmation
    #[arg(long, short, help_heading = "Action")]
    yes: bool,

    /// Role with which CloudFormation deletes the resources
    #[arg(long, value_name = "ARN", help_heading = "Action")]
    role_arn: Option<String>,

    #[command(flatten)]
    stack: StackArgs,

    #[command(flatten)]
    account: AccountArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen destroy --env dev
  stackgen destroy --stack-name rooms-dev --yes";

/// The result in the output of `--json`.
#[derive(Serialize)]
struct DestroyReport<'a> {
    stack: &'a StackName,
    id: &'a StackId,
    retained: &'a [RetainedResource],
}

impl DestroyCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        if self.account.local {
            return Err(CliError::input("the local gateway has no stack to delete")
                .hint("end it with Ctrl-C"));
        }
        if !self.yes && !ui.can_prompt() {
            return Err(CliError::input("deleting a stack needs a confirmation")
                .hint("give it with `--yes`"));
        }
        block_on(self.destroy(ui))
    }

    async fn destroy(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let StackTarget { name, declared } = self.stack.resolve(ui)?;
        let progress = StepProgress::new(ui);
        let interrupt = interrupt_on_signals(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let account = self
            .account
            .connect_in(declared.region.as_deref(), ui)
            .await?;
        let ctx = account.context(&steps, &interrupt);
        declared.require(&account, ctx).await?;
        progress.begin("looking at the stack");
        let resources = resources(&account, &name, ctx).await?;
        progress.pause();
        let question = format!("Delete stack {name} with {resources} resources?");
        if !confirmed(self.yes, &question, &interrupt, ui).await? {
            ui.done("nothing was changed")?;
            return Ok(CommandOutcome::Done);
        }
        progress.begin("deleting the stack");
        let deleted = delete(&account.aws, &name, self.role_arn.as_deref(), ctx).await?;
        drop(progress);
        report(&name, &deleted, ui)?;
        Ok(CommandOutcome::Done)
    }
}

/// Returns the number of resources of a stack.
async fn resources(
    account: &AccountClient,
    name: &StackName,
    ctx: OperationContext<'_>,
) -> Result<usize, CliError> {
    let stack = ctx.read(|| account.aws.stack(name.as_str())).await?;
    let stack = stack.ok_or_else(|| StackError::NoStack {
        stack: name.clone(),
    })?;
    Ok(ctx.read(|| account.aws.resources(&stack.id)).await?.len())
}

fn report(name: &StackName, deleted: &DeletedStack, ui: &Ui) -> Result<(), CliError> {
    if ui.wants_json() {
        return ui.json_result(&DestroyReport {
            stack: name,
            id: &deleted.stack,
            retained: &deleted.retained,
        });
    }
    ui.done(&format!("deleted stack {BOLD}{name}{BOLD:#}"))?;
    if !deleted.retained.is_empty() {
        ui.done("kept in the account, because the template retains it:")?;
    }
    for kept in &deleted.retained {
        let id = kept.physical_id.as_deref().unwrap_or(&kept.logical_id);
        ui.done(&format!("  {} {}", escape(&kept.kind), escape(id)))?;
    }
    Ok(())
}
