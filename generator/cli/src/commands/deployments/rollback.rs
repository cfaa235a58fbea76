//! `stackgen deployments rollback`

use clap::Args;

use super::move_stage::{MoveArgs, move_stage};
use super::target::DeploymentsArgs;
use crate::error::CliError;
use crate::outcome::Outcome;
use crate::ui::Ui;

/// Move a stage back to the deployment before, and verify it
///
/// That is the newest earlier deployment that was verified, or that is known to have served: CloudFormation made it from a
/// template of stackgen's, or the description of a later one names it. If the stage does not answer as it should, it is
/// moved forward again, and the exit code is 1. Run it again to go back another deployment.
///
/// Code behind unqualified function ARNs stays as it is: only a pinned release goes back as a whole.
#[derive(Args, Debug)]
pub(super) struct RollbackCommand {
    /// Go back to this deployment
    #[arg(long, value_name = "ID")]
    to: Option<String>,

    #[command(flatten)]
    options: MoveArgs,

    #[command(flatten)]
    api: DeploymentsArgs,
}

impl RollbackCommand {
    pub(super) async fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        move_stage(&self.api, self.to.as_deref(), &self.options, ui).await
    }
}
