//! `stackgen deploy`

mod apply_local;
mod args;
mod code_only;
mod redeploy;

pub(super) use args::DeployCommand;

use crate::error::CliError;
use crate::outcome::Outcome;
use crate::runtime::block_on;
use crate::ui::Ui;

impl DeployCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        if self.redeploy_stage {
            return block_on(redeploy::run(self, ui));
        }
        if self.verify.is_given() {
            return Err(CliError::input(
                "the flags for verification go with `--redeploy-stage`",
            ));
        }
        if self.code_only {
            return block_on(code_only::run(self, ui));
        }
        if !self.account.local {
            return Err(CliError::input("what is to be deployed?").hint(
                "`--redeploy-stage` deploys the API as the account holds it; `--code-only` sends code",
            ));
        }
        if self.target.names_an_api() {
            return Err(CliError::input(
                "`--local` alone applies a whole template, and `--api-id` names an API",
            )
            .hint("`--redeploy-stage --local --api-id …` deploys that API as the gateway has it"));
        }
        if self.dry_run {
            return Err(CliError::input(
                "`--dry-run` goes with `--redeploy-stage` or `--code-only`",
            )
            .hint("`stackgen diff` tells what a template changes"));
        }
        block_on(apply_local::run(self, ui))
    }
}
