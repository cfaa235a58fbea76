//! `stackgen deployments activate`

use clap::Args;

use super::move_stage::{MoveArgs, move_stage};
use super::target::DeploymentsArgs;
use crate::error::CliError;
use crate::outcome::Outcome;
use crate::ui::Ui;

/// Move a stage to an existing deployment, and verify it
///
/// If the stage does not answer as it should, it is moved back, and the exit code is 1.
#[derive(Args, Debug)]
pub(super) struct ActivateCommand {
    /// The deployment
    #[arg(value_name = "ID")]
    deployment: String,

    #[command(flatten)]
    options: MoveArgs,

    #[command(flatten)]
    api: DeploymentsArgs,
}

impl ActivateCommand {
    pub(super) async fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        move_stage(&self.api, Some(&self.deployment), &self.options, ui).await
    }
}
