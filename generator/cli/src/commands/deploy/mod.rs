//! `stackgen deploy`

mod apply_local;
mod args;
mod code_only;
mod redeploy;

pub(super) use args::DeployCommand;

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::ui::Ui;

impl DeployCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        if self.redeploy_stage {
            return block_on(redeploy::run(self, ui));
        }
        if self.verify.is_given() {
            return Err(CliError::input(
                "flags of verification need `--redeploy-stage`",
            ));
        }
        if self.code_only {
            return block_on(code_only::run(self, ui));
        }
        if !self.account.local {
            return Err(CliError::input("no action is given")
                .hint("redeploy an API with `--redeploy-stage`, or send code with `--code-only`"));
        }
        if self.target.names_an_api() {
            return Err(CliError::input(
                "`--api-id` cannot be used with `--local` alone, which applies a whole template",
            )
            .hint("redeploy the API with `--redeploy-stage --local --api-id …`"));
        }
        if self.dry_run {
            return Err(
                CliError::input("`--dry-run` needs `--redeploy-stage` or `--code-only`")
                    .hint("show the changes of a template with `stackgen diff`"),
            );
        }
        block_on(apply_local::run(self, ui))
    }
}
