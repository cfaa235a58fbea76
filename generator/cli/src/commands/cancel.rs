//! `stackgen cancel`

use clap::Args;
use stackgen_deploy::DeployStep;
use stackgen_deploy::stack::delete::cancel;

use crate::account::{AccountArgs, StackArgs, StackTarget, StepProgress, interrupt_on_signals};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::ui::Ui;

/// Cancel a running update of a stack
///
/// CloudFormation restores what the stack was before the update. Waits until it has. A creation cannot be canceled; delete the
/// stack with `stackgen destroy`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CancelCommand {
    #[command(flatten)]
    stack: StackArgs,

    #[command(flatten)]
    account: AccountArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen cancel --env prod
  stackgen cancel --stack-name rooms-prod";

impl CancelCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        if self.account.local {
            return Err(CliError::input(
                "the local gateway applies a template at once",
            ));
        }
        block_on(self.cancel(ui))
    }

    async fn cancel(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
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
        progress.begin("canceling the update");
        let stack = cancel(&account.aws, &name, ctx).await?;
        drop(progress);
        let status = stack.status.name();
        if ui.wants_json() {
            ui.json_result(
                &serde_json::json!({ "stack": name, "id": stack.id, "status": status }),
            )?;
        }
        ui.done(&format!("stack {name}: {status}"))?;
        match status {
            "UPDATE_ROLLBACK_COMPLETE" => Ok(CommandOutcome::Done),
            _ => Err(CliError::failed(format!(
                "the update of stack {name} could not be canceled: its status is {status}"
            ))
            .hint(stack.status.remedy())),
        }
    }
}
