//! `stackgen deploy`

mod code_only;
mod redeploy;
mod whole;

use clap::Args;

use crate::Outcome;
use crate::account::{AccountArgs, GoalArgs, VerifyArgs, block_on};
use crate::error::CliError;
use crate::ui::Ui;

/// Make a stage serve what the account holds
///
/// With `--redeploy-stage`: sends code that was built and differs, makes an API deployment of what the account holds,
/// waits until it is DEPLOYED, moves the stage to it, verifies it, and deletes old deployments. If the stage does not
/// answer as it should, the previous deployment is restored. If the stage serves just that already, it is verified
/// unless it was before. Whatever fails, the stage serves a complete deployment, and running it again goes on.
///
/// It works on any API, whoever made it: `--api-id` and `--stage-name`. Stages under AutoDeploy are refused (row D5).
///
/// A stage is verified as each caller under `verify:` in stackgen.yaml, or as an anonymous one. That calls what its $connect
/// calls. A caller whom an authorizer refuses with 401 or 403 shows nothing of $connect: that alone verifies nothing.
///
/// Exits with 0 only if the stage was verified, or with `--no-verify`.
///
/// With `--local` alone: builds functions, renders, and applies the whole template to the local gateway, as CloudFormation
/// would.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Deploy {
    /// Deploy the API as the account holds it, and move the stage to it
    #[arg(long)]
    redeploy_stage: bool,

    /// Send code that differs, and deploy nothing
    #[arg(long, conflicts_with = "redeploy_stage")]
    code_only: bool,

    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    goal: GoalArgs,

    #[command(flatten)]
    account: AccountArgs,

    #[command(flatten)]
    how: redeploy::RedeployArgs,

    #[command(flatten)]
    verify: VerifyArgs,

    #[command(flatten)]
    whole: whole::WholeArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen deploy --redeploy-stage --env prod
  stackgen deploy --redeploy-stage --local
  stackgen deploy --local
  stackgen deploy --redeploy-stage --api-id a1b2c3d4e5 --stage-name prod --dry-run
  stackgen deploy --code-only --env dev";

impl Deploy {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        if self.redeploy_stage {
            return block_on(self.redeploy(ui));
        }
        if self.verify.is_given() {
            return Err(CliError::input(
                "the flags for verification go with `--redeploy-stage`",
            ));
        }
        if self.code_only {
            return block_on(self.code_only(ui));
        }
        if !self.account.local {
            return Err(CliError::input("what is to be deployed?").hint(
                "`--redeploy-stage` deploys the API as the account holds it; `--code-only` sends code",
            ));
        }
        if self.goal.names_an_api() {
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
        block_on(self.whole(ui))
    }
}
