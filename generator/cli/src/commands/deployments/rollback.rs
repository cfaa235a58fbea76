//! `stackgen deployments rollback`

use clap::Args;

use super::Where;
use super::activate::{Moving, move_to};
use crate::Outcome;
use crate::error::CliError;
use crate::ui::Ui;

/// Move a stage back to the deployment before, and verify it
///
/// That is the newest earlier deployment that was verified, or that is known to have served: CloudFormation made it from a
/// template of stackgen's, or the description of a later one names it. If the stage does not answer as it should, it is
/// moved forward again, and the exit code is 1. Run it again to go back another deployment.
///
/// Code behind unqualified function ARNs stays as it is: only a pinned release goes back as a whole.
#[derive(Args, Debug)]
pub(super) struct Rollback {
    /// Go back to this deployment
    #[arg(long, value_name = "ID")]
    to: Option<String>,

    #[command(flatten)]
    how: Moving,

    #[command(flatten)]
    place: Where,
}

impl Rollback {
    pub(super) async fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        move_to(&self.place, self.to.as_deref(), &self.how, ui).await
    }
}
