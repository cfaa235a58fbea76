//! `stackgen deployments`

mod activate;
mod list;
mod move_stage;
mod prune;
mod rollback;
mod target;

use clap::{Args, Subcommand};

use crate::error::CliError;
use crate::outcome::Outcome;
use crate::runtime::block_on;
use crate::ui::Ui;

/// List deployments, move a stage from one to another, delete old ones
///
/// A deployment is a snapshot of an API; a stage is a pointer to one (rows D1, D11). Moving it changes what is served and
/// nothing else: settings of the stage stay, and so does code that functions run behind unqualified ARNs.
#[derive(Args, Debug)]
pub(crate) struct DeploymentsCommand {
    #[command(subcommand)]
    verb: DeploymentsVerb,
}

#[derive(Debug, Subcommand)]
enum DeploymentsVerb {
    List(list::ListCommand),
    Activate(activate::ActivateCommand),
    Rollback(rollback::RollbackCommand),
    Prune(prune::PruneCommand),
}

impl DeploymentsCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
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
