//! `stackgen deployments`

mod activate;
mod list;
mod move_stage;
mod prune;
mod rollback;
mod target;
mod versions;

use clap::{Args, Subcommand};

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::ui::Ui;

/// List, activate, roll back and delete deployments of an API
///
/// A deployment is a snapshot of an API's configuration, and a stage points at one (rows D1, D11). Moving the stage to
/// another deployment changes what it serves. Settings of the stage stay, and so does code behind unqualified function ARNs.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeploymentsCommand {
    #[command(subcommand)]
    verb: DeploymentsVerb,
}

const EXAMPLES: &str = "\
Examples:
  stackgen deployments list --env prod
  stackgen deployments rollback --env prod
  stackgen deployments prune --api-id a1b2c3d4e5 --keep 3";

#[derive(Debug, Subcommand)]
enum DeploymentsVerb {
    List(list::ListCommand),
    Activate(activate::ActivateCommand),
    Rollback(rollback::RollbackCommand),
    Prune(prune::PruneCommand),
}

impl DeploymentsCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        block_on(async {
            match &self.verb {
                DeploymentsVerb::List(verb) => verb.run(ui).await,
                DeploymentsVerb::Activate(verb) => verb.run(ui).await,
                DeploymentsVerb::Rollback(verb) => verb.run(ui).await,
                DeploymentsVerb::Prune(verb) => verb.run(ui).await,
            }
        })
    }
}
