//! `stackgen deployments rollback`

use clap::Args;

use super::Where;
use super::activate::{Moving, move_to};
use crate::Outcome;
use crate::error::CliError;
use crate::ui::Ui;

/// Move a stage back to the deployment before
///
/// That is the newest of stackgen's deployments which is older than the one that is served, can be served, and did not
/// fail when it was tried. API Gateway does not tell which deployments were ever served. Again goes back further.
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
