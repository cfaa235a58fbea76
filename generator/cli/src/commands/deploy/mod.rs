//! `stackgen deploy`

mod apply_local;
mod args;
mod build;
mod code_only;
mod redeploy;
mod release;
mod release_args;

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
        if self.code_only {
            self.refuse_verification("`--code-only`, which deploys nothing")?;
            return block_on(code_only::run(self, ui));
        }
        if self.target.names_an_api() {
            return Err(self.refuse_api());
        }
        if !self.account.local {
            return block_on(release::run(self, ui));
        }
        self.refuse_verification("`--local` alone")?;
        if self.dry_run {
            return Err(
                CliError::input("`--dry-run` needs `--redeploy-stage` or `--code-only`")
                    .hint("show the changes of a template with `stackgen diff`"),
            );
        }
        block_on(apply_local::run(self, ui))
    }

    /// Returns the error of an API given to an action that deploys a whole template.
    fn refuse_api(&self) -> CliError {
        let local = if self.account.local { "--local " } else { "" };
        let action = match self.account.local {
            true => "`--local` alone, which applies a whole template",
            false => "a deploy of the whole template",
        };
        CliError::input(format!("`--api-id` cannot be used with {action}")).hint(format!(
            "redeploy the API with `--redeploy-stage {local}--api-id …`"
        ))
    }

    /// Refuses flags of verification for an action that verifies nothing.
    fn refuse_verification(&self, action: &str) -> Result<(), CliError> {
        match self.verify.is_given() {
            true => Err(CliError::input(format!(
                "flags of verification cannot be used with {action}"
            ))),
            false => Ok(()),
        }
    }
}
