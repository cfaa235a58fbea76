//! `stackgen deployments activate`

use clap::Args;

use super::move_stage::{MoveArgs, move_stage};
use super::target::DeploymentsArgs;
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::ui::Ui;

/// Move a stage to a deployment, and verify it
///
/// If verification fails, the stage is moved back, and the exit code is 1.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ActivateCommand {
    /// ID of the deployment
    #[arg(value_name = "ID")]
    deployment: String,

    #[command(flatten)]
    options: MoveArgs,

    #[command(flatten)]
    api: DeploymentsArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen deployments activate k3j2h1 --env prod
  stackgen deployments activate k3j2h1 --api-id a1b2c3d4e5 --stage-name prod --dry-run";

impl ActivateCommand {
    pub(super) async fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        move_stage(&self.api, Some(&self.deployment), &self.options, ui).await
    }
}
