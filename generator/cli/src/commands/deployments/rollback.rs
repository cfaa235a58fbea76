//! `stackgen deployments rollback`

use clap::Args;

use super::move_stage::{MoveArgs, move_stage};
use super::target::DeploymentsArgs;
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::ui::Ui;

/// Move a stage back to the previous deployment, and verify it
///
/// Goes back to the most recent earlier deployment that was verified, or that the stage is known to have served: one that
/// CloudFormation created from a template of stackgen, or that the description of a later deployment names. If verification fails, the stage is moved forward again, and the exit code is 1. Run the command
/// again to go back another deployment.
///
/// Code behind unqualified function ARNs stays as it is: code is rolled back only if the routes invoke
/// published versions (`release: pinned`).
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct RollbackCommand {
    /// ID of the deployment to go back to
    #[arg(long, help_heading = "Action", value_name = "ID")]
    to: Option<String>,

    #[command(flatten)]
    options: MoveArgs,

    #[command(flatten)]
    api: DeploymentsArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen deployments rollback --env prod
  stackgen deployments rollback --env prod --to k3j2h1 --yes";

impl RollbackCommand {
    pub(super) async fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        move_stage(&self.api, self.to.as_deref(), &self.options, ui).await
    }
}
